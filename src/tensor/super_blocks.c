// Blocks of 256: groups of 16 or 32 with a small integer scale s (and minimum m) each; v = d s q (- dmin m).
#include "tensor/blocks.h"

#include <depthprune/types.h>
#include <string.h>

#include "tensor/half.h"

static float half_at(const unsigned char *bytes)
{
    uint16_t half = 0;

    memcpy(&half, bytes, sizeof half);
    return dpi_f16_to_f32(half);
}

// scales[16] (low nibble s, high m of a group of 16), q[64] of two bits, d, dmin.
// Bits 2k of bytes 32h .. 32h+31 are elements 128h + 32k onwards.
static void q2_k(const unsigned char *block, float *to)
{
    const float d = half_at(block + 80), least = half_at(block + 82);
    const unsigned char *const q = block + 16;

    for (int i = 0; i < 256; i++) {
        const int group = i / 16, half = i / 128, shift = 2 * (i / 32 % 4);
        const float scale = d * (float)(block[group] & 15), minimum = least * (float)(block[group] >> 4);
        to[i] = scale * (float)(q[32 * half + i % 32] >> shift & 3) - minimum;
    }
}

// Six-bit scale less 32 of group i: four low bits from the first 8 bytes, two high bits from the last 4.
static int scale_q3(const unsigned char *scales, int i)
{
    const int low = i < 8 ? scales[i] & 15 : scales[i - 8] >> 4;
    const int high = scales[8 + i % 4] >> (2 * (i / 4)) & 3;

    return (low | high << 4) - 32;
}

// high[32] (one bit: clear takes 4 off), q[64] of two bits as in q2_k, scales[12], d.
static void q3_k(const unsigned char *block, float *to)
{
    const float d = half_at(block + 108);
    const unsigned char *const q = block + 32;

    for (int i = 0; i < 256; i++) {
        const int low = q[32 * (i / 128) + i % 32] >> (2 * (i / 32 % 4)) & 3;
        const int high = block[i % 32] >> (i / 32) & 1;
        const float scale = d * (float)scale_q3(block + 96, i / 16);
        to[i] = scale * (float)(low - (high ? 0 : 4));
    }
}

// Six-bit scale and minimum of group i out of 12 bytes.
static void scale_q4(const unsigned char *b, int i, int *scale, int *minimum)
{
    if (i < 4) {
        *scale = b[i] & 63;
        *minimum = b[i + 4] & 63;
    } else {
        *scale = (b[i + 4] & 15) | (b[i - 4] >> 6) << 4;
        *minimum = (b[i + 4] >> 4) | (b[i] >> 6) << 4;
    }
}

// d, dmin, scales[12], (q5: high[32],) nibbles[128]: low nibbles of 32 bytes are one group, high the next.
static void q4_or_q5(const unsigned char *block, const unsigned char *high, const unsigned char *nibbles, float *to)
{
    const float d = half_at(block), least = half_at(block + 2);

    for (int group = 0; group < 8; group++) {
        int s = 0, m = 0;
        scale_q4(block + 4, group, &s, &m);
        const float scale = d * (float)s, minimum = least * (float)m;
        for (int i = 0; i < 32; i++) {
            const int low = nibbles[32 * (group / 2) + i] >> (4 * (group % 2)) & 15;
            const int fifth = high ? (high[i] >> group & 1) << 4 : 0;
            to[32 * group + i] = scale * (float)(low | fifth) - minimum;
        }
    }
}

static void q4_k(const unsigned char *block, float *to)
{
    q4_or_q5(block, NULL, block + 16, to);
}
static void q5_k(const unsigned char *block, float *to)
{
    q4_or_q5(block, block + 16, block + 48, to);
}

// low[128], high[64], int8 scales[16], d; each half of 128 elements has four runs of 32.
static void q6_k(const unsigned char *block, float *to)
{
    const float d = half_at(block + 208);

    for (int i = 0; i < 256; i++) {
        const int half = i / 128, run = i / 32 % 4, at = i % 32;
        const int low = block[64 * half + 32 * (run % 2) + at] >> (4 * (run / 2)) & 15;
        const int high = block[128 + 32 * half + at] >> (2 * run) & 3;
        const float scale = d * (float)(int8_t)block[192 + i / 16];
        to[i] = scale * (float)((low | high << 4) - 32);
    }
}

dpi_block_function dpi_super_block_of(int32_t type)
{
    switch (type) {
    case DP_Q2_K:
        return q2_k;
    case DP_Q3_K:
        return q3_k;
    case DP_Q4_K:
        return q4_k;
    case DP_Q5_K:
        return q5_k;
    case DP_Q6_K:
        return q6_k;
    default:
        return NULL;
    }
}
