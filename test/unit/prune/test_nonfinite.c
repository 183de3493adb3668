// Weights that are not finite are named by the run that first reads them; numbers that overflow are an error that
// says where.  No score is ever NaN or infinite.
#include "test/unit/nn/any_type.h"
#include "test/unit/prune/support.h"

enum { SAMPLES = 2, LENGTH = 8, CRITERIA = 3 };

static const char *const criteria[CRITERIA] = {"ppl", "bi", "mag"};

static dp_calib *any_calib(dp_context *context)
{
    int32_t ids[SAMPLES * LENGTH];

    for (int32_t i = 0; i < SAMPLES * LENGTH; i++)
        ids[i] = (i * 7 + 3) % ANY_VOCAB;
    return test_calib(context, ids, SAMPLES, LENGTH);
}

// The code; when all went well every score is finite.
static int score(dp_context *context, const dp_model *model, const char *criterion, dp_error *error)
{
    const dp_scorer_options options = test_options(criterion);
    dp_calib *calib = any_calib(context);
    dp_scorer *scorer = NULL;
    dp_scores *scores = NULL;

    ck_ok(dp_scorer_new(context, &options, &scorer, error), *error);
    const int rc = dp_scorer_run(scorer, model, calib, NULL, &scores, error);
    if (rc == DP_OK) {
        const dp_scores_info info = test_info(scores);
        for (int32_t n = 0; n < info.blocks; n++)
            ck_assert(isfinite(info.scores[n]));
        ck_assert(isfinite(info.dense) || strcmp(criterion, "ppl") != 0);
    } else {
        ck_assert_ptr_null(scores);
    }
    dp_scores_free(scores);
    dp_scorer_free(scorer);
    dp_calib_free(calib);
    return rc;
}

// Criteria that read no embedding, last norm or head cannot find what is in them.
static int reads(const char *criterion, int weight)
{
    if (strcmp(criterion, "mag") == 0)
        return weight != ANY_EMBEDDING && weight < ANY_LAST_NORM;
    return strcmp(criterion, "ppl") == 0 || weight < ANY_LAST_NORM;
}

static void name_it(dp_context *context, int kind, int weight, int what)
{
    static const int64_t elements[] = {0, 1500, 8191};
    any_model *m = any_new(kind);
    const int64_t element = elements[what] % (m->weights[weight].rows * m->weights[weight].columns);
    const int64_t index = any_poison(m, weight, element, what);
    char wanted[32];
    dp_error error;

    snprintf(wanted, sizeof wanted, "element %lld is not", (long long)index);
    for (int c = 0; c < CRITERIA; c++) {
        dp_model *model = any_build(context, m, 0), *allowed = any_build(context, m, 1);
        const int rc = score(context, model, criteria[c], &error);
        ck_assert_msg(rc == (reads(criteria[c], weight) ? DP_E_NUMERIC : DP_OK), "%s %s %d", criteria[c],
                      m->names[weight], rc);
        if (rc) {
            ck_assert_str_eq(error.item, m->names[weight]);
            ck_assert_msg(strstr(error.message, wanted) != NULL, "%s, expected %s", error.message, wanted);
        }
        if (rc && c == 0) { // and again
            ck_assert_int_eq(score(context, model, criteria[c], &error), DP_E_NUMERIC);
            ck_assert_str_eq(error.item, m->names[weight]);
        }
        if (c != 1 &&
            score(context, allowed, criteria[c], &error)) { // no score can be given, but no weight is blamed
            ck_assert_int_eq(error.code, DP_E_NUMERIC);
            ck_assert_str_eq(error.item, "");
        }
        dp_model_free(model);
        dp_model_free(allowed);
    }
    any_free(m);
}

// A matrix of each kind in each block, the vectors and both ends, of every type.
START_TEST(names_the_weight_and_the_element)
{
    static const int weights[] = {ANY_EMBEDDING, 1,      2, 9 + 3, 18 + 4,        5,
                                  9 + 6,         18 + 7, 8, 9 + 9, ANY_LAST_NORM, ANY_HEAD};
    dp_context *context = test_context(test_backends[_i], 0);

    for (int kind = 0; kind < ANY_TYPES; kind++)
        for (size_t w = 0; w < sizeof weights / sizeof *weights; w++)
            if (_i == 1 || (w + (size_t)kind) % 6 == 0) // ref is slow
                name_it(context, kind, weights[w], (int)(w + (size_t)kind) % 3);
    dp_context_free(context);
}
END_TEST

