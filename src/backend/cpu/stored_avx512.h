// Stored elements to registers with AVX-512, 32 at a time.  What all types have in common is a run of up to 256
// elements, eight units of 32: its scales are read first, then its units one by one.  `type` is a constant
// wherever these functions are used.
#ifndef DPI_BACKEND_CPU_STORED_H
#define DPI_BACKEND_CPU_STORED_H

#include <depthprune/types.h>
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#define EACH_STORED_TYPE(DO)                                                                              \
    DO(DP_F32) DO(DP_F16) DO(DP_BF16) DO(DP_Q4_0) DO(DP_Q4_1) DO(DP_Q5_0) DO(DP_Q5_1) DO(DP_Q8_0) DO(DP_Q2_K) \
        DO(DP_Q3_K) DO(DP_Q4_K) DO(DP_Q5_K) DO(DP_Q6_K)

enum { UNIT = 32, UNITS = 8, RUN = UNIT * UNITS };

typedef struct pair {
    __m512 first, second;
} pair;

// Of each unit, or of each half unit: value = scale * code, less or plus `least`.  See read_block_scales.
typedef struct scales {
    _Alignas(64) float scale[16], least[16];
} scales;

// Bytes of a unit of the plain types and of the blocks of 32; of a run of the others.
INLINE int64_t bytes_of(const int type)
{
    switch (type) {
    case DP_F32:
        return 4 * UNIT;
    case DP_F16:
    case DP_BF16:
        return 2 * UNIT;
    case DP_Q4_0:
        return 18;
    case DP_Q4_1:
        return 20;
    case DP_Q5_0:
        return 22;
    case DP_Q5_1:
        return 24;
    case DP_Q8_0:
        return 34;
    case DP_Q2_K:
        return 84;
    case DP_Q3_K:
        return 110;
    case DP_Q4_K:
        return 144;
    case DP_Q5_K:
        return 176;
    default:
        return 210; // Q6_K
    }
}

INLINE int is_super(const int type) { return type >= DP_Q2_K && type <= DP_Q6_K; }

INLINE float half_at(const unsigned char *from)
{
    uint16_t half;

    memcpy(&half, from, sizeof half);
    return _cvtsh_ss(half);
}

INLINE __m512 from_f16(__m256i halves) { return _mm512_cvtph_ps(halves); }
INLINE __m512 from_bf16(__m256i halves)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}
INLINE __m512 from_bytes(__m128i bytes) { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes)); }

// The two halves that begin each of up to eight blocks, gathered: one by one they cost more than the codes.  They
// stand side by side in `scale`.
INLINE void read_block_scales(scales *out, const unsigned char *from, int bytes, int64_t units)
{
    const __m256i at = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(bytes));
    const __mmask8 live = (__mmask8)((1u << units) - 1u);

    _mm512_store_ps(out->scale,
                    from_f16(_mm256_mmask_i32gather_epi32(_mm256_setzero_si256(), live, at, from, 1)));
}

// Eight scales and eight minima of six bits in twelve bytes.
INLINE void read_six_bit_scales(scales *out, const unsigned char *from)
{
    uint32_t word[3];

    memcpy(word, from + 4, sizeof word);
    const uint32_t top = 0x03030303u, four = 0x0f0f0f0fu, six = 0x3f3f3f3fu;
    const __m128i bytes = _mm_setr_epi32(
        (int)(word[0] & six), (int)((word[2] & four) | (word[0] >> 6 & top) << 4), (int)(word[1] & six),
        (int)((word[2] >> 4 & four) | (word[1] >> 6 & top) << 4));
    const __m512 values = from_bytes(bytes);

    _mm256_store_ps(out->scale, _mm256_mul_ps(_mm512_castps512_ps256(values), _mm256_set1_ps(half_at(from))));
    _mm256_store_ps(out->least,
                    _mm256_mul_ps(_mm512_extractf32x8_ps(values, 1), _mm256_set1_ps(half_at(from + 2))));
}

// Sixteen scales of six bits, less 32, in twelve bytes.
INLINE __m128i three_bit_scales(const unsigned char *from)
{
    uint32_t high;

    memcpy(&high, from + 8, sizeof high);
    const __m128i low = _mm_loadl_epi64((const void *)from);
    const __m128i nibbles =
        _mm_and_si128(_mm_unpacklo_epi64(low, _mm_srli_epi16(low, 4)), _mm_set1_epi8(15));
    const __m128i tops = _mm_and_si128(
        _mm_srlv_epi32(_mm_set1_epi32((int)high), _mm_setr_epi32(0, 2, 4, 6)), _mm_set1_epi8(3));

    return _mm_sub_epi8(_mm_or_si128(nibbles, _mm_slli_epi16(tops, 4)), _mm_set1_epi8(32));
}

