// The part of CUDA's runtime that the kernels use, for a machine without a GPU: kernels are compiled by the C++ compiler
// and run on fibers (emu.cc).  The emulated machine has three devices, which differ only in what CUDA leaves open:
// device 0 runs threads and blocks forwards and streams at once, device 1 backwards and streams as late as it may,
// device 2 in random order, streams late too.  Memory of a device cannot be touched by the host.
#ifndef CUEMU_CUDA_RUNTIME_H
#define CUEMU_CUDA_RUNTIME_H

#include <functional>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <tuple>
#include <type_traits>

#define CUEMU 1
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __shared__ static __attribute__((section("cuemu_shared")))

struct uint3 {
    unsigned x, y, z;
};

struct dim3 {
    unsigned x, y, z;
    dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

extern uint3 threadIdx, blockIdx; // of the fiber that runs
extern dim3 blockDim, gridDim;

enum cudaError_t {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInvalidConfiguration = 9,
    cudaErrorInvalidDevice = 101,
    cudaErrorInvalidResourceHandle = 400,
    cudaErrorIllegalAddress = 700,
    cudaErrorLaunchFailure = 719
};

enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2 };
enum { cudaStreamNonBlocking = 1 };

typedef struct CUstream_st *cudaStream_t;

struct cudaDeviceProp {
    char name[256];
};

struct cudaLaunchAttribute {
    int id;
};

struct cudaLaunchConfig_t {
    dim3 gridDim, blockDim;
    size_t dynamicSmemBytes;
    cudaStream_t stream;
    cudaLaunchAttribute *attrs;
    unsigned numAttrs;
};

const char *cudaGetErrorString(cudaError_t status);
cudaError_t cudaGetDeviceCount(int *count);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaMallocAsync(void **memory, size_t bytes, cudaStream_t stream);
cudaError_t cudaFreeAsync(void *memory, cudaStream_t stream);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);

void __syncthreads(void);

// Inside of the emulation.
void *cuemu_shared_memory(void);
uint64_t cuemu_exchange(unsigned mask, uint64_t value, int source_lane);
int cuemu_lane(void);
int cuemu_is_device_memory(const void *pointer);
cudaError_t cuemu_launch(const cudaLaunchConfig_t *config, std::function<void()> kernel);
extern "C" size_t cuemu_in_use(void);     // bytes of device memory and streams not given back
extern "C" size_t cuemu_kernels_run(void); // since the start

template <typename T> T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int = 32)
{
    static_assert(sizeof(T) <= sizeof(uint64_t), "one register pair");
    uint64_t bits = 0;

    memcpy(&bits, &value, sizeof value);
    bits = cuemu_exchange(mask, bits, cuemu_lane() ^ lane_mask);
    memcpy(&value, &bits, sizeof value);
    return value;
}

template <typename T> bool cuemu_reachable(const T &argument)
{
    if constexpr (std::is_pointer_v<T>)
        return argument == nullptr || cuemu_is_device_memory((const void *)argument);
    return true;
}

template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t *config, void (*kernel)(Parameters...), Arguments &&...arguments)
{
    const std::tuple<Parameters...> values(arguments...);
    const bool reachable = std::apply([](const auto &...each) { return (cuemu_reachable(each) && ...); }, values);

    if (!reachable) // a host pointer: on hardware the kernel would fault
        return cudaErrorIllegalAddress;
    return cuemu_launch(config, [kernel, values] { std::apply(kernel, values); });
}

#endif
