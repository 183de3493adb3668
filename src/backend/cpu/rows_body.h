// Row kernels, compiled once for each instruction set after its vector header.  Sums run in a fixed order:
// lane by lane over SPAN elements, then in double.
#ifndef DPI_BACKEND_CPU_ROWS_BODY_H
#define DPI_BACKEND_CPU_ROWS_BODY_H

#include <depthprune/sys/backend.h>
#include <math.h>

#include "backend/cpu/kernels.h"
#include "backend/cpu/unroll.h"

enum {
    SPAN = 8 * LANES,
    PIECE = 256, // elements widened at a time; whole blocks of every type
    AHEAD_BYTES = 2048
};

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// e^x = 2^n e^r, n = round(x / ln 2), e^r by a polynomial on |r| <= ln 2 / 2 (relative error 2^-26); within 1 unit
// in the last place or so.  -110 <= x <= 90.
static inline vec vec_exp_inside(vec x)
{
    const vec n = vec_round(vec_mul(x, vec_set(1.44269504f)));
    vec r = vec_fma(n, vec_set(-0.693359375f), x);
    r = vec_fma(n, vec_set(2.12194440e-4f), r);
    vec p = vec_set(1.384365372e-03f);
    p = vec_fma(p, r, vec_set(8.374155499e-03f));
    p = vec_fma(p, r, vec_set(4.166800156e-02f));
    p = vec_fma(p, r, vec_set(1.666643173e-01f));
    p = vec_fma(p, r, vec_set(4.999999404e-01f));
    p = vec_fma(p, r, vec_set(1.000000000e+00f));
    p = vec_fma(p, r, vec_set(1.0f));
    return vec_scale(p, n);
}

static inline vec vec_exp(vec x) { return vec_exp_inside(vec_max(vec_set(-110.0f), vec_min(vec_set(90.0f), x))); }
// For x <= 0.
static inline vec vec_exp_down(vec x) { return vec_exp_inside(vec_max(vec_set(-110.0f), x)); }
// For terms of a sum that has a term 1: what is below 2^-125 counts as that, since subnormal results are slow.
static inline vec vec_exp_term(vec x) { return vec_exp_inside(vec_max(vec_set(-86.6f), x)); }

static inline vec load_some(const float *from, int64_t left, float fill)
{
    return left >= LANES ? vec_load(from) : vec_load_part(from, left, fill);
}

static inline void store_some(float *to, int64_t left, vec value)
{
    if (left >= LANES)
        vec_store(to, value);
    else
        vec_store_part(to, left, value);
}

static double add_and_square(float *x, const float *delta, int64_t count)
{
    vec_doubles total = vec_doubles_zero();

    for (int64_t first = 0; first < count; first += SPAN) {
        const int64_t end = least(first + SPAN, count);
        vec sum = vec_set(0);

        for (int64_t i = first; i < end; i += LANES) {
            vec value = load_some(x + i, end - i, 0);

            if (delta) {
                value = vec_add(value, load_some(delta + i, end - i, 0));
                store_some(x + i, end - i, value);
            }
            sum = vec_fma(value, value, sum);
        }
        total = vec_doubles_add(total, sum);
    }
    return vec_doubles_sum(total);
}

// Squares that are too large for f32 would give rstd 0 and hide in zeros: they give NaN.
static float norm(float *x, const float *delta, const float *weight, int64_t count, float epsilon, float *y)
{
    const double mean = add_and_square(x, delta, count) / (double)count;
    const float rstd = isfinite(mean) ? (float)(1.0 / sqrt(mean + (double)epsilon)) : NAN;
    const vec factor = vec_set(rstd);

    for (int64_t i = 0; i < count; i += LANES) {
        const vec value = vec_mul(load_some(x + i, count - i, 0), factor);

        store_some(y + i, count - i, vec_mul(value, load_some(weight + i, count - i, 0)));
    }
    return rstd;
}

