// Every family, from both formats and on every backend, against the plain forward pass: bias vectors, names, row
// order.
#include <depthprune/eval.h>

#include "test/unit/nn/support.h"

enum { COUNT = 33, KINDS = PLAIN_FAMILIES * TEST_BACKENDS * 2 };

typedef struct rig {
    dp_context *context;
    plain_model *plain;
    dp_model *model;
    dp_evaluator *evaluator;
    int32_t ids[COUNT];
} rig;

// Number `kind` of KINDS: a family, a backend, a format.
static rig rig_open(int kind, uint64_t seed)
{
    const int family = kind % PLAIN_FAMILIES, backend = kind / PLAIN_FAMILIES % TEST_BACKENDS;
    rig r = {.context = test_context(test_backends[backend], 0), .plain = plain_new_of(seed, family)};
    dp_evaluator_options options;
    dp_error error;

    r.model = kind >= KINDS / 2 ? test_plain_gguf(r.context, r.plain) : test_plain(r.context, r.plain);
    dp_evaluator_options_init(&options, sizeof options);
    options.window = COUNT;
    options.bos = -2;
    ck_ok(dp_evaluator_new(r.context, &options, &r.evaluator, &error), error);
    plain_ids(r.ids, COUNT, seed + 1);
    return r;
}

static void rig_close(rig *r)
{
    dp_evaluator_free(r->evaluator);
    dp_model_free(r->model);
    dp_context_free(r->context);
    free(r->plain);
}

START_TEST(perplexity_is_the_plain_one)
{
    rig r = rig_open(_i, 21);
    dp_perplexity result = {.size = sizeof result};
    dp_error error;

    ck_ok(dp_evaluator_perplexity_ids(r.evaluator, r.model, r.ids, COUNT, NULL, &result, &error), error);
    ck_assert_double_eq_tol(result.nll, plain_nll(r.plain, r.ids, COUNT, NULL) / (COUNT - 1), 2e-6);
    rig_close(&r);
}
END_TEST

START_TEST(logits_are_the_plain_ones)
{
    rig r = rig_open(_i, 22);
    static float logits[COUNT * PLAIN_VOCAB];
    double stream[PLAIN_CONTEXT][PLAIN_HIDDEN], expected[PLAIN_VOCAB];
    dp_error error;

    ck_ok(dp_evaluator_logits(r.evaluator, r.model, r.ids, COUNT, COUNT, NULL, logits, &error), error);
    plain_stream(r.plain, r.ids, COUNT, PLAIN_BLOCKS, NULL, stream);
    for (int row = 0; row < COUNT; row++) {
        plain_logits(r.plain, stream[row], expected);
        for (int i = 0; i < PLAIN_VOCAB; i++)
            ck_assert_double_eq_tol(logits[row * PLAIN_VOCAB + i], expected[i], 5e-5);
    }
    rig_close(&r);
}
END_TEST

START_TEST(each_says_its_family)
{
    static const char *const names[][2] = {
        {"llama", "llama"}, {"mistral", "llama"}, {"qwen2", "qwen2"}, {"llama", "llama"}};
    rig r = rig_open(_i, 23);
    dp_model_info info = {.size = sizeof info};

    ck_assert_int_eq(dp_model_describe(r.model, &info, NULL), DP_OK);
    ck_assert_str_eq(info.architecture, names[_i % PLAIN_FAMILIES][_i >= KINDS / 2]);
    rig_close(&r);
}
END_TEST

START_TEST(without_weights_nothing_is_computed)
{
    rig r = rig_open(0, 24);
    char directory[] = "/tmp/depthprune-shapes-XXXXXX";
    dp_model_options options;
    dp_model *shapes = NULL;
    float logits[PLAIN_VOCAB];
    dp_error error;

    plain_save(r.plain, directory);
    dp_model_options_init(&options, sizeof options);
    options.load = DP_LOAD_SHAPES;
    ck_ok(dp_model_open(r.context, directory, &options, NULL, &shapes, &error), error);
    plain_remove(directory);
    const uint64_t used = r.context->memory.used;
    ck_assert_int_eq(dp_evaluator_logits(r.evaluator, shapes, r.ids, COUNT, 1, NULL, logits, &error), DP_E_STATE);
    ck_assert_ptr_nonnull(strstr(error.message, "opened for its shapes alone"));
    ck_assert_uint_eq(r.context->memory.used, used);
    dp_model_free(shapes);
    rig_close(&r);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {perplexity_is_the_plain_one, logits_are_the_plain_ones, each_says_its_family};
    Suite *suite = suite_create("eval/families");
    TCase *all = tcase_create("all");
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_loop_test(all, tests[i], 0, KINDS);
    tcase_add_test(all, without_weights_nothing_is_computed);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
