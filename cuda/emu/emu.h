// Between the two halves of the emulation: streams with memory, and grids of threads.
#ifndef CUEMU_EMU_H
#define CUEMU_EMU_H

#include "cuda/emu/cuda_runtime.h"

enum class cuemu_order { forward, backward, random };

cudaError_t cuemu_check_config(const cudaLaunchConfig_t &config);
cudaError_t cuemu_run_grid(const cudaLaunchConfig_t &config, const std::function<void()> &kernel, cuemu_order how);

#endif
