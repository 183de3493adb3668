// Perplexity, logits and residual stream of a random model against a plain forward pass in double.
#include <depthprune/eval.h>

#include "model/model.h"
#include "test/unit/nn/support.h"

enum { COUNT = 103 };

typedef struct rig {
    dp_context *context;
    plain_model *plain;
    dp_model *model;
    int32_t ids[COUNT];
} rig;

static rig rig_open(const char *backend, uint64_t seed)
{
    rig r = {.context = test_context(backend, 0), .plain = plain_new(seed)};

    r.model = test_plain(r.context, r.plain);
    plain_ids(r.ids, COUNT, seed + 1);
    return r;
}

static void rig_close(rig *r)
{
    dp_model_free(r->model);
    dp_context_free(r->context);
    free(r->plain);
}

static dp_evaluator *evaluator_of(dp_context *context, const dp_evaluator_options *options)
{
    dp_evaluator *evaluator = NULL;
    dp_error error;

    ck_ok(dp_evaluator_new(context, options, &evaluator, &error), error);
    return evaluator;
}

static dp_evaluator_options options_of(int32_t window, int32_t mode, int32_t bos)
{
    dp_evaluator_options options;

    dp_evaluator_options_init(&options, sizeof options);
    options.window = window;
    options.mode = mode;
    options.bos = bos;
    return options;
}

static dp_perplexity measure(const rig *r, const dp_model *model, const dp_evaluator_options *options)
{
    dp_perplexity result = {.size = sizeof result};
    dp_evaluator *evaluator = evaluator_of(r->context, options);
    dp_error error;

    ck_ok(dp_evaluator_perplexity_ids(evaluator, model, r->ids, COUNT, NULL, &result, &error), error);
    dp_evaluator_free(evaluator);
    return result;
}

// The same by the definition: the stream, its windows, each a sequence of its own.
static double plain_mean(const rig *r, const dp_evaluator_options *o, const uint8_t *skip, int64_t *windows)
{
    const int leading = o->mode == DP_PPL_MODE_A && o->bos >= 0, each = o->mode == DP_PPL_MODE_B;
    int32_t stream[COUNT + 1], window[PLAIN_CONTEXT + 1];
    double sum = 0;

    stream[0] = o->bos;
    memcpy(stream + leading, r->ids, sizeof r->ids);
    *windows = (COUNT + leading) / o->window;
    for (int64_t w = 0; w < *windows; w++) {
        window[0] = o->bos;
        memcpy(window + each, stream + w * o->window, (size_t)o->window * sizeof *window);
        sum += plain_nll(r->plain, window, o->window + each, skip);
    }
    return sum / (double)(*windows * (o->window - 1 + each));
}

START_TEST(both_modes_are_their_definition)
{
    const dp_evaluator_options all[] = {options_of(10, DP_PPL_MODE_A, 1), options_of(13, DP_PPL_MODE_A, -2),
                                        options_of(8, DP_PPL_MODE_A, 1), // 104 tokens: 13 whole windows with BOS
                                        options_of(10, DP_PPL_MODE_B, 1), options_of(39, DP_PPL_MODE_B, 2),
                                        options_of(2, DP_PPL_MODE_A, -1)};
    rig r = rig_open(test_backends[_i], 3);

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const dp_perplexity result = measure(&r, r.model, &all[i]);
        int64_t windows;
        const double mean = plain_mean(&r, &all[i], NULL, &windows);
        ck_assert_double_eq_tol(result.nll, mean, 2e-6);
        ck_assert_double_eq_tol(result.perplexity / exp(mean), 1, 2e-6);
        ck_assert_int_eq(result.windows, windows);
        ck_assert_int_eq(result.tokens, windows * (all[i].window - (all[i].mode == DP_PPL_MODE_A)));
        ck_assert_int_eq(result.bos, all[i].bos < 0 ? -1 : all[i].bos);
    }
    rig_close(&r);
}
END_TEST

START_TEST(batches_and_limits)
{
    rig r = rig_open("cpu", 4);
    dp_evaluator_options options = options_of(10, DP_PPL_MODE_A, 1);
    const dp_perplexity whole = measure(&r, r.model, &options);

    for (options.batch = 1; options.batch < 12; options.batch += 3)
        ck_assert_double_eq_tol(measure(&r, r.model, &options).nll, whole.nll, 1e-12);
    options.limit = 3;
    ck_assert_int_eq(measure(&r, r.model, &options).windows, 3);
    options.limit = 300;
    ck_assert_int_eq(measure(&r, r.model, &options).windows, 10);
    rig_close(&r);
}
END_TEST

