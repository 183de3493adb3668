// One operation on two devices: operands go up, the operation runs, everything comes back.  What must not change is
// compared bit by bit, results against the reference with the tolerance of docs/ops.md.
#ifndef TEST_CONFORMANCE_H
#define TEST_CONFORMANCE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/ops.h"
#include "tensor/dtype.h"
#include "tensor/half.h"
#include "test/run.h"

enum { MOST_MATS = 12 };
static const double unit = 0x1p-24; // of f32

typedef struct trial {
    const char *name;
    int (*call)(dpi_device *device, const void *args, dp_error *error);
    void *args;
    dp_mat *mats[MOST_MATS]; // inside args, data on the host; NULL: no more
    unsigned written;        // bit i: mats[i] gets results
    // T of element (r, c) of mats[i], from wide[], the operands as doubles
    double (*slack)(struct trial *trial, int i, int64_t r, int64_t c, double want);
    double *wide[MOST_MATS];
    double work;             // slack keeps what holds for a row here
} trial;

// Numbers that every machine draws alike.
static uint64_t random_state = 0x9E3779B97F4A7C15;

static inline uint32_t draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32);
}

static inline int64_t between(int64_t least, int64_t most)
{
    return least + draw() % (most - least + 1);
}

static inline float real(void) // -2 .. 2, more near 0
{
    const float x = (float)(draw() >> 8) * 0x1p-23F - 1;

    return 2 * x * fabsf(x);
}

static inline uint64_t bytes_of(const dp_mat *mat)
{
    uint64_t row = 0;

    ck_assert_int_eq(dpi_row_bytes(mat->type, mat->stride, &row), 0);
    return row * (uint64_t)mat->rows;
}

// Random blocks with scales that are small numbers.
static inline void fill_blocks(const dpi_dtype *type, unsigned char *to, uint64_t bytes)
{
    static const struct {
        int32_t type, at, count;
    } scales[] = {{DP_Q4_0, 0, 1}, {DP_Q4_1, 0, 2},  {DP_Q5_0, 0, 1},   {DP_Q5_1, 0, 2}, {DP_Q8_0, 0, 1}, {DP_Q2_K, 80, 2},
                  {DP_Q3_K, 108, 1}, {DP_Q4_K, 0, 2}, {DP_Q5_K, 0, 2}, {DP_Q6_K, 208, 1}};

    for (uint64_t i = 0; i < bytes; i++)
        to[i] = (unsigned char)draw();
    for (uint64_t block = 0; block < bytes; block += (uint64_t)type->block_bytes)
        for (size_t s = 0; s < sizeof scales / sizeof *scales; s++)
            for (int k = 0; scales[s].type == type->type && k < scales[s].count; k++) {
                const uint16_t half = dpi_f32_to_f16(real() * 0.01F);
                memcpy(to + block + scales[s].at + 2 * k, &half, 2);
            }
}

// A rows × cols matrix of random numbers; `extra` more elements from row to row, which hold random numbers too.
static inline dp_mat make_mat(int32_t type, int64_t rows, int64_t cols, int64_t extra)
{
    const dpi_dtype *const info = dpi_dtype_of(type);
    dp_mat mat = {NULL, rows, cols, cols + (extra + info->block - 1) / info->block * info->block, type, 0};
    const uint64_t bytes = bytes_of(&mat);
    float number;

    mat.data = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (info->block > 1)
        fill_blocks(info, mat.data, bytes);
    else
        for (int64_t i = 0; i < rows * mat.stride; i++) {
            number = real();
            dpi_from_f32(type, &number, 1, (char *)mat.data + i * info->block_bytes);
        }
    return mat;
}

static inline double *widen(const dp_mat *mat)
{
    double *wide = malloc(sizeof *wide * (size_t)(mat->rows * mat->cols));
    float *row = malloc(sizeof *row * (size_t)mat->cols);
    const dpi_dtype *const info = dpi_dtype_of(mat->type);

    for (int64_t r = 0; r < mat->rows; r++) {
        const char *from = (const char *)mat->data + r * mat->stride / info->block * info->block_bytes;
        if (mat->type == DP_F64)
            memcpy(wide + r * mat->cols, from, sizeof *wide * (size_t)mat->cols);
        else
            dpi_to_f32(mat->type, from, mat->cols, row);
        for (int64_t c = 0; mat->type != DP_F64 && c < mat->cols; c++)
            wide[r * mat->cols + c] = (double)row[c];
    }
    free(row);
    return wide;
}

typedef struct outcome {
    int rc;
    dp_mat mats[MOST_MATS]; // as they came back; data owned
} outcome;

