// The CPU backend: packed matrix products and vector kernels by instruction set, else OpenBLAS.
#ifndef DPI_BACKEND_CPU_CPU_H
#define DPI_BACKEND_CPU_CPU_H

#include <depthprune/sys/backend.h>

const dp_backend *dpi_cpu_backend(void);

#endif
