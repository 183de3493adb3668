// Each fused operation of the CPU backend against its composition on the reference: random shapes, strides and types,
// every kernel set of this machine, the same bits with any number of threads.
#include "test/unit/backend/conformance.h"

static const int32_t weights[] = {DP_F32,  DP_F16,  DP_BF16, DP_Q4_0, DP_Q4_1, DP_Q5_0, DP_Q5_1,
                                  DP_Q8_0, DP_Q2_K, DP_Q3_K, DP_Q4_K, DP_Q5_K, DP_Q6_K};

enum { WEIGHTS = sizeof weights / sizeof *weights };

static int64_t extra(void)
{
    return draw() % 2 ? 0 : between(1, 9);
}

static int64_t size(int64_t most)
{
    return draw() % 4 ? between(1, most) : 1;
}

static int64_t whole_blocks(int32_t type, int64_t cols)
{
    const int64_t block = dpi_dtype_of(type)->block;

    return (cols + block - 1) / block * block;
}

CALL(add_rmsnorm)
CALL(qkv_rope)
CALL(attention)
CALL(linear_xent)
CALL(swiglu)

// Sum of |x[r]| |w[c]|.
static double product(const double *x, const double *w, int64_t count)
{
    double sum = 0;

    for (int64_t i = 0; i < count; i++)
        sum += fabs(x[i] * w[i]);
    return sum;
}

static double add_slack(trial *t, int i, int64_t r, int64_t c, double want)
{
    const int64_t cols = t->mats[0]->cols;
    const double sum = fabs(t->wide[0][r * cols + c]) + (t->wide[1] ? fabs(t->wide[1][r * cols + c]) : 0);

    if (i == 0)
        return t->wide[1] ? 2 * unit * sum : 0;
    return 0x1p-18 * fabs(want) + 4 * unit * 8; // no |x + delta| is beyond 4, no |weight| beyond 2, no rstd beyond 1
}

static void add_rmsnorm_cases(bench *b)
{
    static const int32_t vectors[] = {DP_F32, DP_F16, DP_BF16};

    for (int i = 0; i < 40; i++) {
        const int64_t rows = size(50), cols = size(300);
        dp_add_rmsnorm_args a = {.x = make_mat(DP_F32, rows, cols, extra()), .y = make_mat(DP_F32, rows, cols, extra()),
                                 .weight = make_mat(vectors[i % 3], 1, cols, 0), .epsilon = 1};
        trial t = {"add_rmsnorm", call_add_rmsnorm, &a, {&a.x, &a.delta, &a.weight, &a.y, &a.rstd}, 25, add_slack, {0}, 0};

        if (i % 4)
            a.delta = make_mat(DP_F32, rows, cols, extra());
        else
            t.written = 24;
        if (draw() % 2)
            a.rstd = make_mat(DP_F32, rows, 1, extra());
        run_trial(b, &t, 1);
    }
}

static double qkv_slack(trial *t, int i, int64_t r, int64_t c, double want)
{
    const dp_qkv_rope_args *a = t->args;
    const int64_t depth = a->x.cols, dim = a->head_dim, at = c % dim;
    const int64_t other = a->pairing == DP_ROPE_HALF ? (at < dim / 2 ? c + dim / 2 : c - dim / 2)
                                                     : c + (at % 2 ? -1 : 1);
    const double *weight = t->wide[i - 6], *bias = t->wide[i - 3], *x = t->wide[0] + r * depth;
    double sum = product(x, weight + c * depth, depth) + (bias ? fabs(bias[c]) : 0);

    (void)want;
    if (i < 9)
        sum += product(x, weight + other * depth, depth) + (bias ? fabs(bias[other]) : 0);
    return (8 + sqrt((double)depth)) * 2 * unit * sum;
}

static void qkv_rope_cases(bench *b)
{
    for (int i = 0; i < 3 * WEIGHTS; i++) {
        const int32_t type = weights[i % WEIGHTS];
        const int64_t rows = size(40), cols = whole_blocks(type, size(100)), dim = 2 * between(1, 16);
        const int64_t kv = size(3), heads = kv * size(3);
        int32_t positions[40];
        float frequencies[16];
        dp_qkv_rope_args a = {.x = make_mat(DP_F32, rows, cols, extra()),
                              .wq = make_mat(type, heads * dim, cols, extra()),
                              .wk = make_mat(weights[(i + 1) % 3], kv * dim, cols, 0),
                              .wv = make_mat(type, kv * dim, cols, 0),
                              .q = make_mat(DP_F32, rows, heads * dim, extra()),
                              .k = make_mat(DP_F32, rows, kv * dim, extra()),
                              .v = make_mat(DP_F32, rows, kv * dim, extra()),
                              .positions = positions,
                              .inverse_frequencies = frequencies,
                              .head_dim = (int32_t)dim,
                              .pairing = i % 2};
        trial t = {"qkv_rope", call_qkv_rope, &a, {&a.x, &a.wq, &a.wk, &a.wv, &a.bq, &a.bk, &a.bv, &a.q, &a.k, &a.v},
                   7U << 7, qkv_slack, {0}, 0};

        for (int r = 0; r < 40; r++)
            positions[r] = (int32_t)between(0, 9000);
        for (int p = 0; p < 16; p++)
            frequencies[p] = (float)pow(10000, -p / 16.0);
        if (draw() % 2)
            a.bq = make_mat(DP_F32, 1, heads * dim, 0);
        if (draw() % 2)
            a.bk = make_mat(DP_BF16, 1, kv * dim, 0);
        if (draw() % 2)
            a.bv = make_mat(DP_F16, 1, kv * dim, 0);
        run_trial(b, &t, 1);
    }
}

