// The reference operations against numbers worked out by hand or by other programs.
#include <math.h>
#include <string.h>

#include "backend/ref/ref.h"
#include "test/run.h"
#include "test/unit/backend/serial_host.h"

static const dp_backend *table;
static dp_stream *stream;

static void set_up(void)
{
    static dp_host host;

    host = serial_host(NULL);
    table = dpi_ref_backend();
    ck_assert_int_eq(table->open(&host, 0, &stream, NULL), DP_OK);
}

#define MAT(type_, data_, rows_, cols_) ((dp_mat){(data_), (rows_), (cols_), (cols_), (type_), 0})
#define NEAR(got, want) ck_assert_double_eq_tol((got), (want), 1e-15 + 1e-14 * fabs(want))

// op(a) op(b) for every pair of flags, with stride, beta, bias and two matrices of a batch that share b.
static void product(int ta, int tb)
{
    double a[2][3][4], b[4][5], c[2][2][3], before[2][2][3], bias[3] = {0.5, -1, 2};
    dp_gemm_args args = {.batch = 2, .alpha = 2, .beta = -1, .transpose_a = ta, .transpose_b = tb};

    for (int i = 0; i < 24; i++)
        ((double *)a)[i] = i * 0.25 - 2;
    for (int i = 0; i < 20; i++)
        ((double *)b)[i] = 1.5 - i * 0.125;
    for (int i = 0; i < 12; i++)
        ((double *)before)[i] = ((double *)c)[i] = i;
    args.a = (dp_mat){a, ta ? 3 : 2, ta ? 2 : 3, 4, DP_F64, 0};
    args.b = (dp_mat){b, tb ? 3 : 3, 3, 5, DP_F64, 0};
    args.c = MAT(DP_F64, c, 2, 3);
    args.bias = MAT(DP_F64, bias, 1, 3);
    args.a_step = 12;
    args.c_step = 6;
    ck_assert_int_eq(table->gemm(stream, &args, NULL), DP_OK);
    for (int m = 0; m < 2; m++)
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 3; j++) {
                double sum = 0;
                for (int p = 0; p < 3; p++)
                    sum += (ta ? a[m][p][i] : a[m][i][p]) * (tb ? b[j][p] : b[p][j]);
                NEAR(c[m][i][j], 2 * sum - before[m][i][j] + bias[j]);
            }
}

START_TEST(multiplies_with_every_pair_of_transposes)
{
    set_up();
    for (int flags = 0; flags < 4; flags++)
        product(flags & 1, flags >> 1);
    table->close(stream);
}
END_TEST

START_TEST(cuts_large_products_without_a_seam)
{
    enum { M = 37, N = 70, K = 90000 };
    float *a = malloc(sizeof *a * M * K), *b = malloc(sizeof *b * N * K), *c = malloc(sizeof *c * M * N);
    dp_gemm_args args = {.batch = 1, .alpha = 1, .transpose_b = 1};

    set_up();
    for (int i = 0; i < M * K; i++)
        a[i] = (float)(i % 7 - 3);
    for (int i = 0; i < N * K; i++)
        b[i] = (float)(i % 5 - 2);
    memset(c, 0xFF, sizeof *c * M * N); // NaN: beta is 0, so it must not be read
    args.a = MAT(DP_F32, a, M, K);
    args.b = MAT(DP_F32, b, N, K);
    args.c = MAT(DP_F32, c, M, N);
    ck_assert_int_eq(table->gemm(stream, &args, NULL), DP_OK);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            long sum = 0; // small integers: exact
            for (int p = 0; p < K; p++)
                sum += (long)a[i * K + p] * (long)b[j * K + p];
            ck_assert_float_eq(c[i * N + j], (float)sum);
        }
    table->close(stream);
    free(a), free(b), free(c);
}
END_TEST

// A q8_0 block: f16 scale, 32 signed bytes.
static void make_block(unsigned char *block, uint16_t scale, int first)
{
    memcpy(block, &scale, 2);
    for (int i = 0; i < 32; i++)
        block[2 + i] = (unsigned char)(signed char)(first + i);
}

