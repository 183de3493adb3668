// A model from the host's own memory: each weight is checked when it is given and taken only when nothing can fail
// any more.
#include <depthprune/model_build.h>

#include "base/error.h"
#include "base/size.h"
#include "io/place.h"
#include "model/names.h"
#include "model/parse.h"
#include "model/source.h"
#include "tensor/dtype.h"

enum { MOST_CONFIG_BYTES = 4 << 20, GROWTH = 64 };

struct dp_model_builder {
    dp_context *context; // one reference
    dpi_source *source;  // one reference; NULL when finished
    size_t capacity;     // of source->made
    unsigned char *has;  // by slot, then by block and slot: given
    int32_t copies, reserved;
};

static int read_config(dp_model_builder *builder, const char *config, size_t bytes, dp_error *error)
{
    dpi_source *source = builder->source;
    dpi_memory *memory = source->memory;

    source->config_size = bytes;
    source->config_text = dpi_copy_bytes(memory, config, bytes, error);
    if (!source->config_text)
        return DP_E_MEMORY;
    const int rc = dpi_config_from_hf(&source->config, &source->family, source->config_text, bytes, "", error);
    if (rc)
        return rc;
    builder->has = dpi_alloc(memory, DPI_SLOTS + (size_t)source->config.blocks * DPI_BLOCK_WEIGHTS,
                             sizeof *builder->has, error);
    return builder->has ? DP_OK : DP_E_MEMORY;
}

int dp_model_builder_new(dp_context *context, const char *config, size_t bytes, const dp_model_options *options,
                         dp_model_builder **out, dp_error *error)
{
    dp_model_options read;

    if (!context || !config || !out)
        return dpi_fail(error, DP_E_ARGUMENT, "context, config and out must not be NULL");
    if (bytes > MOST_CONFIG_BYTES)
        return dpi_fail(error, DP_E_ARGUMENT, "the configuration is %zu bytes long, at most %d are read", bytes,
                        MOST_CONFIG_BYTES);
    const dpi_place place = {.item = "load", .offset = -1};
    int rc = dpi_model_options_read(options, &read, error);
    if (!rc && read.load == DP_LOAD_SHAPES)
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "a model from memory has its weights");
    if (rc)
        return rc;
    dp_model_builder *builder = dpi_alloc(&context->memory, 1, sizeof *builder, error);
    if (!builder)
        return DP_E_MEMORY;
    builder->context = dpi_context_keep(context);
    builder->copies = read.load == DP_LOAD_READ;
    rc = dpi_source_new_without_files(&builder->source, context, error);
    if (!rc)
        builder->source->allow_nonfinite = read.allow_nonfinite;
    if (!rc)
        rc = read_config(builder, config, bytes, error);
    if (rc) {
        dp_model_builder_free(builder);
        return rc;
    }
    *out = builder;
    return DP_OK;
}

static int check_call(const dp_model_builder *builder, const dp_weight *weight, dp_error *error)
{
    dpi_place place = {.item = "weight", .offset = -1};

    if (!builder || !weight)
        return dpi_fail(error, DP_E_ARGUMENT, "builder and weight must not be NULL");
    if (!builder->source)
        return dpi_fail(error, DP_E_STATE, "the model is finished: nothing can be added");
    if (weight->size < offsetof(dp_weight, block))
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "dp_weight.size is %u; set it to its sizeof",
                           weight->size);
    if (!weight->name || !weight->data)
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "name and data must not be NULL");
    place.item = weight->name;
    if (weight->rows < 1 || weight->columns < 1)
        return dpi_fail_at(error, DP_E_FORMAT, &place, "has %lld rows of %lld columns", (long long)weight->rows,
                           (long long)weight->columns);
    return DP_OK;
}

static int check_bytes(const dp_weight *weight, dp_error *error)
{
    const dpi_place place = {.item = weight->name, .offset = -1};
    uint64_t row = 0, bytes = 0;

    if (dpi_row_bytes(weight->type, weight->columns, &row))
        return dpi_fail_at(error, DP_E_FORMAT, &place, "has rows of %lld elements, %s has blocks of %d",
                           (long long)weight->columns, dp_type_name(weight->type),
                           dpi_dtype_of(weight->type)->block);
    if (dpi_mul_u64(row, (uint64_t)weight->rows, &bytes) || bytes != weight->bytes)
        return dpi_fail_at(error, DP_E_FORMAT, &place, "has %llu bytes, %lld rows of %llu make %llu",
                           (unsigned long long)weight->bytes, (long long)weight->rows, (unsigned long long)row,
                           (unsigned long long)bytes);
    return DP_OK;
}

