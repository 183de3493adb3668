// Eight f32 lanes: what the kernel bodies are written in, for AVX2 with FMA.
#ifndef DPI_BACKEND_CPU_VECTOR_H
#define DPI_BACKEND_CPU_VECTOR_H

#include <immintrin.h>
#include <stdint.h>

#include "backend/cpu/unroll.h"

typedef __m256 vec;
typedef struct vec_doubles {
    __m256d low, high;
} vec_doubles;

enum { LANES = 8, TILE_ROWS = 6, TILE_VECTORS = 2 };

static inline __m256i vec_first(int64_t count)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);

    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lane);
}
static inline vec vec_set(float value) { return _mm256_set1_ps(value); }
static inline vec vec_load(const float *from) { return _mm256_loadu_ps(from); }
static inline void vec_store(float *to, vec value) { _mm256_storeu_ps(to, value); }
// The first `count` lanes, the others `fill`.
static inline vec vec_load_part(const float *from, int64_t count, float fill)
{
    const __m256i first = vec_first(count);

    return _mm256_blendv_ps(_mm256_set1_ps(fill), _mm256_maskload_ps(from, first), _mm256_castsi256_ps(first));
}
static inline void vec_store_part(float *to, int64_t count, vec value)
{
    _mm256_maskstore_ps(to, vec_first(count), value);
}
static inline vec vec_add(vec a, vec b) { return _mm256_add_ps(a, b); }
static inline vec vec_sub(vec a, vec b) { return _mm256_sub_ps(a, b); }
static inline vec vec_mul(vec a, vec b) { return _mm256_mul_ps(a, b); }
static inline vec vec_div(vec a, vec b) { return _mm256_div_ps(a, b); }
static inline vec vec_fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
// Where either is not a number: b.
static inline vec vec_max(vec a, vec b) { return _mm256_max_ps(a, b); }
static inline vec vec_min(vec a, vec b) { return _mm256_min_ps(a, b); }
static inline vec vec_abs(vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
static inline vec vec_round(vec a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
// a * 2^n, n whole and within -200 .. 200; in two steps, so that results may be subnormal
static inline vec vec_scale(vec a, vec n)
{
    const __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
    const __m256i bias = _mm256_set1_epi32(127);
    const __m256i first = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
    const __m256i second = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(whole, half), bias), 23);

    return _mm256_mul_ps(_mm256_mul_ps(a, _mm256_castsi256_ps(first)), _mm256_castsi256_ps(second));
}
static inline float vec_sum(vec a)
{
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));

    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
static inline float vec_top(vec a)
{
    __m128 x = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));

    x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
}

static inline vec_doubles vec_doubles_zero(void)
{
    return (vec_doubles){_mm256_setzero_pd(), _mm256_setzero_pd()};
}
static inline __m256d vec_low(vec a) { return _mm256_cvtps_pd(_mm256_castps256_ps128(a)); }
static inline __m256d vec_high(vec a) { return _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)); }
static inline vec_doubles vec_doubles_add(vec_doubles sum, vec a)
{
    return (vec_doubles){_mm256_add_pd(sum.low, vec_low(a)), _mm256_add_pd(sum.high, vec_high(a))};
}
static inline vec_doubles vec_doubles_fma(vec_doubles sum, vec a, vec b)
{
    return (vec_doubles){_mm256_fmadd_pd(vec_low(a), vec_low(b), sum.low),
                         _mm256_fmadd_pd(vec_high(a), vec_high(b), sum.high)};
}
static inline vec_doubles vec_doubles_fma_abs(vec_doubles sum, vec a, vec b)
{
    const __m256d sign = _mm256_set1_pd(-0.0);
    const __m256d low = _mm256_mul_pd(vec_low(a), vec_low(b)), high = _mm256_mul_pd(vec_high(a), vec_high(b));

    return (vec_doubles){_mm256_add_pd(sum.low, _mm256_andnot_pd(sign, low)),
                         _mm256_add_pd(sum.high, _mm256_andnot_pd(sign, high))};
}
static inline double vec_doubles_sum(vec_doubles sum)
{
    const __m256d four = _mm256_add_pd(sum.low, sum.high);
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));

    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

// (re, im) pairs: even lanes re*c - im*s, odd lanes im*c + re*s; c and s hold each value twice.
static inline vec vec_rotate(vec pairs, vec c, vec s)
{
    return _mm256_fmaddsub_ps(pairs, c, _mm256_mul_ps(_mm256_permute_ps(pairs, 0xb1), s));
}

// Eight rows of eight to eight columns.
static inline __attribute__((always_inline)) void vec_transpose(vec row[8])
{
    vec pair[8], quad[8];

    UNROLL
    for (int i = 0; i < 8; i += 2) {
        pair[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
        pair[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
    }
    UNROLL
    for (int i = 0; i < 8; i += 4) {
        quad[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
        quad[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xee);
        quad[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
        quad[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xee);
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        row[i] = _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x20);
        row[i + 4] = _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x31);
    }
}

#endif
