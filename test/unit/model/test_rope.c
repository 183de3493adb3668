// Inverse frequencies against Transformers 5.23 (Llama-3.2-1B's configuration), and the fit of GGUF's divisors.
#include <math.h>

#include "model/parse.h"
#include "test/run.h"

static const int32_t at[] = {0, 1, 7, 12, 13, 14, 15, 16, 17, 18, 20, 31};
enum { COUNT = sizeof at / sizeof *at, HALF = 32 };

static dpi_config config(int32_t kind, double factor)
{
    return (dpi_config){.head_dim = 2 * HALF,
                        .rope_base = 500000,
                        .rope_kind = kind,
                        .rope_factor = factor,
                        .rope_low = 1,
                        .rope_high = 4,
                        .rope_original = 8192};
}

static void compare(const dpi_config *c, const double wanted[COUNT])
{
    float found[HALF];

    dpi_rope_frequencies(c, found);
    for (int i = 0; i < COUNT; i++)
        ck_assert_msg(fabs(found[at[i]] - wanted[i]) <= 3e-7 * wanted[i], "%d: %.9g, not %.9g", at[i],
                      (double)found[at[i]], wanted[i]);
}

START_TEST(equals_transformers)
{
    static const double plain[COUNT] = {1,
                                        0.663601279,
                                        0.0566696189,
                                        0.00729266508,
                                        0.00483942125,
                                        0.00321144611,
                                        0.0021311196,
                                        0.00141421345,
                                        0.000938473851,
                                        0.000622772437,
                                        0.000274248188,
                                        3.01385808e-06};
    static const double linear[COUNT] = {0.400000006,    0.265440524,    0.0226678476,   0.00291706598,
                                         0.00193576852,  0.00128457847,  0.000852447818, 0.00056568539,
                                         0.000375389529, 0.000249108969, 0.000109699278, 1.20554319e-06};
    static const double llama3[COUNT] = {1,
                                         0.663601279,
                                         0.0566696189,
                                         0.00729266508,
                                         0.00483942125,
                                         0.00321144611,
                                         0.00129054801,
                                         0.000429556705,
                                         9.70828623e-05,
                                         1.94616387e-05,
                                         8.57025589e-06,
                                         9.41830649e-08};
    dpi_config c = config(DPI_ROPE_DEFAULT, 0);

    compare(&c, plain);
    c = config(DPI_ROPE_LINEAR, 2.5);
    compare(&c, linear);
    c = config(DPI_ROPE_LLAMA3, 32);
    compare(&c, llama3);
}
END_TEST

START_TEST(divisors_divide_to_the_same)
{
    const dpi_config scaled = config(DPI_ROPE_LLAMA3, 32), plain = config(DPI_ROPE_DEFAULT, 0);
    float divisors[HALF], wanted[HALF], base[HALF];

    dpi_rope_divisors(&scaled, divisors);
    dpi_rope_frequencies(&scaled, wanted);
    dpi_rope_frequencies(&plain, base);
    for (int i = 0; i < HALF; i++)
        ck_assert_msg(fabsf(base[i] / divisors[i] - wanted[i]) <= 5e-7f * wanted[i], "%d", i);
}
END_TEST

START_TEST(fits_divisors)
{
    dpi_config from = config(DPI_ROPE_LLAMA3, 8), found = config(DPI_ROPE_DEFAULT, 0);
    float divisors[HALF];

    from.rope_original = 16384;
    dpi_rope_divisors(&from, divisors);
    ck_assert_int_eq(dpi_rope_fit(&found, divisors, "m.gguf", NULL), DP_OK);
    ck_assert_int_eq(found.rope_kind, DPI_ROPE_LLAMA3);
    ck_assert_int_eq(found.rope_original, 16384);
    ck_assert(found.rope_factor == 8 && found.rope_low == 1 && found.rope_high == 4);
}
END_TEST

START_TEST(fits_uniform_divisors)
{
    dpi_config found = config(DPI_ROPE_DEFAULT, 0);
    float divisors[HALF];

    for (int i = 0; i < HALF; i++)
        divisors[i] = 1;
    ck_assert_int_eq(dpi_rope_fit(&found, divisors, "m.gguf", NULL), DP_OK);
    ck_assert_int_eq(found.rope_kind, DPI_ROPE_DEFAULT);
    for (int i = 0; i < HALF; i++)
        divisors[i] = 4;
    ck_assert_int_eq(dpi_rope_fit(&found, divisors, "m.gguf", NULL), DP_OK);
    ck_assert_int_eq(found.rope_kind, DPI_ROPE_LINEAR);
    ck_assert(found.rope_factor == 4);
}
END_TEST

START_TEST(refuses_other_divisors)
{
    const float bad[] = {0, -1, NAN, INFINITY, 3};
    dp_error error;

    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        dpi_config from = config(DPI_ROPE_LLAMA3, 8), found = config(DPI_ROPE_DEFAULT, 0);
        float divisors[HALF];
        dpi_rope_divisors(&from, divisors);
        divisors[5] = bad[k];
        ck_assert_int_eq(dpi_rope_fit(&found, divisors, "m.gguf", &error), DP_E_UNSUPPORTED);
        ck_assert_str_eq(error.item, "rope_freqs.weight");
        ck_assert_int_eq(found.rope_kind, DPI_ROPE_DEFAULT);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {equals_transformers, divisors_divide_to_the_same, fits_divisors,
                                  fits_uniform_divisors, refuses_other_divisors};
    return dpt_run("model/rope", tests, sizeof tests / sizeof *tests);
}
