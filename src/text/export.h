// A tokenizer in the other format: what model/save writes beside the weights.
#ifndef DPI_TEXT_EXPORT_H
#define DPI_TEXT_EXPORT_H

#include <depthprune/tokenizer.h>

#include "io/gguf.h"
#include "io/stage.h"

// All tokenizer.ggml.* keys.  `rows` is the model's vocabulary, often padded beyond the tokenizer's; llama.cpp
// wants a token for each.  DP_E_FORMAT when it is smaller.
int dpi_tokenizer_to_gguf(const dp_tokenizer *tokenizer, int32_t rows, dpi_gguf_out *out, dp_error *error);
// tokenizer.json and tokenizer_config.json (and tokenizer.model for SentencePiece) as files of the stage.
int dpi_tokenizer_to_hf(const dp_tokenizer *tokenizer, dpi_stage *stage, dp_error *error);

#endif
