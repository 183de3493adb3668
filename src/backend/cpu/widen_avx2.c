// Stored elements to f32 with AVX2.
#include <immintrin.h>
#include <string.h>

#include "backend/cpu/kernels.h"
#include "tensor/dtype.h"
#include "tensor/half.h"

static inline __m256 bytes_to_f32(__m128i bytes)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
}

static inline float half_at(const unsigned char *from)
{
    uint16_t half;

    memcpy(&half, from, sizeof half);
    return _cvtsh_ss(half);
}

static void widen_f16(const unsigned char *from, int64_t count, float *to)
{
    const int64_t whole = count / 8 * 8;

    for (int64_t i = 0; i < whole; i += 8)
        _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128((const void *)(from + 2 * i))));
    for (int64_t i = whole; i < count; i++)
        to[i] = half_at(from + 2 * i);
}

static void widen_bf16(const unsigned char *from, int64_t count, float *to)
{
    const int64_t whole = count / 8 * 8;

    for (int64_t i = 0; i < whole; i += 8) {
        const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)(from + 2 * i)));

        _mm256_storeu_ps(to + i, _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16)));
    }
    dpi_to_f32(DP_BF16, from + 2 * whole, count - whole, to + whole);
}

// Sixteen codes to scale * (code - less) + least; least is -0 where there is none, which leaves every value.
static inline void store_codes(__m128i codes, float scale, float less, float least, float *to)
{
    const __m256 low = _mm256_sub_ps(bytes_to_f32(codes), _mm256_set1_ps(less));
    const __m256 high = _mm256_sub_ps(bytes_to_f32(_mm_srli_si128(codes, 8)), _mm256_set1_ps(less));
    const __m256 factor = _mm256_set1_ps(scale), added = _mm256_set1_ps(least);

    _mm256_storeu_ps(to, _mm256_add_ps(_mm256_mul_ps(factor, low), added));
    _mm256_storeu_ps(to + 8, _mm256_add_ps(_mm256_mul_ps(factor, high), added));
}

static void widen_q4(const unsigned char *from, int64_t count, int has_least, float *to)
{
    const int head = has_least ? 4 : 2;

    for (; count > 0; count -= 32, from += head + 16, to += 32) {
        const float scale = half_at(from), least = has_least ? half_at(from + 2) : -0.0f;
        const __m128i codes = _mm_loadu_si128((const void *)(from + head)), low = _mm_set1_epi8(15);
        const float less = has_least ? 0 : 8;

        store_codes(_mm_and_si128(codes, low), scale, less, least, to);
        store_codes(_mm_and_si128(_mm_srli_epi16(codes, 4), low), scale, less, least, to + 16);
    }
}

static void widen_q8_0(const unsigned char *from, int64_t count, float *to)
{
    for (; count > 0; count -= 32, from += 34, to += 32) {
        const __m256 scale = _mm256_set1_ps(half_at(from));

        for (int i = 0; i < 32; i += 8) {
            const __m256i codes = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)(from + 2 + i)));

            _mm256_storeu_ps(to + i, _mm256_mul_ps(scale, _mm256_cvtepi32_ps(codes)));
        }
    }
}

// Bits `shift` and up of sixteen bytes.
static inline __m128i bits(const unsigned char *from, int shift, int mask)
{
    return _mm_and_si128(_mm_srli_epi16(_mm_loadu_si128((const void *)from), shift), _mm_set1_epi8((char)mask));
}

// Blocks of 32: a scale, perhaps a least value, 32 fifth bits, nibbles.
static void widen_q5(const unsigned char *from, int64_t count, int has_least, float *to)
{
    const __m128i place = _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
    const __m128i byte = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
    const int head = has_least ? 4 : 2;

    for (; count > 0; count -= 32, from += head + 20, to += 32) {
        const float scale = half_at(from), least = has_least ? half_at(from + 2) : -0.0f;

        for (int part = 0; part < 2; part++) {
            int16_t fifth;

            memcpy(&fifth, from + head + 2 * part, sizeof fifth);
            const __m128i spread = _mm_shuffle_epi8(_mm_set1_epi16(fifth), byte);
            const __m128i set = _mm_cmpeq_epi8(_mm_and_si128(spread, place), place);
            const __m128i codes = bits(from + head + 4, 4 * part, 15);

            store_codes(_mm_or_si128(codes, _mm_and_si128(set, _mm_set1_epi8(16))), scale, has_least ? 0 : 16, least,
                        to + 16 * part);
        }
    }
}

