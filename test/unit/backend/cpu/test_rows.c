// Row operations against double formulas, on every kernel set and odd widths.
#include "test/unit/backend/cpu/cpu_host.h"

static const int64_t widths[] = {1, 3, 8, 16, 31, 64, 130, 1027};
enum { WIDTHS = sizeof widths / sizeof *widths, ROWS = 7 };
static const double unit = 0x1p-24;

// Run `check` on every kernel set that runs here and every width.
static void everywhere(void (*check)(test_host *host, int64_t cols, uint64_t *seed))
{
    uint64_t seed = 11;

    for (int32_t set = FIRST_SET; set <= LAST_SET; set++) {
        test_host host;

        if (!host_open(&host, set, DP_GEMM_NATIVE, 2))
            continue;
        for (int i = 0; i < WIDTHS; i++)
            check(&host, widths[i], &seed);
        host_close(&host);
    }
}

static void scale_by(dp_mat *mat, float factor)
{
    for (int64_t i = 0; i < mat->rows * mat->stride; i++)
        ((float *)mat->data)[i] *= factor;
}

static void softmax_of(test_host *host, int64_t cols, uint64_t *seed)
{
    dp_mat x = random_mat(DP_F32, 2 * ROWS, cols, 1, seed), y = empty_mat(2 * ROWS, cols, 2, seed);
    const float scale = 0.7f;

    scale_by(&x, 20);
    for (int causal = 0; causal <= (cols >= ROWS); causal++) {
        const dp_softmax_args args = {.x = x, .y = y, .queries = ROWS, .scale = scale, .causal = causal};

        ck_assert_int_eq(dpi_cpu_backend()->softmax(host->stream, &args, NULL), DP_OK);
        for (int64_t r = 0; r < x.rows; r++) {
            const int64_t seen = causal ? cols - ROWS + r % ROWS + 1 : cols;
            double top = -INFINITY, sum = 0;

            for (int64_t c = 0; c < seen; c++)
                top = fmax(top, (double)scale * element(&x, r, c));
            for (int64_t c = 0; c < seen; c++)
                sum += exp((double)scale * element(&x, r, c) - top);
            for (int64_t c = 0; c < cols; c++) {
                const double wanted = c < seen ? exp((double)scale * element(&x, r, c) - top) / sum : 0;

                assert_near(element(&y, r, c), wanted, unit * (8 + 4 * 14) * wanted + 0x1p-126);
            }
        }
    }
    free(x.data);
    free(y.data);
}

START_TEST(softmax_is_the_formula)
{
    everywhere(softmax_of);
}
END_TEST

static void xent_of(test_host *host, int64_t cols, uint64_t *seed)
{
    dp_mat x = random_mat(DP_F32, ROWS, cols, 1, seed), loss = empty_mat(ROWS, 1, 2, seed);
    dp_mat grad = empty_mat(ROWS, cols, 3, seed);
    int32_t labels[ROWS];

    scale_by(&x, 9);
    for (int r = 0; r < ROWS; r++)
        labels[r] = r == 2 ? DP_IGNORE : (int32_t)(random_bits(seed) % (uint32_t)cols);
    const dp_xent_args args = {.x = x, .loss = loss, .x_grad = grad, .labels = labels, .scale = 0.5f};

    ck_assert_int_eq(dpi_cpu_backend()->xent(host->stream, &args, NULL), DP_OK);
    for (int64_t r = 0; r < ROWS; r++) {
        double sum = 0;

        for (int64_t c = 0; c < cols; c++)
            sum += exp(element(&x, r, c));
        const double wanted = r == 2 ? 0 : log(sum) - element(&x, r, labels[r]);
        assert_near(element(&loss, r, 0), wanted, unit * (16 + 4 * 9));
        for (int64_t c = 0; c < cols; c++) {
            const double share = exp(element(&x, r, c)) / sum - (c == labels[r]);

            assert_near(element(&grad, r, c), r == 2 ? 0 : 0.5 * share, 0.5 * unit * (16 + 4 * 9));
        }
    }
    free(x.data);
    free(loss.data);
    free(grad.data);
}

