// Criteria on a random model of odd sizes against a plain forward pass in double, and what they promise besides.
#include "backend/device.h"
#include "nn/weights.h"
#include "test/unit/prune/support.h"

enum { SAMPLES = 5, LENGTH = 17, ROWS = SAMPLES * LENGTH };

typedef struct rig {
    dp_context *context;
    dp_model *model;
    plain_model *plain;
    dp_calib *calib;
    int32_t ids[ROWS];
} rig;

static rig rig_open(const char *backend, uint64_t seed)
{
    rig r = {.context = test_context(backend, 0), .plain = plain_new(seed)};

    r.model = test_plain(r.context, r.plain);
    plain_ids(r.ids, ROWS, seed + 100);
    r.calib = test_calib(r.context, r.ids, SAMPLES, LENGTH);
    return r;
}

static void rig_close(rig *r)
{
    dp_calib_free(r->calib);
    dp_model_free(r->model);
    dp_context_free(r->context);
    free(r->plain);
}

static double plain_ppl(const rig *r, int32_t without)
{
    uint8_t skip[PLAIN_BLOCKS] = {0};
    double sum = 0;

    if (without >= 0)
        skip[without] = 1;
    for (int s = 0; s < SAMPLES; s++)
        sum += plain_nll(r->plain, r->ids + s * LENGTH, LENGTH, skip);
    return exp(sum / (SAMPLES * (LENGTH - 1)));
}

START_TEST(ppl_is_the_plain_perplexity_without_each_block)
{
    rig r = rig_open(test_backends[_i], 21);
    dp_scores *scores = test_score(r.context, r.model, r.calib, NULL);
    const dp_scores_info info = test_info(scores);

    ck_assert_double_eq_tol(info.dense / plain_ppl(&r, -1), 1, 2e-6);
    for (int32_t n = 0; n < PLAIN_BLOCKS; n++)
        ck_assert_double_eq_tol(info.scores[n] / plain_ppl(&r, n), 1, 2e-6);
    dp_scores_free(scores);
    rig_close(&r);
}
END_TEST

START_TEST(bi_is_the_plain_mean_cosine)
{
    const dp_scorer_options options = test_options("bi");
    rig r = rig_open(test_backends[_i], 22);
    dp_scores *scores = test_score(r.context, r.model, r.calib, &options);
    const dp_scores_info info = test_info(scores);

    for (int32_t n = 0; n < PLAIN_BLOCKS; n++) {
        double sum = 0;
        for (int s = 0; s < SAMPLES; s++)
            sum += plain_cosines(r.plain, r.ids + s * LENGTH, LENGTH, n);
        ck_assert_double_eq_tol(info.scores[n], 1 - sum / ROWS, 1e-6);
    }
    dp_scores_free(scores);
    rig_close(&r);
}
END_TEST

// The perplexity of a model that lost the block for good is what ppl says, to the last bit.
START_TEST(leaving_out_is_removing)
{
    rig r = rig_open(test_backends[_i], 23);
    dp_scores *scores = test_score(r.context, r.model, r.calib, NULL);

    for (int32_t n = 0; n < PLAIN_BLOCKS; n++) {
        dp_model *pruned = test_without(r.context, r.model, &n, 1);
        dp_scores *after = test_score(r.context, pruned, r.calib, NULL);
        ck_assert_double_eq(test_info(scores).scores[n], test_info(after).dense);
        dp_scores_free(after);
        dp_model_free(pruned);
    }
    dp_scores_free(scores);
    rig_close(&r);
}
END_TEST

START_TEST(groups_do_not_change_the_scores)
{
    rig r = rig_open("cpu", 24);
    dp_scores *whole = test_score(r.context, r.model, r.calib, NULL);

    for (int32_t group = 1; group <= SAMPLES + 1; group++) {
        dp_scorer_options options = test_options("ppl");
        options.group_samples = group;
        dp_scores *cut = test_score(r.context, r.model, r.calib, &options);
        for (int32_t n = 0; n < PLAIN_BLOCKS; n++)
            ck_assert_double_eq_tol(test_info(cut).scores[n] / test_info(whole).scores[n], 1, 1e-12);
        dp_scores_free(cut);
    }
    dp_scores_free(whole);
    rig_close(&r);
}
END_TEST

