// Blocks of quantized elements, as GGUF stores them, to f32.
#ifndef DPI_TENSOR_BLOCKS_H
#define DPI_TENSOR_BLOCKS_H

#include <stdint.h>

typedef void (*dpi_block_function)(const unsigned char *block, float *to);

// One block to its 32 or 256 elements; NULL when `type` is not a block type.
dpi_block_function dpi_block_of(int32_t type);
dpi_block_function dpi_super_block_of(int32_t type); // of 256

#endif
