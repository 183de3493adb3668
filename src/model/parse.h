// Configurations out of files.
#ifndef DPI_MODEL_PARSE_H
#define DPI_MODEL_PARSE_H

#include "io/gguf.h"
#include "model/config.h"
#include "model/family.h"

// Most that a configuration may say: products of any three stay inside 64 bits.
enum { DPI_MOST_BLOCKS = 1 << 16, DPI_MOST_WIDTH = 1 << 20, DPI_MOST_HEADS = 1 << 16, DPI_MOST_INNER = 1 << 24 };

// What a file's format calls the numbers that must agree.
typedef struct dpi_config_keys {
    const char *hidden, *heads, *kv_heads, *head_dim;
} dpi_config_keys;

// config.json.  `name` is the file for errors; `text` is `size` bytes.
int dpi_config_from_hf(dpi_config *out, const dpi_family **family, const char *text, size_t size, const char *name,
                       dp_error *error);
// The keys of a GGUF file, the vocabulary from its embedding.
int dpi_config_from_gguf(dpi_config *out, const dpi_family **family, const dpi_gguf *file, dp_error *error);
// Fill kv_heads and head_dim where they are 0, then see that the numbers agree.
int dpi_config_settle(dpi_config *config, const dpi_config_keys *keys, const char *name, dp_error *error);

// The fit of GGUF's rope_freqs.weight (head_dim / 2 divisors) to a kind of scaling, into *config.
int dpi_rope_fit(dpi_config *config, const float *divisors, const char *name, dp_error *error);
// The divisors of the llama3 kind, head_dim / 2 of them.
void dpi_rope_divisors(const dpi_config *config, float *out);
void dpi_rope_frequencies(const dpi_config *config, float *out);

#endif
