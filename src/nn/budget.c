// bytes(n) = n * rows * hidden * 4 * copies + working memory of a network for n * rows rows + what backends take.
#include "nn/budget.h"

#include "base/error.h"
#include "base/size.h"
#include "nn/network.h"

void dpi_turn_begin(dp_context *context, dpi_watch *watch)
{
    dpi_context_begin(context, watch);
    dpi_device_of(context)->used_before = context->memory.used;
}

void dpi_turn_end(dp_context *context)
{
    dpi_device *device = dpi_device_of(context);
    const uint64_t used = context->memory.used;

    if (used > device->used_before)
        device->kept += used - device->used_before;
    dpi_context_end(context);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// From above: packed weights, pieces of the head's logits for some thousand rows, a tile of rows for each thread.
static uint64_t backend_bytes(dp_context *context, const dpi_config *config, uint64_t rows)
{
    enum { PACKED = 32 << 20, HEAD_ROWS = 4096, TILE = 128, GROUP = 512 };
    const uint64_t widest = (uint64_t)(config->ffn > config->hidden ? config->ffn : config->hidden);
    const uint64_t tallest = (uint64_t)config->vocab > widest ? (uint64_t)config->vocab : widest;
    const uint64_t packed = least(PACKED, tallest * (uint64_t)config->hidden * sizeof(float));
    const uint64_t head = least(rows, HEAD_ROWS) * ((uint64_t)config->vocab / 32 + 32);
    const uint64_t tiles = (uint64_t)context->threads * least(rows, TILE) * (widest + GROUP) * sizeof(float);
    const uint64_t all = packed + head + tiles, kept = dpi_device_of(context)->kept;

    return all > kept ? all - kept : 0;
}

int dpi_budget_bytes(dp_context *context, const dp_model *model, const dpi_budget *budget, int64_t count,
                     uint64_t *bytes, dp_error *error)
{
    uint64_t stream, rows, work = 0;

    if (dpi_mul_u64((uint64_t)count, (uint64_t)budget->rows, &rows) || rows > INT32_MAX)
        return dpi_fail(error, DP_E_MEMORY, "%lld %ss of %lld rows are too many rows for one batch",
                        (long long)count, budget->item, (long long)budget->rows);
    if (dpi_mul_u64(rows * (uint64_t)budget->copies, (uint64_t)model->config.hidden * sizeof(float), &stream))
        return dpi_fail(error, DP_E_MEMORY, "the residual stream of %lld rows does not fit an address space",
                        (long long)rows);
    const int rc = dpi_network_bytes(model, (int64_t)rows, &work, error);
    if (rc)
        return rc;
    if (dpi_add_u64(work, stream, &work) || dpi_add_u64(work, backend_bytes(context, &model->config, rows), bytes))
        return dpi_fail(error, DP_E_MEMORY, "a batch of %lld rows does not fit an address space", (long long)rows);
    return DP_OK;
}

static uint64_t available(const dp_context *context)
{
    const uint64_t used = context->memory.used, limit = context->memory.limit;

    return !limit ? UINT64_MAX : limit > used ? limit - used : 0;
}

static int64_t balance(int64_t items, int64_t most)
{
    const int64_t groups = (items + most - 1) / most;

    return (items + groups - 1) / groups;
}

// The largest count whose bytes are under `room`; 0 when not even one is.
static int64_t largest(dp_context *context, const dp_model *model, const dpi_budget *budget, uint64_t room)
{
    int64_t low = 0, high = budget->items;

    while (low < high) {
        const int64_t middle = low + (high - low + 1) / 2;
        uint64_t bytes;
        if (!dpi_budget_bytes(context, model, budget, middle, &bytes, NULL) && bytes <= room)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

int dpi_budget_fit(dp_context *context, const dp_model *model, const dpi_budget *budget, int64_t *group,
                   dp_error *error)
{
    const uint64_t room = available(context);
    const int64_t first = budget->asked < 1 ? 1 : budget->asked < budget->items ? budget->asked : budget->items;
    uint64_t bytes = 0;
    const int rc = dpi_budget_bytes(context, model, budget, first, &bytes, error);

    if (rc)
        return rc;
    if (bytes > room)
        return dpi_fail(error, DP_E_MEMORY, "%lld %s%s at once need%s %llu bytes, and the memory limit leaves %llu",
                        (long long)first, budget->item, first == 1 ? "" : "s", first == 1 ? "s" : "",
                        (unsigned long long)bytes, (unsigned long long)room);
    if (budget->asked > 0) {
        *group = first;
        return DP_OK;
    }
    const int64_t most = largest(context, model, budget, room < budget->most ? room : budget->most);
    *group = balance(budget->items, most < 1 ? 1 : most);
    return DP_OK;
}

uint64_t dpi_head_weight(const dp_model *model)
{
    const uint64_t head = (uint64_t)model->config.vocab * (uint64_t)model->config.hidden;
    const uint64_t block = model->config.blocks ? dpi_model_block_parameters(model, 0) : 0;

    return block ? (head + block / 2) / block + 1 : 1;
}