// Scanned once for all models of a source: what changes later is not looked for.
START_TEST(looks_once)
{
    const int32_t last[] = {2};
    dp_context *context = test_context("cpu", 0);
    any_model *m = any_new(0);
    dp_model *model = any_build(context, m, 0), *shorter = test_without(context, model, last, 1);
    dp_error error;

    float *unread = (float *)(uintptr_t)m->weights[18 + 2].data;
    const float before = unread[0];

    ck_assert_int_eq(score(context, shorter, "ppl", &error), DP_OK);
    any_poison(m, 2, 0, 0);
    any_poison(m, 18 + 2, 0, 0);
    ck_assert_int_eq(score(context, model, "ppl", &error), DP_E_NUMERIC);
    ck_assert_str_eq(error.item, "model.layers.2.self_attn.q_proj.weight"); // not that of block 0, which was read
    unread[0] = before;
    ck_assert_int_eq(score(context, model, "ppl", &error), DP_E_NUMERIC);
    ck_assert_str_eq(error.item, "");
    ck_assert_ptr_nonnull(strstr(error.message, "block 0 gives numbers that are not"));
    dp_model_free(shorter);
    dp_model_free(model);
    any_free(m);
    dp_context_free(context);
}
END_TEST

// A model without its bad block is a good model.
START_TEST(does_not_look_at_blocks_that_are_gone)
{
    const int32_t bad[] = {1};
    dp_context *context = test_context(test_backends[_i], 0);
    any_model *m = any_new(0);
    dp_error error;

    any_poison(m, 9 + 5, 3, 1);
    dp_model *model = any_build(context, m, 0), *shorter = test_without(context, model, bad, 1);
    for (int c = 0; c < CRITERIA; c++) {
        ck_assert_int_eq(score(context, shorter, criteria[c], &error), DP_OK);
        ck_assert_int_eq(score(context, model, criteria[c], &error), DP_E_NUMERIC);
    }
    dp_model_free(shorter);
    dp_model_free(model);
    any_free(m);
    dp_context_free(context);
}
END_TEST

static void multiply(any_model *m, int weight, float factor)
{
    float *numbers = (float *)(uintptr_t)m->weights[weight].data;

    for (int64_t i = 0; i < m->weights[weight].rows * m->weights[weight].columns; i++)
        numbers[i] *= factor;
}

// Finite weights of any size give finite scores or an error, never a number that is none; `mag` sums in f64.
START_TEST(no_overflow_is_silent)
{
    static const float factors[] = {1e18f, 1e22f, 1e30f, 3e38f};
    dp_context *context = test_context(test_backends[_i], 0);
    int errors = 0;

    for (int weight = 0; weight < ANY_WEIGHTS; weight++)
        for (int f = _i ? 0 : weight % 4; f < 4; f += _i ? 1 : 4) { // ref is slow
            any_model *m = any_new(0);
            dp_error error;
            multiply(m, weight, factors[f]);
            dp_model *model = any_build(context, m, 0);
            for (int c = 0; c < CRITERIA; c++) {
                const int rc = score(context, model, criteria[c], &error);
                ck_assert(rc == DP_OK || rc == DP_E_NUMERIC);
                ck_assert(rc == DP_OK || strcmp(criteria[c], "mag") != 0);
                if (rc)
                    ck_assert_msg(strstr(error.message, "block") != NULL ||
                                      strstr(error.message, "whole model") != NULL,
                                  "%s", error.message);
                errors += rc != DP_OK;
            }
            dp_model_free(model);
            any_free(m);
        }
    ck_assert_int_gt(errors, 5);
    dp_context_free(context);
}
END_TEST

