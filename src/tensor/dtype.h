// Element types: sizes and conversion of rows to f32.
#ifndef DPI_TENSOR_DTYPE_H
#define DPI_TENSOR_DTYPE_H

#include <depthprune/types.h>

typedef struct dpi_dtype {
    int32_t type;
    int32_t block;       // elements in a block
    int32_t block_bytes; // bytes of a block
    int32_t computed;    // 1: kernels take it
    const char *name;    // "q4_1"
} dpi_dtype;

const dpi_dtype *dpi_dtype_of(int32_t type); // NULL when unknown
// Bytes of a row of `columns`; nonzero when columns is not whole blocks or the size does not fit.
int dpi_row_bytes(int32_t type, int64_t columns, uint64_t *bytes);
// `count` elements (whole blocks) from stored form to f32 and back (back: f32, f16, bf16, f64 only).
void dpi_to_f32(int32_t type, const void *from, int64_t count, float *to);
void dpi_from_f32(int32_t type, const float *from, int64_t count, void *to);

#endif