START_TEST(a_pruned_model_is_the_plain_one_without_its_blocks)
{
    rig r = rig_open(test_backends[_i], 5);
    const dp_evaluator_options options = options_of(20, DP_PPL_MODE_B, 1);
    const int32_t kept[3] = {0, 2, 4};
    const uint8_t skip[PLAIN_BLOCKS] = {0, 1, 0, 1, 0};
    dp_model *pruned = NULL;
    int64_t windows;

    ck_assert_int_eq(dpi_model_keep(r.model, kept, 3, NULL, &pruned, NULL), DP_OK);
    ck_assert_double_eq_tol(measure(&r, pruned, &options).nll, plain_mean(&r, &options, skip, &windows), 2e-6);
    dp_model_free(pruned);
    rig_close(&r);
}
END_TEST

START_TEST(logits_of_the_last_rows)
{
    rig r = rig_open(test_backends[_i], 6);
    dp_evaluator *evaluator = evaluator_of(r.context, NULL);
    double stream[PLAIN_CONTEXT][PLAIN_HIDDEN], expected[PLAIN_VOCAB];
    float logits[7 * PLAIN_VOCAB];
    dp_error error;

    ck_ok(dp_evaluator_logits(evaluator, r.model, r.ids, PLAIN_CONTEXT, 7, NULL, logits, &error), error);
    plain_stream(r.plain, r.ids, PLAIN_CONTEXT, PLAIN_BLOCKS, NULL, stream);
    for (int row = 0; row < 7; row++) {
        plain_logits(r.plain, stream[PLAIN_CONTEXT - 7 + row], expected);
        for (int i = 0; i < PLAIN_VOCAB; i++)
            ck_assert_double_eq_tol(logits[row * PLAIN_VOCAB + i], expected[i], 3e-5);
    }
    dp_evaluator_free(evaluator);
    rig_close(&r);
}
END_TEST

START_TEST(the_residual_stream_before_every_block)
{
    rig r = rig_open(test_backends[_i], 7);
    dp_evaluator *evaluator = evaluator_of(r.context, NULL);
    double stream[PLAIN_CONTEXT][PLAIN_HIDDEN];
    float hidden[19 * PLAIN_HIDDEN];
    dp_error error;

    for (int32_t block = 0; block <= PLAIN_BLOCKS; block++) {
        ck_ok(dp_evaluator_hidden(evaluator, r.model, r.ids, 19, block, NULL, hidden, &error), error);
        plain_stream(r.plain, r.ids, 19, block, NULL, stream);
        for (int i = 0; i < 19 * PLAIN_HIDDEN; i++)
            ck_assert_double_eq_tol(hidden[i], stream[i / PLAIN_HIDDEN][i % PLAIN_HIDDEN], 2e-5);
    }
    dp_evaluator_free(evaluator);
    rig_close(&r);
}
END_TEST

static void perplexity_fails(rig *r, const dp_evaluator_options *options, size_t count, int code, const char *says)
{
    const uint64_t before = r->context->memory.used;
    dp_perplexity result = {.size = sizeof result, .nll = 77};
    dp_evaluator *evaluator = evaluator_of(r->context, options);
    dp_error error;

    ck_assert_int_eq(dp_evaluator_perplexity_ids(evaluator, r->model, r->ids, count, NULL, &result, &error), code);
    ck_assert_msg(strstr(error.message, says) != NULL, "%s", error.message);
    ck_assert_double_eq(result.nll, 77);
    dp_evaluator_free(evaluator);
    ck_assert_uint_eq(r->context->memory.used, before);
}

START_TEST(perplexity_that_cannot_be_says_why)
{
    rig r = rig_open("cpu", 8);
    dp_evaluator_options options = options_of(10, DP_PPL_MODE_A, 1);

    measure(&r, r.model, &options);
    options = options_of(41, DP_PPL_MODE_A, 1);
    perplexity_fails(&r, &options, COUNT, DP_E_ARGUMENT, "windows of 41 tokens are longer than the model's context of 40");
    options = options_of(40, DP_PPL_MODE_B, 1);
    perplexity_fails(&r, &options, COUNT, DP_E_ARGUMENT, "windows of 41 tokens are longer");
    options = options_of(10, DP_PPL_MODE_B, -1);
    perplexity_fails(&r, &options, COUNT, DP_E_ARGUMENT, "mode B puts a BOS id before each window, and there is none");
    options = options_of(10, DP_PPL_MODE_A, 97);
    perplexity_fails(&r, &options, COUNT, DP_E_ARGUMENT, "the BOS id 97 is not in the vocabulary of 97");
    options = options_of(10, DP_PPL_MODE_A, 1);
    perplexity_fails(&r, &options, 8, DP_E_FORMAT, "8 tokens are less than one window of 10");
    perplexity_fails(&r, &options, 0, DP_E_FORMAT, "0 tokens are less than one window of 10");
    r.ids[50] = -1;
    perplexity_fails(&r, &options, COUNT, DP_E_ARGUMENT, "id -1 at position 50 is not in the vocabulary of 97");
    rig_close(&r);
}
END_TEST

