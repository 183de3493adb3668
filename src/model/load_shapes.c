// A model without weights: every tensor that the configuration demands, with name, type and shape but no data.
#include "base/error.h"
#include "base/size.h"
#include "model/names.h"
#include "model/source.h"
#include "tensor/dtype.h"

static int add(dpi_source *source, int32_t slot, int32_t block, dp_error *error)
{
    const dpi_config *config = &source->config;
    dpi_tensor *tensor = &source->made[source->made_count];
    char name[DPI_NAME_SIZE];
    int64_t shape[2];
    uint64_t row = 0;

    dpi_name_write(source->format, slot, block, name);
    const dpi_place place = {.file = source->weights, .item = name, .offset = -1};
    tensor->dims = dpi_slot_shape(config, slot, shape);
    tensor->type = config->type;
    tensor->shape[0] = shape[0];
    tensor->shape[1] = tensor->dims == 2 ? shape[1] : 0;
    if (dpi_row_bytes(tensor->type, dpi_tensor_columns(tensor), &row) ||
        dpi_mul_u64(row, (uint64_t)dpi_tensor_rows(tensor), &tensor->bytes))
        return dpi_fail_at(error, DP_E_FORMAT, &place, "%lld by %lld elements have no size",
                           (long long)dpi_tensor_rows(tensor), (long long)dpi_tensor_columns(tensor));
    tensor->name = dpi_copy_text(source->memory, name, error);
    source->made_count += tensor->name != NULL;
    return tensor->name ? DP_OK : DP_E_MEMORY;
}

int dpi_load_shapes(dpi_source *source, dp_context *context, dp_error *error)
{
    const dpi_config *config = &source->config;
    const size_t most = (size_t)config->blocks * (size_t)config->slots + 3;
    const dpi_place place = {.file = source->weights, .item = "dtype", .offset = -1};
    int rc = DP_OK;

    if (config->type < 0)
        return dpi_fail_at(error, DP_E_UNSUPPORTED, &place, "is not float32, float16 or bfloat16");
    source->made = dpi_alloc(source->memory, most, sizeof *source->made, error);
    if (!source->made)
        return DP_E_MEMORY;
    rc = add(source, DPI_EMBEDDING, -1, error);
    for (int32_t block = 0; block < config->blocks; block++)
        for (int32_t slot = 0; !rc && slot < config->slots; slot++)
            rc = add(source, slot, block, error);
    if (!rc)
        rc = add(source, DPI_LAST_NORM, -1, error);
    if (!rc && !config->tied)
        rc = add(source, DPI_HEAD, -1, error);
    return rc ? rc : dpi_source_bind(source, context, source->made, source->made_count, error);
}
