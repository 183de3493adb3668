// Draws against CPython 3.11: random.Random(seed), getrandbits(32), randint(first, last).
#include "base/random.h"
#include "test/run.h"

static void expect_bits(uint64_t seed, const uint32_t *bits, int count)
{
    dpi_random random;

    dpi_random_seed(&random, seed);
    for (int i = 0; i < count; i++)
        ck_assert_uint_eq(dpi_random_bits(&random), bits[i]);
}

static void expect_between(dpi_random *random, int64_t first, int64_t last, const int64_t *numbers, int count)
{
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(dpi_random_between(random, first, last), numbers[i]);
}

START_TEST(draws_the_bits_that_python_draws)
{
    const uint32_t with_1234[] = {4150886329u, 3342196574u, 1892932127u, 501869158u};
    const uint32_t with_0[] = {3626764237u, 1654615998u, 3255389356u, 3823568514u};

    expect_bits(1234, with_1234, 4);
    expect_bits(0, with_0, 4);
}
END_TEST

START_TEST(draws_the_numbers_that_python_draws)
{
    const int64_t rows[] = {59154128, 15683411, 1005488, 12165978, 4687710, 11265998, 13209983, 47598385};
    const int64_t windows[] = {1770880, 807917, 1589545, 1866976};
    dpi_random random;

    dpi_random_seed(&random, 1234);
    expect_between(&random, 0, 74004227, rows, 8);
    dpi_random_seed(&random, 0);
    expect_between(&random, 0, 1997951, windows, 4);
}
END_TEST

START_TEST(takes_seeds_and_ranges_wider_than_a_word)
{
    const uint32_t bits[] = {2166296868u, 2220160828u, 1153647273u};
    const int64_t small[] = {5, -5, 3, -5, -3, -4, -3, -2};
    const int64_t wide[] = {735787721512105, 153943167252522, 738593704425012};
    dpi_random random;

    dpi_random_seed(&random, (1ull << 40) + 5);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(dpi_random_bits(&random), bits[i]);
    expect_between(&random, -5, 5, small, 8);
    expect_between(&random, 0, 1000000000000000, wide, 3);
}
END_TEST

START_TEST(goes_on_past_one_state_of_624_words)
{
    dpi_random random;

    dpi_random_seed(&random, 42);
    for (int i = 0; i < 1000; i++)
        dpi_random_bits(&random);
    ck_assert_uint_eq(dpi_random_bits(&random), 2672573305u);
}
END_TEST

// A power of two is asked for with one bit more than it needs, and one number still costs a draw.
START_TEST(wastes_draws_as_python_does)
{
    const int64_t powers[] = {20, 9, 25, 3}, only[] = {3, 3};
    dpi_random random;

    dpi_random_seed(&random, 7);
    expect_between(&random, 0, 31, powers, 4);
    expect_between(&random, 3, 3, only, 2);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {draws_the_bits_that_python_draws, draws_the_numbers_that_python_draws,
                                  takes_seeds_and_ranges_wider_than_a_word, goes_on_past_one_state_of_624_words,
                                  wastes_draws_as_python_does};
    return dpt_run("base/random", tests, sizeof tests / sizeof *tests);
}
