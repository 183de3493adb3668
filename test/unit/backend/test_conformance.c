// Each required operation of the CPU backend against the reference: random shapes, strides and types, every kernel
// set of this machine, the same bits with any number of threads.
#include "test/unit/backend/row_cases.h"

static const int32_t weights[] = {DP_F32,  DP_F16,  DP_BF16, DP_Q4_0, DP_Q4_1, DP_Q5_0, DP_Q5_1,
                                  DP_Q8_0, DP_Q2_K, DP_Q3_K, DP_Q4_K, DP_Q5_K, DP_Q6_K};

CALL(gemm)
CALL(embed)
CALL(glu)
CALL(xent)
CALL(axpby)
CALL(cast)
CALL(reduce)

static double gemm_slack(trial *t, int i, int64_t r, int64_t c, double want)
{
    const dp_gemm_args *a = t->args;
    const int64_t depth = a->transpose_a ? a->a.rows : a->a.cols;
    double sum = a->bias.data ? fabs(t->wide[3][c]) : 0;

    (void)i, (void)want;
    if (a->beta != 0)
        sum += fabs((double)a->beta * t->wide[2][r * a->c.cols + c]);
    for (int64_t p = 0; p < depth; p++)
        sum += fabs((double)a->alpha * t->wide[0][a->transpose_a ? p * a->a.cols + r : r * a->a.cols + p] *
                    t->wide[1][a->transpose_b ? c * a->b.cols + p : p * a->b.cols + c]);
    return (4 + sqrt((double)depth)) * unit * sum;
}

static void gemm_case(bench *b, int32_t activation, int32_t weight, int64_t m, int64_t n, int64_t k)
{
    const int32_t block = dpi_dtype_of(weight)->block;
    dp_gemm_args args = {.batch = 1, .alpha = 1, .transpose_b = draw() % 4 != 0, .transpose_a = draw() % 4 == 0};
    trial t = {"gemm", call_gemm, &args, {&args.a, &args.b, &args.c, &args.bias}, 1U << 2, gemm_slack, {0}, 0};

    if (block > 1 && args.transpose_b)
        k = (k + block - 1) / block * block;
    else if (block > 1)
        n = (n + block - 1) / block * block;
    args.a = make_mat(activation, args.transpose_a ? k : m, args.transpose_a ? m : k, extra());
    args.b = make_mat(weight, args.transpose_b ? n : k, args.transpose_b ? k : n, extra());
    args.c = make_mat(activation, m, n, extra());
    if (draw() % 2)
        args.bias = make_mat(vectors[draw() % 3], 1, n, 0);
    if (draw() % 3 == 0)
        args.alpha = real();
    if (draw() % 3 == 0)
        args.beta = real();
    run_trial(b, &t, activation == DP_F32);
}

static void gemm_cases(bench *b)
{
    for (int i = 0; i < 120; i++)
        gemm_case(b, activations[i % COUNT(activations)], weights[i % COUNT(weights)], size(40), size(70), size(300));
    for (int w = 0; w < COUNT(weights); w++) {
        gemm_case(b, DP_F32, weights[w], 1, 129, 512);
        gemm_case(b, DP_F32, weights[w], 65, 200, 256);
    }
    gemm_case(b, DP_F32, DP_F32, 300, 130, 1000);
}

// A batch as attention uses it: heads side by side in the rows of q, k, v and y; scores one after another.
typedef struct batch {
    dp_gemm_args args;
    dp_mat a, b, c; // all of the memory
} batch;

static int call_batch(dpi_device *device, const void *args, dp_error *error)
{
    const batch *all = args;
    dp_gemm_args one = all->args;

    one.a.data = all->a.data;
    one.b.data = all->b.data;
    one.c.data = all->c.data;
    return dpi_op_gemm(device, &one, error);
}

static double batch_slack(trial *t, int i, int64_t r, int64_t c, double want)
{
    (void)i, (void)r, (void)c, (void)want;
    return t->work * unit * (4 + sqrt(t->work)) * 8; // no operand is beyond 2
}

