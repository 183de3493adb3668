// Numbers as text, '.' whatever the locale.  A double is at most 767 significant digits; more only decide a tie,
// so digits past DIGITS are folded into one that is not zero.
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { DIGITS = 800, EXPONENT_MOST = 100000 };

typedef struct decimal {
    char digits[DIGITS + 2]; // significant ones, then maybe one for the rest
    size_t count;
    int64_t exponent; // of ten, of the last digit
    int negative, any;
} decimal;

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t read_sign(const char *text, size_t size, int *negative)
{
    const int sign = size && (text[0] == '+' || text[0] == '-');

    *negative = sign && text[0] == '-';
    return (size_t)sign;
}

static size_t read_digits(decimal *d, const char *text, size_t size, int fraction)
{
    size_t i = 0;

    for (; i < size && is_digit(text[i]); i++) {
        d->any = 1;
        d->exponent -= fraction;
        if (text[i] == '0' && d->count == 0)
            continue;
        if (d->count < DIGITS) {
            d->digits[d->count++] = text[i];
            continue;
        }
        d->exponent++;
        if (text[i] != '0')
            d->digits[DIGITS] = '1';
    }
    return i;
}

// Returns the bytes of an exponent part, 0 when there is none.
static size_t read_exponent(decimal *d, const char *text, size_t size)
{
    int negative = 0;
    int64_t value = 0;

    if (!size || (text[0] != 'e' && text[0] != 'E'))
        return 0;
    size_t i = 1 + read_sign(text + 1, size - 1, &negative);
    const size_t first = i;
    for (; i < size && is_digit(text[i]); i++)
        if (value < INT64_MAX / 1000)
            value = value * 10 + (text[i] - '0');
    if (i == first)
        return 0;
    d->exponent += negative ? -value : value;
    return i;
}

static int to_double(decimal *d, double *out)
{
    char text[DIGITS + 32];
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);

    if (!plain)
        return -1;
    if (d->digits[DIGITS] && d->count == DIGITS) {
        d->count++;
        d->exponent--;
    }
    const int64_t most = EXPONENT_MOST;
    const int64_t exponent = d->exponent > most ? most : d->exponent < -most ? -most : d->exponent;
    snprintf(text, sizeof text, "%.*se%d", (int)d->count, d->digits, (int)exponent);
    const double value = d->count ? strtod_l(text, NULL, plain) : 0;
    freelocale(plain);
    *out = d->negative ? -value : value;
    return 0;
}

size_t dpi_parse_double(const char *text, size_t size, double *out)
{
    decimal d = {.count = 0};
    size_t at = read_sign(text, size, &d.negative);

    at += read_digits(&d, text + at, size - at, 0);
    if (at < size && text[at] == '.' && (d.any || (at + 1 < size && is_digit(text[at + 1]))))
        at += 1 + read_digits(&d, text + at + 1, size - at - 1, 1);
    if (!d.any)
        return 0;
    at += read_exponent(&d, text + at, size - at);
    return to_double(&d, out) ? 0 : at;
}

size_t dpi_parse_i64(const char *text, size_t size, int64_t *out)
{
    int negative = 0;
    const size_t first = read_sign(text, size, &negative);
    size_t at = first;
    int64_t value = 0;

    for (; at < size && is_digit(text[at]); at++) {
        const int digit = text[at] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return 0;
    }
    if (at == first)
        return 0;
    *out = value;
    return at;
}

static void __attribute__((format(printf, 2, 3))) format(char out[32], const char *form, ...)
{
    va_list args;

    va_start(args, form);
    dpi_vformat(out, 32, form, args);
    va_end(args);
}

void dpi_format_double(double value, char out[32])
{
    if (isnan(value) || isinf(value)) {
        memcpy(out, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf", isinf(value) && value < 0 ? 5 : 4);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        double back = 0;
        format(out, "%.*g", digits, value);
        if (dpi_parse_double(out, strlen(out), &back) && back == value)
            return;
    }
}
