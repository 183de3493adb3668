// Files out: written beside the target, synced, and renamed when whole.  A killed process leaves the old target
// or the new one, never a third state, and at most a hidden ".NAME.partial-*" that the next save sweeps away.
#ifndef DPI_IO_STAGE_H
#define DPI_IO_STAGE_H

#include "base/context.h"

typedef struct dpi_stage dpi_stage;
typedef struct dpi_writer dpi_writer;

// Stage a directory (directory = 1) or a single file.  An existing target is DP_E_ARGUMENT unless overwrite
// (an empty directory may always be replaced).
int dpi_stage_open(dpi_stage **out, dp_context *context, const char *target, int directory, int overwrite,
                   dp_error *error);
// What dpi_stage_open would refuse, without writing; *room gets the bytes free where the target will lie.
int dpi_stage_check(dp_context *context, const char *target, int directory, int overwrite, uint64_t *room,
                    dp_error *error);
// Begin a file of the stage: a plain name, or "FOLDER/NAME" of two plain ones.  Ignored for a single file.
int dpi_stage_file(dpi_stage *stage, const char *name, dpi_writer **out, dp_error *error);
int dpi_writer_add(dpi_writer *writer, const void *bytes, uint64_t size, dp_error *error); // buffered
uint64_t dpi_writer_size(const dpi_writer *writer);                                        // bytes added so far
int dpi_writer_end(dpi_writer *writer, dp_error *error); // flush, sync, close; frees the writer even on failure
void dpi_writer_abandon(dpi_writer *writer);             // NULL is allowed
// The path of a staged file, to read it back; borrowed until the next call.
const char *dpi_stage_path(dpi_stage *stage, const char *name);
uint64_t dpi_stage_bytes(const dpi_stage *stage);
int32_t dpi_stage_files(const dpi_stage *stage);
// Put the target in place; frees the stage even on failure (then nothing is left behind).
int dpi_stage_commit(dpi_stage *stage, dp_error *error);
void dpi_stage_abandon(dpi_stage *stage); // remove what was written; NULL is allowed

#endif