static void batch_cases(bench *b)
{
    for (int i = 0; i < 40; i++) {
        const int64_t heads = between(1, 5), m = size(33), n = size(33), dim = size(40);
        const int values = i % 2; // y = scores v, else scores = q k^T
        dp_mat rows = make_mat(DP_F32, m, heads * dim, extra()), scores = make_mat(DP_F32, heads * m, n, 0);
        batch all = {.b = make_mat(DP_F32, n, heads * dim, extra())};
        trial t = {"gemm (batch)", call_batch, &all, {&all.a, &all.b, &all.c}, 1U << 2, batch_slack, {0}, 0};

        t.work = (double)(values ? n : dim);
        all.a = values ? scores : rows;
        all.c = values ? rows : scores;
        all.args = (dp_gemm_args){.a = all.a, .b = all.b, .c = all.c, .batch = heads, .alpha = real()};
        all.args.a.rows = all.args.c.rows = m;
        all.args.b.cols = dim;
        *(values ? &all.args.c.cols : &all.args.a.cols) = dim;
        all.args.transpose_b = !values;
        all.args.a_step = values ? m * n : dim;
        all.args.b_step = draw() % 2 ? 0 : dim;
        all.args.c_step = values ? dim : m * n;
        run_trial(b, &t, 1);
    }
}

static void embed_cases(bench *b)
{
    for (int i = 0; i < 3 * COUNT(weights); i++) {
        const int32_t type = weights[i % COUNT(weights)], block = dpi_dtype_of(type)->block;
        const int64_t rows = size(40), cols = (size(100) + block - 1) / block * block;
        int32_t ids[40];
        dp_embed_args args = {make_mat(type, 30, cols, extra()), make_mat(DP_F32, rows, cols, extra()), ids};
        trial t = {"embed", call_embed, &args, {&args.table, &args.y}, 1U << 1, NULL, {0}, 0};

        for (int r = 0; r < rows; r++)
            ids[r] = (int32_t)between(0, 29);
        run_trial(b, &t, 1);
    }
}

static double glu_slack(trial *t, int i, int64_t r, int64_t c, double want)
{
    const dp_glu_args *a = t->args;

    (void)i, (void)want;
    return 8 * unit * (1 + fabs(t->wide[0][r * a->y.cols + c])) * fabs(t->wide[1][r * a->y.cols + c]) + 0x1p-126;
}

static void glu_cases(bench *b)
{
    for (int i = 0; i < 60; i++) {
        const int32_t type = activations[i % COUNT(activations)];
        const int64_t rows = size(40), cols = size(200);
        dp_glu_args args = {.a = make_mat(type, rows, cols, extra()), .gate = i / 2 % 2};
        trial t = {"glu", call_glu, &args, {&args.a, &args.b, &args.y}, 4, glu_slack, {0}, 0};

        if (type == DP_F32)
            for (int64_t c = 0; c < cols; c++)
                ((float *)args.a.data)[c] *= 40; // far into the flat ends
        args.b = make_mat(type, rows, cols, extra());
        args.y = i % 3 == 0 ? make_mat(type, rows, cols, extra()) : i % 3 == 1 ? args.a : args.b;
        run_trial(b, &t, type == DP_F32);
    }
}

static double xent_slack(trial *t, int i, int64_t r, int64_t c, double want)
{
    const dp_xent_args *a = t->args;

    (void)want;
    if (c == 0)
        t->work = largest(t->wide[0] + r * a->x.cols, a->x.cols);
    return (i == 1 ? 1 : fabs((double)a->scale)) * unit * (16 + 4 * t->work);
}

static void xent_cases(bench *b)
{
    for (int i = 0; i < 60; i++) {
        const int32_t type = activations[i % COUNT(activations)];
        const int64_t rows = size(40), cols = size(3000);
        int32_t labels[40];
        dp_xent_args args = {.x = make_mat(type, rows, cols, extra()), .loss = make_mat(DP_F32, rows, 1, extra()),
                             .labels = labels, .scale = real()};
        trial t = {"xent", call_xent, &args, {&args.x, &args.loss, &args.x_grad}, 6, xent_slack, {0}, 0};

        for (int r = 0; r < rows; r++)
            labels[r] = draw() % 4 ? (int32_t)between(0, cols - 1) : DP_IGNORE;
        if (i % 3)
            args.x_grad = i % 3 == 1 ? make_mat(type, rows, cols, extra()) : args.x;
        run_trial(b, &t, type == DP_F32);
    }
}

static double axpby_slack(trial *t, int i, int64_t r, int64_t c, double want)
{
    const dp_axpby_args *a = t->args;
    const int64_t at = r * a->y.cols + c;

    (void)i, (void)want;
    return 2 * unit * (fabs((double)a->alpha * t->wide[0][at]) + fabs((double)a->beta * t->wide[1][at])) + 0x1p-149;
}