// The scales of the run that begins at `from`, of `units` units.
INLINE void read_scales(const int type, scales *out, const unsigned char *from, int64_t units)
{
    const __m128i low = _mm_set1_epi8(15);
    __m128i bytes;

    if (type >= DP_Q4_0 && type <= DP_Q8_0)
        read_block_scales(out, from, (int)bytes_of(type), units);
    if (type == DP_Q4_K || type == DP_Q5_K)
        read_six_bit_scales(out, from);
    if (type == DP_Q2_K) {
        bytes = _mm_loadu_si128((const void *)from);
        _mm512_store_ps(out->scale, _mm512_mul_ps(_mm512_set1_ps(half_at(from + 80)),
                                                  from_bytes(_mm_and_si128(bytes, low))));
        _mm512_store_ps(out->least,
                        _mm512_mul_ps(_mm512_set1_ps(half_at(from + 82)),
                                      from_bytes(_mm_and_si128(_mm_srli_epi16(bytes, 4), low))));
    }
    if (type == DP_Q3_K)
        _mm512_store_ps(out->scale, _mm512_mul_ps(_mm512_set1_ps(half_at(from + 108)),
                                                  from_bytes(three_bit_scales(from + 96))));
    if (type == DP_Q6_K)
        _mm512_store_ps(out->scale,
                        _mm512_mul_ps(_mm512_set1_ps(half_at(from + 208)),
                                      from_bytes(_mm_loadu_si128((const void *)(from + 192)))));
}

INLINE __m512 sixteen_from(float first)
{
    const __m512 steps = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

    return _mm512_add_ps(steps, _mm512_set1_ps(first));
}

// Codes of four bits through a table of what they stand for.
INLINE pair nibble_unit(const unsigned char *codes, __m512 values)
{
    const __m512i both = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)codes));

    return (pair){_mm512_permutexvar_ps(both, values), // looks at four bits
                  _mm512_permutexvar_ps(_mm512_srli_epi32(both, 4), values)};
}

// Of five bits: the fifth ones stand before the nibbles.
INLINE pair five_bit_unit(const unsigned char *from, __m512 lower, __m512 upper)
{
    uint32_t fifth;

    memcpy(&fifth, from, sizeof fifth);
    const __m512i both = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(from + 4)));
    const __m512i four = _mm512_set1_epi32(15), sixteen = _mm512_set1_epi32(16);
    const __m512i low = _mm512_and_si512(both, four), high = _mm512_srli_epi32(both, 4);

    return (pair){
        _mm512_permutex2var_ps(lower, _mm512_mask_or_epi32(low, (__mmask16)fifth, low, sixteen), upper),
        _mm512_permutex2var_ps(lower, _mm512_mask_or_epi32(high, (__mmask16)(fifth >> 16), high, sixteen), upper)};
}

INLINE __m512 table_of(const int type, float first, float scale, float least)
{
    const __m512 values = _mm512_mul_ps(_mm512_set1_ps(scale), sixteen_from(first));

    return type == DP_Q4_1 || type == DP_Q5_1 ? _mm512_add_ps(values, _mm512_set1_ps(least)) : values;
}

INLINE __m256i bits(__m256i bytes, int shift, int mask)
{
    return _mm256_and_si256(_mm256_srli_epi16(bytes, shift), _mm256_set1_epi8((char)mask));
}
INLINE __m256i load_unit(const unsigned char *from) { return _mm256_loadu_si256((const void *)from); }

// The codes of unit `unit` of a run of 256, as signed bytes; not of Q4_K.
INLINE __m256i super_codes(const int type, const unsigned char *from, const int unit)
{
    const int half = unit / 4, run = unit % 4;

    if (type == DP_Q2_K)
        return bits(load_unit(from + 16 + 32 * half), 2 * run, 3);
    if (type == DP_Q3_K) {
        const __m256i third = _mm256_slli_epi16(bits(load_unit(from), unit, 1), 2);

        return _mm256_sub_epi8(_mm256_or_si256(bits(load_unit(from + 32 + 32 * half), 2 * run, 3), third),
                               _mm256_set1_epi8(4));
    }
    if (type == DP_Q5_K)
        return _mm256_or_si256(bits(load_unit(from + 48 + 32 * (unit / 2)), 4 * (unit % 2), 15),
                               _mm256_slli_epi16(bits(load_unit(from + 16), unit, 1), 4));
    const __m256i low = bits(load_unit(from + 64 * half + 32 * (run % 2)), 4 * (run / 2), 15);
    const __m256i high = bits(load_unit(from + 128 + 32 * half), 2 * run, 3);

    return _mm256_sub_epi8(_mm256_or_si256(low, _mm256_slli_epi16(high, 4)), _mm256_set1_epi8(32));
}

