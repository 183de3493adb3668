// Matrix products against a double loop: every type, transposition, factor and edge, on every kernel set.
#include "test/unit/backend/cpu/cpu_host.h"

typedef struct shape {
    int64_t m, n, k;
} shape;

// op(matrix) as rows × cols doubles; the caller frees them.
static double *operand(const dp_mat *matrix, int transpose)
{
    double *all = doubles_of(matrix);

    if (!transpose)
        return all;
    double *turned = malloc((size_t)(matrix->rows * matrix->cols) * sizeof *turned);

    for (int64_t r = 0; r < matrix->rows; r++)
        for (int64_t c = 0; c < matrix->cols; c++)
            turned[c * matrix->rows + r] = all[r * matrix->cols + c];
    free(all);
    return turned;
}

static double product_at(const double *a, const double *b, int64_t k, double *size)
{
    double sum = 0;

    for (int64_t p = 0; p < k; p++) {
        sum += a[p] * b[p];
        *size += fabs(a[p] * b[p]);
    }
    return sum;
}

static void check_elements(const dp_gemm_args *args, const dp_mat *before)
{
    const int64_t k = args->transpose_a ? args->a.rows : args->a.cols;
    double *a = operand(&args->a, args->transpose_a), *b = operand(&args->b, !args->transpose_b);

    for (int64_t r = 0; r < before->rows; r++)
        for (int64_t c = 0; c < before->cols; c++) {
            const double old = args->beta == 0 ? 0 : (double)args->beta * element(before, r, c);
            const double bias = args->bias.data ? element(&args->bias, 0, c) : 0;
            double size = 0;
            const double wanted = (double)args->alpha * product_at(a + r * k, b + c * k, k, &size) + old + bias;

            size = size * fabs((double)args->alpha) + fabs(old) + fabs(bias);
            assert_near(element(&args->c, r, c), wanted,
                        (4 + sqrt((double)k)) * 0x1p-24 * size + 0x1p-24 * fabs(wanted));
        }
    free(a);
    free(b);
}

static void check_against_loop(test_host *host, dp_gemm_args *args, uint64_t *seed)
{
    const dp_mat before = random_mat(DP_F32, args->c.rows, args->c.cols, 3, seed);
    const size_t bytes = (size_t)(before.rows * before.stride) * sizeof(float);
    dp_error error;

    args->c = before;
    args->c.data = malloc(bytes);
    memcpy(args->c.data, before.data, bytes);
    for (int64_t i = 0; i < before.rows * before.cols && args->beta == 0; i++)
        ((float *)args->c.data)[i / before.cols * before.stride + i % before.cols] = NAN;
    ck_assert_msg(dpi_cpu_backend()->gemm(host->stream, args, &error) == DP_OK, "%s", error.message);
    check_elements(args, &before);
    for (int64_t r = 0; r < before.rows; r++)
        ck_assert_mem_eq((float *)args->c.data + r * before.stride + before.cols,
                         (float *)before.data + r * before.stride + before.cols, 3 * sizeof(float));
    free(before.data);
    free(args->c.data);
}

static void check_product(test_host *host, int32_t type, shape s, int how, uint64_t *seed)
{
    dp_gemm_args args = {.batch = 1,
                         .alpha = how & 4 ? 0.5f : 1,
                         .beta = how & 8 ? -0.75f : 0,
                         .transpose_a = how & 1,
                         .transpose_b = !(how & 2)};

    args.a = random_mat(DP_F32, args.transpose_a ? s.k : s.m, args.transpose_a ? s.m : s.k, how & 1 ? 5 : 0, seed);
    args.b = random_mat(type, args.transpose_b ? s.n : s.k, args.transpose_b ? s.k : s.n, how & 2 ? 1 : 0, seed);
    if (how & 16)
        args.bias = random_mat(how & 1 ? DP_BF16 : DP_F32, 1, s.n, 0, seed);
    args.c = (dp_mat){.rows = s.m, .cols = s.n};
    check_against_loop(host, &args, seed);
    free(args.a.data);
    free(args.b.data);
    free(args.bias.data);
}

START_TEST(every_transposition_and_factor_gives_the_sum)
{
    static const shape shapes[] = {{1, 1, 1}, {1, 33, 7}, {3, 5, 130}, {14, 32, 64}, {15, 31, 17}, {29, 65, 96}};
    uint64_t seed = 1;

    for (int32_t set = FIRST_SET; set <= LAST_SET; set++) {
        test_host host;

        if (!host_open(&host, set, DP_GEMM_NATIVE, 2))
            continue;
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            for (int how = 0; how < 32; how++)
                check_product(&host, DP_F32, shapes[i], how, &seed);
        host_close(&host);
    }
}
END_TEST

