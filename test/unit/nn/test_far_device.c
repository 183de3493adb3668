// The network on a device that does not read host memory: weights are uploaded, block by block, and nothing of the
// host's is used as an operand.
#include "nn/network.h"
#include "nn/tokens.h"
#include "test/unit/nn/far_device.h"

enum { LENGTH = 12, SEQUENCES = 2, ROWS = LENGTH * SEQUENCES };

static void run(dp_context *context, const dp_model *model, float *logits, float *losses)
{
    dpi_network *network = NULL;
    int32_t ids[ROWS], labels[ROWS];
    void *stream = NULL;
    dp_error error;

    plain_ids(ids, ROWS, 9);
    dpi_labels_next(ids, ROWS, LENGTH, labels);
    ck_ok(dpi_network_open(&network, context, model, ROWS, &error), error);
    ck_ok(dpi_op_alloc(dpi_device_of(context), ROWS * PLAIN_HIDDEN * sizeof(float), &stream, &error), error);
    const dp_mat x = dpi_mat_f32(stream, ROWS, PLAIN_HIDDEN);
    ck_ok(dpi_network_forward(network, ids, LENGTH, PLAIN_BLOCKS, &x, NULL, &error), error);
    ck_ok(dpi_network_losses(network, &x, labels, losses, &error), error);
    ck_ok(dpi_network_logits(network, &x, logits, &error), error);
    dpi_op_free(dpi_device_of(context), stream);
    dpi_network_close(network);
}

START_TEST(the_same_numbers_as_near_memory)
{
    enum { LOGITS = ROWS * PLAIN_VOCAB };
    dp_context *near = test_context("cpu", 0), *far = test_context("cpu", 0);
    plain_model *plain = plain_new(17);
    dp_model *model = test_plain(near, plain);
    float *logits = calloc(2 * LOGITS, sizeof *logits), losses[2][ROWS];

    far_open(far);
    run(near, model, logits, losses[0]);
    run(far, model, logits + LOGITS, losses[1]);
    for (int i = 0; i < LOGITS; i++)
        ck_assert_double_eq_tol(logits[i], logits[LOGITS + i], 2e-5);
    for (int i = 0; i < ROWS; i++)
        ck_assert_double_eq_tol(losses[0][i], losses[1][i], 2e-5);
    const plain_block *b = plain->blocks;
    const size_t biases = sizeof b->q_bias + sizeof b->k_bias + sizeof b->v_bias + sizeof b->o_bias;
    const size_t weights = sizeof *plain - PLAIN_BLOCKS * biases; // a llama has none
    ck_assert_uint_ge(far_memory.uploaded, weights - 8);          // all weights, once
    ck_assert_uint_lt(far_memory.uploaded, weights + 4096);
    free(logits);
    free(plain);
    dp_model_free(model);
    dp_context_free(near);
    dp_context_free(far);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_same_numbers_as_near_memory};
    return dpt_run("nn/far_device", tests, sizeof tests / sizeof *tests);
}
