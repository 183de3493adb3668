// score[n] = 1 - mean over tokens of cos(h_n, h_{n+1}): how far block n turns the residual stream (ShortGPT).
// h_N is taken before the last norm.  The cosine with a zero vector is 0.
#include <math.h>

#include "base/error.h"
#include "nn/budget.h"
#include "nn/network.h"
#include "prune/journal.h"

enum { BUDGET_MIB = 64 };

typedef struct influence {
    const dpi_scoring *scoring;
    dpi_network *network;
    dpi_device *device;
    float *stream, *before;               // device memory: the stream after and before a block
    double *sums;                         // device memory: a reduction's result
    double *dot, *square, *square_before; // by row
    double *cosines;                      // summed, by block
    int64_t first;                        // sample of row 0
} influence;

static int row_sums(influence *run, int32_t kind, const dp_mat *x, const dp_mat *y, double *out, dp_error *error)
{
    dp_reduce_args args = {.x = *x, .kind = kind};

    if (y)
        args.y = *y;
    args.result = (dp_mat){.data = run->sums, .rows = x->rows, .cols = 1, .stride = 1, .type = DP_F64};
    const int rc = dpi_op_reduce(run->device, &args, error);
    return rc ? rc : dpi_fetch(run->device, out, run->sums, (uint64_t)x->rows * sizeof *out, error);
}

static int add_cosines(influence *run, int32_t block, int64_t rows, dp_error *error)
{
    for (int64_t row = 0; row < rows; row++) {
        const double size = sqrt(run->square[row]) * sqrt(run->square_before[row]);
        const double cosine = size > 0 ? run->dot[row] / size : 0;

        if (!isfinite(size) || !isfinite(cosine))
            return dpi_fail(error, DP_E_NUMERIC,
                            "the residual stream after block %d of sample %lld at position %lld is not finite",
                            block, (long long)(run->first + row / run->scoring->length),
                            (long long)(row % run->scoring->length));
        run->cosines[block] += cosine;
    }
    return DP_OK;
}

static int through_block(influence *run, int32_t block, const dp_mat *x, const dp_mat *before, dp_error *error)
{
    int rc = dpi_op_copy2d(run->device, x, before, error);

    if (!rc)
        rc = dpi_network_block(run->network, block, x, run->scoring->length, error);
    if (!rc)
        rc = row_sums(run, DP_REDUCTION_DOT, x, before, run->dot, error);
    if (!rc)
        rc = row_sums(run, DP_REDUCTION_SQUARE, x, NULL, run->square, error);
    if (!rc)
        rc = add_cosines(run, block, x->rows, error);
    double *const old = run->square_before; // what is after this block is before the next
    run->square_before = run->square;
    run->square = old;
    return rc ? rc : dpi_watch_advance(run->scoring->watch, (uint64_t)x->rows, error);
}

static int group(influence *run, int64_t first, int64_t samples, dp_error *error)
{
    const dpi_scoring *scoring = run->scoring;
    const int64_t rows = samples * scoring->length;
    const dp_mat x = dpi_mat_f32(run->stream, rows, scoring->model->config.hidden);
    const dp_mat before = dpi_mat_f32(run->before, rows, x.cols);
    int rc = dpi_network_embed(run->network, scoring->ids + first * scoring->length, rows, &x, error);

    run->first = first;
    if (!rc)
        rc = row_sums(run, DP_REDUCTION_SQUARE, &x, NULL, run->square_before, error);
    for (int32_t block = 0; block < scoring->model->config.blocks && !rc; block++)
        rc = through_block(run, block, &x, &before, error);
    return rc;
}

static int open_run(influence *run, int64_t rows, dp_error *error)
{
    const dpi_scoring *scoring = run->scoring;
    dpi_memory *memory = &scoring->context->memory;
    const uint64_t bytes = (uint64_t)rows * (uint64_t)scoring->model->config.hidden * sizeof(float);
    int rc = dpi_network_open(&run->network, scoring->context, scoring->model, rows, error);

    if (!rc)
        rc = dpi_op_alloc(run->device, bytes, (void **)&run->stream, error);
    if (!rc)
        rc = dpi_op_alloc(run->device, bytes, (void **)&run->before, error);
    if (!rc)
        rc = dpi_op_alloc(run->device, (uint64_t)rows * sizeof(double), (void **)&run->sums, error);
    if (rc)
        return rc;
    run->dot = dpi_alloc(memory, (size_t)rows, sizeof(double), error);
    run->square = run->dot ? dpi_alloc(memory, (size_t)rows, sizeof(double), error) : NULL;
    run->square_before = run->square ? dpi_alloc(memory, (size_t)rows, sizeof(double), error) : NULL;
    run->cosines =
        run->square_before ? dpi_alloc(memory, (size_t)scoring->model->config.blocks, sizeof(double), error) : NULL;
    return run->cosines ? DP_OK : DP_E_MEMORY;
}

static void close_run(influence *run)
{
    dpi_memory *memory = &run->scoring->context->memory;

    dpi_op_free(run->device, run->stream);
    dpi_op_free(run->device, run->before);
    dpi_op_free(run->device, run->sums);
    dpi_free(memory, run->dot);
    dpi_free(memory, run->square);
    dpi_free(memory, run->square_before);
    dpi_free(memory, run->cosines);
    dpi_network_close(run->network);
}

int dpi_score_influence(dpi_scoring *scoring, dp_error *error)
{
    const int64_t tokens = scoring->samples * scoring->length;
    const dpi_budget budget = {.item = "sample",
                               .items = scoring->samples,
                               .rows = scoring->length,
                               .copies = 2,
                               .asked = scoring->options->group_samples,
                               .most = (uint64_t)BUDGET_MIB << 20};
    influence run = {.scoring = scoring, .device = dpi_device_of(scoring->context)};
    int64_t step = 0, done = 0;
    int rc = dpi_budget_fit(scoring->context, scoring->model, &budget, &step, error);

    if (rc)
        return rc;
    rc = open_run(&run, step * scoring->length, error);
    dpi_watch_begin(scoring->watch, "score", (uint64_t)tokens * (uint64_t)scoring->model->config.blocks);
    if (!rc)
        rc = dpi_journal_read(scoring->journal, run.cosines, scoring->model->config.blocks, scoring->samples, &done,
                              error);
    if (!rc)
        rc = dpi_watch_advance(scoring->watch,
                               (uint64_t)(done * scoring->length) * (uint64_t)scoring->model->config.blocks, error);
    for (int64_t first = done; first < scoring->samples && !rc; first = done) {
        const int64_t left = scoring->samples - first;

        done += left < step ? left : step;
        rc = group(&run, first, done - first, error);
        if (!rc)
            rc = dpi_journal_write(scoring->journal, run.cosines, scoring->model->config.blocks, done, error);
    }
    for (int32_t n = 0; n < scoring->model->config.blocks && !rc; n++)
        scoring->scores[n] = 1 - run.cosines[n] / (double)tokens;
    close_run(&run);
    return rc;
}
