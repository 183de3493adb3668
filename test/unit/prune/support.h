// Scoring in one call, for the tests of this room.
#ifndef TEST_PRUNE_SUPPORT_H
#define TEST_PRUNE_SUPPORT_H

#include <depthprune/prune.h>

#include "test/unit/nn/support.h"

static inline dp_scorer_options test_options(const char *criterion)
{
    dp_scorer_options options;

    dp_scorer_options_init(&options, sizeof options);
    options.criterion = criterion;
    return options;
}

static inline dp_scores *test_score(dp_context *context, const dp_model *model, const dp_calib *calib,
                                    const dp_scorer_options *options)
{
    dp_scorer *scorer = NULL;
    dp_scores *scores = NULL;
    dp_error error;

    ck_ok(dp_scorer_new(context, options, &scorer, &error), error);
    ck_ok(dp_scorer_run(scorer, model, calib, NULL, &scores, &error), error);
    dp_scorer_free(scorer);
    return scores;
}

static inline dp_scores_info test_info(const dp_scores *scores)
{
    dp_scores_info info = {.size = sizeof info};

    ck_assert_int_eq(dp_scores_describe(scores, &info, NULL), DP_OK);
    return info;
}

static inline dp_calib *test_calib(dp_context *context, const int32_t *ids, int32_t samples, int32_t length)
{
    dp_calib *calib = NULL;
    dp_error error;

    ck_ok(dp_calib_from_ids(context, ids, samples, length, &calib, &error), error);
    return calib;
}

// The model without the blocks listed.
static inline dp_model *test_without(dp_context *context, const dp_model *model, const int32_t *remove, size_t count)
{
    dp_plan *plan = NULL;
    dp_pruner *pruner = NULL;
    dp_model *pruned = NULL;
    dp_error error;

    ck_ok(dp_plan_from_list(context, model, remove, count, &plan, &error), error);
    ck_ok(dp_pruner_new(context, NULL, &pruner, &error), error);
    ck_ok(dp_pruner_run(pruner, model, plan, &pruned, &error), error);
    dp_pruner_free(pruner);
    dp_plan_free(plan);
    return pruned;
}

// 4 digits: |a - b| <= half a unit of the fourth significant digit of b.
static inline int test_digits(double a, double b, int digits)
{
    const double unit = pow(10, floor(log10(fabs(b))) - (digits - 1));

    return fabs(a - b) <= unit / 2;
}

#endif
