// What each weight is called in each format, and which shape it has.
#ifndef DPI_MODEL_NAMES_H
#define DPI_MODEL_NAMES_H

#include "model/config.h"
#include "model/model.h"

// Slots beyond those of a block.
enum { DPI_EMBEDDING = DPI_BLOCK_WEIGHTS, DPI_LAST_NORM, DPI_HEAD, DPI_ROPE_FACTORS, DPI_SLOTS };
enum { DPI_NAME_SIZE = 96 };

// The name of a slot; `block` is read for the slots of a block only.  "" when the format has no such tensor.
void dpi_name_write(int32_t format, int32_t slot, int32_t block, char out[DPI_NAME_SIZE]);
// The slot of a name, or -1 when it is not known.  *block is the block that the name speaks of, known or not, or
// -1; INT32_MAX stands for every number that is larger.
int32_t dpi_name_read(int32_t format, const char *name, int32_t *block);

int dpi_slot_is_matrix(int32_t slot);
// The shape a slot must have; returns the number of dimensions, 1 or 2.
int32_t dpi_slot_shape(const dpi_config *config, int32_t slot, int64_t shape[2]);

#endif
