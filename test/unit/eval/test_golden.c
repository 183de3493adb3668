// Logits and greedy text against other programs: a random model against PyTorch and a second implementation, and a
// trained one (stories260K) against the text it must write.
#include <depthprune/eval.h>

#include "test/unit/nn/support.h"

#define TINY "golden/tinyA_gqa_tied/"
#define STORIES "data/tiny_models/stories260K/"

START_TEST(logits_of_the_golden_sequence)
{
    enum { VOCAB = 160, FIRST = 8 };
    dp_context *context = test_context(test_backends[_i], 0);
    dp_model *model = test_open(context, test_data(TINY "model"));
    double *first = test_tensor(test_data(TINY "logits_seq0.safetensors"), "logits_f64", FIRST * VOCAB);
    double *last = test_tensor(test_data(TINY "logits_seq0.safetensors"), "logits_lastpos_f64", VOCAB);
    int32_t samples, length;
    int32_t *ids = test_rows(test_data(TINY "calib_ids.json"), &samples, &length);
    float *logits = calloc((size_t)length * VOCAB, sizeof *logits);
    dp_evaluator *evaluator = NULL;
    dp_error error;

    ck_ok(dp_evaluator_new(context, NULL, &evaluator, &error), error);
    ck_ok(dp_evaluator_logits(evaluator, model, ids, (size_t)length, (size_t)length, NULL, logits, &error), error);
    for (int i = 0; i < FIRST * VOCAB; i++)
        ck_assert_double_eq_tol(logits[i], first[i], 1e-5);
    for (int i = 0; i < VOCAB; i++)
        ck_assert_double_eq_tol(logits[(length - 1) * VOCAB + i], last[i], 1e-5);
    dp_evaluator_free(evaluator);
    free(logits);
    free(ids);
    free(first);
    free(last);
    dp_model_free(model);
    dp_context_free(context);
}
END_TEST

static int32_t largest(const float *logits, int32_t count)
{
    int32_t best = 0;

    for (int32_t i = 1; i < count; i++)
        best = logits[i] > logits[best] ? i : best;
    return best;
}

START_TEST(greedy_ids_of_a_trained_model)
{
    enum { VOCAB = 512, MOST = 256 };
    dp_context *context = test_context(test_backends[_i], 0);
    dp_model *model = test_open(context, test_data(STORIES "hf"));
    json_t *root = test_json(test_data(STORIES "expected_greedy_ids.json"));
    const json_t *expected = json_object_get(root, "greedy_ids");
    const size_t count = json_array_size(expected);
    int32_t ids[MOST] = {1}; // BOS
    float logits[VOCAB];
    dp_evaluator *evaluator = NULL;
    dp_error error;

    ck_assert_uint_gt(count, 190);
    ck_ok(dp_evaluator_new(context, NULL, &evaluator, &error), error);
    for (size_t i = 1; i < count; i++) {
        ck_ok(dp_evaluator_logits(evaluator, model, ids, i, 1, NULL, logits, &error), error);
        ids[i] = largest(logits, VOCAB);
        ck_assert_int_eq(ids[i], (int)json_integer_value(json_array_get(expected, i)));
    }
    dp_evaluator_free(evaluator);
    json_decref(root);
    dp_model_free(model);
    dp_context_free(context);
}
END_TEST

int main(void)
{
    test_needs(TINY "model/config.json");
    test_needs(STORIES "hf/config.json");
    Suite *suite = suite_create("eval/golden");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 300);
    tcase_add_loop_test(all, logits_of_the_golden_sequence, 0, TEST_BACKENDS);
    tcase_add_loop_test(all, greedy_ids_of_a_trained_model, 0, TEST_BACKENDS);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
