// Selection of blocks: order, ties, protected ends, amounts, and what the errors say.
#include "prune/select.h"

#include <math.h>

#include "test/run.h"

static const double score[8] = {0.1, 9, 3, 5, 2, 3, 7, 0.2};
static const dpi_select ends = {.score = score, .n_blocks = 8, .protect_first = 1, .protect_last = 1};

START_TEST(orders_by_score_and_breaks_ties_by_index)
{
    const int32_t expected[8] = {0, 7, 4, 2, 5, 3, 6, 1};
    int32_t order[8];

    ck_assert_int_eq(dpi_select_order(score, 8, order, NULL), DP_OK);
    ck_assert_mem_eq(order, expected, sizeof order);
}
END_TEST

START_TEST(drops_the_weakest_that_are_free)
{
    const uint8_t third_and_fifth[8] = {0, 0, 1, 0, 1, 0, 0, 0};
    dpi_select s = ends;
    int32_t order[8];
    uint8_t drop[8];

    s.remove = 2;
    dpi_select_order(score, 8, order, NULL);
    ck_assert_int_eq(dpi_select_blocks(&s, order, drop, NULL), DP_OK);
    ck_assert_mem_eq(drop, third_and_fifth, sizeof drop);
}
END_TEST

START_TEST(says_how_many_blocks_were_free)
{
    dpi_select s = ends;
    int32_t order[8];
    uint8_t drop[8];
    dp_error error;

    s.remove = 7;
    dpi_select_order(score, 8, order, NULL);
    ck_assert_int_eq(dpi_select_blocks(&s, order, drop, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "cannot remove 7 blocks: 6 of 8 are free");
    s.remove = 8;
    s.protect_first = s.protect_last = 0;
    ck_assert_int_eq(dpi_select_blocks(&s, order, drop, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "cannot remove 8 of 8 blocks: one must stay");
    s.remove = 1;
    s.protect_first = 6;
    s.protect_last = 5; // together more than there are
    ck_assert_int_eq(dpi_select_blocks(&s, order, drop, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "cannot remove 1 blocks: 0 of 8 are free");
}
END_TEST

START_TEST(a_score_that_is_not_a_number_is_named)
{
    const double bad[3] = {1, NAN, 2};
    int32_t order[3];
    dp_error error;

    ck_assert_int_eq(dpi_select_order(bad, 3, order, &error), DP_E_NUMERIC);
    ck_assert_str_eq(error.message, "score of block 1 is not a number");
}
END_TEST

START_TEST(a_ratio_is_rounded_half_up_and_at_least_one)
{
    ck_assert_uint_eq(dpi_select_ratio(0.2, 30), 6);
    ck_assert_uint_eq(dpi_select_ratio(0.25, 30), 8); // 7.5
    ck_assert_uint_eq(dpi_select_ratio(0.2, 32), 6);  // 6.4
    ck_assert_uint_eq(dpi_select_ratio(0.01, 30), 1);
}
END_TEST

START_TEST(parameters_take_the_fewest_blocks)
{
    const uint64_t sizes[8] = {10, 10, 20, 10, 5, 10, 10, 10};
    dpi_target target = {.total = 100, .target = 75, .block_parameters = sizes};
    int32_t order[8];
    size_t remove = 0;
    dp_error error;

    dpi_select_order(score, 8, order, NULL);
    ck_assert_int_eq(dpi_select_parameters(&ends, order, &target, &remove, &error), DP_OK);
    ck_assert_uint_eq(remove, 2); // blocks 4 and 2: exactly 75 stay
    target.target = 74;
    ck_assert_int_eq(dpi_select_parameters(&ends, order, &target, &remove, &error), DP_OK);
    ck_assert_uint_eq(remove, 3);
    target.target = 10;
    ck_assert_int_eq(dpi_select_parameters(&ends, order, &target, &remove, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "cannot reach 10 parameters: without the 6 of 8 blocks that may go, 35 stay");
    target.target = 100;
    ck_assert_int_eq(dpi_select_parameters(&ends, order, &target, &remove, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "nothing to remove: the model has 100 parameters, and 100 may stay");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {orders_by_score_and_breaks_ties_by_index, drops_the_weakest_that_are_free,
                                  says_how_many_blocks_were_free, a_score_that_is_not_a_number_is_named,
                                  a_ratio_is_rounded_half_up_and_at_least_one, parameters_take_the_fewest_blocks};
    return dpt_run("prune/select", tests, sizeof tests / sizeof *tests);
}
