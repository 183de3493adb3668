// A plan: which blocks of which model go, and why.
#ifndef DPI_PRUNE_PLAN_H
#define DPI_PRUNE_PLAN_H

#include <depthprune/prune.h>

#include "prune/document.h"

struct dp_plan {
    dp_context *context;     // one reference
    int32_t *removed, *kept; // ascending
    double *scores;          // blocks of them, or NULL
    char *criterion;         // or NULL
    char *path;              // of the parent as it was opened, or NULL
    json_t *calibration;     // an object, or NULL
    int32_t blocks, n_removed, n_kept;
    int32_t protect_first, protect_last; // -1: not known
    char digest[65];                     // of the parent, "" when not known
    char version[32];                    // of the library that made it
};

// A plan that removes the blocks with drop[b] != 0; the rest of it is empty.
int dpi_plan_new(dp_plan **out, dp_context *context, const uint8_t *drop, int32_t blocks, dp_error *error);
// The document "depthprune.plan/1".
int dpi_plan_text(const dp_plan *plan, dpi_text *text, dp_error *error);
// The model's digest when it is known already (it costs reading every weight), else "".
void dpi_plan_known_digest(const dp_model *model, char text[65]);

#endif
