// score[n] = exp(mean NLL of the calibration tokens with block n left out), all n in lockstep.
//
// Leaving block n out changes nothing before it.  So one batch walks the depth: before block k the dense stream is
// copied for candidate k, which passes k by; then block k runs once over the dense stream and candidates 0 .. k-1.
// N blocks cost N(N+1)/2 passes instead of N * N, and each weight is read once for a group of samples.
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "nn/budget.h"
#include "nn/network.h"
#include "nn/tokens.h"
#include "prune/journal.h"

// Stream 0 is the dense model, stream 1 + n the model without block n; streams lie one after another.
typedef struct lockstep {
    const dpi_scoring *scoring;
    dpi_network *network;
    dpi_device *device;
    float *streams;  // device memory
    int32_t *labels; // of every stream
    float *losses;
    double *sums;  // a stream
    int64_t rows;  // of one stream of the group at hand
    int64_t first; // its first sample
} lockstep;

static int64_t stream_count(const dpi_scoring *scoring)
{
    return (int64_t)scoring->model->config.blocks + 1;
}

static dp_mat streams(const lockstep *walk, int64_t first, int64_t count)
{
    const int64_t hidden = walk->scoring->model->config.hidden;

    return dpi_mat_f32(walk->streams + first * walk->rows * hidden, count * walk->rows, hidden);
}

// Streams through block k: candidate k leaves the dense stream and does not take part.
static int pass(lockstep *walk, int32_t k, dp_error *error)
{
    const dp_mat dense = streams(walk, 0, 1), candidate = streams(walk, k + 1, 1), taking = streams(walk, 0, k + 1);
    int rc = dpi_op_copy2d(walk->device, &dense, &candidate, error);

    if (!rc)
        rc = dpi_network_block(walk->network, k, &taking, walk->scoring->length, error);
    return rc ? rc : dpi_watch_advance(walk->scoring->watch, (uint64_t)taking.rows, error);
}

static int not_finite(const lockstep *walk, int64_t stream, int64_t row, dp_error *error)
{
    const int64_t length = walk->scoring->length, sample = walk->first + row / length;
    const dpi_suspect suspect = {
        .ids = walk->scoring->ids + sample * length, .length = length, .without = (int32_t)stream - 1};
    char without[48] = "", why[64];

    if (stream > 0)
        snprintf(without, sizeof without, " without block %d", (int)suspect.without);
    dpi_network_blame(walk->network, &suspect, walk->streams, why);
    return dpi_fail(error, DP_E_NUMERIC, "the loss%s of sample %lld at position %lld is not finite%s", without,
                    (long long)sample, (long long)(row % length), why);
}

static int add_losses(lockstep *walk, dp_error *error)
{
    const int64_t count = stream_count(walk->scoring);
    const dp_mat all = streams(walk, 0, count);
    const int32_t *ids = walk->scoring->ids + walk->first * walk->scoring->length;

    for (int64_t stream = 0; stream < count; stream++)
        dpi_labels_next(ids, walk->rows, walk->scoring->length, walk->labels + stream * walk->rows);
    const int rc = dpi_network_losses(walk->network, &all, walk->labels, walk->losses, error);
    if (rc)
        return rc;
    for (int64_t stream = 0; stream < count; stream++) {
        const int64_t bad = dpi_losses_add(walk->losses + stream * walk->rows, walk->rows, &walk->sums[stream]);
        if (bad >= 0)
            return not_finite(walk, stream, bad, error);
    }
    return dpi_watch_advance(walk->scoring->watch, (uint64_t)all.rows * dpi_head_weight(walk->scoring->model),
                             error);
}

static int walk_group(lockstep *walk, int64_t first, int64_t samples, dp_error *error)
{
    const dpi_scoring *scoring = walk->scoring;

    walk->first = first;
    walk->rows = samples * scoring->length;
    const dp_mat dense = streams(walk, 0, 1);
    int rc = dpi_network_embed(walk->network, scoring->ids + first * scoring->length, walk->rows, &dense, error);
    for (int32_t k = 0; k < scoring->model->config.blocks && !rc; k++)
        rc = pass(walk, k, error);
    return rc ? rc : add_losses(walk, error);
}

