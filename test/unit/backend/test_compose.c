// The composed operations on the reference backend against plain loops written here, in double.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/ops.h"
#include "backend/ref/ref.h"
#include "test/run.h"

static dp_context *context;
static dpi_device *device;

static void set_up(void)
{
    dp_context_options options;
    dp_error error;

    dp_context_options_init(&options, sizeof options);
    options.backend = "ref";
    options.threads = 2;
    ck_assert_msg(dp_context_new(&options, &context, &error) == DP_OK, "%s", error.message);
    device = dpi_device_of(context);
}

static double noise(void)
{
    static uint32_t state = 12345;

    state = state * 1664525 + 1013904223;
    return (double)state / 2147483648.0 - 1;
}

// rows × cols of noise with `extra` elements between the rows; the caller frees data.
static dp_mat matrix(int64_t rows, int64_t cols, int64_t extra)
{
    dp_mat mat = {NULL, rows, cols, cols + extra, DP_F64, 0};
    double *data = malloc(sizeof *data * (size_t)(rows * mat.stride));

    for (int64_t i = 0; i < rows * mat.stride; i++)
        data[i] = noise();
    mat.data = data;
    return mat;
}

static double *at(const dp_mat *mat, int64_t row, int64_t col)
{
    return (double *)mat->data + row * mat->stride + col;
}

static double dot(const double *x, const double *y, int64_t count)
{
    double sum = 0;

    for (int64_t i = 0; i < count; i++)
        sum += x[i] * y[i];
    return sum;
}

static void near(double got, double want)
{
    ck_assert_double_eq_tol(got, want, 1e-12 * (1 + fabs(want)));
}

// One query head by the definition: every visible key's weight, then the weighted values.
static void attend_plainly(const dp_attention_args *a, int64_t row, int64_t key, int64_t seen, int64_t head)
{
    const int64_t dim = a->head_dim, kv = head / (a->heads / a->kv_heads);
    double *weight = malloc(sizeof *weight * (size_t)seen), sum = 0;

    for (int64_t j = 0; j < seen; j++)
        sum += weight[j] = exp((double)a->scale * dot(at(&a->q, row, head * dim), at(&a->k, key + j, kv * dim), dim));
    for (int64_t d = 0; d < dim; d++) {
        double y = 0;
        for (int64_t j = 0; j < seen; j++)
            y += weight[j] / sum * *at(&a->v, key + j, kv * dim + d);
        near(*at(&a->y, row, head * dim + d), y);
    }
    if (a->lse.data)
        near(*at(&a->lse, row, head), log(sum));
    free(weight);
}

static void attention_case(int64_t sequences, int64_t queries, int64_t keys, int32_t heads, int32_t kv_heads, int lse)
{
    const int32_t dim = 6;
    dp_attention_args a = {.q = matrix(sequences * queries, heads * dim, 3),
                           .k = matrix(sequences * keys, kv_heads * dim, 1),
                           .v = matrix(sequences * keys, kv_heads * dim, 2),
                           .y = matrix(sequences * queries, heads * dim, 5),
                           .sequences = sequences,
                           .queries = queries,
                           .keys = keys,
                           .heads = heads,
                           .kv_heads = kv_heads,
                           .head_dim = dim,
                           .scale = 0.75F};

    if (lse)
        a.lse = matrix(sequences * queries, heads, 1);
    ck_assert_int_eq(dpi_op_attention(device, &a, NULL), DP_OK);
    for (int64_t s = 0; s < sequences; s++)
        for (int64_t i = 0; i < queries; i++)
            for (int64_t head = 0; head < heads; head++)
                attend_plainly(&a, s * queries + i, s * keys, keys - queries + i + 1, head);
    free(a.q.data), free(a.k.data), free(a.v.data), free(a.y.data), free(a.lse.data);
}

START_TEST(attention_shares_keys_and_hides_the_future)
{
    set_up();
    attention_case(2, 5, 5, 4, 4, 1);
    attention_case(3, 4, 9, 6, 2, 1);
    attention_case(1, 1, 7, 3, 1, 0);
    attention_case(2, 1, 1, 1, 1, 1);
    attention_case(1, 3, 3, 130, 1, 1); // more heads than labels in one call
    dp_context_free(context);
}
END_TEST

START_TEST(attention_cuts_long_sequences_into_pieces)
{
    set_up();
    attention_case(1, 400, 450, 64, 1, 0); // 291 queries a piece
    ck_assert_uint_le(device->scratch_bytes, 64U << 20);
    dp_context_free(context);
}
END_TEST

START_TEST(head_loss_is_cut_by_rows)
{
    enum { ROWS = 10, VOCAB = 1 << 20 }; // 8 rows a piece
    int32_t labels[ROWS];
    dp_linear_xent_args a = {matrix(ROWS, 3, 1), matrix(VOCAB, 3, 0), matrix(ROWS, 1, 1), labels};

    set_up();
    for (int r = 0; r < ROWS; r++)
        labels[r] = r == 4 ? DP_IGNORE : r * 104000;
    ck_assert_int_eq(dpi_op_linear_xent(device, &a, NULL), DP_OK);
    for (int r = 0; r < ROWS; r++) {
        double sum = 0;
        for (int v = 0; v < VOCAB; v++)
            sum += exp(dot(at(&a.x, r, 0), at(&a.weight, v, 0), 3));
        near(*at(&a.loss, r, 0), r == 4 ? 0 : log(sum) - dot(at(&a.x, r, 0), at(&a.weight, labels[r], 0), 3));
    }
    free(a.x.data), free(a.weight.data), free(a.loss.data);
    dp_context_free(context);
}
END_TEST

