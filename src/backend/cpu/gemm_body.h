// Product kernels, compiled once for each instruction set after its vector header:
// a tile of TILE_ROWS × (TILE_VECTORS * LANES) held in registers, and packing by transposition.
#ifndef DPI_BACKEND_CPU_GEMM_BODY_H
#define DPI_BACKEND_CPU_GEMM_BODY_H

#include "backend/cpu/kernels.h"
#include "backend/cpu/unroll.h"

enum { TILE_COLS = TILE_VECTORS * LANES };

static inline void store_whole(const dpi_cpu_tile *out, float *c, int column, vec value)
{
    const float *bias = out->bias;

    value = vec_mul(value, vec_set(out->alpha));
    if (bias)
        value = vec_add(value, vec_load(bias + column));
    if (out->beta != 0)
        value = vec_fma(vec_load(c + column), vec_set(out->beta), value);
    vec_store(c + column, value);
}

static inline void store_part(const dpi_cpu_tile *out, float *c, int column, vec value)
{
    const int64_t left = out->cols - column;

    if (left <= 0)
        return;
    value = vec_mul(value, vec_set(out->alpha));
    if (out->bias)
        value = vec_add(value, vec_load_part(out->bias + column, left, 0));
    if (out->beta != 0)
        value = vec_fma(vec_load_part(c + column, left, 0), vec_set(out->beta), value);
    vec_store_part(c + column, left, value);
}

// The sums of one element run over k in order, whatever the tile's size.
static inline __attribute__((always_inline)) void tile_of(const int rows, const float *a, const float *b, int64_t k,
                                                          const dpi_cpu_tile *out)
{
    const float *ahead = out->ahead;
    vec sum[TILE_ROWS][TILE_VECTORS];

    UNROLL
    for (int r = 0; r < rows; r++)
        UNROLL
        for (int v = 0; v < TILE_VECTORS; v++) {
            sum[r][v] = vec_set(0);
            __builtin_prefetch(out->c + r * out->stride + v * LANES, 1);
        }
    for (int64_t i = 0; i < k; i++) {
        vec column[TILE_VECTORS];

        __builtin_prefetch(ahead + DPI_AHEAD * i, 0, 2); // into the second level
        __builtin_prefetch(a + 16 * TILE_ROWS);          // into the first
        for (int v = 0; v < TILE_COLS; v += 16)
            __builtin_prefetch(b + 8 * TILE_COLS + v);
        UNROLL
        for (int v = 0; v < TILE_VECTORS; v++)
            column[v] = vec_load(b + v * LANES);
        UNROLL
        for (int r = 0; r < rows; r++) {
            const vec left = vec_set(a[r]);

            UNROLL
            for (int v = 0; v < TILE_VECTORS; v++)
                sum[r][v] = vec_fma(left, column[v], sum[r][v]);
        }
        a += TILE_ROWS;
        b += TILE_COLS;
    }
    UNROLL
    for (int r = 0; r < rows; r++)
        UNROLL
        for (int v = 0; v < TILE_VECTORS; v++) {
            float *c = out->c + r * out->stride;

            if (r >= out->rows)
                continue;
            if (out->cols - v * LANES >= LANES)
                store_whole(out, c, v * LANES, sum[r][v]);
            else
                store_part(out, c, v * LANES, sum[r][v]);
        }
}

static void tile(const float *a, const float *b, int64_t k, const dpi_cpu_tile *out)
{
    if (out->rows == 1)
        tile_of(1, a, b, k, out);
    else if (out->rows == 2)
        tile_of(2, a, b, k, out);
    else if (out->rows <= 4)
        tile_of(4, a, b, k, out);
    else if (TILE_ROWS > 8 && out->rows <= 8)
        tile_of(TILE_ROWS > 8 ? 8 : 1, a, b, k, out);
    else
        tile_of(TILE_ROWS, a, b, k, out);
}

static inline vec load_row(const float *from, int64_t left)
{
    return left >= LANES ? vec_load(from) : vec_load_part(from, left, 0);
}

// Up to LANES rows to columns `width` apart.  A column's spare lanes are overwritten by the next one.
static void pack_rest(const float *from, int64_t stride, int64_t rows, int64_t k, float *to, int64_t width)
{
    vec block[LANES];

    for (int64_t i = 0; i < k; i += LANES) {
        const int64_t left = k - i;

        for (int r = 0; r < LANES; r++)
            block[r] = r < rows ? load_row(from + r * stride + i, left) : vec_set(0);
        vec_transpose(block);
        for (int64_t c = 0; c < LANES && c < left; c++)
            vec_store(to + (i + c) * width, block[c]);
    }
}

// The same for a number of rows known when compiled, so that the block stays in registers.
static inline __attribute__((always_inline)) void pack_rows(const int rows, const float *from, int64_t stride,
                                                            int64_t k, float *to, int64_t width)
{
    const int64_t whole = k / LANES * LANES;
    vec block[LANES];

    for (int64_t i = 0; i < whole; i += LANES) {
        UNROLL
        for (int r = 0; r < LANES; r++)
            block[r] = r < rows ? vec_load(from + r * stride + i) : vec_set(0);
        vec_transpose(block);
        UNROLL
        for (int c = 0; c < LANES; c++)
            vec_store(to + (i + c) * width, block[c]);
    }
    pack_rest(from + whole, stride, rows, k - whole, to + whole * width, width);
}

// width is a multiple of LANES, or less than LANES: spare lanes never run into another group.
static void pack(const float *from, int64_t stride, int64_t rows, int64_t k, float *to, int64_t width)
{
    for (int64_t first = 0; first < width; first += LANES) {
        const float *group = from + first * stride;
        const int64_t left = rows - first;

        if (left >= LANES)
            pack_rows(LANES, group, stride, k, to + first, width);
        else if (left == TILE_ROWS)
            pack_rows(TILE_ROWS, group, stride, k, to + first, width);
        else
            pack_rest(group, stride, left, k, to + first, width);
    }
}

// A column's spare lanes are overwritten by the next one.
static void pack_columns(const float *from, int64_t stride, int64_t k, int64_t cols, float *to, int64_t width)
{
    if (cols == TILE_COLS && width == TILE_COLS) {
        for (int64_t i = 0; i < k; i++, from += stride, to += TILE_COLS)
            UNROLL
            for (int v = 0; v < TILE_VECTORS; v++)
                vec_store(to + v * LANES, vec_load(from + v * LANES));
        return;
    }
    for (int64_t i = 0; i < k; i++, from += stride, to += width)
        for (int64_t c = 0; c < width; c += LANES)
            vec_store(to + c, cols > c ? load_row(from + c, cols - c) : vec_set(0));
}

#endif