static void axpby_cases(bench *b)
{
    for (int i = 0; i < 60; i++) {
        const int32_t type = activations[i % COUNT(activations)];
        const int64_t rows = size(40), cols = size(200);
        dp_axpby_args args = {make_mat(type, rows, cols, extra()), make_mat(type, rows, cols, extra()), real(),
                              i % 3 ? real() : 0};
        trial t = {"axpby", call_axpby, &args, {&args.x, &args.y}, 2, axpby_slack, {0}, 0};

        run_trial(b, &t, type == DP_F32);
    }
}

static void cast_cases(bench *b)
{
    for (int i = 0; i < 6 * COUNT(weights); i++) {
        const int32_t type = weights[i % COUNT(weights)], block = dpi_dtype_of(type)->block;
        const int32_t to = i % 2 ? DP_F32 : activations[i / 2 % COUNT(activations)];
        const int64_t rows = size(40), cols = (size(200) + block - 1) / block * block;
        dp_cast_args args = {make_mat(type, rows, cols, extra()), make_mat(to, rows, cols, extra())};
        trial t = {"cast", call_cast, &args, {&args.x, &args.y}, 2, NULL, {0}, 0};

        run_trial(b, &t, to == DP_F32);
    }
}

static double reduce_slack(trial *t, int i, int64_t r, int64_t c, double want)
{
    const dp_reduce_args *a = t->args;
    double sum = 0;

    (void)i, (void)c, (void)want;
    for (int64_t k = 0; k < a->x.cols; k++) {
        const double x = fabs(t->wide[0][r * a->x.cols + k]);
        sum += a->kind < DP_REDUCTION_SQUARE ? x : x * (a->y.data ? fabs(t->wide[1][r * a->x.cols + k]) : x);
    }
    return a->kind == DP_REDUCTION_MAX ? 0 : (double)a->x.cols * 0x1p-52 * sum;
}

static void reduce_cases(bench *b)
{
    for (int i = 0; i < 6 * COUNT(weights); i++) {
        const int32_t type = weights[i % COUNT(weights)], block = dpi_dtype_of(type)->block;
        const int64_t rows = size(40), cols = (size(500) + block - 1) / block * block;
        dp_reduce_args args = {.x = make_mat(type, rows, cols, extra()), .result = make_mat(DP_F64, rows, 1, extra()),
                               .kind = i / COUNT(weights)};
        trial t = {"reduce", call_reduce, &args, {&args.x, &args.y, &args.result}, 4, reduce_slack, {0}, 0};

        if (args.kind >= DP_REDUCTION_DOT)
            args.y = make_mat(i % 2 ? DP_F32 : type, rows, cols, extra());
        run_trial(b, &t, 1);
    }
}

static int call_copy2d(dpi_device *device, const void *args, dp_error *error)
{
    const dp_mat *pair = args;

    return dpi_op_copy2d(device, &pair[0], &pair[1], error);
}

static int call_fill(dpi_device *device, const void *args, dp_error *error)
{
    return dpi_op_fill(device, args, 0.1F, error);
}

static void memory_cases(bench *b)
{
    for (int i = 0; i < 3 * COUNT(weights); i++) {
        const int32_t type = weights[i % COUNT(weights)], block = dpi_dtype_of(type)->block;
        const int64_t rows = size(40), cols = (size(200) + block - 1) / block * block;
        dp_mat pair[2] = {make_mat(type, rows, cols, extra()), make_mat(type, rows, cols, extra())};
        dp_mat x = make_mat(activations[i % COUNT(activations)], rows, cols, extra());
        trial copy = {"copy2d", call_copy2d, pair, {&pair[0], &pair[1]}, 2, NULL, {0}, 0};
        trial fill = {"fill", call_fill, &x, {&x}, 1, NULL, {0}, 0};

        run_trial(b, &copy, 1);
        run_trial(b, &fill, x.type != DP_F64);
    }
}

#define TEST(name)                                                                                                   \
    START_TEST(name##_conforms)                                                                                     \
    {                                                                                                                \
        on_every_kernel_set(name##_cases);                                                                          \
    }                                                                                                                \
    END_TEST

TEST(gemm)
TEST(batch)
TEST(embed)
TEST(rmsnorm)
TEST(rope)
TEST(softmax)
TEST(glu)
TEST(xent)
TEST(axpby)
TEST(cast)
TEST(reduce)
TEST(memory)

int main(void)
{
    const TTest *const tests[] = {gemm_conforms,  batch_conforms, embed_conforms, rmsnorm_conforms,
                                  rope_conforms,  softmax_conforms, glu_conforms, xent_conforms,
                                  axpby_conforms, cast_conforms, reduce_conforms, memory_conforms};

    return dpt_run("backend/conformance", tests, sizeof tests / sizeof *tests);
}
