// Loops that must be unrolled whole for their arrays to live in registers.
#ifndef DPI_BACKEND_CPU_UNROLL_H
#define DPI_BACKEND_CPU_UNROLL_H

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#endif
