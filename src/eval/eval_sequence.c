// One sequence through the network; results are copied to the host's memory only when all went well.
#include <string.h>

#include "base/error.h"
#include "eval/sequence.h"
#include "nn/budget.h"
#include "nn/network.h"

typedef struct pass {
    dpi_network *network;
    dpi_device *device;
    float *stream; // device memory
    float *results;
} pass;

static int open_pass(pass *p, const dpi_sequence *sequence, int64_t results, dp_error *error)
{
    const dpi_budget one = {.item = "sequence", .items = 1, .rows = sequence->count, .copies = 1};
    const uint64_t row_bytes = (uint64_t)sequence->model->config.hidden * sizeof(float);
    int64_t group;
    int rc = dpi_budget_fit(sequence->context, sequence->model, &one, &group, error);

    p->device = dpi_device_of(sequence->context);
    if (!rc)
        rc = dpi_network_open(&p->network, sequence->context, sequence->model, sequence->count, error);
    if (!rc)
        rc = dpi_op_alloc(p->device, (uint64_t)sequence->count * row_bytes, (void **)&p->stream, error);
    if (rc)
        return rc;
    p->results = dpi_alloc_raw(&sequence->context->memory, (size_t)results, sizeof *p->results, error);
    return p->results ? DP_OK : DP_E_MEMORY;
}

static void close_pass(pass *p, const dpi_sequence *sequence)
{
    dpi_free(&sequence->context->memory, p->results);
    dpi_op_free(p->device, p->stream);
    dpi_network_close(p->network);
}

int dpi_sequence_logits(const dpi_sequence *sequence, int64_t rows, float *logits, dp_error *error)
{
    const dpi_config *config = &sequence->model->config;
    const int64_t results = rows * config->vocab, before = sequence->count - rows;
    const uint64_t head = dpi_head_weight(sequence->model) * (uint64_t)rows;
    pass p = {.network = NULL};
    int rc = open_pass(&p, sequence, results, error);
    const dp_mat x = dpi_mat_f32(p.stream, sequence->count, config->hidden);

    dpi_watch_begin(sequence->watch, "logits", (uint64_t)(sequence->count * config->blocks) + head);
    if (!rc)
        rc = dpi_network_forward(p.network, sequence->ids, sequence->count, config->blocks, &x, sequence->watch,
                                 error);
    if (!rc) {
        const dp_mat last = dpi_mat_f32(p.stream + before * config->hidden, rows, config->hidden);
        rc = dpi_network_logits(p.network, &last, p.results, error);
    }
    if (!rc)
        rc = dpi_watch_advance(sequence->watch, head, error);
    if (!rc)
        memcpy(logits, p.results, (size_t)results * sizeof *logits);
    close_pass(&p, sequence);
    return rc;
}

int dpi_sequence_hidden(const dpi_sequence *sequence, int32_t block, float *hidden, dp_error *error)
{
    const int64_t width = sequence->model->config.hidden;
    const uint64_t bytes = (uint64_t)(sequence->count * width) * sizeof *hidden;
    pass p = {.network = NULL};
    int rc = open_pass(&p, sequence, sequence->count * width, error);
    const dp_mat x = dpi_mat_f32(p.stream, sequence->count, width);

    dpi_watch_begin(sequence->watch, "hidden", (uint64_t)(sequence->count * block));
    if (!rc)
        rc = dpi_network_forward(p.network, sequence->ids, sequence->count, block, &x, sequence->watch, error);
    if (!rc)
        rc = dpi_fetch(p.device, p.results, p.stream, bytes, error);
    if (!rc)
        memcpy(hidden, p.results, bytes);
    close_pass(&p, sequence);
    return rc;
}
