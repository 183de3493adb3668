// The model families this library reads: what their files say and where they differ.
#ifndef DPI_MODEL_FAMILY_H
#define DPI_MODEL_FAMILY_H

#include <depthprune/types.h>
#include <stddef.h>

typedef struct dpi_family {
    const char *name;       // ours, and GGUF's general.architecture
    const char *class_name; // config.json: architectures
    const char *model_type; // config.json
    int32_t qkv_bias;       // 1: q, k and v have bias vectors
    int32_t permuted;       // 1: GGUF stores the rows of q and k for interleaved rope pairs
    int32_t window;         // 1: config.json may ask for a sliding window, which is not computed
    int32_t tied;           // default of tie_word_embeddings
    int32_t context;        // default of max_position_embeddings
    double rope_base;       // default
    double epsilon;         // default of rms_norm_eps
} dpi_family;

// The family of a name as a file gives it, else DP_E_UNSUPPORTED naming what was found and what is read.
int dpi_family_of_class(const dpi_family **out, const char *class_name, const char *file, dp_error *error);
int dpi_family_of_type(const dpi_family **out, const char *model_type, const char *file, dp_error *error);
int dpi_family_of_gguf(const dpi_family **out, const char *name, size_t size, const char *file, dp_error *error);

#endif
