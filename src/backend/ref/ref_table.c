// The reference table: life and memory of a stream on the host, and the list of operations.
#include <string.h>

#include "backend/ref/ref_rows.h"
#include "base/error.h"
#include "tensor/dtype.h"

static int open_stream(const dp_host *host, int32_t device, dp_stream **out, dp_error *error)
{
    dp_stream *stream;

    if (device != 0)
        return dpi_fail(error, DP_E_BACKEND, "the reference backend has device 0 only, got %d", device);
    stream = host->alloc(host->user, sizeof *stream);
    if (!stream)
        return dpi_fail(error, DP_E_MEMORY, "no memory for a stream of %zu bytes", sizeof *stream);
    stream->host = *host;
    *out = stream;
    return DP_OK;
}

static void close_stream(dp_stream *stream)
{
    const dp_host host = stream->host;

    host.free(host.user, stream);
}

static int describe(dp_stream *stream, dp_backend_info *info, dp_error *error)
{
    (void)stream, (void)error;
    info->flags = DP_BACKEND_HOST_MEMORY;
    info->name = "ref";
    info->device = "host processor";
    info->kernels = "double";
    info->libraries = "";
    return DP_OK;
}

static int sync_stream(dp_stream *stream, dp_error *error)
{
    (void)stream, (void)error; // every operation is done when it returns
    return DP_OK;
}

static int alloc_memory(dp_stream *stream, uint64_t bytes, void **out, dp_error *error)
{
    void *memory = stream->host.alloc(stream->host.user, bytes);

    if (!memory)
        return dpi_fail(error, DP_E_MEMORY, "no memory for %llu bytes on the device", (unsigned long long)bytes);
    *out = memory;
    return DP_OK;
}

static void free_memory(dp_stream *stream, void *memory)
{
    stream->host.free(stream->host.user, memory);
}

static int copy(dp_stream *stream, void *to, const void *from, uint64_t bytes, dp_error *error)
{
    (void)stream, (void)error;
    memcpy(to, from, (size_t)bytes);
    return DP_OK;
}

static int copy2d(dp_stream *stream, const dp_mat *from, const dp_mat *to, dp_error *error)
{
    const dpi_dtype *type = dpi_dtype_of(from->type);
    const size_t bytes = (size_t)(from->cols / type->block * type->block_bytes);

    (void)stream, (void)error;
    for (int64_t r = 0; r < from->rows; r++)
        memcpy((char *)to->data + r * to->stride / type->block * type->block_bytes,
               (const char *)from->data + r * from->stride / type->block * type->block_bytes, bytes);
    return DP_OK;
}

static int fill(dp_stream *stream, const dp_mat *x, float value, dp_error *error)
{
    (void)stream, (void)error;
    for (int64_t r = 0; r < x->rows; r++)
        for (int64_t c = 0; c < x->cols; c++)
            dpi_ref_put(x, r, c, (double)value);
    return DP_OK;
}

const dp_backend *dpi_ref_backend(void)
{
    static const dp_backend table = {
        .size = sizeof table,
        .abi = DP_BACKEND_ABI,
        .open = open_stream,
        .close = close_stream,
        .describe = describe,
        .sync = sync_stream,
        .alloc = alloc_memory,
        .free = free_memory,
        .upload = copy,
        .download = copy,
        .copy2d = copy2d,
        .fill = fill,
        .gemm = dpi_ref_gemm,
        .embed = dpi_ref_embed,
        .rmsnorm = dpi_ref_rmsnorm,
        .rope = dpi_ref_rope,
        .softmax = dpi_ref_softmax,
        .glu = dpi_ref_glu,
        .xent = dpi_ref_xent,
        .axpby = dpi_ref_axpby,
        .cast = dpi_ref_cast,
        .reduce = dpi_ref_reduce,
    };
    return &table;
}
