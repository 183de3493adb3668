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

// Sixteen codes to scale * (code - less) + least.
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
        const float scale = half_at(from), least = has_least ? half_at(from + 2) : 0;
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

// Sixteen six-bit codes: four bits from `low`, two from `high`; each sixteen has its own scale.
static inline void widen_six(__m128i low, __m128i high, float scale, float *to)
{
    const __m128i four = _mm_and_si128(low, _mm_set1_epi8(15));
    const __m128i two = _mm_slli_epi16(_mm_and_si128(high, _mm_set1_epi8(3)), 4);

    store_codes(_mm_or_si128(four, two), scale, 32, 0, to);
}

static void widen_q6_k(const unsigned char *from, int64_t count, float *to)
{
    for (; count > 0; count -= 256, from += 210) {
        const float scale = half_at(from + 208);

        for (int part = 0; part < 2; part++, to += 128)
            for (int i = 0; i < 32; i += 16) {
                const unsigned char *low = from + 64 * part + i, *high = from + 128 + 32 * part + i;
                const signed char *scales = (const signed char *)from + 192 + 8 * part + i / 16;
                const __m128i near = _mm_loadu_si128((const void *)low);
                const __m128i far = _mm_loadu_si128((const void *)(low + 32));
                const __m128i bits = _mm_loadu_si128((const void *)high);

                widen_six(near, bits, scale * (float)scales[0], to + i);
                widen_six(far, _mm_srli_epi16(bits, 2), scale * (float)scales[2], to + 32 + i);
                widen_six(_mm_srli_epi16(near, 4), _mm_srli_epi16(bits, 4), scale * (float)scales[4], to + 64 + i);
                widen_six(_mm_srli_epi16(far, 4), _mm_srli_epi16(bits, 6), scale * (float)scales[6], to + 96 + i);
            }
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
    case DP_Q6_K:
        widen_q6_k(from, count, to);
        break;
    default:
        dpi_to_f32(type, from, count, to);
    }
}
