// Streams of the CPU backend for its tests: a host on the pool, random operands, every kernel set in turn.
#ifndef TEST_UNIT_BACKEND_CPU_HOST_H
#define TEST_UNIT_BACKEND_CPU_HOST_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cpu/cpu.h"
#include "base/memory.h"
#include "base/pool.h"
#include "tensor/dtype.h"
#include "test/run.h"

typedef struct test_host {
    dpi_memory memory;
    dpi_pool *pool;
    dp_host host;
    dp_stream *stream;
    int cancelled; // parallel then refuses
} test_host;

static void *host_alloc(void *user, uint64_t size)
{
    test_host *host = user;

    return dpi_alloc_raw(&host->memory, 1, (size_t)size, NULL);
}

static void host_free(void *user, void *memory)
{
    test_host *host = user;

    dpi_free(&host->memory, memory);
}

static int host_parallel(void *user, int64_t count, int64_t grain,
                         void (*fn)(void *arg, int64_t begin, int64_t end, int32_t worker), void *arg)
{
    test_host *host = user;

    return host->cancelled ? DP_E_CANCELLED : dpi_pool_run(host->pool, count, grain, fn, arg);
}

static void host_log(void *user, int32_t level, const char *line)
{
    (void)user;
    (void)level;
    (void)line;
}

static inline int host_try(test_host *host, int32_t kernels, int32_t gemm, int32_t threads, dp_error *error)
{
    memset(host, 0, sizeof *host);
    dpi_memory_init(&host->memory, NULL, 0);
    ck_assert_int_eq(dpi_pool_open(&host->pool, &host->memory, threads, error), DP_OK);
    host->host = (dp_host){.size = sizeof(dp_host),
                           .threads = threads,
                           .gemm = gemm,
                           .kernels = kernels,
                           .user = host,
                           .alloc = host_alloc,
                           .free = host_free,
                           .parallel = host_parallel,
                           .log = host_log};
    return dpi_cpu_backend()->open(&host->host, 0, &host->stream, error);
}

static inline void host_close(test_host *host)
{
    dpi_cpu_backend()->close(host->stream);
    dpi_pool_close(host->pool);
    ck_assert_uint_eq(host->memory.used, 0);
}

// 0 when this processor does not run the set.
static inline int host_open(test_host *host, int32_t kernels, int32_t gemm, int32_t threads)
{
    dp_error error;
    const int rc = host_try(host, kernels, gemm, threads, &error);

    if (rc) {
        ck_assert_int_eq(rc, DP_E_BACKEND);
        host_close(host);
    }
    return !rc;
}

static inline uint32_t random_bits(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static inline float random_float(uint64_t *state)
{
    return (float)random_bits(state) / 1073741824.0f - 1.0f;
}

// rows × cols in `type` with `extra` unused elements (whole blocks) a row; the caller frees data.
static inline dp_mat random_mat(int32_t type, int64_t rows, int64_t cols, int64_t extra, uint64_t *seed)
{
    const dpi_dtype *dtype = dpi_dtype_of(type);
    dp_mat mat = {.rows = rows, .cols = cols, .stride = cols + extra * dtype->block, .type = type};
    const size_t bytes = (size_t)(rows * mat.stride / dtype->block * dtype->block_bytes);
    unsigned char *data = malloc(bytes + 64);

    mat.data = data;
    for (size_t i = 0; i < bytes; i++)
        data[i] = (unsigned char)random_bits(seed);
    for (int64_t i = 0; i < rows * mat.stride && dtype->block == 1; i++) {
        const float value = random_float(seed);

        dpi_from_f32(type, &value, 1, data + i * dtype->block_bytes);
    }
    // halves among random bytes are made small numbers
    for (size_t i = 0; dtype->block > 1 && i < bytes; i += (size_t)dtype->block_bytes) {
        const size_t places[4] = {0, 2, (size_t)dtype->block_bytes - 2, (size_t)dtype->block_bytes - 4};

        for (int p = 0; p < 4; p++) {
            const uint16_t half = (uint16_t)(0x2000 + (random_bits(seed) & 0x83ff));
            memcpy(data + i + places[p], &half, 2);
        }
    }
    return mat;
}

static inline dp_mat empty_mat(int64_t rows, int64_t cols, int64_t extra, uint64_t *seed)
{
    return random_mat(DP_F32, rows, cols, extra, seed);
}

static inline double element(const dp_mat *mat, int64_t r, int64_t c)
{
    const dpi_dtype *dtype = dpi_dtype_of(mat->type);
    const unsigned char *data = mat->data;
    const int64_t at = r * mat->stride + c;
    float block[256];

    dpi_to_f32(mat->type, data + at / dtype->block * dtype->block_bytes, dtype->block, block);
    return (double)block[at % dtype->block];
}

static inline double *doubles_of(const dp_mat *mat)
{
    double *all = malloc((size_t)(mat->rows * mat->cols) * sizeof *all);

    for (int64_t r = 0; r < mat->rows; r++)
        for (int64_t c = 0; c < mat->cols; c++)
            all[r * mat->cols + c] = element(mat, r, c);
    return all;
}

static inline void assert_near(double got, double wanted, double tolerance)
{
    ck_assert_msg(fabs(got - wanted) <= tolerance, "%.9g is not within %.3g of %.9g", got, tolerance, wanted);
}

enum { FIRST_SET = DP_KERNELS_PORTABLE, LAST_SET = DP_KERNELS_AVX512 };

#endif