// The tensor that the weight would be, and whether its place is free.
static int examine(dp_model_builder *builder, const dp_weight *weight, dpi_tensor *tensor, unsigned char **has,
                   dp_error *error)
{
    const dpi_place place = {.item = weight->name, .offset = -1};
    const int32_t dims = weight->rows == 1 ? 1 : 2;
    int32_t slot, block;

    *tensor = (dpi_tensor){.name = (char *)(uintptr_t)weight->name,
                           .data = weight->data,
                           .bytes = weight->bytes,
                           .shape = {weight->rows, weight->columns},
                           .dims = 2,
                           .type = weight->type};
    const int32_t known = dpi_name_read(DP_FORMAT_HF, weight->name, &block);
    if (dims == 1 && known >= 0 && !dpi_slot_is_matrix(known)) {
        tensor->dims = 1;
        tensor->shape[0] = weight->columns;
        tensor->shape[1] = 0;
    }
    int rc = dpi_source_slot(builder->source, tensor, &slot, &block, error);
    if (!rc && slot < 0)
        return dpi_fail_at(error, DP_E_FORMAT, &place, "is no weight of this family");
    if (!rc)
        rc = check_bytes(weight, error);
    if (rc)
        return rc;
    *has = builder->has + slot + (block < 0 ? 0 : DPI_SLOTS + (int64_t)block * DPI_BLOCK_WEIGHTS);
    return **has ? dpi_fail_at(error, DP_E_FORMAT, &place, "is given twice") : DP_OK;
}

static int make_room(dp_model_builder *builder, dp_error *error)
{
    dpi_source *source = builder->source;
    void *given = source->made;

    if (source->made_count < builder->capacity)
        return DP_OK;
    const int rc = dpi_grow(source->memory, &given, builder->capacity, builder->capacity + GROWTH,
                            sizeof *source->made, error);
    if (rc)
        return rc;
    source->made = given;
    builder->capacity += GROWTH;
    return DP_OK;
}

int dp_model_builder_add(dp_model_builder *builder, const dp_weight *weight, dp_release_function release,
                         void *user, dp_error *error)
{
    dpi_tensor tensor;
    unsigned char *has = NULL;
    int rc = check_call(builder, weight, error);

    if (!rc)
        rc = examine(builder, weight, &tensor, &has, error);
    if (!rc)
        rc = make_room(builder, error);
    if (rc)
        return rc;
    dpi_memory *memory = builder->source->memory;
    const int copied = builder->copies || !dpi_tensor_aligned(&tensor);
    tensor.name = dpi_copy_text(memory, weight->name, error);
    rc = !tensor.name ? DP_E_MEMORY
         : copied     ? dpi_tensor_copy(memory, &tensor, error)
                      : dpi_storage_new(&tensor.storage, memory, weight->data, weight->bytes, release, user, error);
    if (rc) {
        dpi_free(memory, tensor.name);
        return rc;
    }
    builder->source->made[builder->source->made_count++] = tensor;
    *has = 1;
    if (copied && release)
        release(user, weight->data, weight->bytes);
    return DP_OK;
}

static int bind(dp_model_builder *builder, dp_error *error)
{
    dpi_source *source = builder->source;
    int rc = dpi_source_bind(source, builder->context, source->made, source->made_count, error);

    if (!rc && source->config.tied && source->head)
        rc = dpi_source_check_tie(source, NULL, error);
    if (!rc && source->config.tied)
        source->head = source->embedding;
    return rc;
}

int dp_model_builder_finish(dp_model_builder *builder, dp_model **out, dp_error *error)
{
    if (!builder || !out)
        return dpi_fail(error, DP_E_ARGUMENT, "builder and out must not be NULL");
    if (!builder->source)
        return dpi_fail(error, DP_E_STATE, "the model is finished already");
    int rc = bind(builder, error);
    if (!rc)
        rc = dpi_model_of_source(dpi_source_keep(builder->source), builder->context, out, error);
    if (rc) {
        dpi_source_unbind(builder->source);
        return rc;
    }
    dpi_source_drop(builder->source);
    builder->source = NULL;
    return DP_OK;
}

void dp_model_builder_free(dp_model_builder *builder)
{
    if (!builder)
        return;
    dp_context *context = builder->context;
    dpi_source_drop(builder->source);
    dpi_free(&context->memory, builder->has);
    dpi_free(&context->memory, builder);
    dpi_context_drop(context);
}
