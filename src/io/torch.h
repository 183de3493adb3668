// PyTorch checkpoints in: a zip archive with a pickle that describes tensors and a member for each storage.
#ifndef DPI_IO_TORCH_H
#define DPI_IO_TORCH_H

#include "io/safetensors.h"

// All tensors of the state dict in `storage` (kept by each tensor), in file order; several may share bytes. Nothing
// of the file is run.  `name` is the file for errors; offsets are bytes of the file.
int dpi_torch_read(dpi_safetensors **out, dpi_memory *memory, dpi_storage *storage, const char *name,
                   dp_error *error);

#endif