START_TEST(reads_block_types_by_row_and_by_column)
{
    unsigned char blocks[3][34];
    float y[2][32], c[1][3], ones[32], plain[1][32], left[3] = {1, 10, 100};
    const int32_t ids[2] = {2, 0};
    const dp_mat weight = {blocks, 3, 32, 32, DP_Q8_0, 0};
    const dp_embed_args embed = {weight, MAT(DP_F32, y, 2, 32), ids};
    dp_gemm_args rows = {.b = weight, .c = MAT(DP_F32, c, 1, 3), .batch = 1, .alpha = 1, .transpose_b = 1};
    dp_gemm_args columns = {.b = weight, .c = MAT(DP_F32, plain, 1, 32), .batch = 1, .alpha = 1};

    set_up();
    make_block(blocks[0], 0x3800, -16); // 0.5
    make_block(blocks[1], 0x3C00, 0);   // 1
    make_block(blocks[2], 0xC000, 5);   // -2
    ck_assert_int_eq(table->embed(stream, &embed, NULL), DP_OK);
    ck_assert_float_eq(y[0][31], -72);
    ck_assert_float_eq(y[1][0], -8);
    for (int i = 0; i < 32; i++)
        ones[i] = 1;
    rows.a = MAT(DP_F32, ones, 1, 32);
    ck_assert_int_eq(table->gemm(stream, &rows, NULL), DP_OK);
    ck_assert_float_eq(c[0][0], -8);
    ck_assert_float_eq(c[0][1], 496);
    ck_assert_float_eq(c[0][2], -1312);
    columns.a = MAT(DP_F32, left, 1, 3);
    ck_assert_int_eq(table->gemm(stream, &columns, NULL), DP_OK);
    for (int i = 0; i < 32; i++)
        ck_assert_float_eq(plain[0][i], (float)(0.5 * (i - 16) + 10 * i - 200 * (i + 5)));
    table->close(stream);
}
END_TEST

START_TEST(normalizes_rows)
{
    double x[2][4] = {{3, 4, 99, 99}, {-1, 7, 99, 99}}, weight[2] = {2, 0.5}, y[2][2], rstd[2];
    const dp_rmsnorm_args args = {{x, 2, 2, 4, DP_F64, 0}, MAT(DP_F64, weight, 1, 2), MAT(DP_F64, y, 2, 2),
                                  MAT(DP_F64, rstd, 2, 1), 0.5F, 0};

    set_up();
    ck_assert_int_eq(table->rmsnorm(stream, &args, NULL), DP_OK);
    NEAR(rstd[0], 1 / sqrt(13.0)); // (9 + 16) / 2 + 0.5
    NEAR(rstd[1], 1 / sqrt(25.5));
    NEAR(y[0][0], 6 / sqrt(13.0));
    NEAR(y[0][1], 2 / sqrt(13.0));
    NEAR(y[1][1], 3.5 / sqrt(25.5));
    table->close(stream);
}
END_TEST

START_TEST(rotates_both_pairings_and_back)
{
    const double start[8] = {1, 2, 3, 4, -1, 0.5, 0.25, 8};
    const float frequencies[2] = {1, 0.125F};
    const int32_t positions[1] = {12};
    double x[8];

    set_up();
    for (int pairing = 0; pairing < 2; pairing++) {
        dp_rope_args args = {MAT(DP_F64, x, 1, 8), positions, frequencies, 4, pairing, 0, 0};
        const int second = pairing == DP_ROPE_HALF ? 2 : 1, other = pairing == DP_ROPE_HALF ? 1 : 2;

        memcpy(x, start, sizeof x);
        ck_assert_int_eq(table->rope(stream, &args, NULL), DP_OK);
        for (int head = 0; head < 8; head += 4) {
            const double a = start[head], b = start[head + second], c = start[head + other], d = start[head + 3];
            NEAR(x[head], a * cos(12) - b * sin(12));
            NEAR(x[head + second], b * cos(12) + a * sin(12));
            NEAR(x[head + other], c * cos(1.5) - d * sin(1.5));
            NEAR(x[head + 3], d * cos(1.5) + c * sin(1.5));
        }
        args.inverse = 1;
        ck_assert_int_eq(table->rope(stream, &args, NULL), DP_OK);
        for (int i = 0; i < 8; i++)
            NEAR(x[i], start[i]);
    }
    table->close(stream);
}
END_TEST

