// The Transformer over the operation table, written once: every criterion, evaluation and (later) training call
// this.  The residual stream x is f32, rows × hidden, in device memory; rows are whole sequences of equal length.
#ifndef DPI_NN_NETWORK_H
#define DPI_NN_NETWORK_H

#include "backend/ops.h"
#include "base/monitor.h"
#include "model/model.h"
#include "nn/weights.h"

typedef struct dpi_network dpi_network;

// A matrix of f32 without gaps.
static inline dp_mat dpi_mat_f32(float *data, int64_t rows, int64_t cols)
{
    return (dp_mat){.data = data, .rows = rows, .cols = cols, .stride = cols, .type = DP_F32};
}

// From the device, and wait until it is here.
int dpi_fetch(dpi_device *device, void *to, const void *from, uint64_t bytes, dp_error *error);

// A network for `model` on the context's device, with working memory for `rows` rows.
int dpi_network_open(dpi_network **out, dp_context *context, const dp_model *model, int64_t rows, dp_error *error);
void dpi_network_close(dpi_network *network); // NULL is allowed
// Bytes of working memory for `rows` rows, the residual stream not counted.
int dpi_network_bytes(const dp_model *model, int64_t rows, uint64_t *bytes, dp_error *error);

// x = embedding rows of ids.
int dpi_network_embed(dpi_network *network, const int32_t *ids, int64_t rows, const dp_mat *x, dp_error *error);
// x = block(x) for sequences of `length` rows, positions 0 .. length-1 each.
int dpi_network_block(dpi_network *network, int32_t block, const dp_mat *x, int64_t length, dp_error *error);
// x = the residual stream before block `blocks` (all blocks: before the last norm) of whole sequences of ids;
// rows are counted on the watch block by block.
int dpi_network_forward(dpi_network *network, const int32_t *ids, int64_t length, int32_t blocks, const dp_mat *x,
                        dpi_watch *watch, dp_error *error);
// Negative log-likelihood of labels[r] after row r, 0 where the label is DP_IGNORE; on the host.  x is not changed.
int dpi_network_losses(dpi_network *network, const dp_mat *x, const int32_t *labels, float *losses,
                       dp_error *error);
// A sequence whose loss was not finite, in the model without block `without` (-1: in the whole model).
typedef struct dpi_suspect {
    const int32_t *ids;
    int64_t length;
    int32_t without;
    int32_t reserved;
} dpi_suspect;
// The end of a message about it: which block's output is the first that is not finite.  "" when that cannot be found
// out.  `stream` is device memory for its residual stream.
void dpi_network_blame(dpi_network *network, const dpi_suspect *suspect, float *stream, char out[64]);
// Logits after each row of x; on the host, rows × vocab.
int dpi_network_logits(dpi_network *network, const dp_mat *x, float *logits, dp_error *error);

#endif
