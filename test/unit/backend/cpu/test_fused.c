// Attention, the head with its loss, the MLP and q/k/v against double formulas; bits do not depend on threads.
#include "test/unit/backend/cpu/cpu_host.h"

static const double unit = 0x1p-24;

typedef struct attention_shape {
    int64_t sequences, queries, keys;
    int32_t heads, kv_heads, head_dim;
} attention_shape;

// Log-sum-exp of the scores of one query of one head; out gets its head_dim values.
static double attend(const dp_attention_args *args, int64_t row, int32_t head, double *out, double *size)
{
    const int64_t sequence = row / args->queries, seen = args->keys - args->queries + row % args->queries + 1;
    const int64_t kv = head / (args->heads / args->kv_heads) * args->head_dim;
    double *scores = malloc((size_t)seen * sizeof *scores), top = -INFINITY, sum = 0;

    for (int64_t i = 0; i < seen; i++) {
        scores[i] = 0;
        for (int32_t d = 0; d < args->head_dim; d++)
            scores[i] += element(&args->q, row, head * args->head_dim + d) *
                         element(&args->k, sequence * args->keys + i, kv + d);
        scores[i] *= (double)args->scale;
        top = fmax(top, scores[i]);
        *size = fmax(*size, fabs(scores[i]));
    }
    memset(out, 0, (size_t)args->head_dim * sizeof *out);
    for (int64_t i = 0; i < seen; i++)
        sum += exp(scores[i] - top);
    for (int64_t i = 0; i < seen; i++)
        for (int32_t d = 0; d < args->head_dim; d++)
            out[d] += exp(scores[i] - top) / sum * element(&args->v, sequence * args->keys + i, kv + d);
    free(scores);
    return top + log(sum);
}

static void check_attention(const dp_attention_args *args)
{
    double *wanted = malloc((size_t)args->head_dim * sizeof *wanted);

    for (int64_t row = 0; row < args->q.rows; row++)
        for (int32_t head = 0; head < args->heads; head++) {
            double size = 0;
            const double lse = attend(args, row, head, wanted, &size);
            const double tolerance = (16 + sqrt(args->head_dim) + sqrt((double)args->keys)) * 4 * unit * (1 + size);

            assert_near(element(&args->lse, row, head), lse, (16 + sqrt(args->head_dim)) * 4 * unit * (1 + size));
            for (int32_t d = 0; d < args->head_dim; d++)
                assert_near(element(&args->y, row, head * args->head_dim + d), wanted[d], tolerance);
        }
    free(wanted);
}

static void attention_everywhere(attention_shape s, uint64_t *seed)
{
    dp_attention_args args = {.sequences = s.sequences,
                              .queries = s.queries,
                              .keys = s.keys,
                              .heads = s.heads,
                              .kv_heads = s.kv_heads,
                              .head_dim = s.head_dim,
                              .scale = 1.5f / sqrtf((float)s.head_dim)};

    args.q = random_mat(DP_F32, s.sequences * s.queries, s.heads * s.head_dim, 1, seed);
    args.k = random_mat(DP_F32, s.sequences * s.keys, s.kv_heads * s.head_dim, 2, seed);
    args.v = random_mat(DP_F32, s.sequences * s.keys, s.kv_heads * s.head_dim, 3, seed);
    args.y = empty_mat(args.q.rows, args.q.cols, 4, seed);
    args.lse = empty_mat(args.q.rows, s.heads, 0, seed);
    const size_t bytes = (size_t)(args.y.rows * args.y.stride) * sizeof(float);
    float *first = malloc(bytes);

    for (int32_t set = FIRST_SET; set <= LAST_SET; set++)
        for (int32_t threads = 1; threads <= 4; threads *= 2) {
            test_host host;

            if (!host_open(&host, set, DP_GEMM_NATIVE, threads))
                continue;
            ck_assert_int_eq(dpi_cpu_backend()->attention(host.stream, &args, NULL), DP_OK);
            host_close(&host);
            if (threads > 1) {
                ck_assert_mem_eq(first, args.y.data, bytes);
                continue;
            }
            memcpy(first, args.y.data, bytes);
            check_attention(&args);
        }
    free(first);
    free(args.q.data);
    free(args.k.data);
    free(args.v.data);
    free(args.y.data);
    free(args.lse.data);
}

START_TEST(attention_is_the_formula_for_any_lengths_and_heads)
{
    static const attention_shape shapes[] = {
        {1, 1, 1, 1, 1, 2},      {3, 17, 17, 4, 2, 8},  {2, 5, 31, 3, 1, 33},   {1, 128, 128, 2, 2, 64},
        {1, 130, 540, 2, 1, 16}, {2, 1, 300, 6, 3, 20}, {1, 300, 300, 3, 1, 40}};
    uint64_t seed = 21;

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        attention_everywhere(shapes[i], &seed);
}
END_TEST