START_TEST(softmax_hides_the_future)
{
    // 2 queries on 3 keys, two heads; the last column of the first query is hidden and holds NaN
    double x[4][3] = {{0, 1, NAN}, {1, 1, 1}, {-700, 700, NAN}, {0, 0.5, 2}}, y[4][3];
    const dp_softmax_args args = {MAT(DP_F64, x, 4, 3), MAT(DP_F64, y, 4, 3), 2, 2, 1};
    const dp_softmax_args open = {MAT(DP_F64, x[3], 1, 3), MAT(DP_F64, x[3], 1, 3), 0, 1, 0};

    set_up();
    ck_assert_int_eq(table->softmax(stream, &args, NULL), DP_OK);
    NEAR(y[0][0], 1 / (1 + exp(2)));
    NEAR(y[0][1], exp(2) / (1 + exp(2)));
    ck_assert_double_eq(y[0][2], 0);
    NEAR(y[1][2], 1.0 / 3);
    ck_assert_double_eq(y[2][1], 1);
    ck_assert_double_eq(y[2][2], 0);
    ck_assert_int_eq(table->softmax(stream, &open, NULL), DP_OK);
    NEAR(x[3][1], exp(0.5) / (1 + exp(0.5) + exp(2)));
    table->close(stream);
}
END_TEST

START_TEST(gates_multiply)
{
    double a[3] = {1, -2, -1000}, b[3] = {2, 3, 1}, y[3];
    dp_glu_args args = {MAT(DP_F64, a, 1, 3), MAT(DP_F64, b, 1, 3), MAT(DP_F64, y, 1, 3), DP_GATE_SILU, 0};

    set_up();
    ck_assert_int_eq(table->glu(stream, &args, NULL), DP_OK);
    NEAR(y[0], 2 * 0.73105857863000487925);
    NEAR(y[1], 3 * -0.23840584404423515);
    ck_assert_double_eq(y[2], 0);
    args.gate = DP_GATE_GELU_TANH;
    ck_assert_int_eq(table->glu(stream, &args, NULL), DP_OK);
    ck_assert_double_eq_tol(y[0], 2 * 0.8411919906082768, 1e-14); // torch, approximate="tanh", f64
    ck_assert_double_eq_tol(y[1], 3 * -0.04540230591222494, 1e-14);
    table->close(stream);
}
END_TEST

START_TEST(cross_entropy_and_its_gradient)
{
    double x[3][3] = {{0, 0, 0}, {NAN, NAN, NAN}, {1000, 998, 0}}, loss[3], grad[3][3];
    const int32_t labels[3] = {1, DP_IGNORE, 1};
    const dp_xent_args args = {MAT(DP_F64, x, 3, 3), MAT(DP_F64, loss, 3, 1), MAT(DP_F64, grad, 3, 3), labels, 6, 0};

    set_up();
    ck_assert_int_eq(table->xent(stream, &args, NULL), DP_OK);
    NEAR(loss[0], log(3));
    ck_assert_double_eq(loss[1], 0);
    ck_assert_double_eq_tol(loss[2], 2 + log1p(exp(-2)), 1e-12);
    NEAR(grad[0][0], 2.0);
    NEAR(grad[0][1], -4.0);
    ck_assert_double_eq(grad[1][0], 0);
    ck_assert_double_eq_tol(grad[2][0], 6 / (1 + exp(-2)), 1e-12);
    table->close(stream);
}
END_TEST

