// Scores of a random model with grouped-query attention and tied head against PyTorch and a second implementation.
#include "test/unit/prune/support.h"

#define FOLDER "golden/tinyA_gqa_tied/"

typedef struct rig {
    dp_context *context;
    dp_model *model;
    dp_calib *calib;
} rig;

static rig rig_open(const char *backend)
{
    rig r = {.context = test_context(backend, 0)};
    int32_t samples, length;
    int32_t *ids = test_rows(test_data(FOLDER "calib_ids.json"), &samples, &length);

    r.model = test_open(r.context, test_data(FOLDER "model"));
    r.calib = test_calib(r.context, ids, samples, length);
    free(ids);
    return r;
}

static void rig_close(rig *r)
{
    dp_calib_free(r->calib);
    dp_model_free(r->model);
    dp_context_free(r->context);
}

// Scores and order against lists of a golden file.
static void compare(const dp_scores *scores, json_t *golden, const char *values, const char *order, int digits)
{
    const dp_scores_info info = test_info(scores);
    const json_t *expected = json_object_get(golden, order);
    double value[8];

    ck_assert_uint_eq(test_numbers(json_object_get(golden, values), value, 8), 6);
    ck_assert_int_eq(info.blocks, 6);
    for (int i = 0; i < 6; i++) {
        ck_assert_msg(test_digits(info.scores[i], value[i], digits), "block %d: %.9g, expected %.9g", i,
                      info.scores[i], value[i]);
        if (expected)
            ck_assert_int_eq(info.order[i], (int)json_integer_value(json_array_get(expected, (size_t)i)));
    }
}

START_TEST(perplexity_without_each_block)
{
    rig r = rig_open(test_backends[_i]);
    json_t *golden = test_json(test_data(FOLDER "ppl_block.json"));
    dp_scores *scores = test_score(r.context, r.model, r.calib, NULL);
    const double dense = json_number_value(json_object_get(golden, "base_ppl_f64"));

    compare(scores, golden, "ppl_f64", "order_f64", 6);
    ck_assert(test_digits(test_info(scores).dense, dense, 6));
    dp_scores_free(scores);
    json_decref(golden);
    rig_close(&r);
}
END_TEST

START_TEST(block_influence)
{
    const dp_scorer_options options = test_options("bi");
    rig r = rig_open(test_backends[_i]);
    json_t *golden = test_json(test_data(FOLDER "bi.json"));
    dp_scores *scores = test_score(r.context, r.model, r.calib, &options);

    compare(scores, golden, "bi_f64", "order_f64", 5);
    ck_assert(isnan(test_info(scores).dense));
    dp_scores_free(scores);
    json_decref(golden);
    rig_close(&r);
}
END_TEST

// Sum of |w| of the two norm vectors of a block, from the model's own weights.
static double norms(const dp_model *model, int32_t block)
{
    double sum = 0;

    for (size_t i = 0; i < dp_model_weight_count(model); i++) {
        dp_weight weight = {.size = sizeof weight};
        ck_assert_int_eq(dp_model_weight(model, i, &weight, NULL), DP_OK);
        if (weight.block != block || !strstr(weight.name, "norm"))
            continue;
        const float *w = weight.data;
        for (int64_t c = 0; c < weight.columns; c++)
            sum += fabsf(w[c]);
    }
    return sum;
}

START_TEST(magnitude)
{
    dp_scorer_options options = test_options("mag");
    rig r = rig_open(test_backends[_i]);
    json_t *golden = test_json(test_data(FOLDER "magnitude.json"));
    double expected[6];

    options.projections_only = 1;
    dp_scores *scores = test_score(r.context, r.model, NULL, &options);
    compare(scores, golden, "l1", "", 10);
    dp_scores_free(scores);

    options.projections_only = 0; // the default adds the norm vectors
    scores = test_score(r.context, r.model, NULL, &options);
    test_numbers(json_object_get(golden, "l1"), expected, 6);
    for (int i = 0; i < 6; i++)
        ck_assert_double_eq_tol(test_info(scores).scores[i], expected[i] + norms(r.model, i), 1e-6);
    dp_scores_free(scores);
    json_decref(golden);
    rig_close(&r);
}
END_TEST

START_TEST(the_plan_for_two_blocks_makes_the_golden_model)
{
    rig r = rig_open("cpu");
    dp_scores *scores = test_score(r.context, r.model, r.calib, NULL);
    dp_pruner_options options;
    dp_pruner *pruner = NULL;
    dp_plan *plan = NULL;
    dp_model *pruned = NULL;
    dp_error error;

    dp_pruner_options_init(&options, sizeof options);
    options.blocks = 2;
    ck_ok(dp_pruner_new(r.context, &options, &pruner, &error), error);
    ck_ok(dp_pruner_plan(pruner, r.model, scores, &plan, &error), error);
    ck_ok(dp_pruner_run(pruner, r.model, plan, &pruned, &error), error);
    const int32_t kept[4] = {0, 1, 3, 4}; // the golden order begins 2, 5
    dp_plan_info info = {.size = sizeof info};
    dp_plan_describe(plan, &info, NULL);
    ck_assert_int_eq(info.n_kept, 4);
    ck_assert_mem_eq(info.kept, kept, sizeof kept);
    for (int32_t i = 0; i < 4; i++)
        ck_assert_int_eq(dp_model_origin(pruned, i), kept[i]);
    dp_model_free(pruned);
    dp_plan_free(plan);
    dp_pruner_free(pruner);
    dp_scores_free(scores);
    rig_close(&r);
}
END_TEST

int main(void)
{
    test_needs(FOLDER "model/config.json");
    Suite *suite = suite_create("prune/golden");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, perplexity_without_each_block, 0, TEST_BACKENDS);
    tcase_add_loop_test(all, block_influence, 0, TEST_BACKENDS);
    tcase_add_loop_test(all, magnitude, 0, TEST_BACKENDS);
    tcase_add_test(all, the_plan_for_two_blocks_makes_the_golden_model);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
