// safetensors files: read from bytes, written in order.
#ifndef DPI_IO_SAFETENSORS_H
#define DPI_IO_SAFETENSORS_H

#include "io/stage.h"
#include "tensor/tensor.h"

typedef struct dpi_safetensors {
    dpi_memory *memory;
    dpi_tensor *tensors; // in file order
    size_t count;
} dpi_safetensors;

// All tensors of the file in `storage` (kept by each tensor).  Types this library does not compute with are
// DP_E_UNSUPPORTED.  `name` is the file for errors; offsets are bytes of the file.
int dpi_safetensors_read(dpi_safetensors **out, dpi_memory *memory, dpi_storage *storage, const char *name,
                         dp_error *error);
void dpi_safetensors_free(dpi_safetensors *file); // NULL is allowed

// Write the header for `count` tensors (name, type, shape are read; data is not) with {"format":"pt"} and the
// given string pairs as metadata; the caller then adds each tensor's bytes in the same order.
// *bytes_out, when not NULL, gets the size of the whole file.
typedef struct dpi_pair {
    const char *key, *value;
} dpi_pair;
int dpi_safetensors_header(dpi_writer *writer, dpi_memory *memory, const dpi_tensor *tensors, size_t count,
                           const dpi_pair *metadata, size_t pairs, uint64_t *bytes_out, dp_error *error);

#endif
