// The list of output tensors: names in the target's format with blocks renumbered, types by the rules of model.h.
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/count.h"
#include "model/parse.h"
#include "model/save.h"
#include "tensor/dtype.h"

static int is_plain(int32_t type)
{
    return type == DP_F32 || type == DP_F16 || type == DP_BF16;
}

// Matrices: as asked, else as stored where the format holds it, else f16.  Vectors: f32 in GGUF; in a Hugging Face
// directory like the matrices, unless they come from one and nothing was asked.
static int32_t type_of(const dpi_save *save, const dpi_tensor *from, int32_t slot)
{
    const int hf = save->format == DP_FORMAT_HF;

    if (!dpi_slot_is_matrix(slot) && !hf)
        return DP_F32;
    if (save->type >= 0)
        return save->type;
    if (!dpi_slot_is_matrix(slot) && save->model->source->format == DP_FORMAT_GGUF)
        return save->matrix_type;
    return hf && !is_plain(from->type) ? DP_F16 : from->type;
}

static int choose_type(const dpi_save *save, const dpi_tensor *from, int32_t slot, dpi_tensor *to, dp_error *error)
{
    to->type = from ? type_of(save, from, slot) : DP_F32;
    return from && from->type != to->type ? dpi_model_needs_computed(save->model, from, error) : DP_OK;
}

static int add(dpi_save *save, const dpi_tensor *from, int32_t slot, int32_t block, dp_error *error)
{
    const dpi_config *config = &save->model->config;
    const dpi_source *source = save->model->source;
    dpi_tensor *to = &save->tensors[save->count];
    dpi_part *part = &save->parts[save->count];
    const int moves = source->family->permuted && source->format != save->format;
    uint64_t row_bytes = 0;
    int64_t shape[2];

    to->dims = dpi_slot_shape(config, slot, shape);
    to->shape[0] = shape[0];
    to->shape[1] = to->dims == 2 ? shape[1] : 0;
    const int rc = choose_type(save, from, slot, to, error);
    if (rc)
        return rc;
    to->name = save->names[save->count];
    dpi_name_write(save->format, slot, block, to->name);
    const int64_t rows = dpi_tensor_rows(to), columns = dpi_tensor_columns(to);
    const dpi_place place = {.file = save->path, .item = to->name, .offset = -1};
    if (dpi_row_bytes(to->type, columns, &row_bytes) ||
        __builtin_mul_overflow(row_bytes, (uint64_t)rows, &to->bytes) ||
        __builtin_add_overflow(save->bytes, to->bytes, &save->bytes))
        return dpi_fail_at(error, DP_E_FORMAT, &place, "%lld by %lld elements of %s have no size", (long long)rows,
                           (long long)columns, dp_type_name(to->type));
    *part = (dpi_part){.from = from, .slot = slot, .block = block};
    if (moves && (slot == DPI_Q || slot == DPI_BIAS_Q))
        part->heads = config->heads;
    if (moves && (slot == DPI_K || slot == DPI_BIAS_K))
        part->heads = config->kv_heads;
    save->count++;
    return DP_OK;
}

// GGUF says llama3 scaling by a tensor of divisors.
static int add_divisors(dpi_save *save, dp_error *error)
{
    const dp_model *model = save->model;
    const dpi_place place = {.file = save->path, .item = "rope_freqs.weight", .offset = -1};
    dpi_memory *memory = &model->context->memory;

    if (save->format != DP_FORMAT_GGUF)
        return DP_OK;
    if (model->source->rope)
        return add(save, model->source->rope, DPI_ROPE_FACTORS, -1, error);
    if (model->config.rope_kind != DPI_ROPE_LLAMA3)
        return DP_OK;
    if (!model->source->family->divisors)
        return dpi_fail_at(error, DP_E_UNSUPPORTED, &place, "llama3 rope scaling of a %s model cannot be said in GGUF",
                           model->source->family->name);
    save->divisors = dpi_alloc(memory, (size_t)model->config.head_dim / 2, sizeof *save->divisors, error);
    if (!save->divisors)
        return DP_E_MEMORY;
    dpi_rope_divisors(&model->config, save->divisors);
    dpi_config again = model->config;
    if (dpi_rope_fit(&again, save->divisors, save->path, NULL))
        return dpi_fail_at(error, DP_E_UNSUPPORTED, &place,
                           "llama3 rope scaling with bands other than 1 and 4, or from a context that is no power "
                           "of two, cannot be read back from GGUF");
    const int rc = add(save, NULL, DPI_ROPE_FACTORS, -1, error);
    if (!rc)
        save->parts[save->count - 1].made = save->divisors;
    return rc;
}

// Wider types first, so that every tensor of a safetensors file begins aligned to its own type.
static int add_all(dpi_save *save, int32_t least, int32_t most, dp_error *error)
{
    const size_t count = dp_model_weight_count(save->model);
    int rc = DP_OK;

    for (size_t i = 0; !rc && i < count; i++) {
        int32_t slot, block;
        const dpi_tensor *from = dpi_model_weight_at(save->model, i, &slot, &block);
        const dpi_dtype *type = dpi_dtype_of(type_of(save, from, slot));
        if (type && type->block_bytes >= least && type->block_bytes <= most)
            rc = add(save, from, slot, block, error);
    }
    return rc;
}

// config.json has bias vectors of q, k, v and o or, in a family that always has them, of q, k and v.
static int check_biases(const dpi_save *save, dp_error *error)
{
    const dpi_source *source = save->model->source;
    const dpi_place place = {.file = source->path, .item = "blk.0.attn_q.bias", .offset = -1};

    if (save->format != DP_FORMAT_HF || source->family->biases != DPI_BIASES_ASKED ||
        source->config.slots != DPI_BIAS_O)
        return DP_OK;
    return dpi_fail_at(error, DP_E_UNSUPPORTED, &place,
                       "%s in a Hugging Face directory has bias vectors of q, k, v and o, this model lacks those of o",
                       source->family->class_name);
}

int dpi_save_list(dpi_save *save, dp_error *error)
{
    dpi_memory *memory = &save->model->context->memory;
    const size_t capacity = dp_model_weight_count(save->model) + 1;
    const int32_t stored = dpi_model_type(save->model);
    uint64_t bytes;
    int rc;

    save->matrix_type = save->type >= 0 ? save->type : stored;
    if (save->format == DP_FORMAT_HF && !is_plain(save->matrix_type))
        save->matrix_type = DP_F16;
    save->tensors = dpi_alloc(memory, capacity, sizeof *save->tensors, error);
    save->parts = save->tensors ? dpi_alloc(memory, capacity, sizeof *save->parts, error) : NULL;
    save->names = save->parts ? dpi_alloc(memory, capacity, sizeof *save->names, error) : NULL;
    if (!save->names)
        return DP_E_MEMORY;
    dpi_model_count(save->model, &save->parameters, &bytes);
    rc = check_biases(save, error);
    if (!rc)
        rc = add_divisors(save, error);
    if (!rc && save->format == DP_FORMAT_GGUF)
        return add_all(save, 0, INT32_MAX, error);
    if (!rc)
        rc = add_all(save, 4, INT32_MAX, error);
    return rc ? rc : add_all(save, 0, 3, error);
}
