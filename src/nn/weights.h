// A model's weights as operands on a device, in their stored type: used where they lie when the device reads host
// memory, else uploaded, one block at a time.  Norm and bias vectors are small and are kept as f32.
#ifndef DPI_NN_WEIGHTS_H
#define DPI_NN_WEIGHTS_H

#include "backend/ops.h"
#include "model/model.h"

typedef struct dpi_weights dpi_weights;

int dpi_weights_open(dpi_weights **out, dpi_device *device, const dp_model *model, dp_error *error);
void dpi_weights_close(dpi_weights *weights); // NULL is allowed
// Bytes that opening takes on the device; a device without host memory needs room for one block besides.
int dpi_weights_bytes(const dp_model *model, uint64_t *bytes, dp_error *error);

// The weights of a block by DPI_*, absent ones with NULL data; valid until the next call for another block.
int dpi_weights_block(dpi_weights *weights, int32_t block, dp_mat mats[DPI_BLOCK_WEIGHTS], dp_error *error);
// The same without a look at the numbers: for a caller whose result tells whether all are finite.
int dpi_weights_block_unseen(dpi_weights *weights, int32_t block, dp_mat mats[DPI_BLOCK_WEIGHTS], dp_error *error);
int dpi_weights_embedding(dpi_weights *weights, dp_mat *out, dp_error *error);
int dpi_weights_head(dpi_weights *weights, dp_mat *out, dp_error *error);
dp_mat dpi_weights_norm(const dpi_weights *weights);

#endif
