// A device that does not read host memory, made of the CPU backend: every operand must lie in memory that it gave.
#ifndef TEST_NN_FAR_DEVICE_H
#define TEST_NN_FAR_DEVICE_H

#include "backend/cpu/cpu.h"
#include "backend/device.h"
#include "test/unit/nn/support.h"

enum { FAR_RANGES = 256 };

static struct {
    struct {
        char *begin;
        uint64_t bytes;
    } range[FAR_RANGES];
    uint64_t uploaded;
} far_memory;

static inline void far_check(const dp_mat *mat)
{
    const char *at = mat->data;

    if (!at)
        return;
    for (int i = 0; i < FAR_RANGES; i++)
        if (at >= far_memory.range[i].begin && at < far_memory.range[i].begin + far_memory.range[i].bytes)
            return;
    ck_abort_msg("an operand of %lld x %lld lies in host memory", (long long)mat->rows, (long long)mat->cols);
}

static inline int far_describe(dp_stream *stream, dp_backend_info *info, dp_error *error)
{
    const int rc = dpi_cpu_backend()->describe(stream, info, error);

    info->flags &= ~(uint32_t)DP_BACKEND_HOST_MEMORY;
    return rc;
}

static inline int far_alloc(dp_stream *stream, uint64_t bytes, void **out, dp_error *error)
{
    const int rc = dpi_cpu_backend()->alloc(stream, bytes, out, error);

    for (int i = 0; i < FAR_RANGES && !rc; i++)
        if (!far_memory.range[i].begin) {
            far_memory.range[i].begin = *out;
            far_memory.range[i].bytes = bytes;
            return DP_OK;
        }
    return rc ? rc : DP_E_INTERNAL;
}

static inline void far_free(dp_stream *stream, void *memory)
{
    for (int i = 0; i < FAR_RANGES; i++)
        if (far_memory.range[i].begin == memory)
            far_memory.range[i].begin = NULL;
    dpi_cpu_backend()->free(stream, memory);
}

static inline int far_upload(dp_stream *stream, void *to, const void *from, uint64_t bytes, dp_error *error)
{
    far_memory.uploaded += bytes;
    return dpi_cpu_backend()->upload(stream, to, from, bytes, error);
}

static inline int far_copy2d(dp_stream *stream, const dp_mat *from, const dp_mat *to, dp_error *error)
{
    far_check(from);
    far_check(to);
    return dpi_cpu_backend()->copy2d(stream, from, to, error);
}

static inline int far_gemm(dp_stream *stream, const dp_gemm_args *a, dp_error *error)
{
    far_check(&a->a);
    far_check(&a->b);
    far_check(&a->c);
    return dpi_cpu_backend()->gemm(stream, a, error);
}

static inline int far_embed(dp_stream *stream, const dp_embed_args *a, dp_error *error)
{
    far_check(&a->table);
    far_check(&a->y);
    return dpi_cpu_backend()->embed(stream, a, error);
}

static inline int far_rmsnorm(dp_stream *stream, const dp_rmsnorm_args *a, dp_error *error)
{
    far_check(&a->x);
    far_check(&a->weight);
    far_check(&a->y);
    return dpi_cpu_backend()->rmsnorm(stream, a, error);
}

static inline int far_reduce(dp_stream *stream, const dp_reduce_args *a, dp_error *error)
{
    far_check(&a->x);
    far_check(&a->y);
    far_check(&a->result);
    return dpi_cpu_backend()->reduce(stream, a, error);
}

// Fused slots are left out: their compositions pass every operand through the ones above.
static inline void far_open(dp_context *context)
{
    dp_backend table = *dpi_cpu_backend();
    dp_context_options options;
    dp_error error;

    table.describe = far_describe;
    table.alloc = far_alloc;
    table.free = far_free;
    table.upload = far_upload;
    table.copy2d = far_copy2d;
    table.gemm = far_gemm;
    table.embed = far_embed;
    table.rmsnorm = far_rmsnorm;
    table.reduce = far_reduce;
    table.add_rmsnorm = NULL;
    table.qkv_rope = NULL;
    table.swiglu = NULL;
    table.linear_xent = NULL;
    dp_context_options_init(&options, sizeof options);
    ck_ok(dpi_device_open(context, &table, 0, &options, &error), error);
}

#endif