// ---- magnitude, every reduction

static double reduce(int32_t kind, const double *values, int count)
{
    double sum = 0, most = 0, product = 1;

    for (int i = 0; i < count; i++) {
        sum += values[i];
        most = values[i] > most ? values[i] : most;
        product *= values[i];
    }
    return kind == DP_REDUCE_SUM ? sum : kind == DP_REDUCE_MEAN ? sum / count : kind == DP_REDUCE_MAX ? most : product;
}

static double weight_value(const float *w, int rows, int cols, int power, int32_t reduction)
{
    double sums[128];

    for (int i = 0; i < rows; i++) {
        sums[i] = 0;
        for (int j = 0; j < cols; j++)
            sums[i] += power == 2 ? (double)w[i * cols + j] * w[i * cols + j] : fabsf(w[i * cols + j]);
    }
    return reduce(reduction, sums, rows);
}

static double block_value(const plain_block *b, const dp_scorer_options *o)
{
    const int p = o->norm_power;
    const int32_t r = o->weight_reduction;
    const double values[9] = {weight_value(b->q[0], PLAIN_Q, PLAIN_HIDDEN, p, r),
                              weight_value(b->k[0], PLAIN_K, PLAIN_HIDDEN, p, r),
                              weight_value(b->v[0], PLAIN_K, PLAIN_HIDDEN, p, r),
                              weight_value(b->o[0], PLAIN_HIDDEN, PLAIN_Q, p, r),
                              weight_value(b->gate[0], PLAIN_FFN, PLAIN_HIDDEN, p, r),
                              weight_value(b->up[0], PLAIN_FFN, PLAIN_HIDDEN, p, r),
                              weight_value(b->down[0], PLAIN_HIDDEN, PLAIN_FFN, p, r),
                              weight_value(b->norm1, PLAIN_HIDDEN, 1, p, r),
                              weight_value(b->norm2, PLAIN_HIDDEN, 1, p, r)};

    return reduce(o->block_reduction, values, o->projections_only ? 7 : 9);
}

START_TEST(magnitude_with_every_reduction)
{
    rig r = rig_open(test_backends[_i], 25);
    dp_scorer_options options = test_options("mag");

    for (int choice = 0; choice < 2 * 2 * 4 * 4; choice++) {
        options.norm_power = 1 + (choice & 1);
        options.projections_only = choice >> 1 & 1;
        options.weight_reduction = choice >> 2 & 3;
        options.block_reduction = choice >> 4;
        if (options.block_reduction == DP_REDUCE_PROD && options.weight_reduction == DP_REDUCE_PROD)
            continue; // too large: the next test
        dp_scores *scores = test_score(r.context, r.model, NULL, &options);
        for (int32_t n = 0; n < PLAIN_BLOCKS; n++)
            ck_assert_double_eq_tol(test_info(scores).scores[n] / block_value(&r.plain->blocks[n], &options), 1,
                                    1e-9);
        dp_scores_free(scores);
    }
    rig_close(&r);
}
END_TEST

// ---- failures

static void scoring_fails(rig *r, const dp_scorer_options *options, const dp_calib *calib, int code, const char *says)
{
    const uint64_t before = r->context->memory.used;
    dp_scorer *scorer = NULL;
    dp_scores *scores = NULL;
    dp_error error;
    int rc = dp_scorer_new(r->context, options, &scorer, &error);

    if (!rc)
        rc = dp_scorer_run(scorer, r->model, calib, NULL, &scores, &error);
    ck_assert_int_eq(rc, code);
    ck_assert_msg(strstr(error.message, says) != NULL, "%s", error.message);
    ck_assert_ptr_null(scores);
    dp_scorer_free(scorer);
    ck_assert_uint_eq(r->context->memory.used, before);
}

