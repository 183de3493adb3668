// One Transformer block on the residual stream x:
//   x += W_o attention(rope(W_q n), rope(W_k n), W_v n),  n = rmsnorm(x) * norm_1
//   x += W_down (silu(W_gate m) * W_up m),                m = rmsnorm(x) * norm_2
// The products with W_q, W_k, W_v and W_o get a bias added where the model has one.
#include <math.h>

#include "base/error.h"
#include "nn/inside.h"

// c = a b^T + beta c + bias
static int linear(dpi_device *device, dp_gemm_args args, dp_error *error)
{
    args.batch = 1;
    args.alpha = 1;
    args.transpose_b = 1;
    return dpi_op_gemm(device, &args, error);
}

// x += delta when there is one; y = rmsnorm(x) * weight
static int norm(const dpi_network *network, const dp_mat *x, const dp_mat *delta, const dp_mat *weight,
                const dp_mat *y, dp_error *error)
{
    dp_add_rmsnorm_args args = {
        .x = *x, .weight = *weight, .y = *y, .epsilon = (float)network->model->config.epsilon};

    if (delta)
        args.delta = *delta;
    return dpi_op_add_rmsnorm(network->device, &args, error);
}

// delta = W_o attention(rope(W_q n), rope(W_k n), W_v n), biases added; n is a->normed
static int attend(const dpi_network *network, const dp_mat *w, const dpi_activations *a, dp_error *error)
{
    const dpi_config *config = &network->model->config;
    const dp_qkv_rope_args project = {.x = a->normed,
                                      .wq = w[DPI_Q],
                                      .wk = w[DPI_K],
                                      .wv = w[DPI_V],
                                      .bq = w[DPI_BIAS_Q],
                                      .bk = w[DPI_BIAS_K],
                                      .bv = w[DPI_BIAS_V],
                                      .q = a->q,
                                      .k = a->k,
                                      .v = a->v,
                                      .positions = network->positions,
                                      .inverse_frequencies = network->frequencies,
                                      .head_dim = config->head_dim,
                                      .pairing = config->interleaved ? DP_ROPE_INTERLEAVED : DP_ROPE_HALF};
    const dp_attention_args mix = {.q = a->q,
                                   .k = a->k,
                                   .v = a->v,
                                   .y = a->y,
                                   .sequences = a->q.rows / network->length,
                                   .queries = network->length,
                                   .keys = network->length,
                                   .heads = config->heads,
                                   .kv_heads = config->kv_heads,
                                   .head_dim = config->head_dim,
                                   .scale = (float)(1 / sqrt((double)config->head_dim))};
    const dp_gemm_args out = {.a = a->y, .b = w[DPI_O], .c = a->delta, .bias = w[DPI_BIAS_O]};
    int rc = dpi_op_qkv_rope(network->device, &project, error);

    if (!rc)
        rc = dpi_op_attention(network->device, &mix, error);
    return rc ? rc : linear(network->device, out, error);
}

// x += W_down (silu(W_gate m) * W_up m); m is a->normed
static int feed(const dpi_network *network, const dp_mat *w, const dpi_activations *a, const dp_mat *x,
                dp_error *error)
{
    const dp_swiglu_args gate = {
        .x = a->normed, .gate_weight = w[DPI_GATE], .up_weight = w[DPI_UP], .y = a->inner, .gate = DP_GATE_SILU};
    const dp_gemm_args down = {.a = a->inner, .b = w[DPI_DOWN], .c = *x, .beta = 1};
    const int rc = dpi_op_swiglu(network->device, &gate, error);

    return rc ? rc : linear(network->device, down, error);
}

static void count_positions(dpi_network *network, int64_t length)
{
    if (network->length == length)
        return;
    for (int64_t row = 0; row < network->rows; row++)
        network->positions[row] = (int32_t)(row % length);
    network->length = length;
}

int dpi_network_block(dpi_network *network, int32_t block, const dp_mat *x, int64_t length, dp_error *error)
{
    dp_mat w[DPI_BLOCK_WEIGHTS];
    dpi_activations a;
    int rc = dpi_network_place(network, x->rows, &a, error);

    if (!rc && (length < 1 || x->rows % length))
        rc = dpi_fail(error, DP_E_INTERNAL, "%lld rows are not whole sequences of %lld", (long long)x->rows,
                      (long long)length);
    if (!rc)
        rc = dpi_weights_block(network->weights, block, w, error);
    if (rc)
        return rc;
    count_positions(network, length);
    rc = norm(network, x, NULL, &w[DPI_NORM_1], &a.normed, error);
    if (!rc)
        rc = attend(network, w, &a, error);
    if (!rc)
        rc = norm(network, x, &a.delta, &w[DPI_NORM_2], &a.normed, error);
    return rc ? rc : feed(network, w, &a, x, error);
}

int dpi_network_forward(dpi_network *network, const int32_t *ids, int64_t length, int32_t blocks, const dp_mat *x,
                        dpi_watch *watch, dp_error *error)
{
    int rc = dpi_network_embed(network, ids, x->rows, x, error);

    for (int32_t block = 0; block < blocks && !rc; block++) {
        rc = dpi_network_block(network, block, x, length, error);
        if (!rc)
            rc = dpi_watch_advance(watch, (uint64_t)x->rows, error);
    }
    return rc;
}
