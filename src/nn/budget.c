// bytes(n) = n * rows * hidden * 4 * copies + working memory of a network for n * rows rows.
#include "nn/budget.h"

#include "base/error.h"
#include "base/size.h"
#include "nn/network.h"

// A part of the limit stays free for what backends keep for themselves.
enum { LIMIT_PARTS = 8 };

static int bytes_for(const dp_model *model, const dpi_budget *budget, int64_t count, uint64_t *bytes,
                     dp_error *error)
{
    uint64_t stream, rows;

    if (dpi_mul_u64((uint64_t)count, (uint64_t)budget->rows, &rows) || rows > INT32_MAX)
        return dpi_fail(error, DP_E_MEMORY, "%lld %ss of %lld rows are too many rows for one batch",
                        (long long)count, budget->item, (long long)budget->rows);
    if (dpi_mul_u64(rows * (uint64_t)budget->copies, (uint64_t)model->config.hidden * sizeof(float), &stream))
        return dpi_fail(error, DP_E_MEMORY, "the residual stream of %lld rows does not fit an address space",
                        (long long)rows);
    const int rc = dpi_network_bytes(model, (int64_t)rows, bytes, error);
    if (rc)
        return rc;
    return dpi_add_u64(*bytes, stream, bytes)
               ? dpi_fail(error, DP_E_MEMORY, "a batch does not fit an address space")
               : DP_OK;
}

static uint64_t available(const dp_context *context)
{
    const dpi_memory *memory = &context->memory;
    const uint64_t used = memory->used;

    if (!memory->limit)
        return UINT64_MAX;
    const uint64_t left = memory->limit > used ? memory->limit - used : 0;
    return left - left / LIMIT_PARTS;
}

static int64_t balance(int64_t items, int64_t most)
{
    const int64_t groups = (items + most - 1) / most;

    return (items + groups - 1) / groups;
}

// The largest count whose bytes are under `room`; 0 when not even one is.
static int64_t largest(const dp_model *model, const dpi_budget *budget, uint64_t room)
{
    int64_t low = 0, high = budget->items;

    while (low < high) {
        const int64_t middle = low + (high - low + 1) / 2;
        uint64_t bytes;
        if (!bytes_for(model, budget, middle, &bytes, NULL) && bytes <= room)
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
    const int64_t least = budget->asked < 1 ? 1 : budget->asked < budget->items ? budget->asked : budget->items;
    uint64_t bytes = 0;
    const int rc = bytes_for(model, budget, least, &bytes, error);

    if (rc)
        return rc;
    if (bytes > room)
        return dpi_fail(error, DP_E_MEMORY, "%lld %s%s at once need %llu bytes, and the memory limit leaves %llu",
                        (long long)least, budget->item, least == 1 ? "" : "s", (unsigned long long)bytes,
                        (unsigned long long)room);
    if (budget->asked > 0) {
        *group = least;
        return DP_OK;
    }
    const int64_t most = largest(model, budget, room < budget->most ? room : budget->most);
    *group = balance(budget->items, most < 1 ? 1 : most);
    return DP_OK;
}

uint64_t dpi_head_weight(const dp_model *model)
{
    const uint64_t head = (uint64_t)model->config.vocab * (uint64_t)model->config.hidden;
    const uint64_t block = model->config.blocks ? dpi_model_block_parameters(model, 0) : 0;

    return block ? (head + block / 2) / block + 1 : 1;
}