// Six-bit scale and minimum of group i out of 12 bytes.
static inline void six_bit_scale(const unsigned char *b, int i, float *scale, float *least)
{
    *scale = (float)(i < 4 ? b[i] & 63 : (b[i + 4] & 15) | b[i - 4] >> 6 << 4);
    *least = (float)(i < 4 ? b[i + 4] & 63 : b[i + 4] >> 4 | b[i] >> 6 << 4);
}

// Blocks of 256: scale, least, twelve bytes of scales, (fifth bits,) nibbles.
static void widen_q4_or_q5_k(const unsigned char *from, int64_t count, int has_fifth, float *to)
{
    const int nibbles = has_fifth ? 48 : 16;

    for (; count > 0; count -= 256, from += nibbles + 128, to += 256)
        for (int group = 0; group < 8; group++) {
            float scale, least;

            six_bit_scale(from + 4, group, &scale, &least);
            for (int i = 0; i < 32; i += 16) {
                __m128i codes = bits(from + nibbles + 32 * (group / 2) + i, 4 * (group % 2), 15);

                if (has_fifth)
                    codes = _mm_or_si128(codes, _mm_slli_epi16(bits(from + 16 + i, group, 1), 4));
                store_codes(codes, scale * half_at(from), 0, -(least * half_at(from + 2)), to + 32 * group + i);
            }
        }
}

// Blocks of 256: sixteen bytes of scales and minima, codes of two bits, scale, least.
static void widen_q2_k(const unsigned char *from, int64_t count, float *to)
{
    for (; count > 0; count -= 256, from += 84, to += 256)
        for (int group = 0; group < 16; group++) {
            const __m128i codes = bits(from + 16 + 32 * (group / 8) + 16 * (group % 2), group / 2 % 4 * 2, 3);
            const float least = half_at(from + 82) * (float)(from[group] >> 4);

            store_codes(codes, half_at(from + 80) * (float)(from[group] & 15), 0, -least, to + 16 * group);
        }
}

// Blocks of 256: third bits, codes of two bits, twelve bytes of scales less 32, the block's scale.
static void widen_q3_k(const unsigned char *from, int64_t count, float *to)
{
    for (; count > 0; count -= 256, from += 110, to += 256)
        for (int group = 0; group < 16; group++) {
            const unsigned char *scales = from + 96;
            const int low = group < 8 ? scales[group] & 15 : scales[group - 8] >> 4;
            const int high = scales[8 + group % 4] >> (group / 4 * 2) & 3;
            const __m128i third = _mm_slli_epi16(bits(from + 16 * (group % 2), group / 2, 1), 2);
            const __m128i codes = bits(from + 32 + 32 * (group / 8) + 16 * (group % 2), group / 2 % 4 * 2, 3);

            store_codes(_mm_or_si128(codes, third), half_at(from + 108) * (float)((low | high << 4) - 32), 4, -0.0f,
                        to + 16 * group);
        }
}

// Blocks of 256: low[128], high[64], scales[16], the block's scale; see docs of the format.
static void widen_q6_k(const unsigned char *from, int64_t count, float *to)
{
    for (; count > 0; count -= 256, from += 210, to += 256)
        for (int group = 0; group < 16; group++) {
            const int half = group / 8, run = group / 2 % 4, at = 16 * (group % 2);
            const __m128i low = bits(from + 64 * half + 32 * (run % 2) + at, 4 * (run / 2), 15);
            const __m128i high = _mm_slli_epi16(bits(from + 128 + 32 * half + at, 2 * run, 3), 4);
            const float scale = half_at(from + 208) * (float)((const signed char *)from)[192 + group];

            store_codes(_mm_or_si128(low, high), scale, 32, -0.0f, to + 16 * group);
        }
}

void dpi_cpu_widen_avx2(int32_t type, const void *from, int64_t count, float *to)
{
    switch (type) {
    case DP_F32:
        memcpy(to, from, (size_t)count * sizeof *to);
        break;
    case DP_F16:
        widen_f16(from, count, to);
        break;
    case DP_BF16:
        widen_bf16(from, count, to);
        break;
    case DP_Q4_0:
    case DP_Q4_1:
        widen_q4(from, count, type == DP_Q4_1, to);
        break;
    case DP_Q8_0:
        widen_q8_0(from, count, to);
        break;
    case DP_Q5_0:
    case DP_Q5_1:
        widen_q5(from, count, type == DP_Q5_1, to);
        break;
    case DP_Q2_K:
        widen_q2_k(from, count, to);
        break;
    case DP_Q3_K:
        widen_q3_k(from, count, to);
        break;
    case DP_Q4_K:
    case DP_Q5_K:
        widen_q4_or_q5_k(from, count, type == DP_Q5_K, to);
        break;
    case DP_Q6_K:
        widen_q6_k(from, count, to);
        break;
    default:
        dpi_to_f32(type, from, count, to);
    }
}
