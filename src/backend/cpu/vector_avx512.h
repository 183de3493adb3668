// Sixteen f32 lanes: what the kernel bodies are written in, for AVX-512.
#ifndef DPI_BACKEND_CPU_VECTOR_H
#define DPI_BACKEND_CPU_VECTOR_H

#include <immintrin.h>
#include <stdint.h>

#include "backend/cpu/unroll.h"

typedef __m512 vec;
typedef struct vec_doubles {
    __m512d low, high;
} vec_doubles;

enum { LANES = 16, TILE_ROWS = 14, TILE_VECTORS = 2 };

static inline __mmask16 vec_first(int64_t count) { return (__mmask16)((1u << count) - 1u); }
static inline vec vec_set(float value) { return _mm512_set1_ps(value); }
static inline vec vec_load(const float *from) { return _mm512_loadu_ps(from); }
static inline void vec_store(float *to, vec value) { _mm512_storeu_ps(to, value); }
// The first `count` lanes, the others `fill`.
static inline vec vec_load_part(const float *from, int64_t count, float fill)
{
    return _mm512_mask_loadu_ps(_mm512_set1_ps(fill), vec_first(count), from);
}
static inline void vec_store_part(float *to, int64_t count, vec value)
{
    _mm512_mask_storeu_ps(to, vec_first(count), value);
}
static inline vec vec_add(vec a, vec b) { return _mm512_add_ps(a, b); }
static inline vec vec_sub(vec a, vec b) { return _mm512_sub_ps(a, b); }
static inline vec vec_mul(vec a, vec b) { return _mm512_mul_ps(a, b); }
static inline vec vec_div(vec a, vec b) { return _mm512_div_ps(a, b); }
static inline vec vec_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
// Where either is not a number: b.
static inline vec vec_max(vec a, vec b) { return _mm512_max_ps(a, b); }
static inline vec vec_min(vec a, vec b) { return _mm512_min_ps(a, b); }
static inline vec vec_abs(vec a) { return _mm512_abs_ps(a); }
static inline vec vec_round(vec a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT); }
// a * 2^n, n whole and within -200 .. 200
static inline vec vec_scale(vec a, vec n) { return _mm512_scalef_ps(a, n); }
static inline float vec_sum(vec a) { return _mm512_reduce_add_ps(a); }
static inline float vec_top(vec a) { return _mm512_reduce_max_ps(a); }

static inline vec_doubles vec_doubles_zero(void)
{
    return (vec_doubles){_mm512_setzero_pd(), _mm512_setzero_pd()};
}
static inline __m512d vec_low(vec a) { return _mm512_cvtps_pd(_mm512_castps512_ps256(a)); }
static inline __m512d vec_high(vec a) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1)); }
static inline vec_doubles vec_doubles_add(vec_doubles sum, vec a)
{
    return (vec_doubles){_mm512_add_pd(sum.low, vec_low(a)), _mm512_add_pd(sum.high, vec_high(a))};
}
static inline vec_doubles vec_doubles_fma(vec_doubles sum, vec a, vec b)
{
    return (vec_doubles){_mm512_fmadd_pd(vec_low(a), vec_low(b), sum.low),
                         _mm512_fmadd_pd(vec_high(a), vec_high(b), sum.high)};
}
static inline vec_doubles vec_doubles_fma_abs(vec_doubles sum, vec a, vec b)
{
    return (vec_doubles){_mm512_add_pd(sum.low, _mm512_abs_pd(_mm512_mul_pd(vec_low(a), vec_low(b)))),
                         _mm512_add_pd(sum.high, _mm512_abs_pd(_mm512_mul_pd(vec_high(a), vec_high(b))))};
}
static inline double vec_doubles_sum(vec_doubles sum)
{
    return _mm512_reduce_add_pd(_mm512_add_pd(sum.low, sum.high));
}

// (re, im) pairs: even lanes re*c - im*s, odd lanes im*c + re*s; c and s hold each value twice.
static inline vec vec_rotate(vec pairs, vec c, vec s)
{
    return _mm512_fmaddsub_ps(pairs, c, _mm512_mul_ps(_mm512_permute_ps(pairs, 0xb1), s));
}

// Sixteen rows of sixteen to sixteen columns.
static inline __attribute__((always_inline)) void vec_transpose(vec row[16])
{
    vec pair[16], quad[16];

    UNROLL
    for (int i = 0; i < 16; i += 2) {
        pair[i] = _mm512_unpacklo_ps(row[i], row[i + 1]);
        pair[i + 1] = _mm512_unpackhi_ps(row[i], row[i + 1]);
    }
    UNROLL
    for (int i = 0; i < 16; i += 4) {
        quad[i] = _mm512_shuffle_ps(pair[i], pair[i + 2], 0x44);
        quad[i + 1] = _mm512_shuffle_ps(pair[i], pair[i + 2], 0xee);
        quad[i + 2] = _mm512_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
        quad[i + 3] = _mm512_shuffle_ps(pair[i + 1], pair[i + 3], 0xee);
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        const vec even_low = _mm512_shuffle_f32x4(quad[i], quad[i + 4], 0x88);
        const vec odd_low = _mm512_shuffle_f32x4(quad[i], quad[i + 4], 0xdd);
        const vec even_high = _mm512_shuffle_f32x4(quad[i + 8], quad[i + 12], 0x88);
        const vec odd_high = _mm512_shuffle_f32x4(quad[i + 8], quad[i + 12], 0xdd);

        row[i] = _mm512_shuffle_f32x4(even_low, even_high, 0x88);
        row[i + 4] = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88);
        row[i + 8] = _mm512_shuffle_f32x4(even_low, even_high, 0xdd);
        row[i + 12] = _mm512_shuffle_f32x4(odd_low, odd_high, 0xdd);
    }
}

#endif
