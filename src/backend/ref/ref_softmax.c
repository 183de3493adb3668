// y = softmax(scale * x) by rows, with a causal edge; and cross-entropy with the gradient of its logits.
#include <math.h>

#include "backend/ref/ref_rows.h"

static double largest(const double *x, int64_t count)
{
    double most = x[0];

    for (int64_t c = 1; c < count; c++)
        most = x[c] > most ? x[c] : most;
    return most;
}

static void softmax_rows(const void *args, int64_t begin, int64_t end, double *x)
{
    const dp_softmax_args *a = args;
    const int64_t cols = a->x.cols;

    for (int64_t r = begin; r < end; r++) {
        const int64_t seen = a->causal ? cols - a->queries + r % a->queries + 1 : cols;
        double sum = 0;

        dpi_ref_load(&a->x, r, 0, cols, x);
        for (int64_t c = 0; c < seen; c++)
            x[c] *= (double)a->scale;
        const double most = largest(x, seen);
        for (int64_t c = 0; c < seen; c++)
            sum += x[c] = exp(x[c] - most);
        for (int64_t c = 0; c < cols; c++)
            x[c] = c < seen ? x[c] / sum : 0;
        dpi_ref_store(&a->y, r, 0, cols, x);
    }
}

int dpi_ref_softmax(dp_stream *stream, const dp_softmax_args *args, dp_error *error)
{
    const dpi_ref_job job = {softmax_rows, args, args->x.rows, 16, args->x.cols};

    return dpi_ref_run(stream, "softmax", &job, error);
}

// x becomes its gradient.
static double cross_entropy(double *x, int64_t cols, int32_t label, double scale)
{
    const double most = largest(x, cols);
    double sum = 0;

    for (int64_t c = 0; c < cols; c++)
        sum += exp(x[c] - most);
    const double normalizer = most + log(sum), loss = normalizer - x[label];
    for (int64_t c = 0; c < cols; c++)
        x[c] = scale * (exp(x[c] - normalizer) - (c == label));
    return loss;
}

static void xent_rows(const void *args, int64_t begin, int64_t end, double *x)
{
    const dp_xent_args *a = args;
    const int64_t cols = a->x.cols;

    for (int64_t r = begin; r < end; r++) {
        double loss = 0;

        if (a->labels[r] == DP_IGNORE) {
            for (int64_t c = 0; c < cols; c++)
                x[c] = 0;
        } else {
            dpi_ref_load(&a->x, r, 0, cols, x);
            loss = cross_entropy(x, cols, a->labels[r], (double)a->scale);
        }
        dpi_ref_put(&a->loss, r, 0, loss);
        if (a->x_grad.data)
            dpi_ref_store(&a->x_grad, r, 0, cols, x);
    }
}

int dpi_ref_xent(dp_stream *stream, const dp_xent_args *args, dp_error *error)
{
    const dpi_ref_job job = {xent_rows, args, args->x.rows, 1, args->x.cols};

    return dpi_ref_run(stream, "xent", &job, error);
}
