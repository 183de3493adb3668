// What every kernel file shares: the stream, errors, the one launch, element types, and sums over a block.
// Compiled by nvcc, or by a C++ compiler with cuda/emu in front of the include path.
#ifndef DPC_DEVICE_H
#define DPC_DEVICE_H

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <depthprune/sys/backend.h>

enum { DPC_WARP = 32, DPC_THREADS = 256 };

struct dp_stream {
    dp_host host;
    cudaStream_t queue;
    int device;
    void *staged; // device memory for arrays that lie on the host; grows
    size_t staged_bytes;
    char name[256];
};

int dpc_fail(dp_error *error, int code, const char *operation, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// DP_OK, or DP_E_MEMORY / DP_E_BACKEND with CUDA's words.
int dpc_check(cudaError_t status, const char *operation, dp_error *error);
// A slot may be called from any host thread: make the stream's device that thread's current one.
int dpc_begin(dp_stream *stream, const char *operation, dp_error *error);
// Copies of host arrays on the device, in the order of the stream.  The arrays may be reused when it returns.
int dpc_stage(dp_stream *stream, const char *operation, const void *const *arrays, const size_t *bytes, int count,
              void **out, dp_error *error);

int dpc_rmsnorm(dp_stream *stream, const dp_rmsnorm_args *args, dp_error *error);
int dpc_rope(dp_stream *stream, const dp_rope_args *args, dp_error *error);
int dpc_softmax(dp_stream *stream, const dp_softmax_args *args, dp_error *error);

extern "C" const dp_backend *dpc_table(void);

// Elements are computed with in f32, whatever their type.
__host__ __device__ inline float dpc_read(const float *from) { return *from; }
__host__ __device__ inline float dpc_read(const __half *from) { return __half2float(*from); }
__host__ __device__ inline float dpc_read(const __nv_bfloat16 *from) { return __bfloat162float(*from); }
__host__ __device__ inline void dpc_write(float *to, float value) { *to = value; }
__host__ __device__ inline void dpc_write(__half *to, float value) { *to = __float2half_rn(value); }
__host__ __device__ inline void dpc_write(__nv_bfloat16 *to, float value) { *to = __float2bfloat16_rn(value); }

// call(T()) with the C++ type of an element type; DP_E_UNSUPPORTED for the others.
template <typename Call> int dpc_by_type(int32_t type, const char *operation, dp_error *error, Call call)
{
    if (type == DP_F32)
        return call(float());
    if (type == DP_F16)
        return call(__half());
    if (type == DP_BF16)
        return call(__nv_bfloat16());
    return dpc_fail(error, DP_E_UNSUPPORTED, operation, "element type %d is not built for this device", (int)type);
}

// Rows in the grid's x, which reaches 2^31 - 1.
template <typename... Parameters, typename... Arguments>
int dpc_launch(dp_stream *stream, const char *operation, dp_error *error, int64_t blocks, size_t shared,
               void (*kernel)(Parameters...), Arguments... arguments)
{
    cudaLaunchConfig_t config = {};

    if (blocks > INT32_MAX)
        return dpc_fail(error, DP_E_UNSUPPORTED, operation, "%lld rows, at most 2147483647", (long long)blocks);
    config.gridDim = dim3((unsigned)blocks);
    config.blockDim = dim3(DPC_THREADS);
    config.dynamicSmemBytes = shared;
    config.stream = stream->queue;
    return dpc_check(cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...), operation, error);
}

// The block's dynamic shared memory as an array of T.
#ifdef CUEMU
#define DPC_SHARED(T, name) T *const name = (T *)cuemu_shared_memory()
#else
#define DPC_SHARED(T, name)                                                                                          \
    extern __shared__ __align__(16) unsigned char dpc_shared_bytes[];                                                \
    T *const name = (T *)dpc_shared_bytes
#endif

__device__ inline float dpc_add(float a, float b) { return a + b; }
__device__ inline float dpc_larger(float a, float b) { return fmaxf(a, b); }

// `value` of all threads of the block combined in a fixed order, the same result in every thread.  `exchange` has
// DPC_WARP elements of shared memory and may be used again at once.
template <float (*combine)(float, float)> __device__ float dpc_over_block(float value, float *exchange)
{
    const int warps = (int)blockDim.x / DPC_WARP;

    for (int step = DPC_WARP / 2; step > 0; step /= 2)
        value = combine(value, __shfl_xor_sync(0xFFFFFFFFU, value, step));
    if (threadIdx.x % DPC_WARP == 0)
        exchange[threadIdx.x / DPC_WARP] = value;
    __syncthreads();
    value = exchange[0];
    for (int warp = 1; warp < warps; warp++)
        value = combine(value, exchange[warp]);
    __syncthreads(); // the next use would overwrite what a slow warp still reads
    return value;
}

#endif
