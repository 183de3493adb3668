// Weights on a device.  Matrices keep their stored type; every vector of the model is read once, as f32.
#include "nn/weights.h"

#include "base/error.h"
#include "base/size.h"
#include "tensor/dtype.h"

enum { ALIGN = 64 };

struct dpi_weights {
    dpi_device *device;
    const dp_model *model; // borrowed: the network's owner keeps it
    float *vectors;        // device memory: block after block, then the last norm
    uint64_t *starts;      // blocks × DPI_BLOCK_WEIGHTS offsets into vectors, and one for the last norm
    void *block_memory;    // the matrices of block `held`; NULL on a device that reads host memory
    void *embedding, *head;
    int32_t held, reserved;
};

static int reads_host(const dpi_device *device)
{
    return (device->info.flags & DP_BACKEND_HOST_MEMORY) != 0;
}

static int is_vector(int kind)
{
    return kind == DPI_NORM_1 || kind == DPI_NORM_2 || kind >= DPI_BIAS_Q;
}

// Backends take operands as `void *`; they never write weights.
static void *operand(const void *data)
{
    return (void *)(uintptr_t)data;
}

static dp_mat matrix(const dpi_tensor *tensor, void *data)
{
    const int64_t cols = dpi_tensor_columns(tensor);

    return (dp_mat){
        .data = data, .rows = dpi_tensor_rows(tensor), .cols = cols, .stride = cols, .type = tensor->type};
}

static dp_mat vector(float *data, const dpi_tensor *tensor)
{
    const int64_t count = dpi_tensor_count(tensor);

    return (dp_mat){.data = data, .rows = 1, .cols = count, .stride = count, .type = DP_F32};
}

// Elements of a vector with its padding, so that each begins aligned.
static uint64_t padded(const dpi_tensor *tensor)
{
    const uint64_t step = ALIGN / sizeof(float);

    return ((uint64_t)dpi_tensor_count(tensor) + step - 1) / step * step;
}

// Offsets of every vector into `starts` (may be NULL); returns the elements of all of them.
static uint64_t place_vectors(const dp_model *model, uint64_t *starts)
{
    uint64_t at = 0;

    for (int32_t block = 0; block < model->config.blocks; block++)
        for (int kind = 0; kind < DPI_BLOCK_WEIGHTS; kind++) {
            const dpi_tensor *tensor = model->blocks[block].weights[kind];

            if (!is_vector(kind) || !tensor)
                continue;
            if (starts)
                starts[(int64_t)block * DPI_BLOCK_WEIGHTS + kind] = at;
            at += padded(tensor);
        }
    if (starts)
        starts[(int64_t)model->config.blocks * DPI_BLOCK_WEIGHTS] = at;
    return at + padded(model->norm);
}

// Bytes of the matrices of the largest block, each begun aligned.
static uint64_t largest_block(const dp_model *model)
{
    uint64_t most = 0;

    for (int32_t block = 0; block < model->config.blocks; block++) {
        uint64_t bytes = 0;
        for (int kind = 0; kind < DPI_BLOCK_WEIGHTS; kind++) {
            const dpi_tensor *tensor = model->blocks[block].weights[kind];
            if (!is_vector(kind) && tensor)
                bytes += (tensor->bytes + ALIGN - 1) / ALIGN * ALIGN;
        }
        most = bytes > most ? bytes : most;
    }
    return most;
}

static int read_vector(const dpi_tensor *tensor, float *f32, dp_error *error)
{
    const int rc = dpi_model_check_file(tensor, error);

    if (!rc)
        dpi_to_f32(tensor->type, tensor->data, dpi_tensor_count(tensor), f32);
    return rc;
}

