// Which blocks to drop: least important first, ties to the lower index, ends protected.
#ifndef DPI_PRUNE_SELECT_H
#define DPI_PRUNE_SELECT_H

#include <stddef.h>
#include <stdint.h>

#include <depthprune/types.h>

typedef struct dpi_select {
    const double *score;
    size_t n_blocks;
    size_t protect_first, protect_last;
    size_t remove;
} dpi_select;

// order: all blocks, least important first; ties: lower index first.  DP_E_NUMERIC when a score is not a number.
int dpi_select_order(const double *score, size_t n_blocks, int32_t *order, dp_error *error);
// drop[b] = 1 for the select->remove blocks to drop.  `order` is of dpi_select_order.
int dpi_select_blocks(const dpi_select *select, const int32_t *order, uint8_t *drop, dp_error *error);
// ratio * n_blocks, rounded half up, at least 1.
size_t dpi_select_ratio(double ratio, size_t n_blocks);

// For a number of parameters: the fewest blocks, in order, so that total - removed <= target.
typedef struct dpi_target {
    uint64_t total, target;
    const uint64_t *block_parameters; // n_blocks of them
} dpi_target;
int dpi_select_parameters(const dpi_select *select, const int32_t *order, const dpi_target *target, size_t *remove,
                          dp_error *error);

#endif
