// A model from the host's own memory computes what the same model in a file computes, bit for bit.
#include <depthprune/eval.h>
#include <depthprune/model_build.h>

#include "model/source.h"
#include "test/unit/nn/support.h"

enum { COUNT = 24 };

static void count_release(void *user, const void *data, uint64_t bytes)
{
    (void)data;
    (void)bytes;
    ++*(size_t *)user;
}

// The weights of `from` where they lie.
static dp_model *build(dp_context *context, const dp_model *from, size_t *released)
{
    const dpi_source *source = from->source;
    dp_model_builder *builder = NULL;
    dp_model *model = NULL;
    dp_error error;

    ck_ok(dp_model_builder_new(context, source->config_text, source->config_size, NULL, &builder, &error), error);
    for (size_t i = 0; i < dp_model_weight_count(from); i++) {
        dp_weight weight = {.size = sizeof weight};
        ck_ok(dp_model_weight(from, i, &weight, &error), error);
        ck_ok(dp_model_builder_add(builder, &weight, count_release, released, &error), error);
    }
    ck_ok(dp_model_builder_finish(builder, &model, &error), error);
    dp_model_builder_free(builder);
    return model;
}

START_TEST(logits_are_those_of_the_file)
{
    dp_context *context = test_context(test_backends[_i], 0);
    plain_model *plain = plain_new(11);
    dp_model *file = test_plain(context, plain);
    size_t released = 0;
    dp_model *model = build(context, file, &released);
    const size_t count = dp_model_weight_count(file), vocab = (size_t)file->config.vocab;
    float *a = malloc(COUNT * vocab * sizeof *a), *b = malloc(COUNT * vocab * sizeof *b);
    int32_t ids[COUNT];
    dp_evaluator *evaluator = NULL;
    dp_error error;

    plain_ids(ids, COUNT, 12);
    ck_ok(dp_evaluator_new(context, NULL, &evaluator, &error), error);
    ck_ok(dp_evaluator_logits(evaluator, file, ids, COUNT, COUNT, NULL, a, &error), error);
    ck_ok(dp_evaluator_logits(evaluator, model, ids, COUNT, COUNT, NULL, b, &error), error);
    ck_assert_int_eq(memcmp(a, b, COUNT * vocab * sizeof *a), 0);
    dp_model_free(model);
    ck_assert_uint_eq(released, count);
    dp_evaluator_free(evaluator);
    dp_model_free(file);
    dp_context_free(context);
    free(plain);
    free(a);
    free(b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("eval/built");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, logits_are_those_of_the_file, 0, TEST_BACKENDS);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
