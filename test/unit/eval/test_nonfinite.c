// An evaluator names weights that are not finite, whatever it computes; allowed ones give what they give.
#include <depthprune/eval.h>
#include <math.h>

#include "test/unit/nn/any_type.h"

enum { COUNT = 24 };

static dp_evaluator *evaluator_of(dp_context *context)
{
    dp_evaluator_options options;
    dp_evaluator *evaluator = NULL;
    dp_error error;

    dp_evaluator_options_init(&options, sizeof options);
    options.window = 8;
    options.bos = -1;
    ck_ok(dp_evaluator_new(context, &options, &evaluator, &error), error);
    return evaluator;
}

static int evaluate(dp_evaluator *evaluator, const dp_model *model, int what, float *out, dp_error *error)
{
    int32_t ids[COUNT];
    dp_perplexity result = {.size = sizeof result};

    for (int32_t i = 0; i < COUNT; i++)
        ids[i] = (i * 5 + 1) % ANY_VOCAB;
    if (what == 0)
        return dp_evaluator_perplexity_ids(evaluator, model, ids, COUNT, NULL, &result, error);
    if (what == 1)
        return dp_evaluator_logits(evaluator, model, ids, COUNT, 1, NULL, out, error);
    return dp_evaluator_hidden(evaluator, model, ids, COUNT, ANY_BLOCKS, NULL, out, error);
}

START_TEST(names_the_weight)
{
    dp_context *context = test_context(test_backends[_i], 0);
    dp_evaluator *evaluator = evaluator_of(context);

    for (int weight = 0; weight < ANY_WEIGHTS; weight++) {
        any_model *m = any_new(weight % ANY_TYPES);
        static float out[COUNT * ANY_WIDTH];
        dp_error error;
        any_poison(m, weight, 70, weight % 3);
        for (int what = 0; what < 3; what++) {
            dp_model *model = any_build(context, m, 0), *allowed = any_build(context, m, 1);
            out[0] = 77;
            const int rc = evaluate(evaluator, model, what, out, &error);
            ck_assert_int_eq(rc, what == 2 && weight >= ANY_LAST_NORM ? DP_OK : DP_E_NUMERIC);
            if (rc) {
                ck_assert_str_eq(error.item, m->names[weight]);
                ck_assert(out[0] == 77);
            }
            ck_assert(what == 0 || evaluate(evaluator, allowed, what, out, &error) == DP_OK);
            dp_model_free(model);
            dp_model_free(allowed);
        }
        any_free(m);
    }
    dp_evaluator_free(evaluator);
    dp_context_free(context);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("eval/nonfinite");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 120);
    tcase_add_loop_test(all, names_the_weight, 0, TEST_BACKENDS);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
