// The criteria by name.  A new one: its file, its line in criteria.c.
#ifndef DPI_PRUNE_CRITERIA_H
#define DPI_PRUNE_CRITERIA_H

#include <depthprune/score.h>

#include "base/context.h"
#include "model/model.h"

// One scoring run.
typedef struct dpi_scoring {
    dp_context *context;
    const dp_model *model;
    const dp_scorer_options *options;
    const int32_t *ids; // samples × length; NULL when the criterion needs no data
    int64_t samples, length;
    dpi_watch *watch;
    const struct dpi_journal *journal; // keeps what is finished
    double *scores; // out: one a block
    double dense;   // out: the criterion on the whole model; NaN where it has none
} dpi_scoring;

typedef struct dpi_criterion {
    const char *name;
    int32_t needs_calibration;
    int32_t protect_first, protect_last; // where the host leaves them open
    int (*run)(dpi_scoring *scoring, dp_error *error);
} dpi_criterion;

// The criterion of a name; NULL and *error, which names the known ones, when there is none.
const dpi_criterion *dpi_criterion_find(const char *name, dp_error *error);

int dpi_score_magnitude(dpi_scoring *scoring, dp_error *error);
int dpi_score_perplexity(dpi_scoring *scoring, dp_error *error);
int dpi_score_influence(dpi_scoring *scoring, dp_error *error);

#endif
