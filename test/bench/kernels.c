// Speed of the CPU backend's kernels beside what the processor and the memory can do at the same moment.
//     usage: kernels [THREADS [WORD]]    WORD picks the lines that begin with it
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cpu/cpu.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/pool.h"
#include "tensor/dtype.h"

typedef struct bench {
    dpi_memory memory;
    dpi_pool *pool;
    dp_host host;
    dp_stream *stream;
    const char *word;
} bench;

static void *take(void *user, uint64_t size)
{
    return dpi_alloc_raw(&((bench *)user)->memory, 1, (size_t)size, NULL);
}
static void give(void *user, void *memory)
{
    dpi_free(&((bench *)user)->memory, memory);
}
static void keep_quiet(void *user, int32_t level, const char *line)
{
    (void)user;
    (void)level;
    (void)line;
}
static int spread(void *user, int64_t count, int64_t grain,
                  void (*fn)(void *arg, int64_t begin, int64_t end, int32_t worker), void *arg)
{
    return dpi_pool_run(((bench *)user)->pool, count, grain, fn, arg);
}

static void *must(void *pointer)
{
    if (!pointer) {
        fputs("no memory\n", stderr);
        exit(1);
    }
    return pointer;
}

static void check(int rc, const dp_error *error)
{
    if (rc) {
        fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
}

#if defined(__x86_64__)
enum { ROUNDS = 20000, CHAINS = 16 };

// Sixteen independent chains of fused multiply-adds on 512-bit registers: the most that two units can do.
static void multiply_wide(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    (void)arg;
    (void)worker;
    for (int64_t r = begin * ROUNDS; r < end * ROUNDS; r++)
        __asm__ volatile(".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
                         "vfmadd231ps %%zmm30, %%zmm31, %%zmm\\n\n"
                         ".endr\n" ::
                             : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                               "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}
static double peak_work(const bench *b)
{
    return __builtin_cpu_supports("avx512f") ? 2.0 * 16 * CHAINS * ROUNDS * 4 * b->host.threads : 0;
}
#else
static void multiply_wide(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    (void)arg;
    (void)begin;
    (void)end;
    (void)worker;
}
static double peak_work(const bench *b)
{
    return 0 * b->host.threads;
}
#endif

static double peak_now(bench *b)
{
    const double work = peak_work(b), start = dpi_now();

    if (work > 0)
        dpi_pool_run(b->pool, 4 * b->host.threads, 1, multiply_wide, NULL);
    return work / (dpi_now() - start);
}

// The best of many short runs, and of the processor's peak taken before each.
static void measure(bench *b, const char *line, double work, const char *unit, void (*run)(void *arg), void *arg)
{
    const double began = dpi_now();
    double least = 1e9, peak = 0;

    run(arg);
    for (int runs = 0; runs < 5 || (runs < 200 && dpi_now() - began < 0.4); runs++) {
        const double now = peak_now(b), start = dpi_now();

        run(arg);
        const double took = dpi_now() - start;
        least = took < least ? took : least;
        peak = now > peak ? now : peak;
    }
    printf("%-30s %7.1f %s", line, work / least / 1e9, unit);
    if (!strcmp(unit, "GFLOP/s") && peak > 0)
        printf("  %3.0f %% of %5.1f", 100 * work / least / peak, peak / 1e9);
    putchar('\n');
    fflush(stdout);
}

enum { PATTERN = 97 * 32 * 256 }; // elements; whole blocks of every type

// Small numbers: a pattern, repeated.
static dp_mat matrix(bench *b, int32_t type, int64_t rows, int64_t cols)
{
    const dpi_dtype *dtype = dpi_dtype_of(type);
    const size_t step = (size_t)dtype->block_bytes, bytes = (size_t)(rows * cols / dtype->block) * step;
    const size_t first =
        PATTERN / (size_t)dtype->block * step < bytes ? PATTERN / (size_t)dtype->block * step : bytes;
    unsigned char *data = must(take(b, bytes));
    const uint16_t small = 0x1c00;

    for (size_t i = 0; i < first; i += step) {
        const float value = (float)(i / step % 97) * 0.01f - 0.5f;

        if (dtype->block == 1) {
            dpi_from_f32(type, &value, 1, data + i);
            continue;
        }
        for (size_t byte = 0; byte < step; byte++)
            data[i + byte] = (unsigned char)((i + byte) * 2654435761u >> 24);
        memcpy(data + i, &small, sizeof small); // the halves of a block, wherever they are
        memcpy(data + i + 2, &small, sizeof small);
        memcpy(data + i + step - 2, &small, sizeof small);
        memcpy(data + i + step - 4, &small, sizeof small);
    }
    for (size_t done = first; done < bytes; done += first)
        memcpy(data + done, data, bytes - done < first ? bytes - done : first);
    return (dp_mat){.data = data, .rows = rows, .cols = cols, .stride = cols, .type = type};
}

typedef struct product {
    bench *b;
    dp_gemm_args args;
} product;

static void run_product(void *arg)
{
    product *p = arg;
    dp_error error;

    check(dpi_cpu_backend()->gemm(p->b->stream, &p->args, &error), &error);
}

static void products(bench *b)
{
    static const int64_t shapes[][3] = {{1280, 4096, 4096}, {1280, 576, 1536}, {1280, 1536, 576},
                                        {1280, 576, 576},   {1280, 192, 576},  {1280, 49152, 576},
                                        {20480, 576, 1536}, {256, 576, 576},   {16, 1536, 576},
                                        {8, 4096, 4096},    {4, 4096, 4096}};
    static const int32_t types[] = {DP_F32, DP_BF16, DP_Q4_1, DP_Q8_0, DP_Q4_0, DP_F16, DP_Q6_K};

    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
            const int64_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
            char line[64];

            snprintf(line, sizeof line, "gemm %lldx%lldx%lld %s", (long long)m, (long long)n, (long long)k,
                     dp_type_name(types[t]));
            if (strncmp(line, b->word, strlen(b->word)) || k % dpi_dtype_of(types[t])->block || (s > 5 && t > 2))
                continue; // the first shapes in all types, the others in three
            product p = {.b = b, .args = {.batch = 1, .alpha = 1, .transpose_b = 1}};
            p.args.a = matrix(b, DP_F32, m, k);
            p.args.b = matrix(b, types[t], n, k);
            p.args.c = matrix(b, DP_F32, m, n);
            measure(b, line, 2.0 * (double)m * (double)n * (double)k, "GFLOP/s", run_product, &p);
            give(b, p.args.a.data);
            give(b, p.args.b.data);
            give(b, p.args.c.data);
        }
}

// Reading as fast as the cores can: what a one-token product cannot beat.
typedef struct reading {
    const unsigned char *from;
    int64_t bytes;
    uint64_t sums[64];
} reading;

enum { STRIP = 1 << 20 };

static void read_strips(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    reading *r = arg;
    uint64_t sums[8] = {0};

    for (int64_t at = begin * STRIP; at < end * STRIP; at += 64) {
        uint64_t line[8];

        memcpy(line, r->from + at, sizeof line);
        for (int i = 0; i < 8; i++)
            sums[i] += line[i];
    }
    for (int i = 0; i < 8; i++)
        r->sums[worker % 64] += sums[i];
}

static double bandwidth_now(bench *b, reading *r)
{
    const double start = dpi_now();

    dpi_pool_run(b->pool, r->bytes / STRIP, 4, read_strips, r);
    return (double)r->bytes / (dpi_now() - start);
}

// Matrices larger than the caches; the best of several runs, and of plain reading between them.
static void one_token(bench *b)
{
    static const int32_t types[] = {DP_F32,  DP_BF16, DP_F16,  DP_Q8_0, DP_Q5_1, DP_Q4_0,
                                    DP_Q4_1, DP_Q6_K, DP_Q5_K, DP_Q4_K, DP_Q3_K, DP_Q2_K};
    enum { MIB = 640, COLS = 8192, RUNS = 12 };

    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        const dpi_dtype *dtype = dpi_dtype_of(types[t]);
        const int64_t row_bytes = COLS / dtype->block * dtype->block_bytes, rows = ((int64_t)MIB << 20) / row_bytes;
        product p = {.b = b, .args = {.batch = 1, .alpha = 1, .transpose_b = 1}};
        double best = 0, most = 0;
        char line[64];

        snprintf(line, sizeof line, "one token %s", dtype->name);
        if (strncmp(line, b->word, strlen(b->word)))
            continue;
        p.args.a = matrix(b, DP_F32, 1, COLS);
        p.args.b = matrix(b, types[t], rows, COLS);
        p.args.c = matrix(b, DP_F32, 1, rows);
        reading plain = {.from = p.args.b.data, .bytes = rows * row_bytes / STRIP * STRIP};
        for (int run = 0; run < RUNS; run++) {
            const double now = bandwidth_now(b, &plain), start = dpi_now();

            run_product(&p);
            const double speed = (double)(rows * row_bytes) / (dpi_now() - start);
            best = speed > best ? speed : best;
            most = now > most ? now : most;
        }
        printf("%-30s %7.1f GB/s     %3.0f %% of %5.1f\n", line, best / 1e9, 100 * best / most, most / 1e9);
        give(b, p.args.a.data);
        give(b, p.args.b.data);
        give(b, p.args.c.data);
    }
}

typedef struct rows_work {
    bench *b;
    const char *name;
    dp_mat x, y, z, w;
    int32_t *ids;
    float *frequencies;
} rows_work;

static void run_reduce(void *arg)
{
    rows_work *w = arg;
    dp_error error;
    const dp_reduce_args args = {.x = w->x, .result = w->y, .kind = DP_REDUCTION_ABS};

    check(dpi_cpu_backend()->reduce(w->b->stream, &args, &error), &error);
}

static void reductions(bench *b)
{
    static const int32_t types[] = {DP_F32, DP_BF16, DP_F16, DP_Q8_0, DP_Q4_1, DP_Q6_K};

    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        const int64_t rows = 32768, cols = 1536;
        const dpi_dtype *dtype = dpi_dtype_of(types[t]);
        char line[64];

        snprintf(line, sizeof line, "reduce %s", dtype->name);
        if (strncmp(line, b->word, strlen(b->word)))
            continue;
        rows_work w = {.b = b, .x = matrix(b, types[t], rows, cols), .y = matrix(b, DP_F64, rows, 1)};
        measure(b, line, (double)(rows * cols / dtype->block * dtype->block_bytes), "GB/s", run_reduce, &w);
        give(b, w.x.data);
        give(b, w.y.data);
    }
}

