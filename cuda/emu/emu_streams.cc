// Devices, streams and device memory of the emulation.  Memory lies in one region that only kernels and copies may touch;
// it is NaN when new and when freed, with a margin between blocks that is looked at when they are freed.
#include <deque>
#include <map>
#include <stdio.h>
#include <sys/mman.h>
#include <vector>

#include "cuda/emu/emu.h"

struct CUstream_st {
    int device;
    bool late;
    std::deque<std::function<cudaError_t()>> queue;
};

namespace {

enum { DEVICES = 3, MARGIN = 256 };
const size_t region_bytes = (size_t)256 << 20;

unsigned char *region;
std::map<unsigned char *, size_t> blocks; // by address
thread_local int current_device;
cudaError_t broken = cudaSuccess; // after a failed kernel every call fails, as on hardware
size_t streams;

// The region may be touched as long as one lives.
struct door {
    door() { mprotect(region, region_bytes, PROT_READ | PROT_WRITE); }
    ~door() { mprotect(region, region_bytes, PROT_NONE); }
};

bool make_region()
{
    if (!region) {
        void *const memory = mmap(NULL, region_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        region = memory == MAP_FAILED ? NULL : (unsigned char *)memory;
    }
    return region != NULL;
}

size_t padded(size_t bytes)
{
    return (bytes + MARGIN - 1) / MARGIN * MARGIN + MARGIN;
}

unsigned char *find_room(size_t bytes)
{
    unsigned char *at = region;

    for (const auto &block : blocks) {
        if (at + padded(bytes) <= block.first)
            return at;
        at = block.first + padded(block.second);
    }
    return at + padded(bytes) <= region + region_bytes ? at : NULL;
}

// [from, from + bytes) lies within one block.
bool within_a_block(const void *from, size_t bytes)
{
    const unsigned char *const first = (const unsigned char *)from;
    auto next = blocks.upper_bound((unsigned char *)const_cast<void *>(from));

    if (next == blocks.begin())
        return false;
    --next;
    return first >= next->first && bytes <= next->second && first - next->first <= (ptrdiff_t)(next->second - bytes);
}

cudaError_t run(const std::function<cudaError_t()> &work)
{
    if (!broken)
        broken = work();
    return broken;
}

cudaError_t drain(cudaStream_t stream)
{
    while (!stream->queue.empty()) {
        run(stream->queue.front());
        stream->queue.pop_front();
    }
    return broken;
}

cudaError_t submit(cudaStream_t stream, std::function<cudaError_t()> work)
{
    if (broken)
        return broken;
    if (!stream || stream->device != current_device)
        return cudaErrorInvalidResourceHandle;
    if (!stream->late)
        return run(work);
    stream->queue.push_back(std::move(work));
    return cudaSuccess;
}

cudaError_t release(unsigned char *memory)
{
    const auto found = blocks.find(memory);
    const door open;

    if (found == blocks.end())
        return cudaErrorInvalidValue;
    for (size_t i = found->second; i < padded(found->second); i++)
        if (memory[i] != 0xFF) {
            fprintf(stderr, "cuemu: a kernel wrote %zu bytes behind a block of %zu\n", i - found->second,
                    found->second);
            return cudaErrorIllegalAddress;
        }
    memset(memory, 0xFF, found->second);
    blocks.erase(found);
    return cudaSuccess;
}

} // namespace

int cuemu_is_device_memory(const void *pointer)
{
    return within_a_block(pointer, 0);
}

size_t cuemu_in_use(void)
{
    size_t bytes = streams;

    for (const auto &block : blocks)
        bytes += block.second;
    return bytes;
}

cudaError_t cuemu_launch(const cudaLaunchConfig_t *config, std::function<void()> kernel)
{
    static const cuemu_order orders[DEVICES] = {cuemu_order::forward, cuemu_order::backward, cuemu_order::random};
    const cudaLaunchConfig_t copy = *config;
    const cudaError_t status = cuemu_check_config(copy);

    if (status)
        return status;
    return submit(config->stream, [copy, kernel] {
        const door open;
        return cuemu_run_grid(copy, kernel, orders[copy.stream->device]);
    });
}

const char *cudaGetErrorString(cudaError_t status)
{
    switch (status) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidConfiguration: return "invalid configuration argument";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorInvalidResourceHandle: return "invalid resource handle";
    case cudaErrorIllegalAddress: return "an illegal memory access was encountered";
    default: return "unspecified launch failure";
    }
}

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = DEVICES;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device)
{
    static const char *const names[DEVICES] = {"emulation, forwards, streams at once",
                                               "emulation, backwards, streams late",
                                               "emulation, random order, streams late"};

    if (device < 0 || device >= DEVICES)
        return cudaErrorInvalidDevice;
    snprintf(properties->name, sizeof properties->name, "%s", names[device]);
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device)
{
    if (device < 0 || device >= DEVICES)
        return cudaErrorInvalidDevice;
    current_device = device;
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned)
{
    if (!make_region())
        return cudaErrorMemoryAllocation;
    *stream = new CUstream_st{current_device, current_device > 0, {}};
    streams++;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    return drain(stream);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    drain(stream);
    streams--;
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaMallocAsync(void **memory, size_t bytes, cudaStream_t)
{
    unsigned char *const at = bytes <= region_bytes / 2 ? find_room(bytes) : NULL;

    if (broken || !at)
        return broken ? broken : cudaErrorMemoryAllocation;
    const door open;
    memset(at, 0xFF, padded(bytes));
    blocks[at] = bytes;
    *memory = at;
    return cudaSuccess;
}

cudaError_t cudaFreeAsync(void *memory, cudaStream_t stream)
{
    return submit(stream, [memory] { return release((unsigned char *)memory); });
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream)
{
    const bool up = kind == cudaMemcpyHostToDevice;

    if (!within_a_block(up ? to : from, bytes) || within_a_block(up ? from : to, 0))
        return cudaErrorInvalidValue;
    if (up) { // pageable memory: read now, written in the stream's order
        const std::vector<char> copy((const char *)from, (const char *)from + bytes);
        return submit(stream, [to, copy] {
            const door open;
            memcpy(to, copy.data(), copy.size());
            return cudaSuccess;
        });
    }
    const cudaError_t status = submit(stream, [to, from, bytes] {
        const door open;
        memcpy(to, from, bytes);
        return cudaSuccess;
    });
    return status ? status : drain(stream);
}
