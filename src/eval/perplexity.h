// Perplexity of a stream of ids, window by window.
#ifndef DPI_EVAL_PERPLEXITY_H
#define DPI_EVAL_PERPLEXITY_H

#include <depthprune/eval.h>

#include "base/context.h"
#include "model/model.h"

typedef struct dpi_perplexity {
    dp_context *context; // whose turn it is
    const dp_model *model;
    const dp_evaluator_options *options;
    const int32_t *ids; // all in the vocabulary
    size_t count;
    int32_t bos; // -1: none
    dpi_watch *watch;
} dpi_perplexity;

// Whole windows in the stream: floor of (ids, and the one BOS of mode A) / window, at most options->limit.
int64_t dpi_perplexity_windows(const dpi_perplexity *run);
// The sum of negative log-likelihoods over all windows, and how many tokens were predicted.
int dpi_perplexity_run(const dpi_perplexity *run, double *sum, int64_t *tokens, dp_error *error);

#endif
