// The pickle of a PyTorch state dict, read by a machine that knows only what such a pickle needs.  It calls
// nothing: the few names that it knows are recognised and stand for themselves, every other is refused.
#ifndef DPI_IO_PICKLE_H
#define DPI_IO_PICKLE_H

#include "tensor/tensor.h"

// One tensor as the pickle describes it.  Nothing is checked against its storage yet.
typedef struct dpi_pickled {
    const char *name, *key; // of the tensor and of its storage: UTF-8 in the pickle's bytes, not terminated
    uint32_t name_size, key_size;
    const char *type_name; // "FloatStorage"
    int32_t type;          // DP_*, or -1 for elements that are not read
    int32_t width;         // bytes of an element
    int64_t elements;      // of the whole storage, from 0 up
    int64_t first;         // element of the storage, from 0 up
    int64_t shape[DPI_MAX_DIMS], strides[DPI_MAX_DIMS];
    int32_t dims;
    uint64_t at; // byte of the pickle where the tensor was made
} dpi_pickled;

// Bytes of a file, and where they lie in it.
typedef struct dpi_pickle_input {
    const unsigned char *bytes;
    size_t size;
    const char *file; // for errors
    uint64_t offset;  // of the first byte in the file
} dpi_pickle_input;

// The tensors of the dict, or of the dict under its key "state_dict" or "model" when it has no tensor itself, by
// name, each name once.  Memory and time grow with the bytes.  *out is freed by dpi_free.
int dpi_pickle_read(dpi_pickled **out, size_t *count, dpi_memory *memory, const dpi_pickle_input *input,
                    dp_error *error);

#endif
