// After the last block: losses[r] = -log softmax(rmsnorm(x[r]) W_head^T)[labels[r]], or the logits themselves.
#include "nn/inside.h"

enum { LOGITS_AT_ONCE = 1 << 22 }; // elements held on a device that does not write host memory

static int last_norm(const dpi_network *network, const dp_mat *x, const dp_mat *y, dp_error *error)
{
    const dp_rmsnorm_args args = {.x = *x,
                                  .weight = dpi_weights_norm(network->weights),
                                  .y = *y,
                                  .epsilon = (float)network->model->config.epsilon};

    return dpi_op_rmsnorm(network->device, &args, error);
}

int dpi_network_losses(dpi_network *network, const dp_mat *x, const int32_t *labels, float *losses, dp_error *error)
{
    dp_linear_xent_args args = {.labels = labels};
    dpi_activations a;
    int rc = dpi_network_place(network, x->rows, &a, error);

    if (!rc)
        rc = last_norm(network, x, &a.normed, error);
    if (!rc)
        rc = dpi_weights_head(network->weights, &args.weight, error);
    if (rc)
        return rc;
    args.x = a.normed;
    args.loss = a.losses;
    rc = dpi_op_linear_xent(network->device, &args, error);
    return rc ? rc : dpi_fetch(network->device, losses, a.losses.data, (uint64_t)x->rows * sizeof *losses, error);
}

// Rows [0, normed->rows) of logits in chunks through device memory.
static int logits_by_chunks(dpi_network *network, const dp_mat *normed, const dp_mat *head, float *logits,
                            dp_error *error)
{
    const int64_t vocab = head->rows;
    const int64_t chunk = vocab < LOGITS_AT_ONCE ? LOGITS_AT_ONCE / vocab : 1;
    int rc = DP_OK;

    if (!network->logits)
        rc = dpi_op_alloc(network->device, (uint64_t)(chunk * vocab) * sizeof(float), (void **)&network->logits,
                          error);
    for (int64_t row = 0; row < normed->rows && !rc; row += chunk) {
        const int64_t rows = normed->rows - row < chunk ? normed->rows - row : chunk;
        const dp_gemm_args args = {
            .a = dpi_mat_f32((float *)normed->data + row * normed->stride, rows, normed->cols),
            .b = *head,
            .c = dpi_mat_f32(network->logits, rows, vocab),
            .batch = 1,
            .alpha = 1,
            .transpose_b = 1};

        rc = dpi_op_gemm(network->device, &args, error);
        if (!rc)
            rc = dpi_fetch(network->device, logits + row * vocab, network->logits,
                           (uint64_t)(rows * vocab) * sizeof(float), error);
    }
    return rc;
}

int dpi_network_logits(dpi_network *network, const dp_mat *x, float *logits, dp_error *error)
{
    dp_gemm_args args = {.batch = 1, .alpha = 1, .transpose_b = 1};
    dpi_activations a;
    int rc = dpi_network_place(network, x->rows, &a, error);

    if (!rc)
        rc = last_norm(network, x, &a.normed, error);
    if (!rc)
        rc = dpi_weights_head(network->weights, &args.b, error);
    if (rc)
        return rc;
    if (!(network->device->info.flags & DP_BACKEND_HOST_MEMORY))
        return logits_by_chunks(network, &a.normed, &args.b, logits, error);
    args.a = a.normed;
    args.c = dpi_mat_f32(logits, x->rows, args.b.rows);
    rc = dpi_op_gemm(network->device, &args, error);
    return rc ? rc : dpi_op_sync(network->device, error);
}