static double attention_slack(trial *t, int i, int64_t r, int64_t c, double want)
{
    const dp_attention_args *a = t->args;
    const double dim = sqrt((double)a->head_dim), score = 4 * a->head_dim * fabs((double)a->scale);

    (void)r, (void)c, (void)want;
    return (16 + dim + (i == 3 ? sqrt((double)a->keys) : 0)) * 4 * unit * (1 + score) * 2; // |v| is at most 2
}

static void attention_case(bench *b, int64_t sequences, int64_t queries, int64_t keys, int32_t heads, int32_t kv_heads,
                           int32_t dim)
{
    const int64_t wide = (int64_t)heads * dim, narrow = (int64_t)kv_heads * dim;
    dp_attention_args a = {.q = make_mat(DP_F32, sequences * queries, wide, extra()),
                           .k = make_mat(DP_F32, sequences * keys, narrow, extra()),
                           .v = make_mat(DP_F32, sequences * keys, narrow, extra()),
                           .y = make_mat(DP_F32, sequences * queries, wide, extra()),
                           .sequences = sequences,
                           .queries = queries,
                           .keys = keys,
                           .heads = heads,
                           .kv_heads = kv_heads,
                           .head_dim = dim,
                           .scale = (float)(1 / sqrt(dim))};
    trial t = {"attention", call_attention, &a, {&a.q, &a.k, &a.v, &a.y, &a.lse}, 24, attention_slack, {0}, 0};

    if (draw() % 2)
        a.lse = make_mat(DP_F32, sequences * queries, heads, extra());
    run_trial(b, &t, 1);
}

static void attention_cases(bench *b)
{
    for (int i = 0; i < 40; i++) {
        const int64_t queries = size(40), kv_heads = size(3);

        attention_case(b, size(3), queries, queries + (draw() % 2 ? 0 : between(0, 50)),
                       (int32_t)(kv_heads * size(4)), (int32_t)kv_heads, (int32_t)between(1, 40));
    }
    attention_case(b, 2, 128, 128, 9, 3, 64);
    attention_case(b, 1, 300, 300, 2, 1, 32);
    attention_case(b, 1, 1, 700, 4, 2, 128);
}

static double head_slack(trial *t, int i, int64_t r, int64_t c, double want)
{
    const dp_linear_xent_args *a = t->args;
    const int64_t depth = a->x.cols;
    double most = 0;

    (void)i, (void)c, (void)want;
    for (int64_t v = 0; v < a->weight.rows; v++)
        most = fmax(most, product(t->wide[0] + r * depth, t->wide[1] + v * depth, depth));
    return unit * (16 + (4 + sqrt((double)depth)) * most);
}

static void linear_xent_cases(bench *b)
{
    for (int i = 0; i < 3 * WEIGHTS; i++) {
        const int32_t type = weights[i % WEIGHTS];
        const int64_t rows = size(40), cols = whole_blocks(type, size(60)), vocab = i % WEIGHTS ? size(300) : 9000;
        int32_t labels[40];
        dp_linear_xent_args a = {make_mat(DP_F32, rows, cols, extra()), make_mat(type, vocab, cols, extra()),
                                 make_mat(DP_F32, rows, 1, extra()), labels};
        trial t = {"linear_xent", call_linear_xent, &a, {&a.x, &a.weight, &a.loss}, 4, head_slack, {0}, 0};

        for (int r = 0; r < 40; r++) // the last case of a type: all ignored
            labels[r] = i < 2 * WEIGHTS && draw() % 4 ? (int32_t)between(0, vocab - 1) : DP_IGNORE;
        run_trial(b, &t, 1);
    }
}

static double swiglu_slack(trial *t, int i, int64_t r, int64_t c, double want)
{
    const dp_swiglu_args *a = t->args;
    const int64_t depth = a->x.cols;
    const double *x = t->wide[0] + r * depth;

    (void)i, (void)want;
    return (8 + sqrt((double)depth)) * 2 * unit * (1 + product(x, t->wide[1] + c * depth, depth)) *
           (1 + product(x, t->wide[2] + c * depth, depth));
}

static void swiglu_cases(bench *b)
{
    for (int i = 0; i < 3 * WEIGHTS; i++) {
        const int32_t type = weights[i % WEIGHTS];
        const int64_t rows = size(40), cols = whole_blocks(type, size(100)), wide = size(150);
        dp_swiglu_args a = {make_mat(DP_F32, rows, cols, extra()), make_mat(type, wide, cols, extra()),
                            make_mat(weights[i % 3], wide, cols, 0), make_mat(DP_F32, rows, wide, extra()), i % 2, 0};
        trial t = {"swiglu", call_swiglu, &a, {&a.x, &a.gate_weight, &a.up_weight, &a.y}, 8, swiglu_slack, {0}, 0};

        run_trial(b, &t, 1);
    }
}

#define TEST(name)                                                                                                   \
    START_TEST(name##_conforms)                                                                                     \
    {                                                                                                                \
        on_every_kernel_set(name##_cases);                                                                          \
    }                                                                                                                \
    END_TEST

TEST(add_rmsnorm)
TEST(qkv_rope)
TEST(attention)
TEST(linear_xent)
TEST(swiglu)

int main(void)
{
    const TTest *const tests[] = {add_rmsnorm_conforms, qkv_rope_conforms, attention_conforms, linear_xent_conforms,
                                  swiglu_conforms};

    return dpt_run("backend/conformance_fused", tests, sizeof tests / sizeof *tests);
}
