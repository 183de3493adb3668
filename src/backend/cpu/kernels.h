// Kernel sets: one table of functions for each instruction set, chosen when a stream is opened.
#ifndef DPI_BACKEND_CPU_KERNELS_H
#define DPI_BACKEND_CPU_KERNELS_H

#include <stdint.h>

// How to reach an element of a stored matrix.
typedef struct dpi_cpu_rows {
    const unsigned char *data;
    int64_t row_bytes;
    int32_t type, block, block_bytes;
    int32_t reserved;
} dpi_cpu_rows;

// `col` is the first of a block.
static inline const void *dpi_cpu_at(const dpi_cpu_rows *rows, int64_t row, int64_t col)
{
    return rows->data + row * rows->row_bytes + col / rows->block * rows->block_bytes;
}

enum {
    DPI_AHEAD = 5,
    DPI_DOT_ROWS = 4, // rows that `dots` takes
    DPI_FEW_ROWS = 8  // most rows of a product that is made of dots
};

// Where a product tile goes: c = alpha * tile + beta * c + bias; c is not read when beta is 0.
typedef struct dpi_cpu_tile {
    float *c;
    int64_t stride;
    const float *bias;  // of the tile's columns; NULL for none
    const float *ahead; // k * DPI_AHEAD floats that come soon: brought nearer on the way
    int32_t rows, cols;
    float alpha, beta;
} dpi_cpu_tile;

typedef struct dpi_cpu_kernels {
    const char *name;
    int32_t tile_rows, tile_cols;
    int32_t k_block; // the longest k that keeps 112 rows of a in the second level cache; a multiple of 256
    // a: k × tile_rows, b: k × tile_cols, both packed.
    void (*tile)(const float *a, const float *b, int64_t k, const dpi_cpu_tile *out);
    // rows × k to k × width, missing rows zero; may write up to 16 floats past the end.
    void (*pack)(const float *from, int64_t stride, int64_t rows, int64_t k, float *to, int64_t width);
    // The same from k × cols, cols <= width.
    void (*pack_columns)(const float *from, int64_t stride, int64_t k, int64_t cols, float *to, int64_t width);
    // Stored elements, whole blocks, to f32.
    void (*widen)(int32_t type, const void *from, int64_t count, float *to);
    // x += delta (when not NULL), y = x * rstd * weight; returns rstd.
    float (*norm)(float *x, const float *delta, const float *weight, int64_t count, float epsilon, float *y);
    // Rotate pairs (i, i + half) or (2i, 2i + 1); cosines and sines hold `half` values, the latter kind each twice.
    void (*rotate_halves)(float *x, const float *cosines, const float *sines, int64_t half);
    void (*rotate_pairs)(float *x, const float *cosines, const float *sines, int64_t half);
    float (*top)(const float *x, int64_t count, float scale);                 // max of scale * x
    double (*exp_sum)(const float *x, int64_t count, float scale, float top); // sum of e^(scale x - top)
    double (*exp_store)(const float *x, int64_t count, float scale, float top, float *y);
    void (*gate)(int32_t kind, const float *a, const float *b, int64_t count, float *y);
    void (*axpby)(const float *x, float *y, int64_t count, float alpha, float beta); // y not read when beta is 0
    // out[r] = row r of a . row of b, over k elements, for r < rows <= DPI_DOT_ROWS; b is read from its beginning.
    void (*dots)(const dpi_cpu_rows *b, const float *a, int64_t stride, int32_t rows, int64_t k, float *out);
    // From the beginning of data; y only for the kinds of two operands.
    double (*reduce)(int32_t kind, const dpi_cpu_rows *x, const dpi_cpu_rows *y, int64_t count);
} dpi_cpu_kernels;

extern const dpi_cpu_kernels dpi_cpu_portable;
extern const dpi_cpu_kernels dpi_cpu_avx2;
extern const dpi_cpu_kernels dpi_cpu_avx512;

void dpi_cpu_widen_avx2(int32_t type, const void *from, int64_t count, float *to);
void dpi_cpu_widen_avx512(int32_t type, const void *from, int64_t count, float *to);
void dpi_cpu_dots_avx512(const dpi_cpu_rows *b, const float *a, int64_t stride, int32_t rows, int64_t k, float *out);

#endif
