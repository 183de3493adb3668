// A grid of blocks, one block at a time, each thread a fiber: real barriers, real exchanges within a warp.  Shared memory
// is NaN before each block.  A barrier that not all threads reach is a launch failure, as a hang would be.
#include <algorithm>
#include <memory>
#include <random>
#include <sys/mman.h>
#include <ucontext.h>
#include <vector>

#include "cuda/emu/emu.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

extern "C" unsigned char __start_cuemu_shared[] __attribute__((weak));
extern "C" unsigned char __stop_cuemu_shared[] __attribute__((weak));

namespace {

enum { WARP = 32, MOST_THREADS = 1024, STACK = 64 << 10, MOST_SHARED = 48 << 10 };
enum class state { ready, at_barrier, exchanging, done };

struct fiber {
    ucontext_t context;
    state now;
    uint64_t given, received;
    unsigned mask;
    int source;
};

fiber fibers[MOST_THREADS];
ucontext_t scheduler;
int current, count;
const std::function<void()> *body;
alignas(16) unsigned char dynamic_shared[MOST_SHARED];
unsigned char *stacks;
size_t kernels;

void place(int thread)
{
    current = thread;
    threadIdx.x = (unsigned)thread % blockDim.x;
    threadIdx.y = (unsigned)thread / blockDim.x % blockDim.y;
    threadIdx.z = (unsigned)thread / blockDim.x / blockDim.y;
}

void run_thread()
{
    (*body)();
    fibers[current].now = state::done;
    swapcontext(&fibers[current].context, &scheduler);
}

void wait_as(state now)
{
    fibers[current].now = now;
    swapcontext(&fibers[current].context, &scheduler);
}

// Every thread of the block waits at the barrier: let them go.
bool release_barrier()
{
    for (int i = 0; i < count; i++)
        if (fibers[i].now != state::at_barrier)
            return false;
    for (int i = 0; i < count; i++)
        fibers[i].now = state::ready;
    return true;
}

// All lanes that a thread's mask names have come with the same mask: hand the values over, all at once.
bool release_exchange(int thread)
{
    const int first = thread / WARP * WARP;
    const unsigned mask = fibers[thread].mask;

    if (fibers[thread].now != state::exchanging || !(mask >> (thread - first) & 1))
        return false;
    for (int lane = 0; lane < WARP; lane++)
        if ((mask >> lane & 1) && (first + lane >= count || fibers[first + lane].now != state::exchanging ||
                                   fibers[first + lane].mask != mask))
            return false;
    for (int lane = 0; lane < WARP; lane++) {
        fiber &one = fibers[first + lane];
        if (!(mask >> lane & 1))
            continue;
        one.received = mask >> (one.source & 31) & 1 ? fibers[first + (one.source & 31)].given : ~(uint64_t)0;
        one.now = state::ready;
    }
    return true;
}

void begin_thread(fiber &one, unsigned char *stack)
{
    getcontext(&one.context);
    one.context.uc_stack.ss_sp = stack;
    one.context.uc_stack.ss_size = STACK;
    one.context.uc_link = &scheduler;
    one.now = state::ready;
    makecontext(&one.context, run_thread, 0);
}

void begin_block(size_t shared)
{
    std::fill(__start_cuemu_shared, __stop_cuemu_shared, (unsigned char)0xFF);
    std::fill(dynamic_shared, dynamic_shared + shared, (unsigned char)0xFF);
    for (int i = 0; i < count; i++)
        begin_thread(fibers[i], stacks + (size_t)i * STACK);
}

// Run a warp until it is done or all its threads wait at the barrier; nonzero when any thread ran.
bool run_warp(int warp, const std::vector<int> &lanes)
{
    bool any = false;

    for (bool ran = true; ran; any |= ran) {
        ran = false;
        for (const int lane : lanes) {
            const int thread = warp * WARP + lane;
            if (thread >= count)
                continue;
            release_exchange(thread);
            if (fibers[thread].now == state::ready) {
                place(thread);
                swapcontext(&scheduler, &fibers[thread].context);
                ran = true;
            }
        }
    }
    return any;
}

// A warp runs as far ahead of the others as the barriers allow.
bool run_block(const std::vector<int> &warps, const std::vector<int> &lanes)
{
    for (;;) {
        bool ran = false, finished = true;

        for (const int warp : warps)
            ran |= run_warp(warp, lanes);
        for (int i = 0; i < count; i++)
            finished &= fibers[i].now == state::done;
        if (finished)
            return true;
        if (!release_barrier() && !ran)
            return false;
    }
}

void arrange(std::vector<int> &order, cuemu_order how, std::mt19937 &random)
{
    for (size_t i = 0; i < order.size(); i++)
        order[i] = (int)(how == cuemu_order::backward ? order.size() - 1 - i : i);
    if (how == cuemu_order::random)
        std::shuffle(order.begin(), order.end(), random);
}

} // namespace

void __syncthreads(void)
{
    wait_as(state::at_barrier);
}

uint64_t cuemu_exchange(unsigned mask, uint64_t value, int source_lane)
{
    fibers[current].mask = mask;
    fibers[current].given = value;
    fibers[current].source = source_lane;
    wait_as(state::exchanging);
    return fibers[current].received;
}

int cuemu_lane(void)
{
    return current % WARP;
}

void *cuemu_shared_memory(void)
{
    return dynamic_shared;
}

size_t cuemu_kernels_run(void)
{
    return kernels;
}

cudaError_t cuemu_check_config(const cudaLaunchConfig_t &config)
{
    const uint64_t threads = (uint64_t)config.blockDim.x * config.blockDim.y * config.blockDim.z;

    if (threads == 0 || threads > MOST_THREADS || config.gridDim.x == 0 || config.gridDim.x > INT32_MAX ||
        config.gridDim.y != 1 || config.gridDim.z != 1 || config.blockDim.z > 64)
        return cudaErrorInvalidConfiguration;
    return config.dynamicSmemBytes > MOST_SHARED ? cudaErrorInvalidValue : cudaSuccess;
}

cudaError_t cuemu_run_grid(const cudaLaunchConfig_t &config, const std::function<void()> &kernel, cuemu_order how)
{
    static std::mt19937 random(1);
    const unsigned threads = config.blockDim.x * config.blockDim.y * config.blockDim.z;
    std::vector<int> blocks(config.gridDim.x), warps((threads + WARP - 1) / WARP), lanes(WARP);

    if (!stacks)
        stacks = (unsigned char *)mmap(NULL, (size_t)MOST_THREADS * STACK, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stacks == MAP_FAILED)
        return cudaErrorMemoryAllocation;
    body = &kernel;
    gridDim = config.gridDim;
    blockDim = config.blockDim;
    count = (int)threads;
    kernels++;
    arrange(blocks, how, random);
    for (const int block : blocks) {
        blockIdx = {(unsigned)block, 0, 0};
        arrange(warps, how, random);
        arrange(lanes, how, random);
        begin_block(config.dynamicSmemBytes);
        if (!run_block(warps, lanes))
            return cudaErrorLaunchFailure;
    }
    return cudaSuccess;
}