// Memory for groups of `group` samples.
static int open_walk(lockstep *walk, int64_t group, dp_error *error)
{
    const dpi_scoring *scoring = walk->scoring;
    dpi_memory *memory = &scoring->context->memory;
    const int64_t rows = stream_count(scoring) * group * scoring->length;
    const uint64_t row_bytes = (uint64_t)scoring->model->config.hidden * sizeof(float);
    const int rc = dpi_network_open(&walk->network, scoring->context, scoring->model, rows, error);

    if (rc)
        return rc;
    walk->labels = dpi_alloc(memory, (size_t)rows, sizeof *walk->labels, error);
    walk->losses = walk->labels ? dpi_alloc(memory, (size_t)rows, sizeof *walk->losses, error) : NULL;
    walk->sums = walk->losses ? dpi_alloc(memory, (size_t)stream_count(scoring), sizeof *walk->sums, error) : NULL;
    if (!walk->sums)
        return DP_E_MEMORY;
    return dpi_op_alloc(walk->device, (uint64_t)rows * row_bytes, (void **)&walk->streams, error);
}

static void close_walk(lockstep *walk)
{
    dpi_memory *memory = &walk->scoring->context->memory;

    dpi_op_free(walk->device, walk->streams);
    dpi_free(memory, walk->labels);
    dpi_free(memory, walk->losses);
    dpi_free(memory, walk->sums);
    dpi_network_close(walk->network);
}

// Losses are finite here; e to their mean need not be.
static int give_scores(dpi_scoring *scoring, const double *sums, dp_error *error)
{
    const double tokens = (double)scoring->samples * (double)(scoring->length - 1);

    scoring->dense = exp(sums[0] / tokens);
    for (int32_t n = 0; n < scoring->model->config.blocks; n++)
        scoring->scores[n] = exp(sums[n + 1] / tokens);
    if (!isfinite(scoring->dense))
        return dpi_fail(error, DP_E_NUMERIC, "the perplexity of the whole model, e to the %g, is not finite",
                        sums[0] / tokens);
    return DP_OK;
}

int dpi_score_perplexity(dpi_scoring *scoring, dp_error *error)
{
    const uint64_t blocks = (uint64_t)scoring->model->config.blocks;
    const uint64_t passes = blocks * (blocks + 1) / 2 + (blocks + 1) * dpi_head_weight(scoring->model);
    const dpi_budget budget = {.item = "sample",
                               .items = scoring->samples,
                               .copies = 1,
                               .rows = stream_count(scoring) * scoring->length,
                               .asked = scoring->options->group_samples,
                               .most = (uint64_t)DPI_BUDGET_MIB << 20};
    lockstep walk = {.scoring = scoring, .device = dpi_device_of(scoring->context)};
    int64_t group = 0, done = 0;
    int rc = dpi_budget_fit(scoring->context, scoring->model, &budget, &group, error);

    if (rc)
        return rc;
    rc = open_walk(&walk, group, error);
    dpi_watch_begin(scoring->watch, "score", (uint64_t)(scoring->samples * scoring->length) * passes);
    if (!rc)
        rc = dpi_journal_read(scoring->journal, walk.sums, stream_count(scoring), scoring->samples, &done, error);
    if (!rc)
        rc = dpi_watch_advance(scoring->watch, (uint64_t)(done * scoring->length) * passes, error);
    for (int64_t first = done; first < scoring->samples && !rc; first = done) {
        const int64_t left = scoring->samples - first;

        done += left < group ? left : group;
        rc = walk_group(&walk, first, done - first, error);
        if (!rc)
            rc = dpi_journal_write(scoring->journal, walk.sums, stream_count(scoring), done, error);
    }
    if (!rc)
        rc = give_scores(scoring, walk.sums, error);
    close_walk(&walk);
    return rc;
}
