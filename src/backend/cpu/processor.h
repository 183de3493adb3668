// What this processor is and which kernel sets it runs.
#ifndef DPI_BACKEND_CPU_PROCESSOR_H
#define DPI_BACKEND_CPU_PROCESSOR_H

#include <depthprune/types.h>
#include <stddef.h>

#include "backend/cpu/kernels.h"

// The set for DP_KERNELS_*; DP_E_BACKEND naming it when this processor (or build) cannot run it.
int dpi_cpu_kernels_choose(int32_t asked, const dpi_cpu_kernels **out, dp_error *error);
void dpi_cpu_processor_name(char *text, size_t size);

#endif