static void swiglu_case(int64_t rows, int64_t cols, int32_t gate)
{
    dp_swiglu_args a = {matrix(rows, 2, 3), matrix(cols, 2, 1), matrix(cols, 2, 0), matrix(rows, cols, 4), gate, 0};

    ck_assert_int_eq(dpi_op_swiglu(device, &a, NULL), DP_OK);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < cols; c++) {
            const double g = dot(at(&a.x, r, 0), at(&a.gate_weight, c, 0), 2);
            const double silu = g / (1 + exp(-g)), inner = sqrt(2 / acos(-1)) * (g + 0.044715 * pow(g, 3));
            const double gated = gate == DP_GATE_SILU ? silu : g / 2 * (1 + tanh(inner));
            near(*at(&a.y, r, c), gated * dot(at(&a.x, r, 0), at(&a.up_weight, c, 0), 2));
        }
    free(a.x.data), free(a.gate_weight.data), free(a.up_weight.data), free(a.y.data);
}

START_TEST(swiglu_is_a_gated_pair_of_products)
{
    set_up();
    swiglu_case(3, 5, DP_GATE_SILU);
    swiglu_case(2, 7, DP_GATE_GELU_TANH);
    swiglu_case(25, 200000, DP_GATE_SILU); // 20 rows a piece
    dp_context_free(context);
}
END_TEST

START_TEST(add_then_norm_changes_the_stream)
{
    dp_add_rmsnorm_args a = {matrix(3, 4, 2), matrix(3, 4, 1), matrix(1, 4, 0), matrix(3, 4, 0), matrix(3, 1, 0), 0.25F, 0};
    const dp_mat old = matrix(3, 4, 2);

    set_up();
    for (int without = 0; without < 2; without++) {
        memcpy(old.data, a.x.data, sizeof(double) * 18);
        if (without)
            free(a.delta.data), a.delta.data = NULL;
        ck_assert_int_eq(dpi_op_add_rmsnorm(device, &a, NULL), DP_OK);
        for (int r = 0; r < 3; r++) {
            const double rstd = 1 / sqrt(dot(at(&a.x, r, 0), at(&a.x, r, 0), 4) / 4 + 0.25);
            near(*at(&a.rstd, r, 0), rstd);
            for (int c = 0; c < 4; c++) {
                near(*at(&a.x, r, c), *at(&old, r, c) + (without ? 0 : *at(&a.delta, r, c)));
                near(*at(&a.y, r, c), *at(&a.x, r, c) * rstd * *at(&a.weight, 0, c));
            }
        }
    }
    free(a.x.data), free(a.weight.data), free(a.y.data), free(a.rstd.data), free(old.data);
    dp_context_free(context);
}
END_TEST

// The projection of row r on weight row c, plus bias.
static double projected(const dp_mat *x, const dp_mat *weight, const dp_mat *bias, int64_t r, int64_t c)
{
    return dot(at(x, r, 0), at(weight, c, 0), x->cols) + (bias->data ? *at(bias, 0, c) : 0);
}

START_TEST(projections_are_rotated_but_not_the_values)
{
    const int32_t positions[2] = {3, 70};
    const float frequencies[2] = {1, 0.01F};
    dp_qkv_rope_args a = {matrix(2, 5, 1), matrix(8, 5, 0), matrix(4, 5, 0), matrix(4, 5, 2), matrix(1, 8, 0),
                          {0}, matrix(1, 4, 0), matrix(2, 8, 0), matrix(2, 4, 6), matrix(2, 4, 6),
                          positions, frequencies, 4, DP_ROPE_HALF};

    set_up();
    ck_assert_int_eq(dpi_op_qkv_rope(device, &a, NULL), DP_OK);
    for (int64_t r = 0; r < 2; r++)
        for (int64_t c = 0; c < 8; c++) {
            const double angle = positions[r] * (double)frequencies[c % 2];
            const int64_t pair = c % 4 < 2 ? c + 2 : c - 2;
            const double sign = c % 4 < 2 ? -1 : 1;

            near(*at(&a.q, r, c), projected(&a.x, &a.wq, &a.bq, r, c) * cos(angle) +
                                      sign * projected(&a.x, &a.wq, &a.bq, r, pair) * sin(angle));
            if (c >= 4)
                continue;
            near(*at(&a.k, r, c), projected(&a.x, &a.wk, &a.bk, r, c) * cos(angle) +
                                      sign * projected(&a.x, &a.wk, &a.bk, r, pair) * sin(angle));
            near(*at(&a.v, r, c), projected(&a.x, &a.wv, &a.bv, r, c));
        }
    free(a.x.data), free(a.wq.data), free(a.wk.data), free(a.wv.data), free(a.bq.data), free(a.bv.data);
    free(a.q.data), free(a.k.data), free(a.v.data);
    dp_context_free(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {attention_shares_keys_and_hides_the_future, attention_cuts_long_sequences_into_pieces,
                                  head_loss_is_cut_by_rows, swiglu_is_a_gated_pair_of_products,
                                  add_then_norm_changes_the_stream, projections_are_rotated_but_not_the_values};

    return dpt_run("backend/compose", tests, sizeof tests / sizeof *tests);
}
