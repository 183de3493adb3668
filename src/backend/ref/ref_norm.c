// y = x * rstd * weight with rstd = 1 / sqrt(mean(x^2) + epsilon); and rotary positions.
#include <math.h>

#include "backend/ref/ref_rows.h"

static void norm_rows(const void *args, int64_t begin, int64_t end, double *scratch)
{
    const dp_rmsnorm_args *a = args;
    const int64_t cols = a->x.cols;
    double *x = scratch, *weight = scratch + cols;

    dpi_ref_load(&a->weight, 0, 0, cols, weight);
    for (int64_t r = begin; r < end; r++) {
        double sum = 0;

        dpi_ref_load(&a->x, r, 0, cols, x);
        for (int64_t c = 0; c < cols; c++)
            sum += x[c] * x[c];
        const double rstd = 1 / sqrt(sum / (double)cols + (double)a->epsilon);
        for (int64_t c = 0; c < cols; c++)
            x[c] = x[c] * rstd * weight[c];
        dpi_ref_store(&a->y, r, 0, cols, x);
        if (a->rstd.data)
            dpi_ref_put(&a->rstd, r, 0, rstd);
    }
}

int dpi_ref_rmsnorm(dp_stream *stream, const dp_rmsnorm_args *args, dp_error *error)
{
    const dpi_ref_job job = {norm_rows, args, args->x.rows, 16, 2 * args->x.cols};

    return dpi_ref_run(stream, "rmsnorm", &job, error);
}

// (x[i], x[j]) turned by the angle position * frequency; backwards for the gradient.
static void rotate_head(const dp_rope_args *a, int32_t position, double *head)
{
    const int32_t half = a->head_dim / 2;

    for (int32_t p = 0; p < half; p++) {
        const int32_t i = a->pairing == DP_ROPE_HALF ? p : 2 * p;
        const int32_t j = a->pairing == DP_ROPE_HALF ? p + half : 2 * p + 1;
        const double angle = (double)position * (double)a->inverse_frequencies[p];
        const double cosine = cos(angle), sine = a->inverse ? -sin(angle) : sin(angle);
        const double first = head[i], second = head[j];

        head[i] = first * cosine - second * sine;
        head[j] = second * cosine + first * sine;
    }
}

static void rope_rows(const void *args, int64_t begin, int64_t end, double *scratch)
{
    const dp_rope_args *a = args;

    for (int64_t r = begin; r < end; r++) {
        dpi_ref_load(&a->x, r, 0, a->x.cols, scratch);
        for (int64_t c = 0; c < a->x.cols; c += a->head_dim)
            rotate_head(a, a->positions[r], scratch + c);
        dpi_ref_store(&a->x, r, 0, a->x.cols, scratch);
    }
}

int dpi_ref_rope(dp_stream *stream, const dp_rope_args *args, dp_error *error)
{
    const dpi_ref_job job = {rope_rows, args, args->x.rows, 16, args->x.cols};

    return dpi_ref_run(stream, "rope", &job, error);
}
