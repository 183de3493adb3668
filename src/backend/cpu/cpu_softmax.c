// softmax(s) = e^(s - max s) / sum, s = scale x; cross-entropy = max + log(sum) - s[label].
#include <math.h>
#include <string.h>

#include "backend/cpu/stream.h"

typedef struct softmax_work {
    const dp_stream *stream;
    const dp_softmax_args *args;
} softmax_work;

static void softmax_rows(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const softmax_work *w = arg;
    const dp_softmax_args *args = w->args;
    const dpi_cpu_kernels *kernels = w->stream->kernels;
    const int64_t cols = args->x.cols;

    (void)worker;
    for (int64_t r = begin; r < end; r++) {
        const float *x = dpi_cpu_f32(&args->x, r);
        float *y = dpi_cpu_f32(&args->y, r);
        const int64_t seen = args->causal ? cols - args->queries + r % args->queries + 1 : cols;
        const float top = kernels->top(x, seen, args->scale);
        const double sum = kernels->exp_store(x, seen, args->scale, top, y);

        kernels->axpby(y, y, seen, (float)(1 / sum), 0);
        memset(y + seen, 0, (size_t)(cols - seen) * sizeof *y);
    }
}

int dpi_cpu_softmax(dp_stream *stream, const dp_softmax_args *args, dp_error *error)
{
    softmax_work w = {.stream = stream, .args = args};
    const dp_mat *const activations[] = {&args->x, &args->y};
    const int rc = dpi_cpu_want_f32("softmax", activations, 2, error);

    return rc ? rc : dpi_cpu_parallel(stream, args->x.rows, dpi_cpu_grain(args->x.cols), softmax_rows, &w, error);
}

typedef struct xent_work {
    const dp_stream *stream;
    const dp_xent_args *args;
} xent_work;

static void ignore_row(const dp_xent_args *args, int64_t row)
{
    *dpi_cpu_f32(&args->loss, row) = 0;
    if (args->x_grad.data)
        memset(dpi_cpu_f32(&args->x_grad, row), 0, (size_t)args->x.cols * sizeof(float));
}

static void xent_rows(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const xent_work *w = arg;
    const dp_xent_args *args = w->args;
    const dpi_cpu_kernels *kernels = w->stream->kernels;
    const int64_t cols = args->x.cols;

    (void)worker;
    for (int64_t r = begin; r < end; r++) {
        const float *x = dpi_cpu_f32(&args->x, r);
        const int32_t label = args->labels[r];

        if (label == DP_IGNORE) {
            ignore_row(args, r);
            continue;
        }
        float *grad = args->x_grad.data ? dpi_cpu_f32(&args->x_grad, r) : NULL;
        const float top = kernels->top(x, cols, 1), picked = x[label];
        const double sum = grad ? kernels->exp_store(x, cols, 1, top, grad) : kernels->exp_sum(x, cols, 1, top);

        *dpi_cpu_f32(&args->loss, r) = (float)((double)top - (double)picked + log(sum));
        if (grad) {
            kernels->axpby(grad, grad, cols, (float)((double)args->scale / sum), 0);
            grad[label] -= args->scale;
        }
    }
}

int dpi_cpu_xent(dp_stream *stream, const dp_xent_args *args, dp_error *error)
{
    xent_work w = {.stream = stream, .args = args};
    const dp_mat *const activations[] = {&args->x, &args->loss, &args->x_grad};
    const int rc = dpi_cpu_want_f32("xent", activations, 3, error);

    return rc ? rc : dpi_cpu_parallel(stream, args->x.rows, dpi_cpu_grain(args->x.cols), xent_rows, &w, error);
}