static void head_everywhere(int64_t rows, int64_t vocabulary, int64_t cols, int32_t type, uint64_t *seed)
{
    dp_mat x = random_mat(DP_F32, rows, cols, 1, seed), weight = random_mat(type, vocabulary, cols, 0, seed);
    dp_mat loss = empty_mat(rows, 1, 1, seed);
    double *a = doubles_of(&x), *b = doubles_of(&weight), *wanted = calloc((size_t)rows, sizeof *wanted);
    int32_t *labels = malloc((size_t)rows * sizeof *labels);

    for (int64_t r = 0; r < rows; r++) {
        double sum = 0, picked = 0;

        labels[r] = r % 5 == 3 ? DP_IGNORE : (int32_t)(random_bits(seed) % (uint32_t)vocabulary);
        for (int64_t v = 0; v < vocabulary; v++) {
            double logit = 0;

            for (int64_t c = 0; c < cols; c++)
                logit += a[r * cols + c] * b[v * cols + c];
            sum += exp(logit);
            picked = v == labels[r] ? logit : picked;
        }
        wanted[r] = labels[r] == DP_IGNORE ? 0 : log(sum) - picked;
    }
    for (int32_t set = FIRST_SET; set <= LAST_SET; set++)
        for (int32_t gemm = DP_GEMM_NATIVE; gemm <= DP_GEMM_OPENBLAS; gemm++)
            for (int32_t threads = 1; threads <= 3; threads += 2) {
                const dp_linear_xent_args args = {.x = x, .weight = weight, .loss = loss, .labels = labels};
                test_host host;

                if (!host_open(&host, set, gemm, threads))
                    continue;
                ck_assert_int_eq(dpi_cpu_backend()->linear_xent(host.stream, &args, NULL), DP_OK);
                for (int64_t r = 0; r < rows; r++)
                    assert_near(element(&loss, r, 0), wanted[r],
                                unit * (16 + (4 + sqrt((double)cols)) * (double)cols / 2 + fabs(wanted[r])));
                host_close(&host);
            }
    free(x.data);
    free(weight.data);
    free(loss.data);
    free(a);
    free(b);
    free(wanted);
    free(labels);
}

START_TEST(the_head_gives_the_loss_without_logits)
{
    uint64_t seed = 22;

    head_everywhere(1, 7, 5, DP_F32, &seed);
    head_everywhere(9, 1100, 33, DP_F32, &seed);
    head_everywhere(120, 513, 32, DP_BF16, &seed);
    head_everywhere(115, 2051, 64, DP_F32, &seed);
    head_everywhere(115, 7300, 1040, DP_BF16, &seed); // several blocks of k, chunks and spans
}
END_TEST

static void check_mlp(const dp_swiglu_args *args)
{
    double *x = doubles_of(&args->x), *gate = doubles_of(&args->gate_weight), *up = doubles_of(&args->up_weight);
    const int64_t cols = args->x.cols;

    for (int64_t r = 0; r < args->y.rows; r++)
        for (int64_t c = 0; c < args->y.cols; c++) {
            double a = 0, b = 0, sizes[2] = {0};

            for (int64_t i = 0; i < cols; i++) {
                a += x[r * cols + i] * gate[c * cols + i];
                b += x[r * cols + i] * up[c * cols + i];
                sizes[0] += fabs(x[r * cols + i] * gate[c * cols + i]);
                sizes[1] += fabs(x[r * cols + i] * up[c * cols + i]);
            }
            assert_near(element(&args->y, r, c), a / (1 + exp(-a)) * b,
                        (8 + sqrt((double)cols)) * 2 * unit * (1 + sizes[0]) * (1 + sizes[1]));
        }
    free(x);
    free(gate);
    free(up);
}

static void mlp_everywhere(int64_t rows, int64_t cols, int64_t width, int32_t type, uint64_t *seed)
{
    dp_swiglu_args args = {.gate = DP_GATE_SILU};

    args.x = random_mat(DP_F32, rows, cols, 1, seed);
    args.gate_weight = random_mat(type, width, cols, 0, seed);
    args.up_weight = random_mat(type, width, cols, 1, seed);
    args.y = empty_mat(rows, width, 1, seed);
    for (int32_t set = FIRST_SET; set <= LAST_SET; set++)
        for (int32_t gemm = DP_GEMM_NATIVE; gemm <= DP_GEMM_OPENBLAS; gemm++) {
            test_host host;

            if (!host_open(&host, set, gemm, 2))
                continue;
            ck_assert_int_eq(dpi_cpu_backend()->swiglu(host.stream, &args, NULL), DP_OK);
            check_mlp(&args);
            host_close(&host);
        }
    free(args.x.data);
    free(args.gate_weight.data);
    free(args.up_weight.data);
    free(args.y.data);
}

