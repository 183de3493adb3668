// Matrix products on packed panels: y = a b, for one a and up to three b, to memory or to a function.
#ifndef DPI_BACKEND_CPU_PRODUCT_H
#define DPI_BACKEND_CPU_PRODUCT_H

#include "backend/cpu/stream.h"

enum {
    DPI_PRODUCT_PARTS = 3,
    DPI_GROUP_COLS = 512, // columns that a sink gets at a time
    DPI_TILE_ROWS = 112   // rows of a task, at most
};

// One b and where its product goes.
typedef struct dpi_cpu_part {
    dp_mat b; // n × k when transposed, else k × n
    float *c; // ignored where a sink is given
    int64_t c_stride, n;
    const float *bias; // n of them, or NULL
} dpi_cpu_part;

// A finished piece: rows row .., columns col .. of part 0 (and, interleaved, those of part 1 at values + half).
typedef struct dpi_cpu_piece {
    const float *values;
    int64_t stride, half;
    int64_t row, rows, col, cols;
} dpi_cpu_piece;

typedef struct dpi_cpu_product {
    dp_mat a; // m × k, or k × m when transposed
    dpi_cpu_part part[DPI_PRODUCT_PARTS];
    int64_t m, k;
    int32_t parts;
    int32_t transpose_a, transpose_b;
    int32_t interleaved; // 1: two parts of equal width whose pieces come together
    float alpha, beta;
    void (*sink)(void *arg, const dpi_cpu_piece *piece);  // on a worker; NULL: to c
    void (*finish)(void *arg, int64_t row, int64_t rows); // on a worker, once these rows of c are done; or NULL
    void *arg;
} dpi_cpu_product;

// Sums over k run in a fixed order for every element, whatever the shape and the threads.
int dpi_cpu_product_run(dp_stream *stream, const dpi_cpu_product *product, dp_error *error);

// alpha a b^T + beta c + bias through the stream's way of multiplying (dpi_cpu_gemm without batches).
int dpi_cpu_linear(dp_stream *stream, const dp_mat *x, const dp_mat *weight, const dp_mat *bias, const dp_mat *y,
                   dp_error *error);

#endif