static void run_rows(void *arg)
{
    rows_work *w = arg;
    const dp_backend *cpu = dpi_cpu_backend();
    dp_stream *stream = w->b->stream;
    dp_error error;
    int rc = DP_OK;

    if (!strcmp(w->name, "rmsnorm"))
        rc = cpu->rmsnorm(stream, &(dp_rmsnorm_args){.x = w->x, .weight = w->w, .y = w->y, .epsilon = 1e-5f},
                          &error);
    else if (!strcmp(w->name, "softmax"))
        rc = cpu->softmax(stream, &(dp_softmax_args){.x = w->x, .y = w->y, .scale = 1}, &error);
    else if (!strcmp(w->name, "glu"))
        rc = cpu->glu(stream, &(dp_glu_args){.a = w->x, .b = w->z, .y = w->y}, &error);
    else if (!strcmp(w->name, "rope"))
        rc = cpu->rope(
            stream,
            &(dp_rope_args){.x = w->x, .positions = w->ids, .inverse_frequencies = w->frequencies, .head_dim = 64},
            &error);
    else
        rc = cpu->axpby(stream, &(dp_axpby_args){.x = w->x, .y = w->y, .alpha = 1, .beta = 1}, &error);
    check(rc, &error);
}

static void row_operations(bench *b)
{
    static const char *const names[] = {"rmsnorm", "softmax", "glu", "rope", "axpby"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const int64_t rows = 8192, cols = 576;

        if (strncmp(names[i], b->word, strlen(b->word)))
            continue;
        rows_work w = {.b = b,
                       .name = names[i],
                       .x = matrix(b, DP_F32, rows, cols),
                       .y = matrix(b, DP_F32, rows, cols),
                       .z = matrix(b, DP_F32, rows, cols),
                       .w = matrix(b, DP_F32, 1, cols)};
        w.ids = must(take(b, (size_t)rows * sizeof *w.ids));
        w.frequencies = must(take(b, 32 * sizeof *w.frequencies));
        for (int64_t r = 0; r < rows; r++)
            w.ids[r] = (int32_t)(r % 128);
        for (int f = 0; f < 32; f++)
            w.frequencies[f] = 1.0f / (float)(f + 1);
        measure(b, names[i], (double)(rows * cols), "G/s", run_rows, &w);
        give(b, w.x.data);
        give(b, w.y.data);
        give(b, w.z.data);
        give(b, w.w.data);
        give(b, w.ids);
        give(b, w.frequencies);
    }
}

