// CUDA's f16 for the emulation, bit by bit.
#ifndef CUEMU_CUDA_FP16_H
#define CUEMU_CUDA_FP16_H

#include <math.h>
#include <stdint.h>

struct __half {
    uint16_t bits;
};

inline float __half2float(__half half)
{
    const int exponent = half.bits >> 10 & 31, fraction = half.bits & 1023;
    const float size = exponent == 31  ? (fraction ? NAN : INFINITY)
                       : exponent == 0 ? ldexpf((float)fraction, -24)
                                       : ldexpf((float)(fraction + 1024), exponent - 25);

    return half.bits >> 15 ? -size : size;
}

inline __half __float2half_rn(float value)
{
    const uint16_t sign = signbit(value) ? 0x8000 : 0;
    const float size = fabsf(value);
    int exponent;

    if (isnan(value))
        return {0x7FFF};
    if (size >= 65520) // halfway from the largest number to the next
        return {(uint16_t)(sign | 0x7C00)};
    frexpf(size, &exponent);
    exponent = exponent < -13 ? -13 : exponent; // below: subnormal, all of one spacing
    // rintf rounds to nearest even; a fraction that rounds up to 2048 carries into the exponent by itself
    const int fraction = (int)rintf(ldexpf(size, 11 - exponent));
    return {(uint16_t)(sign | (fraction < 1024 ? fraction : ((exponent + 14) << 10) + fraction - 1024))};
}

#endif
