// One number a row, accumulated in double; stored types are widened a piece at a time.
#include <string.h>

#include "backend/cpu/stream.h"

enum { SEGMENT = 65536 }; // a longer row is cut into these, and their results are combined in order

typedef struct reduction {
    const dp_stream *stream;
    const dp_reduce_args *args;
    dpi_cpu_rows x, y;
    int64_t segments; // of a row
    double *parts;    // rows × segments
} reduction;

static double combine(int32_t kind, double a, double b)
{
    if (kind == DP_REDUCTION_MAX)
        return a > b ? a : b;
    return a + b;
}

static dpi_cpu_rows from_element(const dpi_cpu_rows *rows, int64_t row, int64_t col)
{
    dpi_cpu_rows at = *rows;

    at.data = dpi_cpu_at(rows, row, col);
    return at;
}

static double reduce_segment(const reduction *r, int64_t row, int64_t first, int64_t end)
{
    const dpi_cpu_rows x = from_element(&r->x, row, first);
    const dpi_cpu_rows y = r->args->y.data ? from_element(&r->y, row, first) : x;

    return r->stream->kernels->reduce(r->args->kind, &x, &y, end - first);
}

static void reduce_segments(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const reduction *r = arg;
    const int64_t cols = r->args->x.cols;

    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        const int64_t first = i % r->segments * SEGMENT;

        r->parts[i] = reduce_segment(r, i / r->segments, first, first + SEGMENT < cols ? first + SEGMENT : cols);
    }
}

int dpi_cpu_reduce(dp_stream *stream, const dp_reduce_args *args, dp_error *error)
{
    const int64_t rows = args->x.rows, segments = (args->x.cols + SEGMENT - 1) / SEGMENT;
    reduction r = {.stream = stream, .args = args, .x = dpi_cpu_rows_of(&args->x), .segments = segments};
    void *parts;

    if (args->y.data)
        r.y = dpi_cpu_rows_of(&args->y);
    if (r.x.type == DP_F64 || r.y.type == DP_F64)
        return dpi_fail(error, DP_E_UNSUPPORTED, "cpu reduce takes f32, f16, bf16 and block types, not f64");
    int rc = dpi_cpu_scratch_get(stream, DPI_SCRATCH_ROWS, (uint64_t)rows * (uint64_t)segments * sizeof(double),
                                 &parts, error);
    if (rc)
        return rc;
    r.parts = parts;
    rc = dpi_cpu_parallel(stream, rows * segments, dpi_cpu_grain(args->x.cols), reduce_segments, &r, error);
    for (int64_t row = 0; row < rows && !rc; row++) {
        double result = r.parts[row * segments];

        for (int64_t s = 1; s < segments; s++)
            result = combine(args->kind, result, r.parts[row * segments + s]);
        ((double *)args->result.data)[row * args->result.stride] = result;
    }
    return rc;
}