typedef struct fused {
    bench *b;
    int kind;
    dp_attention_args attention;
    dp_linear_xent_args head;
    dp_swiglu_args mlp;
    dp_qkv_rope_args qkv;
} fused;

static void run_fused(void *arg)
{
    fused *f = arg;
    const dp_backend *cpu = dpi_cpu_backend();
    dp_stream *stream = f->b->stream;
    dp_error error;

    check(f->kind == 0   ? cpu->attention(stream, &f->attention, &error)
          : f->kind == 1 ? cpu->linear_xent(stream, &f->head, &error)
          : f->kind == 2 ? cpu->swiglu(stream, &f->mlp, &error)
                         : cpu->qkv_rope(stream, &f->qkv, &error),
          &error);
}

// The parts of a block of a 135M model, `rows` rows in sequences of `length`.
static void fused_operations(bench *b, int64_t rows, int64_t length, int32_t type)
{
    static const char *const names[] = {"attention", "linear_xent", "swiglu", "qkv_rope"};
    const double flops[] = {4.0 * 64 * 9 * (double)(length + 1) / 2, 2.0 * 576 * 49152, 4.0 * 576 * 1536,
                            2.0 * 576 * 960};
    float frequencies[32];
    int32_t *ids = must(take(b, (size_t)rows * sizeof *ids));
    fused f = {.b = b};
    dp_mat mats[] = {matrix(b, DP_F32, rows, 576), matrix(b, DP_F32, rows, 192),  matrix(b, DP_F32, rows, 192),
                     matrix(b, DP_F32, rows, 576), matrix(b, type, 49152, 576),   matrix(b, type, 1536, 576),
                     matrix(b, type, 1536, 576),   matrix(b, DP_F32, rows, 1536), matrix(b, DP_F32, rows, 1),
                     matrix(b, type, 576, 576),    matrix(b, type, 192, 576),     matrix(b, type, 192, 576)};

    for (int64_t r = 0; r < rows; r++)
        ids[r] = (int32_t)(r % length);
    for (int i = 0; i < 32; i++)
        frequencies[i] = 1.0f / (float)(i + 1);
    f.attention = (dp_attention_args){.q = mats[0],
                                      .k = mats[1],
                                      .v = mats[2],
                                      .y = mats[3],
                                      .sequences = rows / length,
                                      .queries = length,
                                      .keys = length,
                                      .heads = 9,
                                      .kv_heads = 3,
                                      .head_dim = 64,
                                      .scale = 0.125f};
    f.head = (dp_linear_xent_args){.x = mats[0], .weight = mats[4], .loss = mats[8], .labels = ids};
    f.mlp = (dp_swiglu_args){.x = mats[0], .gate_weight = mats[5], .up_weight = mats[6], .y = mats[7]};
    f.qkv = (dp_qkv_rope_args){.x = mats[0],
                               .wq = mats[9],
                               .wk = mats[10],
                               .wv = mats[11],
                               .q = mats[3],
                               .k = mats[1],
                               .v = mats[2],
                               .positions = ids,
                               .inverse_frequencies = frequencies,
                               .head_dim = 64};
    for (f.kind = 0; f.kind < 4; f.kind++) {
        char line[64];

        snprintf(line, sizeof line, "%s %lldx%lld %s", names[f.kind], (long long)rows, (long long)length,
                 dp_type_name(type));
        if (strncmp(line, b->word, strlen(b->word)))
            continue;
        measure(b, line, flops[f.kind] * (double)rows, "GFLOP/s", run_fused, &f);
    }
    for (size_t i = 0; i < sizeof mats / sizeof *mats; i++)
        give(b, mats[i].data);
    give(b, ids);
}

