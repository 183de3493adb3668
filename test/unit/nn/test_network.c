// The network against a plain forward pass in double, on every backend that is always there.
#include "nn/network.h"

#include "backend/device.h"
#include "base/memory.h"
#include "nn/budget.h"
#include "nn/tokens.h"
#include "test/unit/nn/support.h"

enum { LENGTH = 21, SEQUENCES = 3, ROWS = LENGTH * SEQUENCES };

typedef struct rig {
    dp_context *context;
    dp_model *model;
    plain_model *plain;
    dpi_network *network;
    float *stream;
    int32_t ids[ROWS];
} rig;

static rig rig_open(const char *backend, uint64_t seed)
{
    rig r = {.context = test_context(backend, 0), .plain = plain_new(seed)};
    dp_error error;
    void *stream;

    r.model = test_plain(r.context, r.plain);
    plain_ids(r.ids, ROWS, seed + 1);
    ck_ok(dpi_network_open(&r.network, r.context, r.model, ROWS, &error), error);
    ck_ok(dpi_op_alloc(dpi_device_of(r.context), ROWS * PLAIN_HIDDEN * sizeof(float), &stream, &error), error);
    r.stream = stream;
    return r;
}

static void rig_close(rig *r)
{
    dpi_op_free(dpi_device_of(r->context), r->stream);
    dpi_network_close(r->network);
    dp_model_free(r->model);
    dp_context_free(r->context);
    free(r->plain);
}

static void blocks_agree(const char *backend, double tolerance)
{
    rig r = rig_open(backend, 7);
    const dp_mat x = dpi_mat_f32(r.stream, ROWS, PLAIN_HIDDEN);
    double expected[PLAIN_CONTEXT][PLAIN_HIDDEN];
    dp_error error;

    ck_ok(dpi_network_embed(r.network, r.ids, ROWS, &x, &error), error);
    for (int block = 0; block <= PLAIN_BLOCKS; block++) {
        for (int s = 0; s < SEQUENCES; s++) {
            plain_stream(r.plain, r.ids + s * LENGTH, LENGTH, block, NULL, expected);
            for (int i = 0; i < LENGTH * PLAIN_HIDDEN; i++)
                ck_assert_double_eq_tol(r.stream[s * LENGTH * PLAIN_HIDDEN + i], expected[i / PLAIN_HIDDEN][i % PLAIN_HIDDEN],
                                        tolerance);
        }
        if (block < PLAIN_BLOCKS)
            ck_ok(dpi_network_block(r.network, block, &x, LENGTH, &error), error);
    }
    rig_close(&r);
}

START_TEST(every_block_gives_the_plain_stream)
{
    blocks_agree("ref", 2e-5);
    blocks_agree("cpu", 2e-5);
}
END_TEST

static void head_agrees(const char *backend)
{
    rig r = rig_open(backend, 11);
    const dp_mat x = dpi_mat_f32(r.stream, ROWS, PLAIN_HIDDEN);
    double stream[PLAIN_CONTEXT][PLAIN_HIDDEN], expected[PLAIN_VOCAB];
    float *logits = calloc(ROWS * PLAIN_VOCAB, sizeof *logits), losses[ROWS];
    int32_t labels[ROWS];
    dp_error error;

    dpi_labels_next(r.ids, ROWS, LENGTH, labels);
    ck_ok(dpi_network_forward(r.network, r.ids, LENGTH, PLAIN_BLOCKS, &x, NULL, &error), error);
    ck_ok(dpi_network_logits(r.network, &x, logits, &error), error);
    ck_ok(dpi_network_losses(r.network, &x, labels, losses, &error), error);
    for (int s = 0; s < SEQUENCES; s++) {
        double sum = 0;
        plain_stream(r.plain, r.ids + s * LENGTH, LENGTH, PLAIN_BLOCKS, NULL, stream);
        for (int t = 0; t < LENGTH; t++) {
            plain_logits(r.plain, stream[t], expected);
            for (int i = 0; i < PLAIN_VOCAB; i++)
                ck_assert_double_eq_tol(logits[(s * LENGTH + t) * PLAIN_VOCAB + i], expected[i], 3e-5);
            sum += losses[s * LENGTH + t];
        }
        ck_assert_double_eq_tol(sum, plain_nll(r.plain, r.ids + s * LENGTH, LENGTH, NULL), 2e-4);
        ck_assert_float_eq(losses[s * LENGTH + LENGTH - 1], 0); // nothing follows
    }
    free(logits);
    rig_close(&r);
}

START_TEST(logits_and_losses_are_the_plain_ones)
{
    head_agrees("ref");
    head_agrees("cpu");
}
END_TEST

START_TEST(fewer_rows_and_another_length_give_the_same)
{
    rig r = rig_open("cpu", 13);
    float *whole = calloc(ROWS * PLAIN_HIDDEN, sizeof *whole);
    dp_mat x = dpi_mat_f32(r.stream, ROWS, PLAIN_HIDDEN);
    dp_error error;

    ck_ok(dpi_network_forward(r.network, r.ids, LENGTH, PLAIN_BLOCKS, &x, NULL, &error), error);
    memcpy(whole, r.stream, sizeof *whole * ROWS * PLAIN_HIDDEN);
    x = dpi_mat_f32(r.stream, LENGTH - 4, PLAIN_HIDDEN); // a shorter sequence is a prefix
    ck_ok(dpi_network_forward(r.network, r.ids, LENGTH - 4, PLAIN_BLOCKS, &x, NULL, &error), error);
    for (int i = 0; i < (LENGTH - 4) * PLAIN_HIDDEN; i++)
        ck_assert_double_eq_tol(r.stream[i], whole[i], 1e-6);
    free(whole);
    rig_close(&r);
}
END_TEST

