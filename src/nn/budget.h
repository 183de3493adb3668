// What a run over many sequences costs: how many fit into memory at once, and how much work there is.
#ifndef DPI_NN_BUDGET_H
#define DPI_NN_BUDGET_H

#include "model/model.h"

// dpi_context_begin and dpi_context_end, remembering what the backend keeps of the memory used in between.
void dpi_turn_begin(dp_context *context, dpi_watch *watch);
void dpi_turn_end(dp_context *context);

// A run over `items` (samples or windows), each of which is `rows` rows of the residual stream in `copies` copies
// beside the working memory of a network for these rows.
typedef struct dpi_budget {
    const char *item; // "sample", "window"
    int64_t items, rows, copies;
    int64_t asked; // how many at once; 0: what memory allows
    uint64_t most; // bytes at most when nothing was asked
} dpi_budget;

enum { DPI_BUDGET_MIB = 256 };

// Bytes of a run over `count` items at once, with an estimate of what a backend will take for itself.
int dpi_budget_bytes(dp_context *context, const dp_model *model, const dpi_budget *budget, int64_t count,
                     uint64_t *bytes, dp_error *error);
// How many items at once, in groups as equal as can be.  DP_E_MEMORY, with the bytes, when not even one fits
// under the context's limit, or not as many as were asked for.
int dpi_budget_fit(dp_context *context, const dp_model *model, const dpi_budget *budget, int64_t *group,
                   dp_error *error);

// Work is counted in rows through a block; the head costs so many blocks.
uint64_t dpi_head_weight(const dp_model *model);

#endif