// Through the table of the unit's sixteen values.
INLINE pair q4_k_unit(const unsigned char *from, const int unit, const scales *s)
{
    const __m512 values = _mm512_sub_ps(_mm512_mul_ps(_mm512_set1_ps(s->scale[unit]), sixteen_from(0)),
                                        _mm512_set1_ps(s->least[unit]));
    const unsigned char *codes = from + 16 + 32 * (unit / 2);
    const __m512i first = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)codes));
    const __m512i second = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(codes + 16)));
    const unsigned shift = unit % 2 ? 4 : 0;

    return (pair){_mm512_permutexvar_ps(shift ? _mm512_srli_epi32(first, shift) : first, values),
                  _mm512_permutexvar_ps(shift ? _mm512_srli_epi32(second, shift) : second, values)};
}

INLINE pair super_unit(const int type, const unsigned char *from, const int unit, const scales *s)
{
    if (type == DP_Q4_K)
        return q4_k_unit(from, unit, s);
    const __m256i codes = super_codes(type, from, unit);
    const int wide = type == DP_Q5_K; // one scale a unit, not two
    const int first = wide ? unit : 2 * unit, second = wide ? unit : 2 * unit + 1;
    pair value = {_mm512_mul_ps(_mm512_set1_ps(s->scale[first]), from_bytes(_mm256_castsi256_si128(codes))),
                  _mm512_mul_ps(_mm512_set1_ps(s->scale[second]), from_bytes(_mm256_extracti128_si256(codes, 1)))};

    if (wide || type == DP_Q2_K) {
        value.first = _mm512_sub_ps(value.first, _mm512_set1_ps(s->least[first]));
        value.second = _mm512_sub_ps(value.second, _mm512_set1_ps(s->least[second]));
    }
    return value;
}

// Unit `unit` of the run that begins at `from`.
INLINE pair read_unit(const int type, const unsigned char *from, const int unit, const scales *s)
{
    if (is_super(type))
        return super_unit(type, from, unit, s);
    from += unit * bytes_of(type);
    if (type == DP_F32)
        return (pair){_mm512_loadu_ps(from), _mm512_loadu_ps(from + 64)};
    if (type == DP_F16)
        return (pair){from_f16(load_unit(from)), from_f16(load_unit(from + 32))};
    if (type == DP_BF16)
        return (pair){from_bf16(load_unit(from)), from_bf16(load_unit(from + 32))};
    const float scale = s->scale[2 * unit], least = s->scale[2 * unit + 1];

    if (type == DP_Q8_0) {
        const __m512 factor = _mm512_set1_ps(scale);

        return (pair){_mm512_mul_ps(factor, from_bytes(_mm_loadu_si128((const void *)(from + 2)))),
                      _mm512_mul_ps(factor, from_bytes(_mm_loadu_si128((const void *)(from + 18))))};
    }
    if (type == DP_Q4_0)
        return nibble_unit(from + 2, table_of(type, -8, scale, 0));
    if (type == DP_Q4_1)
        return nibble_unit(from + 4, table_of(type, 0, scale, least));
    if (type == DP_Q5_0)
        return five_bit_unit(from + 2, table_of(type, -16, scale, 0), table_of(type, 0, scale, 0));
    return five_bit_unit(from + 4, table_of(type, 0, scale, least), table_of(type, 16, scale, least));
}

// The last elements of a row of a plain type, fewer than 16; the other lanes are zero.
INLINE __m512 read_rest(const int type, const unsigned char *from, int64_t count)
{
    const __mmask16 live = (__mmask16)((1u << count) - 1u);

    if (type == DP_F32)
        return _mm512_maskz_loadu_ps(live, from);
    const __m256i halves = _mm256_maskz_loadu_epi16(live, from);

    return type == DP_F16 ? from_f16(halves) : from_bf16(halves);
}

#endif
