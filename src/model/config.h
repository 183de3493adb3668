// What the mathematics of a model needs to know.
#ifndef DPI_MODEL_CONFIG_H
#define DPI_MODEL_CONFIG_H

#include <stdint.h>

enum { DPI_ROPE_DEFAULT, DPI_ROPE_LINEAR, DPI_ROPE_LLAMA3 };

typedef struct dpi_config {
    char architecture[32]; // "llama"
    int32_t blocks, hidden, heads, kv_heads, head_dim, ffn, vocab, context;
    int32_t tied;          // head is the embedding
    int32_t interleaved;   // rope pairs (2i, 2i+1): GGUF's row order of q and k
    int32_t rope_kind;     // DPI_ROPE_*
    int32_t bos, eos, pad; // -1 when none; the first of several
    double epsilon, rope_base;
    double rope_factor, rope_low, rope_high; // of the scaled kinds
    int32_t rope_original;                   // context the scaling starts from
    int32_t slots; // a block's weights are the slots before this one: DPI_BIAS_Q, DPI_BIAS_O or DPI_BLOCK_WEIGHTS
    int32_t type;  // config.json's element type, f32 where it says none, -1 where it is not read; files say their own
    int32_t reserved;
} dpi_config;

#endif
