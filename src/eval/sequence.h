// One sequence through a model: its logits, or the residual stream.
#ifndef DPI_EVAL_SEQUENCE_H
#define DPI_EVAL_SEQUENCE_H

#include "base/context.h"
#include "model/model.h"

typedef struct dpi_sequence {
    dp_context *context;
    const dp_model *model;
    const int32_t *ids; // all in the vocabulary
    int64_t count;
    dpi_watch *watch;
} dpi_sequence;

// rows × vocab: after the last `rows` positions.
int dpi_sequence_logits(const dpi_sequence *sequence, int64_t rows, float *logits, dp_error *error);
// count × hidden: before block `block`.
int dpi_sequence_hidden(const dpi_sequence *sequence, int32_t block, float *hidden, dp_error *error);

#endif
