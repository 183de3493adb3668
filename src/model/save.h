// A save under way: what is to be written, tensor by tensor, and the steps that write it.
#ifndef DPI_MODEL_SAVE_H
#define DPI_MODEL_SAVE_H

#include <depthprune/tokenizer.h>

#include "base/text.h"
#include "io/stage.h"
#include "model/names.h"
#include "model/parentage.h"
#include "model/source.h"

// Where the bytes of an output tensor come from.
typedef struct dpi_part {
    const dpi_tensor *from; // NULL: `made`
    const float *made;      // numbers that are computed for the file
    int32_t heads;          // more than 0: rows change places within each of so many heads
    int32_t slot, block;
} dpi_part;

typedef struct dpi_names {
    dpi_memory *memory;
    char **names; // sorted
    size_t count, capacity;
} dpi_names;

typedef struct dpi_save {
    const dp_model *model;
    const char *path;
    int32_t format, type, overwrite; // of the options, the format resolved
    dpi_watch *watch;
    int32_t matrix_type;  // what most matrices of the blocks become
    int32_t pruned;       // blocks of the source are missing
    uint64_t shard_bytes; // most bytes of tensors in a file of a directory, 0: all in one
    dpi_tensor *tensors;  // name, type, shape and bytes of each output tensor, in the file's order
    dpi_part *parts;      // beside tensors
    char (*names)[DPI_NAME_SIZE];
    float *divisors; // of rope, made
    size_t count;
    uint64_t bytes, parameters;
    dpi_names carried; // files that are copied as they are
    uint64_t carried_bytes;
    int32_t own_files;       // files besides the carried ones
    dpi_text plan;           // of the model, or of a source that is only copied; empty when there is none
    dpi_parentage parentage; // of the source
    dp_tokenizer *tokenizer; // what the other format needs written; NULL when files are carried or there is none
} dpi_save;

// Decide everything without writing: tensors, files, and whether the target may be written.
int dpi_save_plan(dpi_save *save, dp_error *error);
void dpi_save_clear(dpi_save *save);
int dpi_save_list(dpi_save *save, dp_error *error); // tensors and parts
int dpi_save_target(const dpi_save *save, dp_error *error);

// Files of the source directory that go along; none for GGUF.
int dpi_carry_find(dpi_save *save, dp_error *error);
int dpi_carry_write(const dpi_save *save, dpi_stage *stage, dp_error *error);

// The bytes of output tensor `index`.
int dpi_part_write(const dpi_save *save, size_t index, dpi_writer *writer, dp_error *error);

// config.json: the source's with the few changes, or written from a GGUF file's keys.
int dpi_config_patch(const dpi_save *save, dpi_text *out, dp_error *error);
int dpi_config_write(const dpi_save *save, dpi_text *out, dp_error *error);

int dpi_save_keys(const dpi_save *save, dpi_gguf_out *out, dp_error *error);
int dpi_save_hf(const dpi_save *save, dpi_stage *stage, dp_error *error);
int dpi_save_gguf(const dpi_save *save, dpi_stage *stage, dp_error *error);
int dpi_save_weights(const dpi_save *save, dpi_stage *stage, dp_error *error); // of a directory
size_t dpi_save_shards(const dpi_save *save);                                  // files that they take
int dpi_save_text(dpi_stage *stage, const char *name, const char *text, size_t size, dp_error *error);
// Names, types and shapes of what was staged are those that were meant.
int dpi_save_verify(const dpi_save *save, dpi_stage *stage, dp_error *error);

// Indices of the source's blocks that are gone, ascending; returns how many.  `out` has room for all of them.
int32_t dpi_save_removed(const dpi_save *save, int32_t *out);
// Fill save->plan: the model's own plan with those of its ancestors in it or, when nothing more was removed, the
// source's.
int dpi_save_read_plan(dpi_save *save, dp_error *error);
int dpi_save_writes_plan(const dpi_save *save); // as a file of its own; a copy's is among the carried ones
// README.md: the model card.
int dpi_save_card(const dpi_save *save, dpi_text *out, dp_error *error);
// The general.* keys: name, licence, and of a pruned model what it was made from.
int dpi_save_general(const dpi_save *save, dpi_gguf_out *out, dp_error *error);
int dpi_general_replaced(const dpi_gguf_entry *entry); // a key of the source that a pruned model does not inherit

#endif
