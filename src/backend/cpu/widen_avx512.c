// Stored elements to f32 with AVX-512.
#include <immintrin.h>
#include <string.h>

#include "backend/cpu/kernels.h"
#include "tensor/dtype.h"
#include "tensor/half.h"

static inline __m512 bytes_to_f32(__m128i bytes)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
}

static inline float half_at(const unsigned char *from)
{
    uint16_t half;

    memcpy(&half, from, sizeof half);
    return _cvtsh_ss(half);
}

static void widen_f16(const unsigned char *from, int64_t count, float *to)
{
    for (; count >= 16; count -= 16, from += 32, to += 16)
        _mm512_storeu_ps(to, _mm512_cvtph_ps(_mm256_loadu_si256((const void *)from)));
    const __mmask16 rest = (__mmask16)((1u << count) - 1u);
    _mm512_mask_storeu_ps(to, rest, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(rest, from)));
}

static inline __m512 shift_up(__m256i halves)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

static void widen_bf16(const unsigned char *from, int64_t count, float *to)
{
    for (; count >= 16; count -= 16, from += 32, to += 16)
        _mm512_storeu_ps(to, shift_up(_mm256_loadu_si256((const void *)from)));
    const __mmask16 rest = (__mmask16)((1u << count) - 1u);
    _mm512_mask_storeu_ps(to, rest, shift_up(_mm256_maskz_loadu_epi16(rest, from)));
}

// Blocks of 32: codes are nibbles, first the low ones; value = scale * (code + least), or scale * code + least.
static void widen_q4_0(const unsigned char *from, int64_t count, float *to)
{
    for (; count > 0; count -= 32, from += 18, to += 32) {
        const __m512 scale = _mm512_set1_ps(half_at(from)), eight = _mm512_set1_ps(8);
        const __m128i codes = _mm_loadu_si128((const void *)(from + 2)), low = _mm_set1_epi8(15);
        const __m512 first = bytes_to_f32(_mm_and_si128(codes, low));
        const __m512 second = bytes_to_f32(_mm_and_si128(_mm_srli_epi16(codes, 4), low));

        _mm512_storeu_ps(to, _mm512_mul_ps(scale, _mm512_sub_ps(first, eight)));
        _mm512_storeu_ps(to + 16, _mm512_mul_ps(scale, _mm512_sub_ps(second, eight)));
    }
}

static void widen_q4_1(const unsigned char *from, int64_t count, float *to)
{
    for (; count > 0; count -= 32, from += 20, to += 32) {
        const __m512 scale = _mm512_set1_ps(half_at(from)), least = _mm512_set1_ps(half_at(from + 2));
        const __m128i codes = _mm_loadu_si128((const void *)(from + 4)), low = _mm_set1_epi8(15);
        const __m512 first = bytes_to_f32(_mm_and_si128(codes, low));
        const __m512 second = bytes_to_f32(_mm_and_si128(_mm_srli_epi16(codes, 4), low));

        _mm512_storeu_ps(to, _mm512_add_ps(_mm512_mul_ps(scale, first), least));
        _mm512_storeu_ps(to + 16, _mm512_add_ps(_mm512_mul_ps(scale, second), least));
    }
}

static void widen_q8_0(const unsigned char *from, int64_t count, float *to)
{
    for (; count > 0; count -= 32, from += 34, to += 32) {
        const __m512 scale = _mm512_set1_ps(half_at(from));

        for (int i = 0; i < 32; i += 16) {
            const __m128i codes = _mm_loadu_si128((const void *)(from + 2 + i));

            _mm512_storeu_ps(to + i, _mm512_mul_ps(scale, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(codes))));
        }
    }
}

// Sixteen six-bit codes: four bits from `low`, two from `high`; each sixteen has its own scale.
static inline void widen_six(__m128i low, __m128i high, float scale, float *to)
{
    const __m128i four = _mm_and_si128(low, _mm_set1_epi8(15));
    const __m128i two = _mm_slli_epi16(_mm_and_si128(high, _mm_set1_epi8(3)), 4);
    const __m512i codes = _mm512_cvtepu8_epi32(_mm_or_si128(four, two));
    const __m512 value = _mm512_cvtepi32_ps(_mm512_sub_epi32(codes, _mm512_set1_epi32(32)));

    _mm512_storeu_ps(to, _mm512_mul_ps(_mm512_set1_ps(scale), value));
}

// Blocks of 256: low[128], high[64], scales[16], the block's scale; see docs of the format.
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

void dpi_cpu_widen_avx512(int32_t type, const void *from, int64_t count, float *to)
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
        widen_q4_0(from, count, to);
        break;
    case DP_Q4_1:
        widen_q4_1(from, count, to);
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