START_TEST(failures_say_what_and_leave_nothing)
{
    rig r = rig_open("cpu", 26);
    dp_scorer_options options = test_options("magnitude");
    int32_t ids[ROWS];

    scoring_fails(&r, &options, NULL, DP_E_ARGUMENT, "unknown criterion 'magnitude': known are mag, mag+, ppl, bi");
    options = test_options("taylor+");
    scoring_fails(&r, &options, NULL, DP_E_ARGUMENT, "criterion 'taylor+' is not in this version");
    options = test_options("ppl");
    scoring_fails(&r, &options, NULL, DP_E_ARGUMENT, "criterion 'ppl' needs a calibration set");
    options = test_options("mag+"); // 4 + 2 of 5
    scoring_fails(&r, &options, NULL, DP_E_ARGUMENT, "the first 4 and last 2 blocks are protected, the model has 5");
    memcpy(ids, r.ids, sizeof ids);
    ids[2 * LENGTH + 3] = PLAIN_VOCAB;
    dp_calib *outside = test_calib(r.context, ids, SAMPLES, LENGTH);
    options = test_options("bi");
    scoring_fails(&r, &options, outside, DP_E_ARGUMENT,
                  "id 97 of sample 2 at position 3 is not in the vocabulary of 97");
    dp_calib_free(outside);
    dp_calib *longer = test_calib(r.context, r.ids, 1, PLAIN_CONTEXT + 1);
    options = test_options("ppl");
    scoring_fails(&r, &options, longer, DP_E_ARGUMENT, "41 tokens are longer than the model's context of 40");
    dp_calib_free(longer);
    rig_close(&r);
}
END_TEST

START_TEST(a_product_that_overflows_is_an_error)
{
    rig r = {.context = test_context("cpu", 0), .plain = plain_new(27)};
    dp_scorer_options options = test_options("mag");

    for (int i = 0; i < PLAIN_FFN; i++)
        r.plain->blocks[3].up[i][0] = 1e8f;
    r.model = test_plain(r.context, r.plain);
    options.block_reduction = DP_REDUCE_PROD; // nine factors are no trouble
    dp_scores_free(test_score(r.context, r.model, NULL, &options));
    options.weight_reduction = DP_REDUCE_PROD;
    scoring_fails(&r, &options, NULL, DP_E_NUMERIC,
                  "the product over the rows of the up projection of block 3 is not finite");
    rig_close(&r);
}
END_TEST

START_TEST(a_weight_that_is_not_finite_is_an_error)
{
    static const char *const names[] = {"ppl", "bi", "mag"};
    static const char *const says[] = {"element 226 is not finite", "element 226 is not finite", "element 226 is not finite"};
    rig r = rig_open("cpu", 27);

    dp_scores_free(test_score(r.context, r.model, r.calib, NULL)); // the backend keeps its scratch
    dp_calib_free(r.calib);
    dp_model_free(r.model);
    r.plain->blocks[2].up[5][6] = (float)NAN;
    r.model = test_plain(r.context, r.plain);
    plain_ids(r.ids, ROWS, 1);
    r.calib = test_calib(r.context, r.ids, SAMPLES, LENGTH);
    for (int i = 0; i < 3; i++) {
        const dp_scorer_options options = test_options(names[i]);
        scoring_fails(&r, &options, r.calib, DP_E_NUMERIC, says[i]);
    }
    rig_close(&r);
}
END_TEST

