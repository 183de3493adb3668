// The weights of a model in their public order, and their sizes.
#ifndef DPI_MODEL_COUNT_H
#define DPI_MODEL_COUNT_H

#include "model/model.h"

// Elements of the slots first .. end-1 by the configuration alone.
uint64_t dpi_config_parameters(const dpi_config *config, int32_t first, int32_t end);
size_t dpi_model_block_weights(const dp_model *model); // weights of each block
// Weight `index` of dp_model_weight_count in the public order.
const dpi_tensor *dpi_model_weight_at(const dp_model *model, size_t index, int32_t *slot, int32_t *block);
int32_t dpi_model_type(const dp_model *model); // the element type of most of the blocks' matrices

#endif
