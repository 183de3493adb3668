// What was opened: configuration, tensors by slot and the files behind them, shared by the models made from it.
#ifndef DPI_MODEL_SOURCE_H
#define DPI_MODEL_SOURCE_H

#include "base/error.h"
#include "io/gguf.h"
#include "io/safetensors.h"
#include "model/family.h"
#include "model/model.h"

#define DPI_INDEX_FILE "model.safetensors.index.json"
#define DPI_TORCH_INDEX_FILE "pytorch_model.bin.index.json"

// One file of a checkpoint in several.
typedef struct dpi_shard {
    char *path;
    size_t end; // of its tensors among all; they begin where the shard before ends
} dpi_shard;

struct dpi_source {
    _Atomic int32_t references;
    int32_t format;     // DP_FORMAT_*
    dpi_memory *memory; // of the context that every model of the source holds
    const dpi_family *family;
    char *path;    // as given; "" when no file is behind the model
    char *place;   // the same from the root, links followed: still right when the host changes directory; or NULL
    char *weights; // the file of the tensors, or the index of their files, for errors; or ""
    char *config_text; // config.json; NULL for GGUF
    size_t config_size;
    dpi_config config;            // of the whole file
    int32_t pickled;              // 1: the files of tensors are PyTorch checkpoints
    dpi_safetensors *safetensors; // one of these three
    dpi_gguf *gguf;
    dpi_tensor *made; // tensors of the host's own memory or, of a model without weights, of nothing
    size_t made_count;
    int32_t shapes_only; // the weights are not to be used
    int32_t no_room;     // for they do not fit the address space
    int32_t allow_nonfinite;
    _Atomic unsigned char *seen; // by block, then embedding, norm and head: every number was found finite
    dpi_shard *shards;           // none when one file has all
    size_t shard_count;
    dpi_block *blocks; // config.blocks
    const dpi_tensor *embedding, *norm;
    const dpi_tensor *head; // the embedding when tied
    const dpi_tensor *rope; // GGUF's rope_freqs.weight, or NULL
};

// An empty source, of a path or of no files; both fail with nothing left behind.
int dpi_source_new(dpi_source **out, dp_context *context, const char *path, int32_t format, dp_error *error);
int dpi_source_new_without_files(dpi_source **out, dp_context *context, dp_error *error);
// A file of which only the header could be mapped leaves the source with shapes only.
void dpi_source_note_room(dpi_source *source, dp_context *context, const dpi_storage *storage);
dpi_source *dpi_source_keep(dpi_source *source);
void dpi_source_drop(dpi_source *source); // NULL is allowed
// The file that a tensor of the source lies in.
const char *dpi_source_file(const dpi_source *source, const dpi_tensor *tensor);
// Byte `at` of a tensor, for errors.
dpi_place dpi_source_place(const dpi_source *source, const dpi_tensor *tensor, uint64_t at);

// Fill blocks, embedding, norm, head and rope from the tensors, each present once and of the right shape.
int dpi_source_bind(dpi_source *source, dp_context *context, const dpi_tensor *tensors, size_t count,
                    dp_error *error);

// Where a tensor belongs, checked for shape and type; *slot is -1 when its name is not known.
int dpi_source_slot(dpi_source *source, const dpi_tensor *tensor, int32_t *slot, int32_t *block, dp_error *error);
int dpi_source_expect_reads(dpi_source *source, dp_error *error); // make `seen`
void dpi_source_unbind(dpi_source *source);                       // as before dpi_source_bind

int dpi_load_hf(dpi_source *source, dp_context *context, int copy, dp_error *error);
// The tensors of one file of the kind that the source has: safetensors, or PyTorch's.
int dpi_load_file(dpi_safetensors **out, dpi_source *source, dp_context *context, const char *path, int copy,
                  dp_error *error);
// The files that source->weights, an index, lists.
int dpi_load_shards(dpi_source *source, dp_context *context, int copy, dp_error *error);
// The tensors that the configuration demands, without data.
int dpi_load_shapes(dpi_source *source, dp_context *context, dp_error *error);
int dpi_load_gguf(dpi_source *source, dp_context *context, int copy, dp_error *error);
// DP_E_FORMAT unless `head`, which a tied model's file also has, is the embedding byte for byte.
int dpi_source_check_tie(const dpi_source *source, dpi_watch *watch, dp_error *error);

// A model of every block of the source; takes the caller's reference to the source, even on failure.
int dpi_model_of_source(dpi_source *source, dp_context *context, dp_model **out, dp_error *error);
int dpi_model_options_read(const dp_model_options *options, dp_model_options *out, dp_error *error);
// dp_model_open with the watch already open; `load` is DP_LOAD_*.
int dpi_model_open(dp_context *context, const char *path, int32_t load, dpi_watch *watch, dp_model **out,
                   dp_error *error);

#endif