START_TEST(blocks_of_k_rows_and_columns_meet)
{
    static const shape shapes[] = {{7, 700, 1100}, {230, 40, 1030}, {113, 33, 769}, {260, 530, 32}};
    uint64_t seed = 2;

    for (int32_t set = FIRST_SET; set <= LAST_SET; set++) {
        test_host host;

        if (!host_open(&host, set, DP_GEMM_NATIVE, 2))
            continue;
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            for (int how = 0; how < 32; how += 7)
                check_product(&host, DP_F32, shapes[i], how, &seed);
        host_close(&host);
    }
}
END_TEST

START_TEST(weights_of_every_type_are_multiplied_as_stored)
{
    static const int32_t types[] = {DP_F16,  DP_BF16, DP_Q4_0, DP_Q4_1, DP_Q5_0, DP_Q5_1,
                                    DP_Q8_0, DP_Q2_K, DP_Q3_K, DP_Q4_K, DP_Q5_K, DP_Q6_K};
    static const shape shapes[] = {{5, 37, 256}, {120, 35, 1024}};
    uint64_t seed = 3;

    for (int32_t set = FIRST_SET; set <= LAST_SET; set++)
        for (int32_t gemm = DP_GEMM_NATIVE; gemm <= DP_GEMM_OPENBLAS; gemm++) {
            test_host host;

            if (!host_open(&host, set, gemm, 2))
                continue;
            for (size_t t = 0; t < sizeof types / sizeof *types; t++)
                for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
                    check_product(&host, types[t], shapes[i], 16, &seed);
            for (size_t t = 0; t < sizeof types / sizeof *types; t++)
                check_product(&host, types[t], (shape){9, 256, 40}, 2, &seed);
            host_close(&host);
        }
}
END_TEST

START_TEST(openblas_gives_the_same)
{
    uint64_t seed = 4;
    test_host host;

    ck_assert(host_open(&host, DP_KERNELS_AUTO, DP_GEMM_OPENBLAS, 2));
    for (int how = 0; how < 32; how++)
        check_product(&host, how % 3 ? DP_F32 : DP_BF16, (shape){17, 4100, 33}, how, &seed);
    host_close(&host);
}
END_TEST

START_TEST(batches_step_and_share)
{
    uint64_t seed = 5;
    test_host host;
    const dp_mat a = random_mat(DP_F32, 4 * 9, 20, 0, &seed), b = random_mat(DP_F32, 11, 20, 0, &seed);
    dp_mat c = random_mat(DP_F32, 4 * 9, 11, 0, &seed);
    dp_gemm_args args = {
        .a = a, .b = b, .c = c, .batch = 4, .a_step = 180, .c_step = 99, .alpha = 1, .transpose_b = 1};

    ck_assert(host_open(&host, DP_KERNELS_AUTO, DP_GEMM_NATIVE, 2));
    args.a.rows = args.c.rows = 9;
    ck_assert_int_eq(dpi_cpu_backend()->gemm(host.stream, &args, NULL), DP_OK);
    args.a.rows = args.c.rows = 36;
    args.batch = 1;
    check_elements(&args, &c);
    host_close(&host);
    free(a.data);
    free(b.data);
    free(c.data);
}
END_TEST

// The same product with other threads, other rows beside it, or other columns beside it: the same bits.
START_TEST(threads_and_cuts_do_not_change_a_bit)
{
    uint64_t seed = 6;
    const dp_mat a = random_mat(DP_F32, 300, 1200, 0, &seed), b = random_mat(DP_BF16, 200, 1200, 0, &seed);
    const dp_mat c = random_mat(DP_F32, 300, 200, 0, &seed), d = random_mat(DP_F32, 300, 200, 0, &seed);

    for (int32_t set = FIRST_SET; set <= LAST_SET; set++)
        for (int32_t threads = 1; threads <= 4; threads *= 2) {
            dp_gemm_args args = {.a = a, .b = b, .batch = 1, .alpha = 1, .transpose_b = 1};
            test_host host;

            if (!host_open(&host, set, DP_GEMM_NATIVE, threads))
                continue;
            args.c = threads == 1 ? c : d;
            ck_assert_int_eq(dpi_cpu_backend()->gemm(host.stream, &args, NULL), DP_OK);
            if (threads > 1)
                ck_assert_mem_eq(c.data, d.data, 300 * 200 * sizeof(float));
            memset(d.data, 0, 300 * 200 * sizeof(float));
            for (int64_t r = 0; r < 300; r += args.a.rows) {
                args.a = a;
                args.c = d;
                args.a.data = (float *)a.data + r * a.stride;
                args.c.data = (float *)d.data + r * d.stride;
                args.a.rows = args.c.rows = r == 0 ? 30 : 27;
                ck_assert_int_eq(dpi_cpu_backend()->gemm(host.stream, &args, NULL), DP_OK);
            }
            ck_assert_mem_eq(c.data, d.data, 300 * 200 * sizeof(float));
            host_close(&host);
        }
    free(a.data);
    free(b.data);
    free(c.data);
    free(d.data);
}
END_TEST