START_TEST(a_loss_that_is_not_finite_names_its_window)
{
    rig r = rig_open("cpu", 9);
    const dp_evaluator_options options = options_of(10, DP_PPL_MODE_A, -2);
    measure(&r, r.model, &options);
    dp_model_free(r.model);
    for (int i = 0; i < 30; i++) // id 96 stands in the third window only
        r.ids[i] = i == 23 ? 96 : i;
    for (int i = 30; i < COUNT; i++)
        r.ids[i] = 1;
    r.plain->embed[96][0] = 3e38f; // its square is no f32
    r.model = test_plain(r.context, r.plain);
    perplexity_fails(&r, &options, COUNT, DP_E_NUMERIC, "the loss of window 2 at position ");
    rig_close(&r);
}
END_TEST

START_TEST(sequences_that_cannot_be_say_why)
{
    rig r = rig_open("cpu", 10);
    dp_evaluator *evaluator = evaluator_of(r.context, NULL);
    float out[PLAIN_VOCAB] = {77};
    dp_error error;

    ck_assert_int_eq(dp_evaluator_logits(evaluator, r.model, r.ids, 41, 1, NULL, out, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "a sequence of 41 ids: 1 .. 40 are possible, the model's context");
    ck_assert_int_eq(dp_evaluator_logits(evaluator, r.model, r.ids, 4, 5, NULL, out, &error), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_evaluator_logits(evaluator, r.model, r.ids, 4, 0, NULL, out, &error), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_evaluator_hidden(evaluator, r.model, r.ids, 4, 6, NULL, out, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "the residual stream before block 6: 0 .. 5 are possible");
    r.ids[3] = 1000;
    ck_assert_int_eq(dp_evaluator_hidden(evaluator, r.model, r.ids, 4, 0, NULL, out, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "id 1000 at position 3 is not in the vocabulary of 97");
    ck_assert_float_eq(out[0], 77);
    dp_evaluator_free(evaluator);
    rig_close(&r);
}
END_TEST

START_TEST(a_run_can_be_stopped)
{
    rig r = rig_open("cpu", 11);
    const dp_evaluator_options options = options_of(10, DP_PPL_MODE_A, 1);
    const int32_t stop = 1;
    const dp_monitor monitor = {.size = sizeof monitor, .cancel = &stop};
    dp_perplexity result = {.size = sizeof result, .nll = 77};
    dp_error error;

    measure(&r, r.model, &options);
    const uint64_t before = r.context->memory.used;
    dp_evaluator *evaluator = evaluator_of(r.context, &options);
    ck_assert_int_eq(dp_evaluator_perplexity_ids(evaluator, r.model, r.ids, COUNT, &monitor, &result, &error),
                     DP_E_CANCELLED);
    ck_assert_double_eq(result.nll, 77);
    ck_ok(dp_evaluator_perplexity_ids(evaluator, r.model, r.ids, COUNT, NULL, &result, &error), error);
    dp_evaluator_free(evaluator);
    ck_assert_uint_eq(r.context->memory.used, before);
    rig_close(&r);
}
END_TEST

START_TEST(options_out_of_range_are_named)
{
    dp_context *context = test_context("cpu", 0);
    dp_evaluator_options options = options_of(1, DP_PPL_MODE_A, 1);
    dp_evaluator *evaluator = NULL;
    dp_error error;

    ck_assert_int_eq(dp_evaluator_new(context, &options, &evaluator, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.item, "window");
    options = options_of(10, 2, 1);
    ck_assert_int_eq(dp_evaluator_new(context, &options, &evaluator, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.item, "mode");
    options = options_of(10, DP_PPL_MODE_A, 1);
    options.encode = DP_ENCODE_SPECIAL | DP_ENCODE_BOS; // BOS is for `mode` to place
    ck_assert_int_eq(dp_evaluator_new(context, &options, &evaluator, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.item, "encode");
    ck_assert_ptr_null(evaluator);
    dp_context_free(context);
}
END_TEST

int main(void)
{
    const TTest *const looped[] = {both_modes_are_their_definition, a_pruned_model_is_the_plain_one_without_its_blocks,
                                   logits_of_the_last_rows, the_residual_stream_before_every_block};
    const TTest *const once[] = {batches_and_limits, perplexity_that_cannot_be_says_why,
                                 a_loss_that_is_not_finite_names_its_window, sequences_that_cannot_be_say_why,
                                 a_run_can_be_stopped, options_out_of_range_are_named};
    Suite *suite = suite_create("eval/plain");
    TCase *all = tcase_create("all");
    for (size_t i = 0; i < sizeof looped / sizeof *looped; i++)
        tcase_add_loop_test(all, looped[i], 0, TEST_BACKENDS);
    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        tcase_add_test(all, once[i]);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
