// c = alpha * op(a) op(b) + beta * c (+ bias), by our packed product or by OpenBLAS on operands widened to f32.
#include <cblas.h>
#include <limits.h>
#include <string.h>

#include "backend/cpu/product.h"

typedef struct widening {
    const dp_stream *stream;
    dpi_cpu_rows rows;
    int64_t cols;
    float *to;
} widening;

static void widen_rows(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const widening *w = arg;

    (void)worker;
    for (int64_t r = begin; r < end; r++)
        w->stream->kernels->widen(w->rows.type, dpi_cpu_at(&w->rows, r, 0), w->cols, w->to + r * w->cols);
}

// `matrix` as f32: itself, or a copy in scratch (also of f32 that a mapped file does not align).
static int as_f32(dp_stream *stream, int use, dp_mat *matrix, dp_error *error)
{
    widening w = {.stream = stream, .rows = dpi_cpu_rows_of(matrix), .cols = matrix->cols};
    void *space;

    if (matrix->type == DP_F32 && (uintptr_t)matrix->data % sizeof(float) == 0)
        return DP_OK;
    int rc = dpi_cpu_scratch_get(stream, use, (uint64_t)matrix->rows * (uint64_t)matrix->cols * sizeof(float),
                                 &space, error);
    if (rc)
        return rc;
    w.to = space;
    rc = dpi_cpu_parallel(stream, matrix->rows, dpi_cpu_grain(matrix->cols), widen_rows, &w, error);
    *matrix = (dp_mat){.data = space, .rows = matrix->rows, .cols = matrix->cols, .stride = matrix->cols};
    return rc;
}

static void step(dp_mat *matrix, int64_t elements)
{
    const dpi_cpu_rows rows = dpi_cpu_rows_of(matrix);

    matrix->data = (unsigned char *)matrix->data + elements / rows.block * rows.block_bytes;
}

static int multiply_native(dp_stream *stream, const dp_gemm_args *args, const float *bias, dp_error *error)
{
    dpi_cpu_product product = {.a = args->a,
                               .m = args->c.rows,
                               .k = args->transpose_a ? args->a.rows : args->a.cols,
                               .parts = 1,
                               .transpose_a = args->transpose_a,
                               .transpose_b = args->transpose_b,
                               .alpha = args->alpha,
                               .beta = args->beta};

    product.part[0] = (dpi_cpu_part){
        .b = args->b, .c = args->c.data, .c_stride = args->c.stride, .n = args->c.cols, .bias = bias};
    int rc = args->transpose_a ? as_f32(stream, DPI_SCRATCH_FIRST, &product.a, error) : DP_OK;
    if (!rc && !args->transpose_b)
        rc = as_f32(stream, DPI_SCRATCH_SECOND, &product.part[0].b, error);
    return rc ? rc : dpi_cpu_product_run(stream, &product, error);
}

static void add_bias(const dp_stream *stream, const dp_mat *c, const float *bias)
{
    for (int64_t r = 0; r < c->rows; r++)
        stream->kernels->axpby(bias, dpi_cpu_f32(c, r), c->cols, 1, 1);
}

static int fits_openblas(const dp_gemm_args *args)
{
    return args->c.rows <= INT_MAX && args->c.cols <= INT_MAX && args->a.rows <= INT_MAX &&
           args->a.cols <= INT_MAX && args->a.stride <= INT_MAX && args->b.stride <= INT_MAX &&
           args->c.stride <= INT_MAX;
}

// A slice of c's columns is multiplied at a time, so that a widened b stays small.
enum { SLICE = 4096 };

static int multiply_openblas(dp_stream *stream, const dp_gemm_args *args, const float *bias, dp_error *error)
{
    dp_mat a = args->a;
    int rc = as_f32(stream, DPI_SCRATCH_FIRST, &a, error);

    for (int64_t col = 0; col < args->c.cols && !rc; col += SLICE) {
        const int64_t cols = args->c.cols - col < SLICE ? args->c.cols - col : SLICE;
        dp_mat b = args->b, c = args->c;

        if (args->transpose_b) {
            step(&b, col * b.stride);
            b.rows = cols;
        }
        rc = as_f32(stream, DPI_SCRATCH_SECOND, &b, error);
        if (rc)
            return rc;
        if (!args->transpose_b)
            b.data = (float *)b.data + col;
        c.data = (float *)c.data + col;
        c.cols = cols;
        cblas_sgemm(CblasRowMajor, args->transpose_a ? CblasTrans : CblasNoTrans,
                    args->transpose_b ? CblasTrans : CblasNoTrans, (int)c.rows, (int)cols,
                    (int)(args->transpose_a ? a.rows : a.cols), args->alpha, a.data, (int)a.stride, b.data,
                    (int)b.stride, args->beta, c.data, (int)c.stride);
        if (bias)
            add_bias(stream, &c, bias + col);
    }
    return rc;
}

int dpi_cpu_gemm(dp_stream *stream, const dp_gemm_args *args, dp_error *error)
{
    const int by_openblas = stream->openblas && fits_openblas(args);
    const float *bias = NULL;
    const dp_mat *const activations[] = {&args->a, &args->c};
    dp_gemm_args one = *args;
    int rc = dpi_cpu_want_f32("gemm", activations, 2, error);

    if (!rc)
        rc = dpi_cpu_vector(stream, &args->bias, &bias, error);

    for (int64_t i = 0; i < args->batch && !rc; i++) {
        rc =
            by_openblas ? multiply_openblas(stream, &one, bias, error) : multiply_native(stream, &one, bias, error);
        step(&one.a, args->a_step);
        step(&one.b, args->b_step);
        step(&one.c, args->c_step);
    }
    return rc;
}

int dpi_cpu_linear(dp_stream *stream, const dp_mat *x, const dp_mat *weight, const dp_mat *bias, const dp_mat *y,
                   dp_error *error)
{
    const dp_gemm_args args = {.a = *x,
                               .b = *weight,
                               .c = *y,
                               .bias = bias ? *bias : (dp_mat){0},
                               .batch = 1,
                               .alpha = 1,
                               .transpose_b = 1};

    return dpi_cpu_gemm(stream, &args, error);
}
