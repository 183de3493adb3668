// Life and memory of a stream on a GPU, and the table.  Every slot that is filled is whole; the rest come with the GPU
// backend, and until then no plugin is made of this.
#include "cuda/device.h"

#include <new>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int dpc_fail(dp_error *error, int code, const char *operation, const char *format, ...)
{
    va_list args;

    if (!error)
        return code;
    memset(error, 0, sizeof *error);
    error->code = code;
    error->offset = -1;
    snprintf(error->item, sizeof error->item, "%s", operation);
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    return code;
}

int dpc_check(cudaError_t status, const char *operation, dp_error *error)
{
    if (status == cudaSuccess)
        return DP_OK;
    return dpc_fail(error, status == cudaErrorMemoryAllocation ? DP_E_MEMORY : DP_E_BACKEND, operation, "%s (%d)",
                    cudaGetErrorString(status), (int)status);
}

int dpc_begin(dp_stream *stream, const char *operation, dp_error *error)
{
    return dpc_check(cudaSetDevice(stream->device), operation, error);
}

static size_t rounded(size_t bytes)
{
    return (bytes + 255) / 256 * 256;
}

// The memory is the stream's: the copy waits, in its order, for the kernel that read the last arrays.
int dpc_stage(dp_stream *stream, const char *operation, const void *const *arrays, const size_t *bytes, int count,
              void **out, dp_error *error)
{
    size_t all = 0, at = 0;
    int rc = DP_OK;

    for (int i = 0; i < count; i++)
        all += rounded(bytes[i]);
    if (all > stream->staged_bytes) {
        if (stream->staged)
            cudaFreeAsync(stream->staged, stream->queue);
        stream->staged_bytes = 0;
        stream->staged = NULL;
        rc = dpc_check(cudaMallocAsync(&stream->staged, all, stream->queue), operation, error);
        if (rc)
            return rc;
        stream->staged_bytes = all;
    }
    for (int i = 0; i < count && !rc; i++) {
        out[i] = (char *)stream->staged + at;
        at += rounded(bytes[i]);
        // From pageable memory: CUDA has read it when the call returns.
        rc = dpc_check(cudaMemcpyAsync(out[i], arrays[i], bytes[i], cudaMemcpyHostToDevice, stream->queue), operation,
                       error);
    }
    return rc;
}

static int open_stream(const dp_host *host, int32_t device, dp_stream **out, dp_error *error)
{
    cudaDeviceProp properties;
    int devices = 0;
    int rc = dpc_check(cudaGetDeviceCount(&devices), "open", error);

    if (rc)
        return rc;
    if (device < 0 || device >= devices)
        return dpc_fail(error, DP_E_BACKEND, "open", "there is no device %d: this machine has %d", device, devices);
    void *const memory = host->alloc(host->user, sizeof(dp_stream));
    if (!memory)
        return dpc_fail(error, DP_E_MEMORY, "open", "no memory for a stream");
    dp_stream *const stream = new (memory) dp_stream();
    stream->host = *host;
    stream->device = device;
    rc = dpc_begin(stream, "open", error);
    if (!rc)
        rc = dpc_check(cudaGetDeviceProperties(&properties, device), "open", error);
    if (!rc)
        rc = dpc_check(cudaStreamCreateWithFlags(&stream->queue, cudaStreamNonBlocking), "open", error);
    if (rc) {
        host->free(host->user, stream);
        return rc;
    }
    snprintf(stream->name, sizeof stream->name, "%s", properties.name);
    *out = stream;
    return DP_OK;
}

static void close_stream(dp_stream *stream)
{
    const dp_host host = stream->host;

    cudaSetDevice(stream->device);
    if (stream->staged)
        cudaFreeAsync(stream->staged, stream->queue);
    cudaStreamSynchronize(stream->queue);
    cudaStreamDestroy(stream->queue);
    host.free(host.user, stream);
}

static int describe(dp_stream *stream, dp_backend_info *info, dp_error *)
{
    info->name = "cuda";
    info->device = stream->name;
    info->kernels = "one block a row";
    info->libraries = "";
    return DP_OK;
}

static int sync_stream(dp_stream *stream, dp_error *error)
{
    const int rc = dpc_begin(stream, "sync", error);

    return rc ? rc : dpc_check(cudaStreamSynchronize(stream->queue), "sync", error);
}

static int alloc_memory(dp_stream *stream, uint64_t bytes, void **out, dp_error *error)
{
    const int rc = dpc_begin(stream, "alloc", error);

    return rc ? rc : dpc_check(cudaMallocAsync(out, (size_t)bytes, stream->queue), "alloc", error);
}

static void free_memory(dp_stream *stream, void *memory)
{
    if (dpc_begin(stream, "free", NULL) == DP_OK)
        cudaFreeAsync(memory, stream->queue);
}

static int upload(dp_stream *stream, void *to, const void *from, uint64_t bytes, dp_error *error)
{
    const int rc = dpc_begin(stream, "upload", error);

    return rc ? rc : dpc_check(cudaMemcpyAsync(to, from, (size_t)bytes, cudaMemcpyHostToDevice, stream->queue),
                               "upload", error);
}

static int download(dp_stream *stream, void *to, const void *from, uint64_t bytes, dp_error *error)
{
    const int rc = dpc_begin(stream, "download", error);

    if (rc)
        return rc;
    const cudaError_t status = cudaMemcpyAsync(to, from, (size_t)bytes, cudaMemcpyDeviceToHost, stream->queue);
    return dpc_check(status ? status : cudaStreamSynchronize(stream->queue), "download", error);
}

extern "C" const dp_backend *dpc_table(void)
{
    static const dp_backend table = [] {
        dp_backend slots = {};
        slots.size = sizeof slots;
        slots.abi = DP_BACKEND_ABI;
        slots.open = open_stream;
        slots.close = close_stream;
        slots.describe = describe;
        slots.sync = sync_stream;
        slots.alloc = alloc_memory;
        slots.free = free_memory;
        slots.upload = upload;
        slots.download = download;
        slots.rmsnorm = dpc_rmsnorm;
        slots.rope = dpc_rope;
        slots.softmax = dpc_softmax;
        return slots;
    }();
    return &table;
}