START_TEST(cross_entropy_and_its_gradient_are_the_formula)
{
    everywhere(xent_of);
}
END_TEST

static void norm_of(test_host *host, int64_t cols, uint64_t *seed)
{
    dp_mat x = random_mat(DP_F32, ROWS, cols, 1, seed), delta = random_mat(DP_F32, ROWS, cols, 0, seed);
    dp_mat weight = random_mat(cols % 2 ? DP_BF16 : DP_F32, 1, cols, 0, seed);
    dp_mat y = empty_mat(ROWS, cols, 1, seed), rstd = empty_mat(ROWS, 1, 0, seed);
    double *before = doubles_of(&x);
    const dp_add_rmsnorm_args args = {
        .x = x, .delta = delta, .weight = weight, .y = y, .rstd = rstd, .epsilon = 1e-5f};

    ck_assert_int_eq(dpi_cpu_backend()->add_rmsnorm(host->stream, &args, NULL), DP_OK);
    for (int64_t r = 0; r < ROWS; r++) {
        double sum = 0;

        for (int64_t c = 0; c < cols; c++) {
            assert_near(element(&x, r, c), before[r * cols + c] + element(&delta, r, c), 2 * unit);
            sum += element(&x, r, c) * element(&x, r, c);
        }
        const double wanted = 1 / sqrt(sum / (double)cols + (double)1e-5f);
        assert_near(element(&rstd, r, 0), wanted, 1e-6 * wanted);
        for (int64_t c = 0; c < cols; c++) {
            const double value = element(&x, r, c) * wanted * element(&weight, 0, c);

            assert_near(element(&y, r, c), value, 1e-6 * fabs(value));
        }
    }
    free(before);
    free(x.data);
    free(delta.data);
    free(weight.data);
    free(y.data);
    free(rstd.data);
}

START_TEST(norm_adds_first_and_divides_by_the_root_mean_square)
{
    everywhere(norm_of);
}
END_TEST

static void glu_of(test_host *host, int64_t cols, uint64_t *seed)
{
    dp_mat a = random_mat(DP_F32, ROWS, cols, 1, seed), b = random_mat(DP_F32, ROWS, cols, 0, seed);
    dp_mat y = empty_mat(ROWS, cols, 2, seed);

    scale_by(&a, 30);
    for (int32_t gate = DP_GATE_SILU; gate <= DP_GATE_GELU_TANH; gate++) {
        const dp_glu_args args = {.a = a, .b = b, .y = y, .gate = gate};

        ck_assert_int_eq(dpi_cpu_backend()->glu(host->stream, &args, NULL), DP_OK);
        for (int64_t r = 0; r < ROWS; r++)
            for (int64_t c = 0; c < cols; c++) {
                const double x = element(&a, r, c), u = sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
                const double open = gate == DP_GATE_SILU ? x / (1 + exp(-x)) : 0.5 * x * (1 + tanh(u));

                assert_near(element(&y, r, c), open * element(&b, r, c),
                            8 * unit * (1 + fabs(x)) * fabs(element(&b, r, c)));
            }
    }
    free(a.data);
    free(b.data);
    free(y.data);
}

START_TEST(gates_are_the_formulas)
{
    everywhere(glu_of);
}
END_TEST