// Eight rows at once, and one by one, in every type: few rows are multiplied another way, but always the same way.
START_TEST(few_rows_have_one_order)
{
    static const int32_t types[] = {DP_F32, DP_F16, DP_BF16, DP_Q4_0, DP_Q4_1, DP_Q5_0, DP_Q5_1,
                                    DP_Q8_0, DP_Q2_K, DP_Q3_K, DP_Q4_K, DP_Q5_K, DP_Q6_K};
    uint64_t seed = 7;
    const dp_mat a = random_mat(DP_F32, 8, 1280, 0, &seed);
    const dp_mat c = random_mat(DP_F32, 8, 67, 0, &seed), d = random_mat(DP_F32, 8, 67, 0, &seed);

    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        const dp_mat b = random_mat(types[t], 67, 1280, 0, &seed);

        for (int32_t set = FIRST_SET; set <= LAST_SET; set++) {
            dp_gemm_args args = {.a = a, .b = b, .c = c, .batch = 1, .alpha = 1, .transpose_b = 1};
            test_host host;

            if (!host_open(&host, set, DP_GEMM_NATIVE, 3))
                continue;
            ck_assert_int_eq(dpi_cpu_backend()->gemm(host.stream, &args, NULL), DP_OK);
            check_elements(&args, &c);
            args.a.rows = args.c.rows = 1;
            for (int64_t r = 0; r < 8; r++) {
                args.a.data = (float *)a.data + r * a.stride;
                args.c.data = (float *)d.data + r * d.stride;
                ck_assert_int_eq(dpi_cpu_backend()->gemm(host.stream, &args, NULL), DP_OK);
            }
            ck_assert_mem_eq(c.data, d.data, 8 * 67 * sizeof(float));
            host_close(&host);
        }
        free(b.data);
    }
    free(a.data);
    free(c.data);
    free(d.data);
}
END_TEST

START_TEST(a_stream_says_what_it_is_and_refuses_what_it_cannot)
{
    dp_backend_info info = {.size = sizeof info};
    test_host host;
    dp_error error;

    ck_assert(host_open(&host, DP_KERNELS_PORTABLE, DP_GEMM_AUTO, 1));
    ck_assert_int_eq(dpi_cpu_backend()->describe(host.stream, &info, &error), DP_OK);
    ck_assert_str_eq(info.name, "cpu");
    ck_assert_str_eq(info.kernels, "portable");
    ck_assert_int_eq(strncmp(info.libraries, "OpenBLAS ", 9), 0);
    ck_assert_int_gt((int)strlen(info.device), 3);
    ck_assert_uint_eq(info.flags, DP_BACKEND_HOST_MEMORY);
    host_close(&host);
    ck_assert_int_eq(host_try(&host, 17, DP_GEMM_AUTO, 1, &error), DP_E_BACKEND);
    ck_assert_str_eq(error.message, "there is no kernel set number 17");
    host_close(&host);
}
END_TEST

START_TEST(a_host_that_stops_is_obeyed)
{
    uint64_t seed = 7;
    test_host host;
    dp_error error;
    dp_mat a = random_mat(DP_F32, 130, 8, 0, &seed), b = random_mat(DP_F32, 8, 8, 0, &seed);
    dp_mat c = random_mat(DP_F32, 130, 8, 0, &seed);
    const dp_gemm_args args = {.a = a, .b = b, .c = c, .batch = 1, .alpha = 1};

    ck_assert(host_open(&host, DP_KERNELS_AUTO, DP_GEMM_NATIVE, 1));
    host.cancelled = 1;
    ck_assert_int_eq(dpi_cpu_backend()->gemm(host.stream, &args, &error), DP_E_CANCELLED);
    ck_assert_str_eq(error.message, "cancelled by the host");
    host.cancelled = 0;
    ck_assert_int_eq(dpi_cpu_backend()->gemm(host.stream, &args, &error), DP_OK);
    host_close(&host);
    free(a.data);
    free(b.data);
    free(c.data);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_transposition_and_factor_gives_the_sum,
                                  blocks_of_k_rows_and_columns_meet,
                                  weights_of_every_type_are_multiplied_as_stored,
                                  openblas_gives_the_same,
                                  batches_step_and_share,
                                  threads_and_cuts_do_not_change_a_bit,
                                  few_rows_have_one_order,
                                  a_stream_says_what_it_is_and_refuses_what_it_cannot,
                                  a_host_that_stops_is_obeyed};

    return dpt_run("backend/cpu/gemm", tests, sizeof tests / sizeof *tests);
}