START_TEST(more_rows_than_were_asked_for_are_refused)
{
    rig r = rig_open("ref", 3);
    const dp_mat many = dpi_mat_f32(r.stream, ROWS + 1, PLAIN_HIDDEN), odd = dpi_mat_f32(r.stream, 5, PLAIN_HIDDEN);
    dp_error error;

    ck_assert_int_eq(dpi_network_block(r.network, 0, &many, 1, &error), DP_E_INTERNAL);
    ck_assert_int_eq(dpi_network_block(r.network, 0, &odd, 2, &error), DP_E_INTERNAL);
    ck_assert_str_eq(error.message, "5 rows are not whole sequences of 2");
    rig_close(&r);
}
END_TEST

START_TEST(opening_takes_no_more_than_was_said)
{
    rig r = rig_open("cpu", 3);
    const uint64_t before = r.context->memory.used;
    dpi_network *network = NULL;
    uint64_t said = 0;
    dp_error error;

    ck_ok(dpi_network_bytes(r.model, ROWS, &said, &error), error);
    ck_ok(dpi_network_open(&network, r.context, r.model, ROWS, &error), error);
    ck_assert_uint_le(r.context->memory.used - before, said + 4096);
    dpi_network_close(network);
    ck_assert_uint_eq(r.context->memory.used, before);
    rig_close(&r);
}
END_TEST

START_TEST(a_budget_cuts_into_even_groups)
{
    rig r = rig_open("cpu", 3);
    dpi_budget budget = {.item = "sample", .items = 10, .rows = LENGTH, .copies = 1, .most = UINT64_MAX};
    int64_t group = 0;
    uint64_t four = 0;
    dp_error error;

    ck_ok(dpi_budget_fit(r.context, r.model, &budget, &group, &error), error);
    ck_assert_int_eq(group, 10);
    ck_ok(dpi_budget_bytes(r.context, r.model, &budget, 4, &four, &error), error);
    budget.most = four; // 4 fit: 3 groups, so 4 + 4 + 2 becomes 4, and with 12 items 4
    ck_ok(dpi_budget_fit(r.context, r.model, &budget, &group, &error), error);
    ck_assert_int_eq(group, 4);
    budget.items = 9; // 3 groups of 3 instead of 4 + 4 + 1
    ck_ok(dpi_budget_fit(r.context, r.model, &budget, &group, &error), error);
    ck_assert_int_eq(group, 3);
    budget.most = 1; // at least one
    ck_ok(dpi_budget_fit(r.context, r.model, &budget, &group, &error), error);
    ck_assert_int_eq(group, 1);
    budget.asked = 6;
    ck_ok(dpi_budget_fit(r.context, r.model, &budget, &group, &error), error);
    ck_assert_int_eq(group, 6);
    rig_close(&r);
}
END_TEST

START_TEST(a_limit_that_is_too_low_says_the_bytes)
{
    rig r = rig_open("cpu", 3);
    const dpi_budget budget = {.item = "sample", .items = 10, .rows = 1000, .copies = 1, .most = UINT64_MAX};
    int64_t group = 77;
    dp_error error;

    r.context->memory.limit = r.context->memory.used + 100000;
    ck_assert_int_eq(dpi_budget_fit(r.context, r.model, &budget, &group, &error), DP_E_MEMORY);
    ck_assert_ptr_nonnull(strstr(error.message, "1 sample at once needs "));
    ck_assert_ptr_nonnull(strstr(error.message, "the memory limit leaves 100000"));
    ck_assert_int_eq(group, 77);
    rig_close(&r);
}
END_TEST

START_TEST(ids_outside_the_vocabulary_are_named)
{
    const int32_t ids[6] = {0, 96, 3, 4, 97, -1};
    dp_error error;

    ck_assert_int_eq(dpi_ids_check(ids, 4, 0, 97, &error), DP_OK);
    ck_assert_int_eq(dpi_ids_check(ids, 6, 3, 97, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "id 97 of sample 1 at position 1 is not in the vocabulary of 97");
    ck_assert_int_eq(dpi_ids_check(ids + 5, 1, 0, 97, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "id -1 at position 0 is not in the vocabulary of 97");
}
END_TEST

START_TEST(labels_are_the_next_ids)
{
    const int32_t ids[6] = {5, 6, 7, 8, 9, 10}, expected[6] = {6, 7, DP_IGNORE, 9, 10, DP_IGNORE};
    int32_t labels[6];
    const float losses[3] = {1, 2.5f, (float)NAN};
    double sum = 1;

    dpi_labels_next(ids, 6, 3, labels);
    ck_assert_mem_eq(labels, expected, sizeof labels);
    ck_assert_int_eq(dpi_losses_add(losses, 2, &sum), -1);
    ck_assert_double_eq(sum, 4.5);
    ck_assert_int_eq(dpi_losses_add(losses, 3, &sum), 2);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_block_gives_the_plain_stream, logits_and_losses_are_the_plain_ones,
                                  fewer_rows_and_another_length_give_the_same,
                                  more_rows_than_were_asked_for_are_refused, opening_takes_no_more_than_was_said,
                                  a_budget_cuts_into_even_groups, a_limit_that_is_too_low_says_the_bytes,
                                  ids_outside_the_vocabulary_are_named, labels_are_the_next_ids};
    return dpt_run("nn/network", tests, sizeof tests / sizeof *tests);
}