static int read_vectors(const dpi_weights *weights, float *f32, dp_error *error)
{
    const dp_model *model = weights->model;
    const int64_t slots = (int64_t)model->config.blocks * DPI_BLOCK_WEIGHTS;
    int rc = DP_OK;

    for (int64_t slot = 0; slot < slots && !rc; slot++) {
        const int kind = (int)(slot % DPI_BLOCK_WEIGHTS);
        const dpi_tensor *tensor = model->blocks[slot / DPI_BLOCK_WEIGHTS].weights[kind];

        if (is_vector(kind) && tensor)
            rc = read_vector(tensor, f32 + weights->starts[slot], error);
    }
    return rc ? rc : read_vector(model->norm, f32 + weights->starts[slots], error);
}

static int open_vectors(dpi_weights *weights, dp_error *error)
{
    const dp_model *model = weights->model;
    dpi_memory *memory = &weights->device->context->memory;
    const uint64_t count = place_vectors(model, NULL);
    float *f32 = NULL;
    int rc;

    weights->starts =
        dpi_alloc(memory, (size_t)model->config.blocks * DPI_BLOCK_WEIGHTS + 1, sizeof *weights->starts, error);
    f32 = dpi_alloc(memory, count, sizeof *f32, error);
    rc = weights->starts && f32 ? DP_OK : DP_E_MEMORY;
    if (!rc)
        rc = dpi_op_alloc(weights->device, count * sizeof(float), (void **)&weights->vectors, error);
    if (!rc) {
        place_vectors(model, weights->starts);
        rc = read_vectors(weights, f32, error);
    }
    if (!rc)
        rc = dpi_op_upload(weights->device, weights->vectors, f32, count * sizeof(float), error);
    if (!rc)
        rc = dpi_op_sync(weights->device, error); // before the memory it reads goes
    dpi_free(memory, f32);
    return rc;
}

// Before anything is computed with a part of the model.
static int check_types(const dp_model *model, dp_error *error)
{
    int rc = dpi_model_needs_weights(model, error);

    for (int32_t block = 0; block < model->config.blocks; block++)
        for (int kind = 0; !rc && kind < DPI_BLOCK_WEIGHTS; kind++)
            if (model->blocks[block].weights[kind])
                rc = dpi_model_needs_computed(model, model->blocks[block].weights[kind], error);
    if (!rc)
        rc = dpi_model_needs_computed(model, model->embedding, error);
    return rc ? rc : dpi_model_needs_computed(model, model->head, error);
}

int dpi_weights_open(dpi_weights **out, dpi_device *device, const dp_model *model, dp_error *error)
{
    int rc = check_types(model, error);

    if (rc)
        return rc;
    dpi_weights *weights = dpi_alloc(&device->context->memory, 1, sizeof *weights, error);
    if (!weights)
        return DP_E_MEMORY;
    weights->device = device;
    weights->model = model;
    weights->held = -1;
    rc = open_vectors(weights, error);
    if (!rc && !reads_host(device))
        rc = dpi_op_alloc(device, largest_block(model), &weights->block_memory, error);
    if (rc) {
        dpi_weights_close(weights);
        return rc;
    }
    *out = weights;
    return DP_OK;
}

void dpi_weights_close(dpi_weights *weights)
{
    if (!weights)
        return;
    dpi_device *device = weights->device;
    dpi_op_free(device, weights->vectors);
    dpi_op_free(device, weights->block_memory);
    dpi_op_free(device, weights->embedding);
    dpi_op_free(device, weights->head);
    dpi_free(&device->context->memory, weights->starts);
    dpi_free(&device->context->memory, weights);
}

int dpi_weights_bytes(const dp_model *model, uint64_t *bytes, dp_error *error)
{
    uint64_t vectors, starts;

    if (dpi_mul_u64(place_vectors(model, NULL), 2 * sizeof(float), &vectors) ||
        dpi_mul_u64((uint64_t)model->config.blocks + 1, DPI_BLOCK_WEIGHTS * sizeof(uint64_t), &starts) ||
        dpi_add_u64(vectors, starts, bytes))
        return dpi_fail(error, DP_E_MEMORY, "the norm vectors of %d blocks do not fit an address space",
                        model->config.blocks);
    return DP_OK;
}

