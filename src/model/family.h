// The model families this library reads: what their files say and where they differ.
#ifndef DPI_MODEL_FAMILY_H
#define DPI_MODEL_FAMILY_H

#include <depthprune/types.h>
#include <stddef.h>

enum {
    DPI_BIASES_NONE,
    DPI_BIASES_QKV,  // of q, k and v, always
    DPI_BIASES_ASKED // of q, k, v and o where config.json's attention_bias says true
};

typedef struct dpi_family {
    const char *name;          // ours
    const char *gguf;          // general.architecture, and how its keys begin
    const char *class_name;    // config.json: architectures
    const char *old_class;     // the same as older files spell it, or NULL
    const char *model_type;    // config.json
    const char *window_switch; // config.json: the sliding window counts only where this is true; NULL: always
    int32_t biases;            // DPI_BIASES_*
    int32_t permuted;          // 1: GGUF stores the rows of q and k for interleaved rope pairs
    int32_t divisors;          // 1: GGUF may say rope scaling by rope_freqs.weight
    int32_t window;            // default of sliding_window; 0: the family has none
    int32_t kv_heads;          // default of num_key_value_heads; 0: as many as query heads
    int32_t context;           // default of max_position_embeddings
    double rope_base;          // default
    double epsilon;            // default of rms_norm_eps
} dpi_family;

// The family of a name as a file gives it, else DP_E_UNSUPPORTED naming what was found, why it is not read where
// that is known, and what is.
int dpi_family_of_class(const dpi_family **out, const char *class_name, const char *file, dp_error *error);
int dpi_family_of_type(const dpi_family **out, const char *model_type, const char *file, dp_error *error);
int dpi_family_of_gguf(const dpi_family **out, const char *name, size_t size, const char *file, dp_error *error);

#endif
