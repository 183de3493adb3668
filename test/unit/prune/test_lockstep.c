// Perplexity scoring in lockstep: N(N+1)/2 passes of the rows through a block instead of N * N, and each weight read
// once for a group of samples.  A backend that counts, around the CPU's table, sees what is really called.
#include "backend/cpu/cpu.h"
#include "backend/device.h"
#include "test/unit/prune/support.h"

enum { SAMPLES = 4, LENGTH = 9, ROWS = SAMPLES * LENGTH, WEIGHTS = 7, MOST = PLAIN_BLOCKS * WEIGHTS };

// What one run has called.
static struct counts {
    const void *data[MOST];
    int64_t calls[MOST], rows[MOST];
    int64_t attention_rows, embed_rows, head_calls, head_rows;
} counts;

static void count_weight(const dp_mat *weight, const dp_mat *x)
{
    for (int i = 0; i < MOST; i++)
        if (counts.data[i] == weight->data) {
            counts.calls[i]++;
            counts.rows[i] += x->rows;
        }
}

static int count_gemm(dp_stream *stream, const dp_gemm_args *args, dp_error *error)
{
    count_weight(&args->b, &args->a);
    return dpi_cpu_backend()->gemm(stream, args, error);
}

static int count_qkv(dp_stream *stream, const dp_qkv_rope_args *args, dp_error *error)
{
    count_weight(&args->wq, &args->x);
    count_weight(&args->wk, &args->x);
    count_weight(&args->wv, &args->x);
    return dpi_cpu_backend()->qkv_rope(stream, args, error);
}

static int count_swiglu(dp_stream *stream, const dp_swiglu_args *args, dp_error *error)
{
    count_weight(&args->gate_weight, &args->x);
    count_weight(&args->up_weight, &args->x);
    return dpi_cpu_backend()->swiglu(stream, args, error);
}

static int count_attention(dp_stream *stream, const dp_attention_args *args, dp_error *error)
{
    counts.attention_rows += args->q.rows;
    return dpi_cpu_backend()->attention(stream, args, error);
}

static int count_embed(dp_stream *stream, const dp_embed_args *args, dp_error *error)
{
    counts.embed_rows += args->y.rows;
    return dpi_cpu_backend()->embed(stream, args, error);
}

static int count_head(dp_stream *stream, const dp_linear_xent_args *args, dp_error *error)
{
    counts.head_calls++;
    counts.head_rows += args->x.rows;
    return dpi_cpu_backend()->linear_xent(stream, args, error);
}

// The CPU's fused slots, counted; or none of them, so that every product is a call of gemm.
static dp_backend counting_table(int fused)
{
    dp_backend table = *dpi_cpu_backend();

    table.gemm = count_gemm;
    table.embed = count_embed;
    table.qkv_rope = fused && table.qkv_rope ? count_qkv : NULL;
    table.swiglu = fused && table.swiglu ? count_swiglu : NULL;
    table.attention = table.attention ? count_attention : NULL;
    table.linear_xent = table.linear_xent ? count_head : NULL;
    return table;
}

static void watch_weights(const dp_model *model)
{
    int found = 0;

    for (size_t i = 0; i < dp_model_weight_count(model); i++) {
        dp_weight weight = {.size = sizeof weight};
        ck_assert_int_eq(dp_model_weight(model, i, &weight, NULL), DP_OK);
        if (weight.block >= 0 && strstr(weight.name, "proj"))
            counts.data[found++] = weight.data;
    }
    ck_assert_int_eq(found, MOST);
}

static void score_counted(int fused, int32_t group)
{
    const dp_backend table = counting_table(fused);
    dp_context *context = test_context("cpu", 0);
    dp_scorer_options options = test_options("ppl");
    dp_context_options open;
    plain_model *plain = plain_new(5);
    dp_model *model = test_plain(context, plain);
    int32_t ids[ROWS];
    dp_error error;

    counts = (struct counts){.calls = {0}};
    plain_ids(ids, ROWS, 9);
    dp_calib *calib = test_calib(context, ids, SAMPLES, LENGTH);
    dp_context_options_init(&open, sizeof open);
    ck_ok(dpi_device_open(context, &table, 0, &open, &error), error);
    watch_weights(model);
    options.group_samples = group;
    dp_scores_free(test_score(context, model, calib, &options));
    dp_calib_free(calib);
    dp_model_free(model);
    dp_context_free(context);
    free(plain);
}

START_TEST(passes_are_a_triangle_and_weights_are_read_once)
{
    const int64_t passes = PLAIN_BLOCKS * (PLAIN_BLOCKS + 1) / 2;

    score_counted(_i, 0); // all samples fit
    int64_t rows = 0;
    for (int i = 0; i < MOST; i++) {
        const int64_t block = i / WEIGHTS; // weights are listed block by block
        ck_assert_int_eq(counts.calls[i], 1);
        ck_assert_int_eq(counts.rows[i], (block + 1) * ROWS);
        rows += counts.rows[i];
    }
    ck_assert_int_eq(rows, passes * WEIGHTS * ROWS);
    ck_assert_int_eq(counts.attention_rows, passes * ROWS);
    ck_assert_int_eq(counts.embed_rows, ROWS); // the dense stream only
    ck_assert_int_eq(counts.head_calls, 1);
    ck_assert_int_eq(counts.head_rows, (PLAIN_BLOCKS + 1) * ROWS);
}
END_TEST

START_TEST(once_more_for_each_further_group)
{
    score_counted(_i, 1);
    for (int i = 0; i < MOST; i++)
        ck_assert_int_eq(counts.calls[i], SAMPLES);
    ck_assert_int_eq(counts.attention_rows, PLAIN_BLOCKS * (PLAIN_BLOCKS + 1) / 2 * ROWS);
    ck_assert_int_eq(counts.head_calls, SAMPLES);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prune/lockstep");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, passes_are_a_triangle_and_weights_are_read_once, 0, 2);
    tcase_add_loop_test(all, once_more_for_each_further_group, 0, 2);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