static int upload_block(dpi_weights *weights, int32_t block, dp_mat mats[DPI_BLOCK_WEIGHTS], dp_error *error)
{
    const dpi_block *from = &weights->model->blocks[block];
    unsigned char *to = weights->block_memory;
    int rc = DP_OK;

    for (int kind = 0; kind < DPI_BLOCK_WEIGHTS && !rc; kind++) {
        const dpi_tensor *tensor = from->weights[kind];

        if (is_vector(kind) || !tensor)
            continue;
        mats[kind] = matrix(tensor, to);
        if (weights->held != block)
            rc = dpi_op_upload(weights->device, to, tensor->data, tensor->bytes, error);
        to += (tensor->bytes + ALIGN - 1) / ALIGN * ALIGN;
    }
    weights->held = rc ? -1 : block;
    return rc;
}

static int place_block(dpi_weights *weights, int32_t block, dp_mat mats[DPI_BLOCK_WEIGHTS], dp_error *error)
{
    const dpi_block *from = &weights->model->blocks[block];

    for (int kind = 0; kind < DPI_BLOCK_WEIGHTS; kind++) {
        const dpi_tensor *tensor = from->weights[kind];
        const int64_t slot = (int64_t)block * DPI_BLOCK_WEIGHTS + kind;

        mats[kind] = (dp_mat){.data = NULL};
        if (tensor && is_vector(kind))
            mats[kind] = vector(weights->vectors + weights->starts[slot], tensor);
        else if (tensor)
            mats[kind] = matrix(tensor, operand(tensor->data));
    }
    return weights->block_memory ? upload_block(weights, block, mats, error) : DP_OK;
}

int dpi_weights_block(dpi_weights *weights, int32_t block, dp_mat mats[DPI_BLOCK_WEIGHTS], dp_error *error)
{
    const int rc = dpi_model_begin_block(weights->model, block, weights->device->context->pool, error);

    return rc ? rc : place_block(weights, block, mats, error);
}

int dpi_weights_block_unseen(dpi_weights *weights, int32_t block, dp_mat mats[DPI_BLOCK_WEIGHTS], dp_error *error)
{
    const int rc = dpi_model_check_files(weights->model, block, error);

    return rc ? rc : place_block(weights, block, mats, error);
}

static int resident(dpi_weights *weights, const dpi_tensor *tensor, void **memory, dp_mat *out, dp_error *error)
{
    int rc = DP_OK;

    if (reads_host(weights->device)) {
        *out = matrix(tensor, operand(tensor->data));
        return DP_OK;
    }
    if (!*memory) {
        void *fresh = NULL;
        rc = dpi_op_alloc(weights->device, tensor->bytes, &fresh, error);
        if (!rc)
            rc = dpi_op_upload(weights->device, fresh, tensor->data, tensor->bytes, error);
        if (rc) {
            dpi_op_free(weights->device, fresh);
            return rc;
        }
        *memory = fresh;
    }
    *out = matrix(tensor, *memory);
    return DP_OK;
}

int dpi_weights_embedding(dpi_weights *weights, dp_mat *out, dp_error *error)
{
    const int rc = dpi_model_begin_embedding(weights->model, weights->device->context->pool, error);

    return rc ? rc : resident(weights, weights->model->embedding, &weights->embedding, out, error);
}

int dpi_weights_head(dpi_weights *weights, dp_mat *out, dp_error *error)
{
    const dp_model *model = weights->model;
    void **memory = model->head == model->embedding ? &weights->embedding : &weights->head;
    const int rc = dpi_model_begin_head(model, weights->device->context->pool, error);

    return rc ? rc : resident(weights, model->head, memory, out, error);
}

dp_mat dpi_weights_norm(const dpi_weights *weights)
{
    const dp_model *model = weights->model;
    const int64_t slot = (int64_t)model->config.blocks * DPI_BLOCK_WEIGHTS;

    return vector(weights->vectors + weights->starts[slot], model->norm);
}
