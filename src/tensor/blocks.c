// Blocks of 32: v = d (q - zero), or d q + m.  Low nibbles are elements 0 .. 15, high ones 16 .. 31.
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

static void q4_0(const unsigned char *block, float *to)
{
    const float d = half_at(block);

    for (int i = 0; i < 16; i++) {
        to[i] = d * (float)((block[2 + i] & 15) - 8);
        to[i + 16] = d * (float)((block[2 + i] >> 4) - 8);
    }
}

static void q4_1(const unsigned char *block, float *to)
{
    const float d = half_at(block), m = half_at(block + 2);

    for (int i = 0; i < 16; i++) {
        to[i] = d * (float)(block[4 + i] & 15) + m;
        to[i + 16] = d * (float)(block[4 + i] >> 4) + m;
    }
}

// Element i of five bits: a nibble, and bit i of `high`.
static int five(const unsigned char *nibbles, uint32_t high, int i)
{
    const int nibble = i < 16 ? nibbles[i] & 15 : nibbles[i - 16] >> 4;

    return nibble | (int)(high >> i & 1) << 4;
}

static void q5_0(const unsigned char *block, float *to)
{
    const float d = half_at(block);
    uint32_t high = 0;

    memcpy(&high, block + 2, sizeof high);
    for (int i = 0; i < 32; i++)
        to[i] = d * (float)(five(block + 6, high, i) - 16);
}

static void q5_1(const unsigned char *block, float *to)
{
    const float d = half_at(block), m = half_at(block + 2);
    uint32_t high = 0;

    memcpy(&high, block + 4, sizeof high);
    for (int i = 0; i < 32; i++)
        to[i] = d * (float)five(block + 8, high, i) + m;
}

static void q8_0(const unsigned char *block, float *to)
{
    const float d = half_at(block);

    for (int i = 0; i < 32; i++)
        to[i] = d * (float)(int8_t)block[2 + i];
}

dpi_block_function dpi_block_of(int32_t type)
{
    switch (type) {
    case DP_Q4_0:
        return q4_0;
    case DP_Q4_1:
        return q4_1;
    case DP_Q5_0:
        return q5_0;
    case DP_Q5_1:
        return q5_1;
    case DP_Q8_0:
        return q8_0;
    default:
        return dpi_super_block_of(type);
    }
}
