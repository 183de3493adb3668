// f16 and bf16: every half there and back, and rounding against double arithmetic.
#include "tensor/half.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "test/run.h"

static float value_of(uint32_t bits)
{
    float value = 0;

    memcpy(&value, &bits, sizeof value);
    return value;
}

// What a half is worth by its definition.
static double half_value(uint16_t half, int exponent_bits, int fraction_bits)
{
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int exponent = half >> fraction_bits & ((1 << exponent_bits) - 1);
    const int fraction = half & ((1 << fraction_bits) - 1);
    const double size = exponent ? ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits)
                                 : ldexp(fraction, 1 - bias - fraction_bits);

    return half & 0x8000 ? -size : size;
}

START_TEST(takes_every_half_there_and_back)
{
    for (uint32_t i = 0; i < 0x10000; i++) {
        const uint16_t half = (uint16_t)i;
        const float f16 = dpi_f16_to_f32(half), bf16 = dpi_bf16_to_f32(half);

        ck_assert_uint_eq(dpi_f32_to_f16(f16), half);
        ck_assert_uint_eq(dpi_f32_to_bf16(bf16), half);
        if ((half & 0x7C00) == 0x7C00)
            ck_assert(half & 0x3FF ? isnan(f16) : isinf(f16));
        else
            ck_assert((double)f16 == half_value(half, 5, 10));
        if ((half & 0x7F80) == 0x7F80)
            ck_assert(half & 0x7F ? isnan(bf16) : isinf(bf16));
        else
            ck_assert((double)bf16 == half_value(half, 8, 7));
    }
}
END_TEST

// The nearest of all halves, a tie to the even one; past the largest, half a step more is infinity.
static uint16_t nearest(double size, int exponent_bits, int fraction_bits)
{
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const uint16_t infinity = (uint16_t)(((1 << exponent_bits) - 1) << fraction_bits);
    int exponent = 0;

    if (size == 0)
        return 0;
    frexp(size, &exponent);
    const int lowest = 1 - bias;
    const int of_unit = (exponent - 1 > lowest ? exponent - 1 : lowest) - fraction_bits;
    const double steps = nearbyint(ldexp(size, -of_unit)); // to even by default
    const double rounded = ldexp(steps, of_unit);
    if (rounded >= ldexp(1, bias + 1))
        return infinity;
    uint16_t low = 0, high = infinity;
    while (low < high) {
        const uint16_t middle = (uint16_t)((low + high) / 2);
        if (half_value(middle, exponent_bits, fraction_bits) < rounded)
            low = (uint16_t)(middle + 1);
        else
            high = middle;
    }
    return low;
}

static void check_rounding(uint32_t bits)
{
    const float value = value_of(bits & 0x7FFFFFFF);

    if (isnan(value) || isinf(value))
        return;
    ck_assert_uint_eq(dpi_f32_to_f16(value), nearest((double)value, 5, 10));
    ck_assert_uint_eq(dpi_f32_to_bf16(value), nearest((double)value, 8, 7));
    ck_assert_uint_eq(dpi_f32_to_f16(-value), 0x8000 | nearest((double)value, 5, 10));
    ck_assert_uint_eq(dpi_f32_to_bf16(-value), 0x8000 | nearest((double)value, 8, 7));
}

START_TEST(rounds_to_the_nearest_and_ties_to_even)
{
    dpi_random random;

    dpi_random_seed(&random, 11);
    for (int i = 0; i < 200000; i++)
        check_rounding(dpi_random_bits(&random));
    for (int i = 0; i < 200000; i++) // around the range of f16
        check_rounding(0x32000000 + dpi_random_bits(&random) % 0x16000000);
    for (uint32_t half = 0; half < 0x7C00; half++) { // each tie and its neighbours
        const float one = dpi_f16_to_f32((uint16_t)half),
                    two = half == 0x7BFF ? 65536 : dpi_f16_to_f32((uint16_t)(half + 1));
        const float tie = one / 2 + two / 2;
        uint32_t bits = 0;
        memcpy(&bits, &tie, sizeof bits);
        for (uint32_t near = bits ? bits - 1 : 0; near <= bits + 1; near++)
            check_rounding(near);
    }
    for (uint32_t half = 0; half < 0x7F80; half++)
        for (uint32_t low = 0x7FFF; low <= 0x8001; low++)
            check_rounding(half << 16 | low);
}
END_TEST

START_TEST(keeps_what_is_not_a_number)
{
    ck_assert(isnan(dpi_f16_to_f32(dpi_f32_to_f16(value_of(0x7F800001)))));
    ck_assert(isnan(dpi_bf16_to_f32(dpi_f32_to_bf16(value_of(0x7F800001)))));
    ck_assert_uint_eq(dpi_f32_to_f16(value_of(0xFFC00000)), 0xFE00);
    ck_assert_uint_eq(dpi_f32_to_bf16(value_of(0xFFC00000)), 0xFFC0);
    ck_assert_uint_eq(dpi_f32_to_f16(value_of(0xFF800000)), 0xFC00);
    ck_assert_uint_eq(dpi_f32_to_bf16(value_of(0x7F800000)), 0x7F80);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {takes_every_half_there_and_back, rounds_to_the_nearest_and_ties_to_even,
                                  keeps_what_is_not_a_number};
    return dpt_run("tensor/half", tests, sizeof tests / sizeof *tests);
}
