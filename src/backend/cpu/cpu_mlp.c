// y = gate(a) * b, and swiglu: y = gate(x Wg^T) * (x Wu^T) without storing the two products.
#include "backend/cpu/product.h"

typedef struct gating {
    const dp_stream *stream;
    const dp_glu_args *args;
} gating;

static void gate_rows(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const gating *g = arg;

    (void)worker;
    for (int64_t r = begin; r < end; r++)
        g->stream->kernels->gate(g->args->gate, dpi_cpu_f32(&g->args->a, r), dpi_cpu_f32(&g->args->b, r),
                                 g->args->y.cols, dpi_cpu_f32(&g->args->y, r));
}

int dpi_cpu_glu(dp_stream *stream, const dp_glu_args *args, dp_error *error)
{
    gating g = {.stream = stream, .args = args};
    const dp_mat *const activations[] = {&args->a, &args->b, &args->y};
    const int rc = dpi_cpu_want_f32("glu", activations, 3, error);

    return rc ? rc : dpi_cpu_parallel(stream, args->y.rows, dpi_cpu_grain(args->y.cols), gate_rows, &g, error);
}

typedef struct gated_product {
    const dp_stream *stream;
    const dp_swiglu_args *args;
} gated_product;

static void gate_piece(void *arg, const dpi_cpu_piece *piece)
{
    const gated_product *g = arg;

    for (int64_t r = 0; r < piece->rows; r++) {
        const float *gate = piece->values + r * piece->stride;

        g->stream->kernels->gate(g->args->gate, gate, gate + piece->half, piece->cols,
                                 dpi_cpu_f32(&g->args->y, piece->row + r) + piece->col);
    }
}

static int swiglu_native(dp_stream *stream, const dp_swiglu_args *args, dp_error *error)
{
    gated_product g = {.stream = stream, .args = args};
    const dpi_cpu_product product = {
        .a = args->x,
        .part = {{.b = args->gate_weight, .n = args->y.cols}, {.b = args->up_weight, .n = args->y.cols}},
        .m = args->x.rows,
        .k = args->x.cols,
        .parts = 2,
        .transpose_b = 1,
        .interleaved = 1,
        .alpha = 1,
        .sink = gate_piece,
        .arg = &g};

    return dpi_cpu_product_run(stream, &product, error);
}

enum { ROWS_AT_ONCE = 1024 };

static int swiglu_openblas(dp_stream *stream, const dp_swiglu_args *args, dp_error *error)
{
    const int64_t rows = args->x.rows < ROWS_AT_ONCE ? args->x.rows : ROWS_AT_ONCE;
    void *space;
    int rc = dpi_cpu_scratch_get(stream, DPI_SCRATCH_HELD, (uint64_t)rows * (uint64_t)args->y.cols * sizeof(float),
                                 &space, error);

    for (int64_t r = 0; r < args->x.rows && !rc; r += ROWS_AT_ONCE) {
        const int64_t count = args->x.rows - r < ROWS_AT_ONCE ? args->x.rows - r : ROWS_AT_ONCE;
        const dp_mat up = {.data = space, .rows = count, .cols = args->y.cols, .stride = args->y.cols};
        dp_mat x = args->x, y = args->y;

        x.data = dpi_cpu_f32(&args->x, r);
        y.data = dpi_cpu_f32(&args->y, r);
        x.rows = y.rows = count;
        rc = dpi_cpu_linear(stream, &x, &args->up_weight, NULL, &up, error);
        if (!rc)
            rc = dpi_cpu_linear(stream, &x, &args->gate_weight, NULL, &y, error);
        if (!rc)
            rc = dpi_cpu_glu(stream, &(dp_glu_args){.a = y, .b = up, .y = y, .gate = args->gate}, error);
    }
    return rc;
}

int dpi_cpu_swiglu(dp_stream *stream, const dp_swiglu_args *args, dp_error *error)
{
    const dp_mat *const activations[] = {&args->x, &args->y};
    const int rc = dpi_cpu_want_f32("swiglu", activations, 2, error);

    if (rc)
        return rc;
    return stream->openblas ? swiglu_openblas(stream, args, error) : swiglu_native(stream, args, error);
}
