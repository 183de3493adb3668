// Token ids on their way into a network, and losses on their way out.
#ifndef DPI_NN_TOKENS_H
#define DPI_NN_TOKENS_H

#include <stdint.h>

#include <depthprune/types.h>

// Every id is in 0 .. vocab-1, else DP_E_ARGUMENT names the place; `length` > 0: in rows of so many ids.
int dpi_ids_check(const int32_t *ids, int64_t count, int64_t length, int32_t vocab, dp_error *error);
// labels[r] = ids[r + 1] inside each sequence; DP_IGNORE after its last id.
void dpi_labels_next(const int32_t *ids, int64_t rows, int64_t length, int32_t *labels);
// *sum += losses, in order; -1, or the first row whose loss is not finite.
int64_t dpi_losses_add(const float *losses, int64_t rows, double *sum);

#endif