START_TEST(an_overflow_is_placed)
{
    static const struct {
        int weights[2];
        float factor;
        const char *criterion, *said;
    } cases[] = {
        {{9 + 8, 9 + 9}, 1e25f, "ppl", "the loss of sample 0 at position 0 is not finite: block 1 gives numbers"},
        {{18 + 8, 18 + 9}, 1e25f, "ppl", "the loss of sample 0 at position 0 is not finite: block 2 gives numbers"},
        {{9 + 8, 9 + 9}, 1e25f, "bi", "the residual stream after block 1 of sample 0 at position 0 is not finite"},
        {{ANY_LAST_NORM, ANY_HEAD}, 1e25f, "ppl", "every block gives finite numbers, the head does not"},
    };
    dp_context *context = test_context(test_backends[_i], 0);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        any_model *m = any_new(0);
        dp_error error;
        for (int w = 0; w < 2; w++)
            multiply(m, cases[i].weights[w], cases[i].factor);
        dp_model *model = any_build(context, m, 0);
        ck_assert_int_eq(score(context, model, cases[i].criterion, &error), DP_E_NUMERIC);
        ck_assert_msg(strstr(error.message, cases[i].said) != NULL, "%s", error.message);
        dp_model_free(model);
        any_free(m);
    }
    dp_context_free(context);
}
END_TEST

// Squares beyond f32 must not vanish in a norm of zero.
START_TEST(an_overflow_in_a_norm_is_an_error)
{
    dp_context *context = test_context("cpu", 0), *exact = test_context("ref", 0);
    any_model *m = any_new(0);
    dp_error error;

    multiply(m, ANY_EMBEDDING, 1e25f);
    dp_model *model = any_build(context, m, 0);
    ck_assert_int_eq(score(context, model, "ppl", &error), DP_E_NUMERIC);
    ck_assert_msg(strstr(error.message, "block 0 gives numbers that are not") != NULL, "%s", error.message);
    ck_assert_int_eq(score(context, model, "bi", &error), DP_E_NUMERIC);
    ck_assert_int_eq(score(exact, model, "ppl", &error), DP_OK); // in f64 it is no overflow
    dp_model_free(model);
    any_free(m);
    dp_context_free(context);
    dp_context_free(exact);
}
END_TEST

static float *numbers_of(any_model *m, int weight)
{
    return (float *)(uintptr_t)m->weights[weight].data;
}

// Block 0 adds so much to element 0 of the stream that after a norm nothing else is left, and the gates of block 2,
// which then are shut, keep what overflows behind them.
START_TEST(a_candidate_that_overflows_is_named)
{
    dp_context *context = test_context(test_backends[_i], 0);
    any_model *m = any_new(0);
    dp_error error;

    memcpy(numbers_of(m, 7), numbers_of(m, 8), m->weights[7].bytes); // gate = up: no product is negative
    multiply(m, 9, 0);
    for (int i = 0; i < ANY_WIDTH; i++) {
        numbers_of(m, 9)[i] = 1e6f;
        numbers_of(m, 18 + 7)[(int64_t)i * ANY_WIDTH] = -10;
    }
    multiply(m, 18 + 8, 1e25f);
    multiply(m, 18 + 9, 1e25f);
    dp_model *model = any_build(context, m, 0);
    ck_assert_int_eq(score(context, model, "ppl", &error), DP_E_NUMERIC);
    ck_assert_str_eq(error.message, "the loss without block 0 of sample 0 at position 0 is not finite: "
                                    "block 2 gives numbers that are not");
    dp_model_free(model);
    any_free(m);
    dp_context_free(context);
}
END_TEST

int main(void)
{
    const TTest *const looped[] = {names_the_weight_and_the_element, does_not_look_at_blocks_that_are_gone,
                                   no_overflow_is_silent, an_overflow_is_placed,
                                   a_candidate_that_overflows_is_named};
    Suite *suite = suite_create("prune/nonfinite");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 300);
    for (size_t i = 0; i < sizeof looped / sizeof *looped; i++)
        tcase_add_loop_test(all, looped[i], 0, TEST_BACKENDS);
    tcase_add_test(all, looks_once);
    tcase_add_test(all, an_overflow_in_a_norm_is_an_error);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