START_TEST(the_mlp_gates_its_two_products)
{
    uint64_t seed = 23;

    mlp_everywhere(3, 32, 5, DP_F32, &seed);
    mlp_everywhere(130, 64, 700, DP_Q8_0, &seed);
    mlp_everywhere(20, 33, 300, DP_F32, &seed);
    mlp_everywhere(113, 1056, 3100, DP_Q8_0, &seed);
}
END_TEST

// The fused form against its steps, bit for bit: gemm, gemm, gemm, rope, rope.
static void check_qkv(test_host *host, const dp_qkv_rope_args *args)
{
    const dp_mat *weights[] = {&args->wq, &args->wk, &args->wv}, *biases[] = {&args->bq, &args->bk, &args->bv};
    const dp_mat *results[] = {&args->q, &args->k, &args->v};

    ck_assert_int_eq(dpi_cpu_backend()->qkv_rope(host->stream, args, NULL), DP_OK);
    for (int i = 0; i < 3; i++) {
        dp_mat y = *results[i];
        dp_gemm_args gemm = {
            .a = args->x, .b = *weights[i], .bias = *biases[i], .batch = 1, .alpha = 1, .transpose_b = 1};
        dp_rope_args rope = {.positions = args->positions,
                             .inverse_frequencies = args->inverse_frequencies,
                             .head_dim = args->head_dim,
                             .pairing = args->pairing};

        y.data = malloc((size_t)(y.rows * y.stride) * sizeof(float));
        rope.x = gemm.c = y;
        ck_assert_int_eq(dpi_cpu_backend()->gemm(host->stream, &gemm, NULL), DP_OK);
        if (i < 2)
            ck_assert_int_eq(dpi_cpu_backend()->rope(host->stream, &rope, NULL), DP_OK);
        for (int64_t r = 0; r < y.rows; r++)
            ck_assert_mem_eq((float *)y.data + r * y.stride, (float *)results[i]->data + r * y.stride,
                             (size_t)y.cols * sizeof(float));
        free(y.data);
    }
}

START_TEST(queries_keys_and_values_are_their_steps)
{
    enum { ROWS = 1009, COLS = 64, HEAD = 20 };
    uint64_t seed = 24;
    int32_t positions[ROWS];
    float frequencies[HEAD / 2];
    dp_mat mats[10];
    static const int64_t sizes[10][2] = {{ROWS, COLS},     {6 * HEAD, COLS}, {2 * HEAD, COLS}, {2 * HEAD, COLS},
                                         {1, 6 * HEAD},    {1, 2 * HEAD},    {1, 2 * HEAD},    {ROWS, 6 * HEAD},
                                         {ROWS, 2 * HEAD}, {ROWS, 2 * HEAD}};

    for (int i = 0; i < ROWS; i++)
        positions[i] = i % 50;
    for (int i = 0; i < HEAD / 2; i++)
        frequencies[i] = 1.0f / (float)(1 << i);
    for (int i = 0; i < 10; i++)
        mats[i] = random_mat(i == 2 ? DP_Q8_0 : DP_F32, sizes[i][0], sizes[i][1], i % 3, &seed);
    for (int32_t set = FIRST_SET; set <= LAST_SET; set++)
        for (int way = 0; way < 8; way++) {
            dp_qkv_rope_args args = {.x = mats[0],
                                     .wq = mats[1],
                                     .wk = mats[2],
                                     .wv = mats[3],
                                     .q = mats[7],
                                     .k = mats[8],
                                     .v = mats[9],
                                     .positions = positions,
                                     .inverse_frequencies = frequencies,
                                     .head_dim = HEAD,
                                     .pairing = way & 1};
            test_host host;

            if (!host_open(&host, set, way & 4 ? DP_GEMM_OPENBLAS : DP_GEMM_NATIVE, 2))
                continue;
            args.x.rows = args.q.rows = args.k.rows = args.v.rows = way & 2 ? 125 : ROWS; // in a task, or after it
            if (way & 2) {
                args.bq = mats[4];
                args.bk = mats[5];
                args.bv = mats[6];
            }
            check_qkv(&host, &args);
            host_close(&host);
        }
    for (int i = 0; i < 10; i++)
        free(mats[i].data);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {attention_is_the_formula_for_any_lengths_and_heads,
                                  the_head_gives_the_loss_without_logits, the_mlp_gates_its_two_products,
                                  queries_keys_and_values_are_their_steps};

    return dpt_run("backend/cpu/fused", tests, sizeof tests / sizeof *tests);
}