static void rope_of(test_host *host, int64_t cols, uint64_t *seed)
{
    const int32_t head_dim = (int32_t)cols * 2, half = (int32_t)cols;
    dp_mat x = random_mat(DP_F32, ROWS, 3 * head_dim, 1, seed);
    static const int32_t positions[ROWS] = {0, 5, 5, 131071, 1, 5, 100000};
    float *frequencies = malloc((size_t)half * sizeof *frequencies);

    for (int32_t i = 0; i < half; i++)
        frequencies[i] = (float)pow(10000, -(double)i / half);
    for (int way = 0; way < 4; way++) {
        double *before = doubles_of(&x);
        const dp_rope_args args = {.x = x,
                                   .positions = positions,
                                   .inverse_frequencies = frequencies,
                                   .head_dim = head_dim,
                                   .pairing = way & 1,
                                   .inverse = way >> 1};

        ck_assert_int_eq(dpi_cpu_backend()->rope(host->stream, &args, NULL), DP_OK);
        for (int64_t i = 0; i < ROWS * 3 * half; i++) {
            const int64_t r = i / (3 * half), h = i / half % 3, p = i % half;
            const int64_t first = h * head_dim + (way & 1 ? 2 * p : p), second = first + (way & 1 ? 1 : half);
            const double angle = (way >> 1 ? -1.0 : 1.0) * positions[r] * (double)frequencies[p];
            const double a = before[r * x.cols + first], b = before[r * x.cols + second];
            const double tolerance = 4 * unit * (fabs(a) + fabs(b));

            assert_near(element(&x, r, first), a * cos(angle) - b * sin(angle), tolerance);
            assert_near(element(&x, r, second), b * cos(angle) + a * sin(angle), tolerance);
        }
        free(before);
    }
    free(frequencies);
    free(x.data);
}

START_TEST(rope_turns_both_pairings_both_ways)
{
    everywhere(rope_of);
}
END_TEST

static double reduced(int32_t kind, const dp_mat *x, const dp_mat *y, int64_t r, double *size)
{
    double result = kind == DP_REDUCTION_MAX ? -INFINITY : 0;

    for (int64_t c = 0; c < x->cols; c++) {
        const double a = element(x, r, c), b = y->data ? element(y, r, c) : 0;
        const double terms[] = {a, fabs(a), a * a, a, a * b, fabs(a * b)};

        *size += fabs(terms[kind]);
        result = kind == DP_REDUCTION_MAX ? fmax(result, a) : result + terms[kind];
    }
    return result;
}

static void reduce_of(test_host *host, int32_t type, int64_t cols, uint64_t *seed)
{
    dp_mat x = random_mat(type, 3, cols, 1, seed), y = random_mat(DP_F32, 3, cols, 0, seed);
    double results[6];

    for (int32_t kind = DP_REDUCTION_SUM; kind <= DP_REDUCTION_ABSDOT; kind++) {
        const dp_mat none = {0}, result = {.data = results, .rows = 3, .cols = 1, .stride = 2, .type = DP_F64};
        const dp_reduce_args args = {
            .x = x, .y = kind >= DP_REDUCTION_DOT ? y : none, .result = result, .kind = kind};

        ck_assert_int_eq(dpi_cpu_backend()->reduce(host->stream, &args, NULL), DP_OK);
        for (int64_t r = 0; r < 3; r++) {
            double size = 0;
            const double wanted = reduced(kind, &x, &args.y, r, &size);

            assert_near(results[2 * r], wanted, kind == DP_REDUCTION_MAX ? 0 : (double)cols * 0x1p-52 * size);
        }
    }
    free(x.data);
    free(y.data);
}

START_TEST(reductions_are_exact_to_double_for_every_type)
{
    static const int32_t types[] = {DP_F32, DP_F16, DP_BF16, DP_Q4_0, DP_Q4_1, DP_Q8_0, DP_Q4_K, DP_Q6_K};
    uint64_t seed = 12;

    for (int32_t set = FIRST_SET; set <= LAST_SET; set++) {
        test_host host;

        if (!host_open(&host, set, DP_GEMM_NATIVE, 2))
            continue;
        for (size_t t = 0; t < sizeof types / sizeof *types; t++)
            for (int64_t blocks = 1; blocks < 1000; blocks = blocks * 7 + 4)
                reduce_of(&host, types[t], blocks * dpi_dtype_of(types[t])->block, &seed);
        reduce_of(&host, DP_F32, 65536 * 2 + 5, &seed);
        host_close(&host);
    }
}
END_TEST