static inline void forget(outcome *out)
{
    for (int i = 0; i < MOST_MATS; i++)
        free(out->mats[i].data);
}

// Operands that have the same data on the host have it on the device.
static inline void *lift(dpi_device *device, const trial *t, const void **host, int i, dp_error *error)
{
    void *memory = NULL;

    for (int k = 0; k < i; k++)
        if (host[k] && host[k] == t->mats[i]->data)
            return t->mats[k]->data;
    ck_assert_msg(dpi_op_alloc(device, bytes_of(t->mats[i]), &memory, error) == DP_OK, "alloc: %s", error->message);
    ck_assert_int_eq(dpi_op_upload(device, memory, t->mats[i]->data, bytes_of(t->mats[i]), error), DP_OK);
    return memory;
}

static inline outcome execute(dpi_device *device, const trial *t)
{
    const void *host[MOST_MATS] = {NULL};
    outcome out = {0};
    dp_error error = {0};

    for (int i = 0; i < MOST_MATS && t->mats[i]; i++)
        if (t->mats[i]->data) {
            const void *const data = t->mats[i]->data;
            t->mats[i]->data = lift(device, t, host, i, &error);
            host[i] = data;
        }
    out.rc = t->call(device, t->args, &error);
    if (out.rc && out.rc != DP_E_UNSUPPORTED)
        ck_abort_msg("%s on %s: %s: %s %s", t->name, device->info.name, dp_code_name(out.rc), error.item,
                     error.message);
    for (int i = 0; i < MOST_MATS && t->mats[i]; i++) {
        if (!host[i])
            continue;
        out.mats[i] = *t->mats[i];
        out.mats[i].data = malloc(bytes_of(t->mats[i]));
        ck_assert_int_eq(
            dpi_op_download(device, out.mats[i].data, t->mats[i]->data, bytes_of(t->mats[i]), &error), DP_OK);
    }
    for (int i = 0; i < MOST_MATS && t->mats[i]; i++) {
        int first = 1;
        for (int k = 0; k < i; k++)
            first &= host[k] != host[i];
        if (host[i] && first)
            dpi_op_free(device, t->mats[i]->data);
    }
    for (int i = 0; i < MOST_MATS && t->mats[i]; i++)
        memcpy(&t->mats[i]->data, &host[i], sizeof host[i]);
    return out;
}

static inline double unit_of(int32_t type)
{
    return type == DP_F64 ? 0x1p-53 : type == DP_F32 ? 0x1p-24 : type == DP_F16 ? 0x1p-11 : 0x1p-8;
}

// Operand i is another name of an operand that is written.
static inline int written(const trial *t, int i)
{
    for (int k = 0; k < MOST_MATS && t->mats[k]; k++)
        if ((t->written >> k & 1) && t->mats[k]->data == t->mats[i]->data)
            return 1;
    return 0;
}

// Inputs whole, and what lies between a result's columns and its stride, are as they were.
static inline void check_untouched(const trial *t, const outcome *got, int i)
{
    const dp_mat *const mat = &got->mats[i];
    const dpi_dtype *const info = dpi_dtype_of(mat->type);
    const int64_t from = written(t, i) ? mat->cols : 0;
    const size_t row = (size_t)(mat->stride / info->block * info->block_bytes);
    const size_t skip = (size_t)(from / info->block * info->block_bytes);

    for (size_t r = 0; r < (size_t)mat->rows; r++)
        ck_assert_msg(memcmp((char *)mat->data + r * row + skip, (char *)t->mats[i]->data + r * row + skip,
                             row - skip) == 0,
                      "%s writes outside its results: operand %d of %lld x %lld, stride %lld, %s, row %zu", t->name, i,
                      (long long)mat->rows, (long long)mat->cols, (long long)mat->stride, info->name, r);
}

static inline void check_results(trial *t, const outcome *got, const outcome *want, const char *who, int i)
{
    double *const a = widen(&got->mats[i]), *const b = widen(&want->mats[i]);
    const dp_mat *const mat = &got->mats[i];

    for (int64_t r = 0; r < mat->rows; r++)
        for (int64_t c = 0; c < mat->cols; c++) {
            const double x = a[r * mat->cols + c], y = b[r * mat->cols + c];
            const double slack = t->slack ? t->slack(t, i, r, c, y) : 0;
            const double most = slack > 0 ? slack + 2 * unit_of(mat->type) * fabs(y) : 0;
            if (!(fabs(x - y) <= most) && x != y)
                ck_abort_msg("%s %s operand %d of %lld x %lld at (%lld, %lld): %.9g, expected %.9g within %.3g (type %s)",
                             who, t->name, i, (long long)mat->rows, (long long)mat->cols, (long long)r, (long long)c,
                             x, y, most, dp_type_name(mat->type));
        }
    free(a);
    free(b);
}

