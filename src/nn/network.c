// A model on a device: its weights, and working memory that is allocated once.
#include "nn/network.h"

#include "base/error.h"
#include "base/size.h"
#include "nn/inside.h"

enum { ALIGN_FLOATS = 16 }; // every region begins on 64 bytes

// Floats of the regions for a number of rows.
typedef struct regions {
    uint64_t normed, mixed, inner, losses, total;
} regions;

static int region(int64_t rows, int64_t cols, uint64_t *out)
{
    uint64_t floats;

    if (dpi_mul_u64((uint64_t)rows, (uint64_t)cols, &floats) || dpi_add_u64(floats, ALIGN_FLOATS - 1, &floats))
        return 1;
    *out = floats / ALIGN_FLOATS * ALIGN_FLOATS;
    return 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static int measure(const dpi_config *config, int64_t rows, regions *out)
{
    const int64_t q = (int64_t)config->heads * config->head_dim, kv = (int64_t)config->kv_heads * config->head_dim;
    uint64_t hidden, query, key, ffn, attention;

    if (region(rows, config->hidden, &hidden) || region(rows, q, &query) || region(rows, kv, &key) ||
        region(rows, config->ffn, &ffn) || region(rows, 1, &out->losses) || dpi_mul_u64(key, 2, &attention) ||
        dpi_add_u64(attention, query, &attention))
        return 1;
    out->normed = hidden;
    out->mixed = larger(hidden, query);
    out->inner = larger(ffn, attention);
    return dpi_add_u64(out->normed, out->mixed, &out->total) || dpi_add_u64(out->total, out->inner, &out->total) ||
           dpi_add_u64(out->total, out->losses, &out->total);
}

static int too_large(int64_t rows, dp_error *error)
{
    return dpi_fail(error, DP_E_MEMORY, "working memory for %lld rows does not fit an address space",
                    (long long)rows);
}

static int work_bytes(const dp_model *model, int64_t rows, uint64_t *bytes, dp_error *error)
{
    regions size;

    if (rows < 1 || measure(&model->config, rows, &size) || dpi_mul_u64(size.total, sizeof(float), bytes))
        return too_large(rows, error);
    return DP_OK;
}

int dpi_network_bytes(const dp_model *model, int64_t rows, uint64_t *bytes, dp_error *error)
{
    uint64_t work = 0, weights = 0, positions;
    int rc = work_bytes(model, rows, &work, error);

    if (!rc)
        rc = dpi_weights_bytes(model, &weights, error);
    if (rc)
        return rc;
    if (dpi_mul_u64((uint64_t)rows, sizeof(int32_t), &positions) || dpi_add_u64(work, weights, &work) ||
        dpi_add_u64(work, positions, bytes))
        return too_large(rows, error);
    return DP_OK;
}

static int open_memory(dpi_network *network, dp_error *error)
{
    dpi_memory *memory = &network->context->memory;
    uint64_t bytes = 0;
    int rc = work_bytes(network->model, network->rows, &bytes, error);

    if (!rc)
        rc = dpi_op_alloc(network->device, bytes, (void **)&network->work, error);
    if (rc)
        return rc;
    network->positions = dpi_alloc(memory, (size_t)network->rows, sizeof(int32_t), error);
    if (!network->positions)
        return DP_E_MEMORY;
    network->frequencies = dpi_alloc(memory, (size_t)network->model->config.head_dim, sizeof(float), error);
    if (!network->frequencies)
        return DP_E_MEMORY;
    dpi_model_inverse_frequencies(network->model, network->frequencies);
    return dpi_weights_open(&network->weights, network->device, network->model, error);
}

int dpi_network_open(dpi_network **out, dp_context *context, const dp_model *model, int64_t rows, dp_error *error)
{
    dpi_network *network = dpi_alloc(&context->memory, 1, sizeof *network, error);

    if (!network)
        return DP_E_MEMORY;
    network->context = dpi_context_keep(context);
    network->model = dpi_model_retain(model);
    network->device = dpi_device_of(context);
    network->rows = rows;
    const int rc = open_memory(network, error);
    if (rc) {
        dpi_network_close(network);
        return rc;
    }
    *out = network;
    return DP_OK;
}

void dpi_network_close(dpi_network *network)
{
    if (!network)
        return;
    dp_context *context = network->context;
    dpi_weights_close(network->weights);
    dpi_op_free(network->device, network->work);
    dpi_op_free(network->device, network->logits);
    dpi_free(&context->memory, network->positions);
    dpi_free(&context->memory, network->frequencies);
    dp_model_free(network->model);
    dpi_free(&context->memory, network);
    dpi_context_drop(context);
}

int dpi_fetch(dpi_device *device, void *to, const void *from, uint64_t bytes, dp_error *error)
{
    const int rc = dpi_op_download(device, to, from, bytes, error);

    return rc ? rc : dpi_op_sync(device, error);
}

int dpi_network_place(const dpi_network *network, int64_t rows, dpi_activations *out, dp_error *error)
{
    const dpi_config *config = &network->model->config;
    const int64_t q = (int64_t)config->heads * config->head_dim, kv = (int64_t)config->kv_heads * config->head_dim;
    regions size;
    uint64_t key = 0;

    if (rows < 1 || rows > network->rows || measure(config, network->rows, &size) || region(rows, kv, &key))
        return dpi_fail(error, DP_E_INTERNAL, "a network for %lld rows was given %lld", (long long)network->rows,
                        (long long)rows);
    float *mixed = network->work + size.normed;
    float *inner = mixed + size.mixed;
    out->normed = dpi_mat_f32(network->work, rows, config->hidden);
    out->q = dpi_mat_f32(mixed, rows, q);
    out->delta = dpi_mat_f32(mixed, rows, config->hidden);
    out->k = dpi_mat_f32(inner, rows, kv);
    out->v = dpi_mat_f32(inner + key, rows, kv);
    out->y = dpi_mat_f32(inner + 2 * key, rows, q);
    out->inner = dpi_mat_f32(inner, rows, config->ffn);
    out->losses = dpi_mat_f32(inner + size.inner, rows, 1);
    return DP_OK;
}

int dpi_network_embed(dpi_network *network, const int32_t *ids, int64_t rows, const dp_mat *x, dp_error *error)
{
    dp_embed_args args = {.y = *x, .ids = ids};
    const int rc = dpi_weights_embedding(network->weights, &args.table, error);

    args.y.rows = rows;
    return rc ? rc : dpi_op_embed(network->device, &args, error);
}
