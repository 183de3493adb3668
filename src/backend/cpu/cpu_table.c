// The CPU backend's table, and opening: which kernels and which matrix products a stream uses.
#include <cblas.h>
#include <string.h>

#include "backend/cpu/cpu.h"
#include "backend/cpu/processor.h"
#include "backend/cpu/stream.h"
#include "tensor/dtype.h"

static void add_text(char *to, size_t size, const char *text)
{
    const size_t used = strlen(to);
    const size_t length = strnlen(text, size - used - 1);

    memcpy(to + used, text, length);
    to[used + length] = 0;
}

// openblas_get_config begins "OpenBLAS 0.3.21 ..."; the version ends at its second blank.
static void name_libraries(char *text, size_t size)
{
    const char *config = openblas_get_config();
    const char *version = strchr(config, ' ');
    const char *end = version ? strchr(version + 1, ' ') : NULL;
    const size_t length = end ? (size_t)(end - config) : strlen(config);

    memcpy(text, config, length < size ? length : size - 1);
    text[length < size ? length : size - 1] = 0;
    add_text(text, size, " ");
    add_text(text, size, openblas_get_corename());
}

static int open_stream(const dp_host *host, int32_t device, dp_stream **out, dp_error *error)
{
    const dpi_cpu_kernels *kernels;

    if (device != 0)
        return dpi_fail(error, DP_E_BACKEND, "there is one cpu device, 0; %d was asked for", device);
    const int rc = dpi_cpu_kernels_choose(host->kernels, &kernels, error);
    if (rc)
        return rc;
    dp_stream *stream = host->alloc(host->user, sizeof *stream);
    if (!stream)
        return dpi_fail(error, DP_E_MEMORY, "no memory for a stream of %zu bytes", sizeof *stream);
    memset(stream, 0, sizeof *stream);
    stream->host = *host;
    stream->kernels = kernels;
    stream->openblas =
        host->gemm == DP_GEMM_OPENBLAS || (host->gemm == DP_GEMM_AUTO && kernels == &dpi_cpu_portable);
    dpi_cpu_processor_name(stream->device, sizeof stream->device);
    name_libraries(stream->libraries, sizeof stream->libraries);
    *out = stream;
    return DP_OK;
}

static void close_stream(dp_stream *stream)
{
    if (!stream)
        return;
    dpi_cpu_scratch_free(stream);
    stream->host.free(stream->host.user, stream);
}

static int describe(dp_stream *stream, dp_backend_info *info, dp_error *error)
{
    const dp_backend_info full = {.size = info->size,
                                  .flags = DP_BACKEND_HOST_MEMORY,
                                  .name = "cpu",
                                  .device = stream->device,
                                  .kernels = stream->kernels->name,
                                  .libraries = stream->libraries};

    (void)error;
    memcpy(info, &full, info->size < sizeof full ? info->size : sizeof full);
    return DP_OK;
}

static int sync_stream(dp_stream *stream, dp_error *error)
{
    (void)stream;
    (void)error;
    return DP_OK;
}

static int alloc_memory(dp_stream *stream, uint64_t bytes, void **out, dp_error *error)
{
    void *memory = stream->host.alloc(stream->host.user, bytes);

    if (!memory)
        return dpi_fail(error, DP_E_MEMORY, "no memory for %llu bytes", (unsigned long long)bytes);
    *out = memory;
    return DP_OK;
}

static void free_memory(dp_stream *stream, void *memory)
{
    if (memory)
        stream->host.free(stream->host.user, memory);
}

static int copy_bytes(dp_stream *stream, void *to, const void *from, uint64_t bytes, dp_error *error)
{
    (void)stream;
    (void)error;
    memcpy(to, from, bytes);
    return DP_OK;
}

static const dp_backend table = {
    .size = sizeof table,
    .abi = DP_BACKEND_ABI,
    .open = open_stream,
    .close = close_stream,
    .describe = describe,
    .sync = sync_stream,
    .alloc = alloc_memory,
    .free = free_memory,
    .upload = copy_bytes,
    .download = copy_bytes,
    .copy2d = dpi_cpu_copy2d,
    .fill = dpi_cpu_fill,
    .gemm = dpi_cpu_gemm,
    .embed = dpi_cpu_embed,
    .rmsnorm = dpi_cpu_rmsnorm,
    .rope = dpi_cpu_rope,
    .softmax = dpi_cpu_softmax,
    .glu = dpi_cpu_glu,
    .xent = dpi_cpu_xent,
    .axpby = dpi_cpu_axpby,
    .cast = dpi_cpu_cast,
    .reduce = dpi_cpu_reduce,
    .add_rmsnorm = dpi_cpu_add_rmsnorm,
    .qkv_rope = dpi_cpu_qkv_rope,
    .attention = dpi_cpu_attention,
    .linear_xent = dpi_cpu_linear_xent,
    .swiglu = dpi_cpu_swiglu,
};

const dp_backend *dpi_cpu_backend(void)
{
    return &table;
}
