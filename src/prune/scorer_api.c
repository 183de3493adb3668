// dp_scorer: options, and one run of a criterion under the context's turn.
#include <math.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"
#include "nn/budget.h"
#include "nn/tokens.h"
#include "prune/journal.h"
#include "prune/scores.h"

struct dp_scorer {
    dp_context *context; // one reference
    dp_scorer_options options;
    const dpi_criterion *criterion;
    char *journal; // the options' text, or NULL
};

#define AT(field) .name = #field, .offset = offsetof(dp_scorer_options, field)

static const dpi_option options[] = {
    {AT(norm_power), .kind = DPI_INT32, .least = 1, .most = 2, .value = 1, .help = "mag: p of |w|^p"},
    {AT(criterion), .kind = DPI_TEXT, .text = "ppl", .help = "mag, mag+, ppl or bi"},
    {AT(weight_reduction), .kind = DPI_INT32, .least = DP_REDUCE_SUM, .most = DP_REDUCE_PROD,
     .help = "mag: over the rows of a weight"},
    {AT(block_reduction), .kind = DPI_INT32, .least = DP_REDUCE_SUM, .most = DP_REDUCE_PROD,
     .help = "mag: over the weights of a block"},
    {AT(projections_only), .kind = DPI_INT32, .least = 0, .most = 1, .help = "mag: leave the norm vectors out"},
    {AT(protect_first), .kind = DPI_INT32, .least = -1, .most = INT32_MAX, .value = -1,
     .help = "leading blocks never removed; -1: the criterion's own"},
    {AT(protect_last), .kind = DPI_INT32, .least = -1, .most = INT32_MAX, .value = -1,
     .help = "trailing blocks never removed; -1: the criterion's own"},
    {AT(group_samples), .kind = DPI_INT32, .least = 0, .most = INT32_MAX,
     .help = "ppl, bi: samples that walk the depth together; 0: what memory allows"},
    {AT(resume), .kind = DPI_INT32, .least = 0, .most = 1, .help = "go on from the journal"},
    {AT(journal), .kind = DPI_TEXT, .help = "ppl, bi: a file for what is finished"},
};
static const dpi_schema schema = {"dp_scorer_options", sizeof(dp_scorer_options), sizeof options / sizeof *options,
                                  options};

void dp_scorer_options_init(dp_scorer_options *out, size_t size)
{
    dpi_options_init(&schema, out, size);
}

int dp_scorer_new(dp_context *context, const dp_scorer_options *given, dp_scorer **out, dp_error *error)
{
    dp_scorer_options read;

    if (!context || !out)
        return dpi_fail(error, DP_E_ARGUMENT, "dp_scorer_new needs a context and a place for the scorer");
    const int rc = dpi_options_read(&schema, given, &read, error);
    if (rc)
        return rc;
    const dpi_criterion *criterion = dpi_criterion_find(read.criterion ? read.criterion : "ppl", error);
    if (!criterion)
        return DP_E_ARGUMENT;
    dp_scorer *scorer = dpi_alloc(&context->memory, 1, sizeof *scorer, error);
    if (!scorer)
        return DP_E_MEMORY;
    scorer->journal = read.journal ? dpi_copy_text(&context->memory, read.journal, error) : NULL;
    if (read.journal && !scorer->journal) {
        dpi_free(&context->memory, scorer);
        return DP_E_MEMORY;
    }
    scorer->context = dpi_context_keep(context);
    scorer->options = read;
    scorer->options.criterion = criterion->name;
    scorer->options.journal = scorer->journal;
    scorer->criterion = criterion;
    *out = scorer;
    return DP_OK;
}

void dp_scorer_free(dp_scorer *scorer)
{
    if (!scorer)
        return;
    dp_context *context = scorer->context;
    dpi_free(&context->memory, scorer->journal);
    dpi_free(&context->memory, scorer);
    dpi_context_drop(context);
}

