// Four f32 lanes in the compiler's own vectors: what the kernel bodies are written in, for any processor.
#ifndef DPI_BACKEND_CPU_VECTOR_H
#define DPI_BACKEND_CPU_VECTOR_H

#include <math.h>
#include <stdint.h>
#include <string.h>

typedef float vec __attribute__((vector_size(16)));
typedef int32_t vec_bits __attribute__((vector_size(16)));
typedef struct vec_doubles {
    double lane[4];
} vec_doubles;

enum { LANES = 4, TILE_ROWS = 4, TILE_VECTORS = 2 };

static inline vec vec_set(float value) { return (vec){value, value, value, value}; }
static inline vec vec_load(const float *from)
{
    vec value;

    memcpy(&value, from, sizeof value);
    return value;
}
static inline void vec_store(float *to, vec value) { memcpy(to, &value, sizeof value); }
// The first `count` lanes, the others `fill`.
static inline vec vec_load_part(const float *from, int64_t count, float fill)
{
    vec value = vec_set(fill);

    for (int64_t i = 0; i < count; i++)
        value[i] = from[i];
    return value;
}
static inline void vec_store_part(float *to, int64_t count, vec value)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = value[i];
}
static inline vec vec_add(vec a, vec b) { return a + b; }
static inline vec vec_sub(vec a, vec b) { return a - b; }
static inline vec vec_mul(vec a, vec b) { return a * b; }
static inline vec vec_div(vec a, vec b) { return a / b; }
static inline vec vec_fma(vec a, vec b, vec c) { return a * b + c; }
static inline vec vec_choose(vec_bits where, vec a, vec b)
{
    return (vec)(((vec_bits)a & where) | ((vec_bits)b & ~where));
}
// Where either is not a number: b.
static inline vec vec_max(vec a, vec b) { return vec_choose(a > b, a, b); }
static inline vec vec_min(vec a, vec b) { return vec_choose(a < b, a, b); }
static inline vec vec_abs(vec a) { return (vec)((vec_bits)a & 0x7fffffff); }
// To the nearest whole number; |a| < 2^22.
static inline vec vec_round(vec a)
{
    const vec big = vec_set(12582912.0f);

    return (a + big) - big;
}
// a * 2^n, n whole and within -200 .. 200; in two steps, so that results may be subnormal
static inline vec vec_scale(vec a, vec n)
{
    vec_bits first, second;

    for (int i = 0; i < LANES; i++) {
        const int32_t whole = n[i] >= -200 && n[i] <= 200 ? (int32_t)n[i] : 0; // not a number: a is neither
        const int32_t half = whole / 2;

        first[i] = (half + 127) * (1 << 23);
        second[i] = (whole - half + 127) * (1 << 23);
    }
    return a * (vec)first * (vec)second;
}
static inline float vec_sum(vec a) { return (a[0] + a[2]) + (a[1] + a[3]); }
static inline float vec_top(vec a) { return fmaxf(fmaxf(a[0], a[2]), fmaxf(a[1], a[3])); }

static inline vec_doubles vec_doubles_zero(void) { return (vec_doubles){{0}}; }
static inline vec_doubles vec_doubles_add(vec_doubles sum, vec a)
{
    for (int i = 0; i < LANES; i++)
        sum.lane[i] += (double)a[i];
    return sum;
}
static inline vec_doubles vec_doubles_fma(vec_doubles sum, vec a, vec b)
{
    for (int i = 0; i < LANES; i++)
        sum.lane[i] += (double)a[i] * (double)b[i];
    return sum;
}
static inline vec_doubles vec_doubles_fma_abs(vec_doubles sum, vec a, vec b)
{
    for (int i = 0; i < LANES; i++)
        sum.lane[i] += fabs((double)a[i] * (double)b[i]);
    return sum;
}
static inline double vec_doubles_sum(vec_doubles sum)
{
    return (sum.lane[0] + sum.lane[2]) + (sum.lane[1] + sum.lane[3]);
}

// (re, im) pairs: even lanes re*c - im*s, odd lanes im*c + re*s; c and s hold each value twice.
static inline vec vec_rotate(vec pairs, vec c, vec s)
{
    const vec other = {-pairs[1], pairs[0], -pairs[3], pairs[2]};

    return pairs * c + other * s;
}

// Four rows of four to four columns.
static inline __attribute__((always_inline)) void vec_transpose(vec row[4])
{
    const vec a = row[0], b = row[1], c = row[2], d = row[3];

    for (int i = 0; i < LANES; i++)
        row[i] = (vec){a[i], b[i], c[i], d[i]};
}

#endif
