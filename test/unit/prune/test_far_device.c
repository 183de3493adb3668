// Criteria on a device that does not read host memory give the scores of the CPU.
#include "test/unit/nn/far_device.h"
#include "test/unit/prune/support.h"

START_TEST(scores_are_those_of_near_memory)
{
    static const char *const names[] = {"ppl", "bi", "mag"};
    const dp_scorer_options options = test_options(names[_i]);
    dp_context *near = test_context("cpu", 0), *far = test_context("cpu", 0);
    plain_model *plain = plain_new(18);
    dp_model *model = test_plain(near, plain);
    int32_t ids[4 * 11];

    plain_ids(ids, 4 * 11, 2);
    dp_calib *calib = test_calib(near, ids, 4, 11);
    far_open(far);
    dp_scores *expected = test_score(near, model, calib, &options), *found = test_score(far, model, calib, &options);
    for (int n = 0; n < PLAIN_BLOCKS; n++)
        ck_assert_double_eq_tol(test_info(found).scores[n] / test_info(expected).scores[n], 1, 2e-6);
    dp_scores_free(expected);
    dp_scores_free(found);
    dp_calib_free(calib);
    dp_model_free(model);
    free(plain);
    dp_context_free(near);
    dp_context_free(far);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prune/far_device");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, scores_are_those_of_near_memory, 0, 3);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