static int read_calib(const dp_scorer *scorer, const dp_calib *calib, dpi_scoring *scoring, dp_calib_info *info,
                      dp_error *error)
{
    if (!scorer->criterion->needs_calibration)
        return DP_OK;
    if (!calib)
        return dpi_fail(error, DP_E_ARGUMENT, "criterion '%s' needs a calibration set", scorer->criterion->name);
    info->size = sizeof *info;
    const int rc = dp_calib_describe(calib, info, error);
    if (rc)
        return rc;
    scoring->ids = dp_calib_ids(calib);
    scoring->samples = info->samples;
    scoring->length = info->length;
    if (scoring->length < 2)
        return dpi_fail(error, DP_E_ARGUMENT, "calibration samples of %d token predict nothing: 2 are needed",
                        info->length);
    if (scoring->length > scoring->model->config.context)
        return dpi_fail(error, DP_E_ARGUMENT,
                        "calibration samples of %d tokens are longer than the model's context of %d", info->length,
                        scoring->model->config.context);
    return dpi_ids_check(scoring->ids, scoring->samples * scoring->length, scoring->length,
                         scoring->model->config.vocab, error);
}

// The host's protection, else the criterion's own; both ends must leave a block free.
static int read_protection(const dp_scorer *scorer, int32_t blocks, dpi_scores_facts *facts, dp_error *error)
{
    const dp_scorer_options *given = &scorer->options;

    facts->protect_first = given->protect_first < 0 ? scorer->criterion->protect_first : given->protect_first;
    facts->protect_last = given->protect_last < 0 ? scorer->criterion->protect_last : given->protect_last;
    if ((int64_t)facts->protect_first + facts->protect_last >= blocks)
        return dpi_fail(error, DP_E_ARGUMENT, "the first %d and last %d blocks are protected, the model has %d",
                        facts->protect_first, facts->protect_last, blocks);
    return DP_OK;
}

static int check_scores(const dpi_scoring *scoring, dp_error *error)
{
    for (int32_t block = 0; block < scoring->model->config.blocks; block++)
        if (!isfinite(scoring->scores[block]))
            return dpi_fail(error, DP_E_NUMERIC, "score of block %d is not finite", block);
    return DP_OK;
}

static int compute(const dp_scorer *scorer, dpi_scoring *scoring, dp_error *error)
{
    dpi_turn_begin(scorer->context, scoring->watch);
    const int rc = scorer->criterion->run(scoring, error);
    dpi_turn_end(scorer->context);
    return rc ? rc : check_scores(scoring, error);
}

// The digest is remembered by the model, which is otherwise immutable: a reference of our own may be written.
static int model_digest(const dp_model *model, const dp_monitor *monitor, char text[65], dp_error *error)
{
    dp_model *own = dpi_model_retain(model);
    const int rc = dp_model_digest(own, monitor, text, error);

    dp_model_free(own);
    return rc;
}

int dp_scorer_run(dp_scorer *scorer, const dp_model *model, const dp_calib *calib, const dp_monitor *monitor,
                  dp_scores **out, dp_error *error)
{
    if (!scorer || !model || !out)
        return dpi_fail(error, DP_E_ARGUMENT, "dp_scorer_run needs a scorer, a model and a place for the scores");
    const double began = dpi_now();
    dpi_memory *memory = &scorer->context->memory;
    dp_calib_info info = {.size = sizeof info};
    char digest[65] = "";
    dpi_watch watch;
    dpi_journal journal;
    dpi_scoring scoring = {.context = scorer->context,
                           .model = model,
                           .options = &scorer->options,
                           .watch = &watch,
                           .journal = &journal,
                           .dense = NAN};
    dpi_scores_facts facts = {.scoring = &scoring,
                              .criterion = scorer->criterion->name,
                              .digest = digest,
                              .calib = scorer->criterion->needs_calibration ? &info : NULL};
    int rc = dpi_watch_open(&watch, monitor, error);

    if (!rc)
        rc = read_protection(scorer, model->config.blocks, &facts, error);
    if (!rc)
        rc = read_calib(scorer, calib, &scoring, &info, error);
    if (!rc && scorer->journal)
        rc = model_digest(model, monitor, digest, error);
    if (!rc)
        rc = dpi_journal_open(&journal, &scoring, facts.criterion, digest, error);
    if (rc)
        return rc;
    scoring.scores = dpi_alloc(memory, (size_t)model->config.blocks, sizeof(double), error);
    if (!scoring.scores)
        return DP_E_MEMORY;
    rc = compute(scorer, &scoring, error);
    if (!rc)
        rc = model_digest(model, monitor, digest, error);
    facts.seconds = dpi_now() - began;
    if (!rc)
        rc = dpi_scores_make(&facts, out, error);
    dpi_free(memory, scoring.scores);
    return rc;
}
