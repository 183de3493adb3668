// SmolLM2-135M-Instruct from its Q4_1 GGUF file, against PyTorch and a second implementation on the dequantized
// weights.  The file is DEPTHPRUNE_MODEL, else in the user's cache folder; without it this is skipped.
#include "test/unit/prune/support.h"

#define FOLDER "golden/smollm2-135m/"
enum { BLOCKS = 30 };

static void compare(const dp_scores *scores, json_t *golden, const char *values, int digits)
{
    const dp_scores_info info = test_info(scores);
    double value[BLOCKS];

    ck_assert_uint_eq(test_numbers(json_object_get(golden, values), value, BLOCKS), BLOCKS);
    ck_assert_int_eq(info.blocks, BLOCKS);
    for (int i = 0; i < BLOCKS; i++)
        ck_assert_msg(test_digits(info.scores[i], value[i], digits), "block %d: %.9g, expected %.9g", i,
                      info.scores[i], value[i]);
}

static void compare_order(const dp_scores *scores, json_t *golden, const char *order)
{
    const json_t *expected = json_object_get(golden, order);

    ck_assert_uint_eq(json_array_size(expected), BLOCKS);
    for (size_t i = 0; i < BLOCKS; i++)
        ck_assert_int_eq(test_info(scores).order[i], (int)json_integer_value(json_array_get(expected, i)));
}

START_TEST(perplexity_without_each_block)
{
    dp_context *context = test_context("cpu", 0);
    dp_model *model = test_open(context, test_smollm2());
    json_t *golden = test_json(test_data(FOLDER "ppl_block.json"));
    int32_t samples, length;
    int32_t *ids = test_rows(test_data(FOLDER "calib_ids.json"), &samples, &length);
    dp_calib *calib = test_calib(context, ids, samples, length);
    dp_scores *scores = test_score(context, model, calib, NULL);

    compare(scores, golden, "ppl_f64", 4);
    compare_order(scores, golden, "order_f64");
    ck_assert(test_digits(test_info(scores).dense, json_number_value(json_object_get(golden, "base_ppl_f64")), 4));
    dp_scores_free(scores);
    dp_calib_free(calib);
    free(ids);
    json_decref(golden);
    dp_model_free(model);
    dp_context_free(context);
}
END_TEST

START_TEST(block_influence)
{
    const dp_scorer_options options = test_options("bi");
    dp_context *context = test_context("cpu", 0);
    dp_model *model = test_open(context, test_smollm2());
    json_t *golden = test_json(test_data(FOLDER "bi.json"));
    int32_t samples, length;
    int32_t *ids = test_rows(test_data(FOLDER "calib_ids.json"), &samples, &length);
    dp_calib *calib = test_calib(context, ids, samples, length);
    dp_scores *scores = test_score(context, model, calib, &options);

    compare(scores, golden, "bi_f64", 4);
    compare_order(scores, golden, "order_f64");
    dp_scores_free(scores);
    dp_calib_free(calib);
    free(ids);
    json_decref(golden);
    dp_model_free(model);
    dp_context_free(context);
}
END_TEST

START_TEST(magnitude)
{
    dp_scorer_options options = test_options("mag");
    dp_context *context = test_context("cpu", 0);
    dp_model *model = test_open(context, test_smollm2());
    json_t *golden = test_json(test_data(FOLDER "magnitude.json"));

    options.projections_only = 1;
    dp_scores *scores = test_score(context, model, NULL, &options);
    compare(scores, golden, "l1", 8);
    dp_scores_free(scores);
    json_decref(golden);
    dp_model_free(model);
    dp_context_free(context);
}
END_TEST

int main(void)
{
    test_needs(FOLDER "ppl_block.json");
    test_needs_smollm2();
    Suite *suite = suite_create("prune/smollm2");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 900); // half a minute on two cores of their own
    tcase_add_test(all, perplexity_without_each_block);
    tcase_add_test(all, block_influence);
    tcase_add_test(all, magnitude);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