// Every f32 in a stride over what softmax may meet; the error in units in the last place of the result.
START_TEST(exponentials_are_within_two_units_in_the_last_place)
{
    enum { COUNT = 4096 };
    uint64_t seed = 13;
    dp_mat x = random_mat(DP_F32, 1, 2, 0, &seed), y = empty_mat(1, 2, 0, &seed);

    for (int32_t set = FIRST_SET; set <= LAST_SET; set++) {
        test_host host;
        double worst = 0;

        if (!host_open(&host, set, DP_GEMM_NATIVE, 1))
            continue;
        for (int i = 0; i < COUNT; i++) {
            float *pair = x.data;
            const dp_softmax_args args = {.x = x, .y = y, .scale = 1};

            pair[0] = 0;
            pair[1] = -(float)i * (60.0f / COUNT) - random_float(&seed) * 0.001f - 20.0f;
            ck_assert_int_eq(dpi_cpu_backend()->softmax(host.stream, &args, NULL), DP_OK);
            const double wanted = exp((double)pair[1]) / (1 + exp((double)pair[1]));
            worst = fmax(worst, fabs(element(&y, 0, 1) - wanted) / (wanted * 0x1p-23));
        }
        ck_assert_msg(worst <= 2, "set %d: %g units", set, worst);
        host_close(&host);
    }
    free(x.data);
    free(y.data);
}
END_TEST

START_TEST(rows_are_copied_filled_cast_and_looked_up)
{
    static const int32_t ids[] = {4, 0, 4, 2};
    uint64_t seed = 14;
    dp_mat table = random_mat(DP_Q6_K, 5, 512, 1, &seed), y = empty_mat(4, 512, 3, &seed);
    dp_mat half = random_mat(DP_BF16, 4, 512, 0, &seed);
    const dp_embed_args embed = {.table = table, .y = y, .ids = ids};
    const dp_cast_args cast = {.x = y, .y = half};
    const dp_backend *cpu = dpi_cpu_backend();
    test_host host;

    for (int32_t set = FIRST_SET; set <= LAST_SET; set++) {
        if (!host_open(&host, set, DP_GEMM_NATIVE, 2))
            continue;
        ck_assert_int_eq(cpu->embed(host.stream, &embed, NULL), DP_OK);
        ck_assert_int_eq(cpu->cast(host.stream, &cast, NULL), DP_OK);
        for (int64_t r = 0; r < 4; r++)
            for (int64_t c = 0; c < 512; c++) {
                ck_assert(element(&y, r, c) == element(&table, ids[r], c)); // exactly
                assert_near(element(&half, r, c), element(&y, r, c), 0x1p-8 * fabs(element(&y, r, c)));
            }
        ck_assert_int_eq(cpu->fill(host.stream, &half, 1.5f, NULL), DP_OK);
        ck_assert_int_eq(cpu->copy2d(host.stream, &table, &table, NULL), DP_OK);
        ck_assert_double_eq(element(&half, 3, 511), 1.5);
        host_close(&host);
    }
    free(table.data);
    free(y.data);
    free(half.data);
}
END_TEST

START_TEST(operands_of_other_types_are_refused)
{
    uint64_t seed = 15;
    test_host host;
    dp_error error;
    dp_mat x = random_mat(DP_BF16, 1, 4, 0, &seed), y = random_mat(DP_F32, 1, 4, 0, &seed);
    const dp_softmax_args args = {.x = x, .y = y, .scale = 1};

    ck_assert(host_open(&host, DP_KERNELS_AUTO, DP_GEMM_NATIVE, 1));
    ck_assert_int_eq(dpi_cpu_backend()->softmax(host.stream, &args, &error), DP_E_UNSUPPORTED);
    ck_assert_str_eq(error.message, "cpu softmax computes in f32, not in bf16");
    host_close(&host);
    free(x.data);
    free(y.data);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {softmax_is_the_formula,
                                  cross_entropy_and_its_gradient_are_the_formula,
                                  norm_adds_first_and_divides_by_the_root_mean_square,
                                  gates_are_the_formulas,
                                  rope_turns_both_pairings_both_ways,
                                  reductions_are_exact_to_double_for_every_type,
                                  exponentials_are_within_two_units_in_the_last_place,
                                  rows_are_copied_filled_cast_and_looked_up,
                                  operands_of_other_types_are_refused};

    return dpt_run("backend/cpu/rows", tests, sizeof tests / sizeof *tests);
}