static void rotate_halves(float *x, const float *cosines, const float *sines, int64_t half)
{
    for (int64_t i = 0; i < half; i += LANES) {
        const int64_t left = half - i;
        const vec c = load_some(cosines + i, left, 0), s = load_some(sines + i, left, 0);
        const vec a = load_some(x + i, left, 0), b = load_some(x + half + i, left, 0);

        store_some(x + i, left, vec_sub(vec_mul(a, c), vec_mul(b, s)));
        store_some(x + half + i, left, vec_add(vec_mul(b, c), vec_mul(a, s)));
    }
}

static void rotate_pairs(float *x, const float *cosines, const float *sines, int64_t half)
{
    for (int64_t i = 0; i < 2 * half; i += LANES) {
        const int64_t left = 2 * half - i;
        const vec c = load_some(cosines + i, left, 0), s = load_some(sines + i, left, 0);

        store_some(x + i, left, vec_rotate(load_some(x + i, left, 0), c, s));
    }
}

static float top(const float *x, int64_t count, float scale)
{
    vec highest = vec_set(-INFINITY);
    int64_t i = 0;

    for (; i + LANES <= count; i += LANES)
        highest = vec_max(vec_mul(vec_load(x + i), vec_set(scale)), highest);
    if (i < count) {
        const vec last = vec_mul(vec_load_part(x + i, count - i, 0), vec_set(scale));
        float part[LANES];

        vec_store(part, last);
        highest = vec_max(vec_load_part(part, count - i, -INFINITY), highest);
    }
    return vec_top(highest);
}

static double exp_sum(const float *x, int64_t count, float scale, float shift)
{
    vec_doubles total = vec_doubles_zero();

    for (int64_t first = 0; first < count; first += SPAN) {
        const int64_t end = least(first + SPAN, count);
        vec sum = vec_set(0);
        int64_t i = first;

        for (; i + LANES <= end; i += LANES)
            sum = vec_add(sum, vec_exp_term(vec_fma(vec_load(x + i), vec_set(scale), vec_set(-shift))));
        if (i < end) {
            const vec last = vec_load_part(x + i, end - i, 0);
            float part[LANES];

            vec_store(part, vec_exp_term(vec_fma(last, vec_set(scale), vec_set(-shift))));
            sum = vec_add(sum, vec_load_part(part, end - i, 0));
        }
        total = vec_doubles_add(total, sum);
    }
    return vec_doubles_sum(total);
}

static double exp_store(const float *x, int64_t count, float scale, float shift, float *y)
{
    vec_doubles total = vec_doubles_zero();

    for (int64_t first = 0; first < count; first += SPAN) {
        const int64_t end = least(first + SPAN, count);
        vec sum = vec_set(0);

        for (int64_t i = first; i < end; i += LANES) {
            const vec value = vec_fma(load_some(x + i, end - i, 0), vec_set(scale), vec_set(-shift));

            store_some(y + i, end - i, vec_exp_down(value));
            sum = vec_add(sum, load_some(y + i, end - i, 0));
        }
        total = vec_doubles_add(total, sum);
    }
    return vec_doubles_sum(total);
}

// x / (1 + e^-x)
static inline vec silu(vec x)
{
    return vec_div(x, vec_add(vec_set(1.0f), vec_exp(vec_sub(vec_set(0), x))));
}

// x / 2 (1 + tanh u) = x / (1 + e^-2u), u = sqrt(2 / pi) (x + 0.044715 x^3)
static inline vec gelu(vec x)
{
    const vec cubic = vec_fma(vec_mul(vec_mul(x, x), x), vec_set(0.044715f), x);

    return vec_div(x, vec_add(vec_set(1.0f), vec_exp(vec_mul(cubic, vec_set(-1.5957691216f)))));
}

static void gate(int32_t kind, const float *a, const float *b, int64_t count, float *y)
{
    for (int64_t i = 0; i < count; i += LANES) {
        const vec x = load_some(a + i, count - i, 0);
        const vec open = kind == DP_GATE_SILU ? silu(x) : gelu(x);

        store_some(y + i, count - i, vec_mul(open, load_some(b + i, count - i, 0)));
    }
}

