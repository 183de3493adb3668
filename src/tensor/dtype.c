// Element types: sizes, names, and rows of elements to f32 and back.
#include "tensor/dtype.h"

#include <string.h>

#include "base/size.h"
#include "tensor/blocks.h"
#include "tensor/half.h"

static const dpi_dtype types[] = {
    {DP_F32, 1, 4, 1, "f32"},
    {DP_F16, 1, 2, 1, "f16"},
    {DP_BF16, 1, 2, 1, "bf16"},
    {DP_F64, 1, 8, 0, "f64"},
    {DP_I32, 1, 4, 0, "i32"},
    {DP_Q4_0, 32, 18, 1, "q4_0"},
    {DP_Q4_1, 32, 20, 1, "q4_1"},
    {DP_Q5_0, 32, 22, 1, "q5_0"},
    {DP_Q5_1, 32, 24, 1, "q5_1"},
    {DP_Q8_0, 32, 34, 1, "q8_0"},
    {DP_Q2_K, 256, 84, 1, "q2_k"},
    {DP_Q3_K, 256, 110, 1, "q3_k"},
    {DP_Q4_K, 256, 144, 1, "q4_k"},
    {DP_Q5_K, 256, 176, 1, "q5_k"},
    {DP_Q6_K, 256, 210, 1, "q6_k"},
    // GGUF's other types: carried byte for byte, by their number.
    {9, 32, 40, 0, "q8_1"},
    {15, 256, 292, 0, "q8_k"},
    {16, 256, 66, 0, "iq2_xxs"},
    {17, 256, 74, 0, "iq2_xs"},
    {18, 256, 98, 0, "iq3_xxs"},
    {19, 256, 50, 0, "iq1_s"},
    {20, 32, 18, 0, "iq4_nl"},
    {21, 256, 110, 0, "iq3_s"},
    {22, 256, 82, 0, "iq2_s"},
    {23, 256, 136, 0, "iq4_xs"},
    {24, 1, 1, 0, "i8"},
    {25, 1, 2, 0, "i16"},
    {27, 1, 8, 0, "i64"},
    {29, 256, 56, 0, "iq1_m"},
    {34, 256, 54, 0, "tq1_0"},
    {35, 256, 66, 0, "tq2_0"},
    {39, 32, 17, 0, "mxfp4"},
    {40, 64, 36, 0, "nvfp4"},
    {41, 128, 18, 0, "q1_0"},
};

const dpi_dtype *dpi_dtype_of(int32_t type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type)
            return &types[i];
    return NULL;
}

const char *dp_type_name(int32_t type)
{
    const dpi_dtype *const found = dpi_dtype_of(type);

    return found ? found->name : "unknown type";
}

int dpi_row_bytes(int32_t type, int64_t columns, uint64_t *bytes)
{
    const dpi_dtype *const found = dpi_dtype_of(type);

    if (!found || columns < 0 || columns % found->block)
        return -1;
    return dpi_mul_u64((uint64_t)(columns / found->block), (uint64_t)found->block_bytes, bytes);
}

static void blocks_to_f32(int32_t type, const unsigned char *from, int64_t count, float *to)
{
    const dpi_dtype *const found = dpi_dtype_of(type);
    const dpi_block_function decode = dpi_block_of(type);

    if (!decode)
        return;
    for (int64_t i = 0; i < count; i += found->block, from += found->block_bytes)
        decode(from, to + i);
}

// Elements are read byte by byte: a mapped file need not align them.
void dpi_to_f32(int32_t type, const void *from, int64_t count, float *to)
{
    const unsigned char *const bytes = from;
    uint16_t half = 0;
    int32_t whole = 0;
    double real = 0;

    switch (type) {
    case DP_F32:
        memcpy(to, from, (size_t)count * sizeof *to);
        break;
    case DP_F16:
    case DP_BF16:
        for (int64_t i = 0; i < count; i++) {
            memcpy(&half, bytes + i * 2, sizeof half);
            to[i] = type == DP_F16 ? dpi_f16_to_f32(half) : dpi_bf16_to_f32(half);
        }
        break;
    case DP_I32:
        for (int64_t i = 0; i < count; i++) {
            memcpy(&whole, bytes + i * 4, sizeof whole);
            to[i] = (float)whole;
        }
        break;
    case DP_F64:
        for (int64_t i = 0; i < count; i++) {
            memcpy(&real, bytes + i * 8, sizeof real);
            to[i] = (float)real;
        }
        break;
    default:
        blocks_to_f32(type, bytes, count, to);
    }
}

void dpi_from_f32(int32_t type, const float *from, int64_t count, void *to)
{
    unsigned char *const bytes = to;

    if (type == DP_F32) {
        memcpy(to, from, (size_t)count * sizeof *from);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        if (type == DP_F64) {
            const double real = from[i];
            memcpy(bytes + i * 8, &real, sizeof real);
        } else {
            const uint16_t half = type == DP_F16 ? dpi_f32_to_f16(from[i]) : dpi_f32_to_bf16(from[i]);
            memcpy(bytes + i * 2, &half, sizeof half);
        }
    }
}