START_TEST(adds_casts_and_rounds_once)
{
    // Halfway between two f16 and a little more: by way of f32 it would be a tie, rounded to even, downwards.
    double x[4] = {1 + 0x1p-11 + 0x1p-40, 1 + 0x1p-11, -(1 + 0x1p-8 + 0x1p-45), 1e300};
    float y[4] = {NAN, NAN, NAN, NAN};
    uint16_t half[4], brain[4];
    const dp_cast_args to_half = {MAT(DP_F64, x, 1, 4), MAT(DP_F16, half, 1, 4)};
    const dp_cast_args to_brain = {MAT(DP_F64, x, 1, 4), MAT(DP_BF16, brain, 1, 4)};
    dp_axpby_args add = {MAT(DP_F64, x, 1, 4), MAT(DP_F32, y, 1, 4), 2, 0};

    set_up();
    ck_assert_int_eq(table->cast(stream, &to_half, NULL), DP_OK);
    ck_assert_uint_eq(half[0], 0x3C01);
    ck_assert_uint_eq(half[1], 0x3C00);
    ck_assert_uint_eq(half[3], 0x7C00);
    ck_assert_int_eq(table->cast(stream, &to_brain, NULL), DP_OK);
    ck_assert_uint_eq(brain[2], 0xBF81);
    ck_assert_int_eq(table->axpby(stream, &add, NULL), DP_OK);
    ck_assert_float_eq(y[1], (float)(2 + 0x1p-10));
    add.beta = 0.5F;
    ck_assert_int_eq(table->axpby(stream, &add, NULL), DP_OK);
    ck_assert_float_eq(y[1], (float)(3 + 0x1.8p-10));
    table->close(stream);
}
END_TEST

START_TEST(reduces_rows_in_double)
{
    float x[2][3] = {{1, -2, 3}, {1e8F, 1, -1e8F}}, y[2][3] = {{-1, -1, 2}, {1, 1, 1}};
    const double want[6][2] = {{2, 1}, {6, 200000001}, {14, 20000000000000001.0}, {3, 1e8}, {7, 1}, {9, 200000001}};
    double result[2];

    set_up();
    for (int kind = 0; kind < 6; kind++) {
        dp_reduce_args args = {.x = MAT(DP_F32, x, 2, 3), .result = MAT(DP_F64, result, 2, 1), .kind = kind};
        if (kind >= DP_REDUCTION_DOT)
            args.y = MAT(DP_F32, y, 2, 3);
        ck_assert_int_eq(table->reduce(stream, &args, NULL), DP_OK);
        NEAR(result[0], want[kind][0]);
        NEAR(result[1], want[kind][1]);
    }
    table->close(stream);
}
END_TEST

START_TEST(copies_and_fills_within_the_columns)
{
    float from[2][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}}, to[2][3] = {{9, 9, 9}, {9, 9, 9}};
    const dp_mat source = {from, 2, 2, 4, DP_F32, 0}, target = {to, 2, 2, 3, DP_F32, 0};

    set_up();
    ck_assert_int_eq(table->copy2d(stream, &source, &target, NULL), DP_OK);
    ck_assert_float_eq(to[1][1], 6);
    ck_assert_float_eq(to[0][2], 9);
    ck_assert_int_eq(table->fill(stream, &target, 0.1F, NULL), DP_OK);
    ck_assert_float_eq(to[1][0], 0.1F);
    ck_assert_float_eq(to[1][2], 9);
    table->close(stream);
}
END_TEST

START_TEST(stops_when_the_host_says_so)
{
    int asked;
    dp_host host = serial_host(&asked);
    float x[1] = {1};
    const dp_axpby_args add = {MAT(DP_F32, x, 1, 1), MAT(DP_F32, x, 1, 1), 2, 0};
    dp_error error;

    table = dpi_ref_backend();
    ck_assert_int_eq(table->open(&host, 1, &stream, &error), DP_E_BACKEND);
    ck_assert_int_eq(table->open(&host, 0, &stream, &error), DP_OK);
    ck_assert_int_eq(table->axpby(stream, &add, &error), DP_E_CANCELLED);
    ck_assert_str_eq(error.item, "axpby");
    table->close(stream);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {multiplies_with_every_pair_of_transposes, cuts_large_products_without_a_seam,
                                  reads_block_types_by_row_and_by_column, normalizes_rows,
                                  rotates_both_pairings_and_back, softmax_hides_the_future, gates_multiply,
                                  cross_entropy_and_its_gradient, adds_casts_and_rounds_once, reduces_rows_in_double,
                                  copies_and_fills_within_the_columns, stops_when_the_host_says_so};

    return dpt_run("backend/ref", tests, sizeof tests / sizeof *tests);
}
