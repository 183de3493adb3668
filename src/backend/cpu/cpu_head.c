// loss[r] = logsumexp(x[r] W^T) - (x[r] W^T)[label]: pieces of 512 columns are reduced as soon as they are
// multiplied, so that the logits are never stored.
#include <math.h>
#include <string.h>

#include "backend/cpu/product.h"

enum { ROWS_AT_ONCE = 4096, LOGITS_AT_ONCE = 1 << 22 };

typedef struct partial { // of one row and one piece: sum of e^(x - top)
    double sum;
    double top;
} partial;

typedef struct head {
    const dp_stream *stream;
    const dp_linear_xent_args *args;
    partial *partials; // rows × pieces
    float *picked;     // of each row, the logit of its label
    int64_t pieces;
    int64_t first; // row of args that is row 0 here
} head;

static void reduce_piece(void *arg, const dpi_cpu_piece *piece)
{
    const head *h = arg;
    const dpi_cpu_kernels *kernels = h->stream->kernels;

    for (int64_t r = 0; r < piece->rows; r++) {
        const float *logits = piece->values + r * piece->stride;
        const int64_t row = piece->row + r, label = h->args->labels[h->first + row] - piece->col;
        const float top = kernels->top(logits, piece->cols, 1);

        h->partials[row * h->pieces + piece->col / DPI_GROUP_COLS] =
            (partial){.sum = kernels->exp_sum(logits, piece->cols, 1, top), .top = (double)top};
        if (label >= 0 && label < piece->cols)
            h->picked[row] = logits[label];
    }
}

// The pieces of a row in order.
static void finish_rows(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const head *h = arg;

    (void)worker;
    for (int64_t r = begin; r < end; r++) {
        const partial *part = h->partials + r * h->pieces;
        float *loss = dpi_cpu_f32(&h->args->loss, h->first + r);
        double top = part[0].top, sum = 0;

        for (int64_t i = 1; i < h->pieces; i++)
            top = part[i].top > top ? part[i].top : top;
        for (int64_t i = 0; i < h->pieces; i++)
            sum += part[i].sum * exp(part[i].top - top);
        *loss = h->args->labels[h->first + r] == DP_IGNORE ? 0 : (float)(top - (double)h->picked[r] + log(sum));
    }
}

static int head_native(dp_stream *stream, const dp_linear_xent_args *args, dp_error *error)
{
    const int64_t most = args->x.rows < ROWS_AT_ONCE ? args->x.rows : ROWS_AT_ONCE;
    head h = {.stream = stream, .args = args, .pieces = (args->weight.rows + DPI_GROUP_COLS - 1) / DPI_GROUP_COLS};
    const uint64_t bytes = (uint64_t)most * ((uint64_t)h.pieces * sizeof(partial) + sizeof(float));
    void *memory;
    int rc = dpi_cpu_scratch_get(stream, DPI_SCRATCH_ROWS, bytes, &memory, error);

    if (rc)
        return rc;
    h.partials = memory;
    h.picked = (float *)(h.partials + most * h.pieces);
    for (h.first = 0; h.first < args->x.rows && !rc; h.first += most) {
        const int64_t rows = args->x.rows - h.first < most ? args->x.rows - h.first : most;
        dpi_cpu_product product = {.a = args->x,
                                   .part = {{.b = args->weight, .n = args->weight.rows}},
                                   .m = rows,
                                   .k = args->x.cols,
                                   .parts = 1,
                                   .transpose_b = 1,
                                   .alpha = 1,
                                   .sink = reduce_piece,
                                   .arg = &h};

        product.a.data = dpi_cpu_f32(&args->x, h.first);
        rc = dpi_cpu_product_run(stream, &product, error);
        if (!rc)
            rc = dpi_cpu_parallel(stream, rows, 64, finish_rows, &h, error);
    }
    return rc;
}

static int head_openblas(dp_stream *stream, const dp_linear_xent_args *args, dp_error *error)
{
    const int64_t vocabulary = args->weight.rows;
    const int64_t most = vocabulary >= LOGITS_AT_ONCE ? 1 : LOGITS_AT_ONCE / vocabulary;
    void *space;
    int rc = dpi_cpu_scratch_get(stream, DPI_SCRATCH_HELD, (uint64_t)most * (uint64_t)vocabulary * sizeof(float),
                                 &space, error);

    for (int64_t r = 0; r < args->x.rows && !rc; r += most) {
        const int64_t rows = args->x.rows - r < most ? args->x.rows - r : most;
        const dp_mat logits = {.data = space, .rows = rows, .cols = vocabulary, .stride = vocabulary};
        dp_xent_args xent = {.x = logits, .loss = args->loss, .labels = args->labels + r};
        dp_mat x = args->x;

        x.data = dpi_cpu_f32(&args->x, r);
        xent.loss.data = dpi_cpu_f32(&args->loss, r);
        x.rows = xent.loss.rows = rows;
        rc = dpi_cpu_linear(stream, &x, &args->weight, NULL, &logits, error);
        if (!rc)
            rc = dpi_cpu_xent(stream, &xent, error);
    }
    return rc;
}

int dpi_cpu_linear_xent(dp_stream *stream, const dp_linear_xent_args *args, dp_error *error)
{
    const dp_mat *const activations[] = {&args->x, &args->loss};
    const int rc = dpi_cpu_want_f32("linear_xent", activations, 2, error);

    if (rc)
        return rc;
    return stream->openblas ? head_openblas(stream, args, error) : head_native(stream, args, error);
}
