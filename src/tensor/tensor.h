// A named, typed, shaped view of bytes in a storage.
#ifndef DPI_TENSOR_TENSOR_H
#define DPI_TENSOR_TENSOR_H

#include "tensor/storage.h"

enum { DPI_MAX_DIMS = 4 };

// shape[0] is the slowest dimension (the order of safetensors, the reverse of GGUF).
typedef struct dpi_tensor {
    char *name; // owned
    const unsigned char *data;
    uint64_t bytes;
    uint64_t offset; // of data in its file, for errors
    int64_t shape[DPI_MAX_DIMS];
    int32_t dims;
    int32_t type;
    dpi_storage *storage; // one reference held
} dpi_tensor;

// Elements; shapes were checked when the tensor was read.
int64_t dpi_tensor_count(const dpi_tensor *tensor);
int64_t dpi_tensor_rows(const dpi_tensor *tensor);    // product of all but the last dimension; 1 for a vector
int64_t dpi_tensor_columns(const dpi_tensor *tensor); // the last dimension

#endif
