// f16 (1, 5, 10 bits) and bf16 (the top half of f32): exact both ways, to nearest even, NaN keeps its top bits.
#include "tensor/half.h"

#include <string.h>

static uint32_t bits_of(float value)
{
    uint32_t bits = 0;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float value_of(uint32_t bits)
{
    float value = 0;

    memcpy(&value, &bits, sizeof value);
    return value;
}

float dpi_f16_to_f32(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t exponent = half >> 10 & 31, fraction = half & 0x3FF;

    if (exponent == 31)
        return value_of(sign | 0x7F800000 | fraction << 13);
    if (exponent)
        return value_of(sign | (exponent + 112) << 23 | fraction << 13);
    return value_of(sign | bits_of((float)fraction * 0x1p-24f));
}

uint16_t dpi_f32_to_f16(float value)
{
    const uint32_t bits = bits_of(value);
    const uint32_t sign = bits >> 16 & 0x8000, size = bits & 0x7FFFFFFF;

    if (size > 0x7F800000) {
        const uint32_t fraction = size >> 13 & 0x3FF;
        return (uint16_t)(sign | 0x7C00 | (fraction ? fraction : 0x200));
    }
    if (size >= 0x47800000) // 2^16; what rounds up to it becomes infinity below
        return (uint16_t)(sign | 0x7C00);
    if (size >= 0x38800000) { // 2^-14: a normal half
        const uint32_t rebased = size - 0x38000000;
        return (uint16_t)(sign | (rebased + 0xFFF + (rebased >> 13 & 1)) >> 13);
    }
    if (size < 0x33000000) // 2^-25
        return (uint16_t)sign;
    const uint32_t shift = 126 - (size >> 23); // 14 .. 24
    const uint32_t fraction = (size & 0x7FFFFF) | 0x800000;
    const uint32_t kept = fraction >> shift, lost = fraction & ((1u << shift) - 1), middle = 1u << (shift - 1);
    return (uint16_t)(sign | (kept + (lost > middle || (lost == middle && (kept & 1)))));
}

float dpi_bf16_to_f32(uint16_t half)
{
    return value_of((uint32_t)half << 16);
}

uint16_t dpi_f32_to_bf16(float value)
{
    const uint32_t bits = bits_of(value);

    if ((bits & 0x7FFFFFFF) > 0x7F800000)
        return (uint16_t)(bits >> 16 | (bits >> 16 & 0x7F ? 0 : 0x40));
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