static void axpby(const float *x, float *y, int64_t count, float alpha, float beta)
{
    for (int64_t i = 0; i < count; i += LANES) {
        vec value = vec_mul(load_some(x + i, count - i, 0), vec_set(alpha));

        if (beta != 0)
            value = vec_fma(load_some(y + i, count - i, 0), vec_set(beta), value);
        store_some(y + i, count - i, value);
    }
}

static inline __attribute__((always_inline)) vec_doubles take(vec_doubles sum, int kind, vec x, vec y)
{
    switch (kind) {
    case DP_REDUCTION_SUM:
        return vec_doubles_add(sum, x);
    case DP_REDUCTION_ABS:
        return vec_doubles_add(sum, vec_abs(x));
    case DP_REDUCTION_SQUARE:
        return vec_doubles_fma(sum, x, x);
    case DP_REDUCTION_DOT:
        return vec_doubles_fma(sum, x, y);
    default:
        return vec_doubles_fma_abs(sum, x, y);
    }
}

// `count` elements from `first` on as f32, and a request for bytes that come later: one core waits long for memory.
static inline const float *take_piece(const dpi_cpu_rows *rows, int64_t first, int64_t count, float *space)
{
    const unsigned char *from = dpi_cpu_at(rows, 0, first);
    const int64_t bytes = count / rows->block * rows->block_bytes;

    for (int64_t i = 0; i < bytes; i += 64)
        __builtin_prefetch(from + AHEAD_BYTES + i);
    if (rows->type == DP_F32)
        return (const float *)(const void *)from;
    widen(rows->type, from, count, space);
    return space;
}

// Four sums side by side hide the latency of the additions.
static inline __attribute__((always_inline)) double reduce_as(const int kind, const dpi_cpu_rows *x,
                                                              const dpi_cpu_rows *y, int64_t count)
{
    vec_doubles sum[4] = {vec_doubles_zero(), vec_doubles_zero(), vec_doubles_zero(), vec_doubles_zero()};
    _Alignas(64) float space[2][PIECE];

    for (int64_t first = 0; first < count; first += PIECE) {
        const int64_t some = least(PIECE, count - first);
        const float *a = take_piece(x, first, some, space[0]);
        const float *b = x == y ? a : take_piece(y, first, some, space[1]);
        int64_t i = 0;

        for (; i + 4 * LANES <= some; i += 4 * LANES)
            UNROLL
            for (int s = 0; s < 4; s++)
                sum[s] = take(sum[s], kind, vec_load(a + i + s * LANES), vec_load(b + i + s * LANES));
        for (; i < some; i += LANES)
            sum[0] = take(sum[0], kind, load_some(a + i, some - i, 0), load_some(b + i, some - i, 0));
    }
    return (vec_doubles_sum(sum[0]) + vec_doubles_sum(sum[1])) +
           (vec_doubles_sum(sum[2]) + vec_doubles_sum(sum[3]));
}

static double reduce_top(const dpi_cpu_rows *x, int64_t count)
{
    _Alignas(64) float space[PIECE];
    float result = -INFINITY;

    for (int64_t first = 0; first < count; first += PIECE) {
        const int64_t some = least(PIECE, count - first);

        result = fmaxf(result, top(take_piece(x, first, some, space), some, 1.0f));
    }
    return (double)result;
}

static double reduce(int32_t kind, const dpi_cpu_rows *x, const dpi_cpu_rows *y, int64_t count)
{
    switch (kind) {
    case DP_REDUCTION_SUM:
        return reduce_as(DP_REDUCTION_SUM, x, x, count);
    case DP_REDUCTION_ABS:
        return reduce_as(DP_REDUCTION_ABS, x, x, count);
    case DP_REDUCTION_SQUARE:
        return reduce_as(DP_REDUCTION_SQUARE, x, x, count);
    case DP_REDUCTION_MAX:
        return reduce_top(x, count);
    case DP_REDUCTION_DOT:
        return reduce_as(DP_REDUCTION_DOT, x, y, count);
    default:
        return reduce_as(DP_REDUCTION_ABSDOT, x, y, count);
    }
}

#endif
