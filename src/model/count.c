// Sizes of a model: elements, bytes, and the type most of it is stored in.
#include "model/count.h"

#include "model/names.h"

uint64_t dpi_config_parameters(const dpi_config *config, int32_t first, int32_t end)
{
    uint64_t sum = 0;

    for (int32_t slot = first; slot < end; slot++) {
        int64_t shape[2];
        const int32_t dims = dpi_slot_shape(config, slot, shape);
        sum += (uint64_t)shape[0] * (dims == 2 ? (uint64_t)shape[1] : 1);
    }
    return sum;
}

uint64_t dpi_model_block_parameters(const dp_model *model, int32_t block)
{
    uint64_t sum = 0;

    for (int slot = 0; slot < DPI_BLOCK_WEIGHTS; slot++)
        if (model->blocks[block].weights[slot])
            sum += (uint64_t)dpi_tensor_count(model->blocks[block].weights[slot]);
    return sum;
}

size_t dpi_model_block_weights(const dp_model *model)
{
    size_t count = 0;

    for (int slot = 0; slot < DPI_BLOCK_WEIGHTS; slot++)
        count += model->blocks[0].weights[slot] != NULL;
    return count;
}

const dpi_tensor *dpi_model_weight_at(const dp_model *model, size_t index, int32_t *slot, int32_t *block)
{
    const size_t each = dpi_model_block_weights(model), inside = each * (size_t)model->config.blocks;

    *block = -1;
    if (index == 0) {
        *slot = DPI_EMBEDDING;
        return model->embedding;
    }
    if (index > inside) {
        *slot = index == inside + 1 ? DPI_LAST_NORM : DPI_HEAD;
        return index == inside + 1 ? model->norm : model->head;
    }
    size_t left = (index - 1) % each;
    *block = (int32_t)((index - 1) / each);
    for (*slot = 0; !model->blocks[*block].weights[*slot] || left > 0; ++*slot)
        left -= model->blocks[*block].weights[*slot] != NULL;
    return model->blocks[*block].weights[*slot];
}

size_t dp_model_weight_count(const dp_model *model)
{
    return 2 + dpi_model_block_weights(model) * (size_t)model->config.blocks + !model->config.tied;
}

void dpi_model_count(const dp_model *model, uint64_t *parameters, uint64_t *bytes)
{
    const size_t count = dp_model_weight_count(model);

    *parameters = *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t slot, block;
        const dpi_tensor *tensor = dpi_model_weight_at(model, i, &slot, &block);
        *parameters += (uint64_t)dpi_tensor_count(tensor);
        *bytes += tensor->bytes;
    }
}

int32_t dpi_model_type(const dp_model *model)
{
    uint64_t counts[64] = {0};
    int32_t best = 0;

    for (int32_t block = 0; block < model->config.blocks; block++)
        for (int32_t slot = 0; slot < DPI_BLOCK_WEIGHTS; slot++) {
            const dpi_tensor *tensor = model->blocks[block].weights[slot];
            if (tensor && dpi_slot_is_matrix(slot) && tensor->type >= 0 && tensor->type < 64)
                counts[tensor->type] += (uint64_t)dpi_tensor_count(tensor);
        }
    for (int32_t type = 1; type < 64; type++)
        best = counts[type] > counts[best] ? type : best;
    return best;
}
