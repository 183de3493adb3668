// Files in: mapped or read whole.  Only regular files; a name that is something else is an error, never a wait.
#ifndef DPI_IO_FILE_H
#define DPI_IO_FILE_H

#include "base/context.h"
#include "tensor/storage.h"

// Map (copy = 0) or read (copy = 1) a whole file.
int dpi_file_open(dpi_storage **out, dp_context *context, const char *path, int copy, dp_error *error);
// A file of weights, mapped: where it does not fit the address space that the process may use, as far as its header
// may reach, and dpi_storage_whole tells.
int dpi_file_open_weights(dpi_storage **out, dp_context *context, const char *path, int copy, dp_error *error);
// The same as dpi_file_open, but at most `most` bytes or DP_E_FORMAT.
int dpi_file_read(dpi_storage **out, dp_context *context, const char *path, uint64_t most, dp_error *error);
// DP_E_IO when the storage is a mapped file that is still under its name and has become shorter.
int dpi_file_intact(const dpi_storage *storage, dp_error *error);
int dpi_path_is_directory(const char *path);
// Anything at all: dangling links too, and what may not be looked at, so that opening it says why.
int dpi_path_exists(const char *path);
// Two paths name the same file or directory.
int dpi_path_same(const char *a, const char *b);
// directory/name in new memory.
char *dpi_path_join(dpi_memory *memory, const char *directory, const char *name, dp_error *error);

#endif
