// Where a tensor's bytes lie, for processors and compilers that want elements aligned.
#ifndef DPI_IO_PLACE_H
#define DPI_IO_PLACE_H

#include "tensor/tensor.h"

// When tensor->data is not aligned to its type (files need not be), move the bytes to memory that is, in a
// storage of its own.  The tensor holds a reference to its storage before and after.
int dpi_tensor_align(dpi_memory *memory, dpi_tensor *tensor, dp_error *error);
int dpi_tensor_aligned(const dpi_tensor *tensor);
// The move alone, aligned or not; a tensor without a storage has one then.
int dpi_tensor_copy(dpi_memory *memory, dpi_tensor *tensor, dp_error *error);
// Free `count` tensors and the array: names, references, memory.
void dpi_tensors_free(dpi_memory *memory, dpi_tensor *tensors, size_t count);

#endif
