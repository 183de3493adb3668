// y = x * rstd * weight, rstd = 1 / sqrt(mean(x^2) + epsilon); before it, fused, x += delta.
#include "backend/cpu/stream.h"

typedef struct normalization {
    const dp_stream *stream;
    const dp_add_rmsnorm_args *args;
    const float *weight;
} normalization;

static void norm_rows(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const normalization *n = arg;
    const dp_add_rmsnorm_args *args = n->args;

    (void)worker;
    for (int64_t r = begin; r < end; r++) {
        const float *delta = args->delta.data ? dpi_cpu_f32(&args->delta, r) : NULL;
        const float rstd = n->stream->kernels->norm(dpi_cpu_f32(&args->x, r), delta, n->weight, args->x.cols,
                                                    args->epsilon, dpi_cpu_f32(&args->y, r));

        if (args->rstd.data)
            *dpi_cpu_f32(&args->rstd, r) = rstd;
    }
}

int dpi_cpu_add_rmsnorm(dp_stream *stream, const dp_add_rmsnorm_args *args, dp_error *error)
{
    normalization n = {.stream = stream, .args = args};
    const dp_mat *const activations[] = {&args->x, &args->delta, &args->y, &args->rstd};
    int rc = dpi_cpu_want_f32("rmsnorm", activations, 4, error);

    if (!rc)
        rc = dpi_cpu_vector(stream, &args->weight, &n.weight, error);
    return rc ? rc : dpi_cpu_parallel(stream, args->x.rows, dpi_cpu_grain(args->x.cols), norm_rows, &n, error);
}

int dpi_cpu_rmsnorm(dp_stream *stream, const dp_rmsnorm_args *args, dp_error *error)
{
    const dp_add_rmsnorm_args same = {
        .x = args->x, .weight = args->weight, .y = args->y, .rstd = args->rstd, .epsilon = args->epsilon};

    return dpi_cpu_add_rmsnorm(stream, &same, error);
}