int main(int argc, char **argv)
{
    const int32_t threads = argc > 1 ? (int32_t)strtol(argv[1], NULL, 10) : 2;
    dp_backend_info info = {.size = sizeof info};
    static bench b;
    dp_error error;

    b.word = argc > 2 ? argv[2] : "";
    dpi_memory_init(&b.memory, NULL, 0);
    check(dpi_pool_open(&b.pool, &b.memory, threads, &error), &error);
    b.host = (dp_host){.size = sizeof b.host,
                       .threads = threads,
                       .gemm = argc > 3 ? DP_GEMM_OPENBLAS : DP_GEMM_NATIVE,
                       .user = &b,
                       .alloc = take,
                       .free = give,
                       .parallel = spread,
                       .log = keep_quiet};
    check(dpi_cpu_backend()->open(&b.host, 0, &b.stream, &error), &error);
    check(dpi_cpu_backend()->describe(b.stream, &info, &error), &error);
    printf("# %s, %s kernels, %s, %d threads\n", info.device, info.kernels, info.libraries, threads);
    products(&b);
    one_token(&b);
    fused_operations(&b, 1280, 128, DP_Q4_1);
    fused_operations(&b, 20480, 128, DP_Q4_1);
    fused_operations(&b, 4096, 2048, DP_F32);
    reductions(&b);
    row_operations(&b);
    dpi_cpu_backend()->close(b.stream);
    dpi_pool_close(b.pool);
    return 0;
}
