// What a scoring run gave: the document "depthprune.scores/1" and what it says.
#ifndef DPI_PRUNE_SCORES_H
#define DPI_PRUNE_SCORES_H

#include <depthprune/score.h>

#include "prune/criteria.h"
#include "prune/document.h"

struct dp_scores {
    dp_context *context; // one reference
    char *text;          // the document
    size_t size;
    json_t *root;          // the same, parsed
    const char *criterion; // in root
    const char *digest;    // of the model, in root; NULL when unknown
    double *scores;
    int32_t *order;
    double dense; // NaN when there is none
    int32_t blocks, protect_first, protect_last, reserved;
};

// The facts a document is written from.
typedef struct dpi_scores_facts {
    const dpi_scoring *scoring;
    const char *criterion;
    const char *digest;         // of the model
    const dp_calib_info *calib; // NULL when there is none
    int32_t protect_first, protect_last;
    double seconds;
} dpi_scores_facts;

// Write the document and read it back: what a later reader will see is what the host gets now.
int dpi_scores_make(const dpi_scores_facts *facts, dp_scores **out, dp_error *error);

#endif
