// Sizes that cannot wrap: each returns 0 on success, nonzero when the result does not fit.
#ifndef DPI_BASE_SIZE_H
#define DPI_BASE_SIZE_H

#if __SIZEOF_POINTER__ != 8
#error "libdepthprune needs a 64-bit machine: models are larger than 4 GiB and are mapped whole"
#endif
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "libdepthprune needs a little-endian machine: weights are used as they lie in their files"
#endif

#include <stddef.h>
#include <stdint.h>

static inline int dpi_mul_size(size_t a, size_t b, size_t *out)
{
    return __builtin_mul_overflow(a, b, out);
}
static inline int dpi_add_size(size_t a, size_t b, size_t *out)
{
    return __builtin_add_overflow(a, b, out);
}
static inline int dpi_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    return __builtin_mul_overflow(a, b, out);
}
static inline int dpi_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    return __builtin_add_overflow(a, b, out);
}
static inline int dpi_mul_i64(int64_t a, int64_t b, int64_t *out)
{
    return __builtin_mul_overflow(a, b, out);
}

#endif