static inline void check_same_bits(const trial *t, const outcome *one, const outcome *other, const char *who)
{
    for (int i = 0; i < MOST_MATS && t->mats[i]; i++)
        if (t->mats[i]->data && memcmp(one->mats[i].data, other->mats[i].data, bytes_of(t->mats[i])) != 0)
            ck_abort_msg("%s %s: operand %d has other bits with another number of threads", who, t->name, i);
}

// The devices under test: the reference, and one backend and kernel set with 1, 2 and 4 threads.
typedef struct bench {
    char name[64];
    dp_context *contexts[4];
    int count;      // of contexts; the first is the reference
    int same_bits;  // with any number of threads
    int refused;    // trials answered by DP_E_UNSUPPORTED
} bench;

static inline void run_trial(bench *b, trial *t, int required)
{
    outcome want = execute(dpi_device_of(b->contexts[0]), t), first = {0};

    ck_assert_msg(want.rc == DP_OK, "the reference refuses %s", t->name);
    for (int i = 0; i < MOST_MATS && t->mats[i]; i++)
        t->wide[i] = t->mats[i]->data ? widen(t->mats[i]) : NULL;
    for (int k = 1; k < b->count; k++) {
        outcome got = execute(dpi_device_of(b->contexts[k]), t);

        ck_assert_msg(got.rc == DP_OK || !required, "%s refuses %s", b->name, t->name);
        b->refused += got.rc != DP_OK;
        for (int i = 0; i < MOST_MATS && t->mats[i] && got.rc == DP_OK; i++) {
            if (t->mats[i]->data)
                check_untouched(t, &got, i);
            if (t->mats[i]->data && t->written >> i & 1)
                check_results(t, &got, &want, b->name, i);
        }
        if (k == 1)
            first = got;
        else if (b->same_bits && got.rc == DP_OK)
            check_same_bits(t, &first, &got, b->name);
        if (k > 1)
            forget(&got);
    }
    forget(&first);
    forget(&want);
    for (int i = 0; i < MOST_MATS && t->mats[i]; i++) {
        int shared = 0;
        for (int k = 0; k < i; k++)
            shared |= t->mats[k]->data == t->mats[i]->data;
        free(t->wide[i]);
        t->wide[i] = NULL;
        if (!shared)
            free(t->mats[i]->data);
    }
}

static inline dp_context *open_context(const char *backend, const char *kernels, const char *gemm, int32_t threads)
{
    dp_context_options options;
    dp_context *context = NULL;

    dp_context_options_init(&options, sizeof options);
    options.backend = backend;
    options.kernels = kernels;
    options.gemm = gemm;
    options.threads = threads;
    return dp_context_new(&options, &context, NULL) == DP_OK ? context : NULL;
}

// The reference and `kernels`; 0 when this machine does not have them.
static inline int open_bench(bench *b, const char *kernels, const char *gemm)
{
    memset(b, 0, sizeof *b);
    snprintf(b->name, sizeof b->name, "cpu/%s/%s", kernels, gemm);
    b->contexts[0] = open_context("ref", "auto", "auto", 2);
    ck_assert_ptr_nonnull(b->contexts[0]);
    b->same_bits = strcmp(gemm, "openblas") != 0;
    for (b->count = 1; b->count < 4; b->count++) {
        b->contexts[b->count] = open_context("cpu", kernels, gemm, 1 << (b->count - 1));
        if (!b->contexts[b->count])
            break;
    }
    if (b->count == 4)
        return 1;
    ck_assert_int_eq(b->count, 1);
    printf("%s is not to be had on this machine: not tested\n", b->name);
    dp_context_free(b->contexts[0]);
    return 0;
}

static inline void close_bench(bench *b)
{
    for (int i = 0; i < b->count; i++)
        dp_context_free(b->contexts[i]);
}

// `body` on every kernel set.
static inline void on_every_kernel_set(void (*body)(bench *b))
{
    static const char *const sets[][2] = {
        {"portable", "native"}, {"avx2", "native"}, {"avx512", "native"}, {"auto", "auto"}, {"auto", "openblas"}};
    bench b;

    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        random_state = 0x9E3779B97F4A7C15 + i;
        if (!open_bench(&b, sets[i][0], sets[i][1]))
            continue;
        body(&b);
        close_bench(&b);
    }
}

#define CALL(operation)                                                                                              \
    static int call_##operation(dpi_device *device, const void *args, dp_error *error)                              \
    {                                                                                                                \
        return dpi_op_##operation(device, args, error);                                                             \
    }

#endif