START_TEST(memory_that_cannot_suffice_is_refused_with_the_bytes)
{
    rig r = rig_open("cpu", 28);
    const dp_scorer_options options = test_options("ppl");
    dp_scores *warm = test_score(r.context, r.model, r.calib, &options); // scratch and digest are there from now on

    dp_scores_free(warm);
    r.context->memory.limit = r.context->memory.used + 20000;
    scoring_fails(&r, &options, r.calib, DP_E_MEMORY, "1 sample at once needs");
    r.context->memory.limit = r.context->memory.used + 900000; // less than all samples at once
    dp_scores *tight = test_score(r.context, r.model, r.calib, &options);
    dp_scores_free(tight);
    rig_close(&r);
}
END_TEST

typedef struct reports {
    int count, stop_at;
    uint64_t last, total;
} reports;

static int32_t on_progress(void *user, const dp_progress *now)
{
    reports *seen = user;

    ck_assert_uint_ge(now->done, seen->last);
    seen->last = now->done;
    seen->total = now->total;
    return ++seen->count == seen->stop_at;
}

START_TEST(a_run_can_be_stopped_anywhere)
{
    static const char *const names[] = {"ppl", "bi", "mag"};
    rig r = rig_open("cpu", 29);
    dp_scores_free(test_score(r.context, r.model, r.calib, NULL));

    for (int i = 0; i < 3; i++) {
        const dp_scorer_options options = test_options(names[i]);
        int stopped = 0;
        for (int32_t cancel = 1, at = 1; at < 4; at++) {
            reports seen = {.stop_at = at};
            const dp_monitor monitor = {.size = sizeof monitor, .interval_ms = 1, .progress = on_progress,
                                        .user = &seen, .cancel = at == 3 ? &cancel : NULL};
            const uint64_t before = r.context->memory.used;
            dp_scorer *scorer = NULL;
            dp_scores *scores = NULL;
            dp_error error;
            ck_ok(dp_scorer_new(r.context, &options, &scorer, &error), error);
            const int rc = dp_scorer_run(scorer, r.model, r.calib, &monitor, &scores, &error);
            ck_assert(rc == DP_OK || (rc == DP_E_CANCELLED && error.code == rc));
            stopped += rc == DP_E_CANCELLED;
            ck_assert((scores == NULL) == (rc != DP_OK));
            dp_scores_free(scores);
            dp_scorer_free(scorer);
            ck_assert_uint_eq(r.context->memory.used, before);
        }
        ck_assert_int_ge(stopped, 2); // the first report, and the flag
    }
    rig_close(&r);
}
END_TEST

START_TEST(progress_ends_at_its_total)
{
    rig r = rig_open("cpu", 30);
    reports seen = {.stop_at = -1};
    const dp_monitor monitor = {.size = sizeof monitor, .interval_ms = 1, .progress = on_progress, .user = &seen};
    const dp_scorer_options options = test_options("ppl");
    dp_scorer *scorer = NULL;
    dp_scores *scores = NULL;
    dp_error error;

    char digest[65];
    ck_ok(dp_model_digest(r.model, NULL, digest, &error), error); // so that scoring is the only phase
    ck_ok(dp_scorer_new(r.context, &options, &scorer, &error), error);
    ck_ok(dp_scorer_run(scorer, r.model, r.calib, &monitor, &scores, &error), error);
    ck_assert_int_gt(seen.count, 0);
    ck_assert_uint_eq(seen.last, seen.total);
    dp_scores_free(scores);
    dp_scorer_free(scorer);
    rig_close(&r);
}
END_TEST

int main(void)
{
    const TTest *const looped[] = {ppl_is_the_plain_perplexity_without_each_block, bi_is_the_plain_mean_cosine,
                                   leaving_out_is_removing, magnitude_with_every_reduction};
    const TTest *const once[] = {groups_do_not_change_the_scores, failures_say_what_and_leave_nothing,
                                 a_product_that_overflows_is_an_error, a_weight_that_is_not_finite_is_an_error,
                                 memory_that_cannot_suffice_is_refused_with_the_bytes, a_run_can_be_stopped_anywhere,
                                 progress_ends_at_its_total};
    Suite *suite = suite_create("prune/criteria");
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
