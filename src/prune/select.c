// Choose the blocks to drop: least important first, ties to the lower index, ends protected.
#include "prune/select.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static int is_free(const dpi_select *s, size_t block)
{
    return block >= s->protect_first && block + s->protect_last < s->n_blocks;
}

static size_t count_free(const dpi_select *s)
{
    const size_t held = s->protect_first + s->protect_last;

    return held < s->n_blocks ? s->n_blocks - held : 0;
}

static int by_score(const void *a, const void *b, void *arg)
{
    const int32_t first = *(const int32_t *)a, second = *(const int32_t *)b;
    const double *score = arg;

    if (score[first] != score[second])
        return score[first] < score[second] ? -1 : 1;
    return first < second ? -1 : first > second;
}

int dpi_select_order(const double *score, size_t n_blocks, int32_t *order, dp_error *error)
{
    for (size_t i = 0; i < n_blocks; i++) {
        if (isnan(score[i]))
            return dpi_fail(error, DP_E_NUMERIC, "score of block %zu is not a number", i);
        order[i] = (int32_t)i;
    }
    qsort_r(order, n_blocks, sizeof *order, by_score, (void *)(uintptr_t)score);
    return DP_OK;
}

int dpi_select_blocks(const dpi_select *s, const int32_t *order, uint8_t *drop, dp_error *error)
{
    const size_t free_blocks = count_free(s);
    size_t dropped = 0;

    if (s->remove >= s->n_blocks)
        return dpi_fail(error, DP_E_ARGUMENT, "cannot remove %zu of %zu blocks: one must stay", s->remove,
                        s->n_blocks);
    if (s->remove > free_blocks)
        return dpi_fail(error, DP_E_ARGUMENT, "cannot remove %zu blocks: %zu of %zu are free", s->remove,
                        free_blocks, s->n_blocks);
    memset(drop, 0, s->n_blocks);
    for (size_t i = 0; dropped < s->remove; i++)
        if (is_free(s, (size_t)order[i])) {
            drop[order[i]] = 1;
            dropped++;
        }
    return DP_OK;
}

size_t dpi_select_ratio(double ratio, size_t n_blocks)
{
    const double count = floor(ratio * (double)n_blocks + 0.5);

    return count < 1 ? 1 : (size_t)count;
}

int dpi_select_parameters(const dpi_select *s, const int32_t *order, const dpi_target *target, size_t *remove,
                          dp_error *error)
{
    const size_t free_blocks = count_free(s);
    const size_t most = free_blocks < s->n_blocks ? free_blocks : s->n_blocks - 1;
    uint64_t left = target->total;
    size_t count = 0;

    if (left <= target->target)
        return dpi_fail(error, DP_E_ARGUMENT, "nothing to remove: the model has %llu parameters, and %llu may stay",
                        (unsigned long long)left, (unsigned long long)target->target);
    for (size_t i = 0; i < s->n_blocks && count < most && left > target->target; i++)
        if (is_free(s, (size_t)order[i])) {
            left -= target->block_parameters[order[i]];
            count++;
        }
    if (left > target->target)
        return dpi_fail(error, DP_E_ARGUMENT,
                        "cannot reach %llu parameters: without the %zu of %zu blocks that may go, %llu stay",
                        (unsigned long long)target->target, count, s->n_blocks, (unsigned long long)left);
    *remove = count;
    return DP_OK;
}
