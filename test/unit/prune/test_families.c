// Criteria on models with bias vectors: lockstep losses and cosines against the plain forward pass, with the fused
// operations and without; magnitude does not count biases.
#include "backend/cpu/cpu.h"
#include "backend/device.h"
#include "test/unit/prune/support.h"

enum { SAMPLES = 3, LENGTH = 17, ROWS = SAMPLES * LENGTH };

typedef struct rig {
    dp_context *context;
    plain_model *plain;
    dp_model *model;
    int32_t ids[ROWS];
} rig;

static rig rig_open(int family, int fused, int gguf)
{
    static dp_backend table;
    rig r = {.context = test_context("cpu", 0), .plain = plain_new_of(31, family)};
    dp_context_options open;
    dp_error error;

    plain_ids(r.ids, ROWS, 32);
    r.model = gguf ? test_plain_gguf(r.context, r.plain) : test_plain(r.context, r.plain);
    table = *dpi_cpu_backend();
    if (!fused)
        table.qkv_rope = NULL, table.swiglu = NULL, table.attention = NULL, table.linear_xent = NULL,
        table.add_rmsnorm = NULL;
    dp_context_options_init(&open, sizeof open);
    ck_ok(dpi_device_open(r.context, &table, 0, &open, &error), error);
    return r;
}

static void rig_close(rig *r)
{
    dp_model_free(r->model);
    dp_context_free(r->context);
    free(r->plain);
}

static dp_scores_info scored(const rig *r, const char *criterion, dp_scores **scores)
{
    const dp_scorer_options options = test_options(criterion);
    dp_calib *calib = test_calib(r->context, r->ids, SAMPLES, LENGTH);

    *scores = test_score(r->context, r->model, calib, &options);
    dp_calib_free(calib);
    return test_info(*scores);
}

START_TEST(lockstep_losses_are_the_plain_ones)
{
    rig r = rig_open(_i % PLAIN_FAMILIES, _i / PLAIN_FAMILIES % 2, _i / PLAIN_FAMILIES / 2);
    dp_scores *scores;
    const dp_scores_info info = scored(&r, "ppl", &scores);

    for (int block = 0; block < PLAIN_BLOCKS; block++) {
        uint8_t skip[PLAIN_BLOCKS] = {0};
        double sum = 0;
        skip[block] = 1;
        for (int s = 0; s < SAMPLES; s++)
            sum += plain_nll(r.plain, r.ids + s * LENGTH, LENGTH, skip);
        ck_assert_double_eq_tol(info.scores[block] / exp(sum / (SAMPLES * (LENGTH - 1))), 1, 1e-5);
    }
    dp_scores_free(scores);
    rig_close(&r);
}
END_TEST

START_TEST(influence_is_the_plain_one)
{
    rig r = rig_open(_i % PLAIN_FAMILIES, _i / PLAIN_FAMILIES % 2, _i / PLAIN_FAMILIES / 2);
    dp_scores *scores;
    const dp_scores_info info = scored(&r, "bi", &scores);

    for (int block = 0; block < PLAIN_BLOCKS; block++) {
        double sum = 0;
        for (int s = 0; s < SAMPLES; s++)
            sum += plain_cosines(r.plain, r.ids + s * LENGTH, LENGTH, block);
        ck_assert_double_eq_tol(info.scores[block], 1 - sum / ROWS, 1e-5);
    }
    dp_scores_free(scores);
    rig_close(&r);
}
END_TEST

// The same weights with and without bias vectors give the same scores.
START_TEST(magnitude_does_not_count_biases)
{
    rig with = rig_open(PLAIN_LLAMA_BIASED, 1, _i), without = rig_open(PLAIN_LLAMA, 1, _i);
    dp_scores *a, *b;
    const dp_scores_info left = scored(&with, "mag", &a), right = scored(&without, "mag", &b);

    for (int block = 0; block < PLAIN_BLOCKS; block++)
        ck_assert_double_eq(left.scores[block], right.scores[block]);
    dp_scores_free(a);
    dp_scores_free(b);
    rig_close(&with);
    rig_close(&without);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prune/families");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, lockstep_losses_are_the_plain_ones, 0, 4 * PLAIN_FAMILIES);
    tcase_add_loop_test(all, influence_is_the_plain_one, 0, 4 * PLAIN_FAMILIES);
    tcase_add_loop_test(all, magnitude_does_not_count_biases, 0, 2);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
