// Element by element: y = gate(a) * b; y = alpha x + beta y; y = x in another type; table rows; and sums of rows.
#include <math.h>

#include "backend/ref/ref_rows.h"

enum { ROWS = 16 }; // of one task

static double gate_of(int32_t gate, double a)
{
    const double root = 0.79788456080286535588; // sqrt(2 / pi)

    if (gate == DP_GATE_SILU)
        return a / (1 + exp(-a));
    return 0.5 * a * (1 + tanh(root * (a + 0.044715 * a * a * a)));
}

static void glu_rows(const void *args, int64_t begin, int64_t end, double *scratch)
{
    const dp_glu_args *a = args;
    const int64_t cols = a->y.cols;
    double *gated = scratch, *factor = scratch + cols;

    for (int64_t r = begin; r < end; r++) {
        dpi_ref_load(&a->a, r, 0, cols, gated);
        dpi_ref_load(&a->b, r, 0, cols, factor);
        for (int64_t c = 0; c < cols; c++)
            gated[c] = gate_of(a->gate, gated[c]) * factor[c];
        dpi_ref_store(&a->y, r, 0, cols, gated);
    }
}

int dpi_ref_glu(dp_stream *stream, const dp_glu_args *args, dp_error *error)
{
    const dpi_ref_job job = {glu_rows, args, args->y.rows, ROWS, 2 * args->y.cols};

    return dpi_ref_run(stream, "glu", &job, error);
}

static void axpby_rows(const void *args, int64_t begin, int64_t end, double *scratch)
{
    const dp_axpby_args *a = args;
    const int64_t cols = a->y.cols;
    double *x = scratch, *y = scratch + cols;

    for (int64_t r = begin; r < end; r++) {
        dpi_ref_load(&a->x, r, 0, cols, x);
        if (a->beta != 0) // y is not read otherwise: it may hold anything
            dpi_ref_load(&a->y, r, 0, cols, y);
        for (int64_t c = 0; c < cols; c++)
            x[c] = (double)a->alpha * x[c] + (a->beta != 0 ? (double)a->beta * y[c] : 0);
        dpi_ref_store(&a->y, r, 0, cols, x);
    }
}

int dpi_ref_axpby(dp_stream *stream, const dp_axpby_args *args, dp_error *error)
{
    const dpi_ref_job job = {axpby_rows, args, args->y.rows, ROWS, 2 * args->y.cols};

    return dpi_ref_run(stream, "axpby", &job, error);
}

static void cast_rows(const void *args, int64_t begin, int64_t end, double *scratch)
{
    const dp_cast_args *a = args;

    for (int64_t r = begin; r < end; r++) {
        dpi_ref_load(&a->x, r, 0, a->y.cols, scratch);
        dpi_ref_store(&a->y, r, 0, a->y.cols, scratch);
    }
}

int dpi_ref_cast(dp_stream *stream, const dp_cast_args *args, dp_error *error)
{
    const dpi_ref_job job = {cast_rows, args, args->y.rows, ROWS, args->y.cols};

    return dpi_ref_run(stream, "cast", &job, error);
}

static void embed_rows(const void *args, int64_t begin, int64_t end, double *scratch)
{
    const dp_embed_args *a = args;

    for (int64_t r = begin; r < end; r++) {
        dpi_ref_load(&a->table, a->ids[r], 0, a->y.cols, scratch);
        dpi_ref_store(&a->y, r, 0, a->y.cols, scratch);
    }
}

int dpi_ref_embed(dp_stream *stream, const dp_embed_args *args, dp_error *error)
{
    const dpi_ref_job job = {embed_rows, args, args->y.rows, ROWS, args->y.cols};

    return dpi_ref_run(stream, "embed", &job, error);
}

static double reduced(int32_t kind, const double *x, const double *y, int64_t count)
{
    double total = kind == DP_REDUCTION_MAX ? x[0] : 0;

    for (int64_t c = 0; c < count; c++)
        switch (kind) {
        case DP_REDUCTION_SUM: total += x[c]; break;
        case DP_REDUCTION_ABS: total += fabs(x[c]); break;
        case DP_REDUCTION_SQUARE: total += x[c] * x[c]; break;
        case DP_REDUCTION_MAX: total = x[c] > total ? x[c] : total; break;
        case DP_REDUCTION_DOT: total += x[c] * y[c]; break;
        default: total += fabs(x[c] * y[c]); break;
        }
    return total;
}

static void reduce_rows(const void *args, int64_t begin, int64_t end, double *scratch)
{
    const dp_reduce_args *a = args;
    const int64_t cols = a->x.cols;
    double *x = scratch, *y = scratch + cols;

    for (int64_t r = begin; r < end; r++) {
        dpi_ref_load(&a->x, r, 0, cols, x);
        if (a->y.data)
            dpi_ref_load(&a->y, r, 0, cols, y);
        dpi_ref_put(&a->result, r, 0, reduced(a->kind, x, y, cols));
    }
}

int dpi_ref_reduce(dp_stream *stream, const dp_reduce_args *args, dp_error *error)
{
    const dpi_ref_job job = {reduce_rows, args, args->x.rows, ROWS, 2 * args->x.cols};

    return dpi_ref_run(stream, "reduce", &job, error);
}
