// Perplexity: the stream is cut into windows that do not overlap; a token is predicted from those before it in its
// window.  Mode A: BOS once, in front of the stream; the first token of a window is not predicted.  Mode B: BOS in
// front of each window; all its tokens are.
#include "base/error.h"
#include "eval/perplexity.h"
#include "nn/budget.h"
#include "nn/network.h"
#include "nn/tokens.h"

enum { BUDGET_MIB = 64 };

typedef struct batch {
    const dpi_perplexity *run;
    dpi_network *network;
    dpi_device *device;
    float *stream; // device memory
    int32_t *ids, *labels;
    float *losses;
    int64_t length; // rows of a window
} batch;

static int leads_stream(const dpi_perplexity *run)
{
    return run->options->mode == DP_PPL_MODE_A && run->bos >= 0;
}

int64_t dpi_perplexity_windows(const dpi_perplexity *run)
{
    const int64_t stream = (int64_t)run->count + leads_stream(run);
    const int64_t windows = stream / run->options->window, limit = run->options->limit;

    return limit > 0 && limit < windows ? limit : windows;
}

static int32_t stream_id(const dpi_perplexity *run, int64_t at)
{
    if (!leads_stream(run))
        return run->ids[at];
    return at == 0 ? run->bos : run->ids[at - 1];
}

static void fill_window(const batch *b, int64_t window, int32_t *ids)
{
    const int64_t first = window * b->run->options->window;

    if (b->run->options->mode == DP_PPL_MODE_B)
        *ids++ = b->run->bos;
    for (int64_t i = 0; i < b->run->options->window; i++)
        ids[i] = stream_id(b->run, first + i);
}

// Row `row` of the batch that begins with window `first`.
static int not_finite(batch *b, int64_t first, int64_t row, dp_error *error)
{
    const dpi_suspect suspect = {.ids = b->ids + row / b->length * b->length, .length = b->length, .without = -1};
    char why[64];

    dpi_network_blame(b->network, &suspect, b->stream, why);
    return dpi_fail(error, DP_E_NUMERIC, "the loss of window %lld at position %lld is not finite%s",
                    (long long)(first + row / b->length), (long long)(row % b->length), why);
}

static int add_batch(batch *b, int64_t first, int64_t windows, double *sum, dp_error *error)
{
    const dpi_config *config = &b->run->model->config;
    const int64_t rows = windows * b->length;
    const dp_mat x = dpi_mat_f32(b->stream, rows, config->hidden);

    for (int64_t i = 0; i < windows; i++)
        fill_window(b, first + i, b->ids + i * b->length);
    dpi_labels_next(b->ids, rows, b->length, b->labels);
    int rc = dpi_network_forward(b->network, b->ids, b->length, config->blocks, &x, b->run->watch, error);
    if (!rc)
        rc = dpi_network_losses(b->network, &x, b->labels, b->losses, error);
    if (rc)
        return rc;
    const int64_t bad = dpi_losses_add(b->losses, rows, sum);
    if (bad >= 0)
        return not_finite(b, first, bad, error);
    return dpi_watch_advance(b->run->watch, (uint64_t)rows * dpi_head_weight(b->run->model), error);
}

static int open_batch(batch *b, int64_t windows, dp_error *error)
{
    const dpi_perplexity *run = b->run;
    dpi_memory *memory = &run->context->memory;
    const int64_t rows = windows * b->length;
    const uint64_t row_bytes = (uint64_t)run->model->config.hidden * sizeof(float);
    int rc = dpi_network_open(&b->network, run->context, run->model, rows, error);

    if (!rc)
        rc = dpi_op_alloc(b->device, (uint64_t)rows * row_bytes, (void **)&b->stream, error);
    if (rc)
        return rc;
    b->ids = dpi_alloc(memory, (size_t)rows, sizeof *b->ids, error);
    b->labels = b->ids ? dpi_alloc(memory, (size_t)rows, sizeof *b->labels, error) : NULL;
    b->losses = b->labels ? dpi_alloc(memory, (size_t)rows, sizeof *b->losses, error) : NULL;
    return b->losses ? DP_OK : DP_E_MEMORY;
}

static void close_batch(batch *b)
{
    dpi_memory *memory = &b->run->context->memory;

    dpi_op_free(b->device, b->stream);
    dpi_free(memory, b->ids);
    dpi_free(memory, b->labels);
    dpi_free(memory, b->losses);
    dpi_network_close(b->network);
}

int dpi_perplexity_run(const dpi_perplexity *run, double *sum, int64_t *tokens, dp_error *error)
{
    batch b = {.run = run, .device = dpi_device_of(run->context)};
    b.length = run->options->window + (run->options->mode == DP_PPL_MODE_B);
    const int64_t windows = dpi_perplexity_windows(run);
    const dpi_budget budget = {.item = "window",
                               .items = windows,
                               .rows = b.length,
                               .copies = 1,
                               .asked = run->options->batch,
                               .most = (uint64_t)BUDGET_MIB << 20};
    const uint64_t depth = (uint64_t)run->model->config.blocks + dpi_head_weight(run->model);
    int64_t step = 0;
    double total = 0;
    int rc = dpi_budget_fit(run->context, run->model, &budget, &step, error);

    if (rc)
        return rc;
    rc = open_batch(&b, step, error);
    dpi_watch_begin(run->watch, "perplexity", (uint64_t)(windows * b.length) * depth);
    for (int64_t first = 0; first < windows && !rc; first += step) {
        const int64_t left = windows - first;
        rc = add_batch(&b, first, left < step ? left : step, &total, error);
    }
    close_batch(&b);
    if (rc)
        return rc;
    *sum = total;
    *tokens = windows * (b.length - 1);
    return DP_OK;
}
