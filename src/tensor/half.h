// f16 and bf16, bit by bit; rounding is to nearest even, NaN stays NaN.
#ifndef DPI_TENSOR_HALF_H
#define DPI_TENSOR_HALF_H

#include <stdint.h>

float dpi_f16_to_f32(uint16_t half);
uint16_t dpi_f32_to_f16(float value);
float dpi_bf16_to_f32(uint16_t half);
uint16_t dpi_f32_to_bf16(float value);

#endif
