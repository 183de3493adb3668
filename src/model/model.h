// A model's inside: a list of blocks over a source that several models share.
#ifndef DPI_MODEL_MODEL_H
#define DPI_MODEL_MODEL_H

#include <depthprune/model.h>

#include "base/context.h"
#include "base/monitor.h"
#include "model/config.h"
#include "tensor/tensor.h"

enum {
    DPI_NORM_1,
    DPI_Q,
    DPI_K,
    DPI_V,
    DPI_O,
    DPI_NORM_2,
    DPI_GATE,
    DPI_UP,
    DPI_DOWN,
    DPI_BIAS_Q,
    DPI_BIAS_K,
    DPI_BIAS_V,
    DPI_BIAS_O,
    DPI_BLOCK_WEIGHTS
};

typedef struct dpi_block {
    const dpi_tensor *weights[DPI_BLOCK_WEIGHTS]; // NULL where the family has none; owned by the source
    int32_t origin;                               // index in the source
    int32_t reserved;
} dpi_block;

typedef struct dpi_source dpi_source; // what was opened: files, tensors, configuration text; reference counted

struct dp_model {
    _Atomic int32_t references;
    dp_context *context;                       // one reference
    dpi_source *source;                        // one reference
    dpi_config config;                         // config.blocks is this model's
    dpi_block *blocks;                         // config.blocks of them
    const dpi_tensor *embedding, *norm, *head; // head is the embedding when tied; owned by the source
    char *plan;                                // the JSON plan that made this model, or NULL
    char *history; // the plans of the models between the source and this one, oldest first, commas between; or NULL
    pthread_mutex_t digest_turn;
    char digest[65]; // "" until asked for
    char parent[65]; // digest of the model it was made from, where that was known, else ""
};

// A model of the blocks `kept` (ascending indices into `model`); plan is copied, may be NULL.  Microseconds.
int dpi_model_keep(const dp_model *model, const int32_t *kept, int32_t count, const char *plan, dp_model **out,
                   dp_error *error);
dp_model *dpi_model_retain(const dp_model *model); // one more reference
uint64_t dpi_model_block_parameters(const dp_model *model, int32_t block);
// Elements and stored bytes of all weights; a tied head counts once.
void dpi_model_count(const dp_model *model, uint64_t *parameters, uint64_t *bytes);
// DP_E_NUMERIC, with tensor and index, unless every number of a weight of the model is finite.
int dpi_model_check_weight(const dp_model *model, const dpi_tensor *weight, dpi_watch *watch, dp_error *error);
// The same on all threads of a pool, by the call that has the turn.
int dpi_model_scan_weight(const dp_model *model, const dpi_tensor *weight, dpi_pool *pool, dp_error *error);
// DP_E_IO when the mapped file behind a weight has become shorter.
int dpi_model_check_file(const dpi_tensor *weight, dp_error *error);
int dpi_model_check_files(const dp_model *model, int32_t block, dp_error *error); // of all weights of a block
// Before the weights of a block, the embedding, or the last norm and the head are read by a run: both of the above,
// the numbers once for all models of a source and not at all when they may be what they are.
int dpi_model_begin_block(const dp_model *model, int32_t block, dpi_pool *pool, dp_error *error);
int dpi_model_begin_embedding(const dp_model *model, dpi_pool *pool, dp_error *error);
int dpi_model_begin_head(const dp_model *model, dpi_pool *pool, dp_error *error);
// DP_E_STATE when the model was opened for its shapes alone.
int dpi_model_needs_weights(const dp_model *model, dp_error *error);
// DP_E_UNSUPPORTED, with the tensor and its type, unless operations read that type.
int dpi_model_needs_computed(const dp_model *model, const dpi_tensor *weight, dp_error *error);
// rope's table, head_dim / 2 floats, scaling applied.
void dpi_model_inverse_frequencies(const dp_model *model, float *out);

#endif
