// Labels are the next ids; sums of losses are in double, in the order of the rows.
#include "nn/tokens.h"

#include <math.h>

#include <depthprune/sys/backend.h>

#include "base/error.h"

int dpi_ids_check(const int32_t *ids, int64_t count, int64_t length, int32_t vocab, dp_error *error)
{
    const dpi_place place = {.item = "ids", .offset = -1};

    for (int64_t i = 0; i < count; i++) {
        if (ids[i] >= 0 && ids[i] < vocab)
            continue;
        if (length > 0)
            return dpi_fail_at(error, DP_E_ARGUMENT, &place,
                               "id %d of sample %lld at position %lld is not in the vocabulary of %d", ids[i],
                               (long long)(i / length), (long long)(i % length), vocab);
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "id %d at position %lld is not in the vocabulary of %d",
                           ids[i], (long long)i, vocab);
    }
    return DP_OK;
}

void dpi_labels_next(const int32_t *ids, int64_t rows, int64_t length, int32_t *labels)
{
    for (int64_t row = 0; row < rows; row++)
        labels[row] = (row + 1) % length ? ids[row + 1] : DP_IGNORE;
}

int64_t dpi_losses_add(const float *losses, int64_t rows, double *sum)
{
    for (int64_t row = 0; row < rows; row++) {
        if (!isfinite(losses[row]))
            return row;
        *sum += losses[row];
    }
    return -1;
}
