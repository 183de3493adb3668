// Tensors to slots: each needed weight present, of the shape that the configuration demands and of a type that is
// computed or, in GGUF, can be carried.  Unknown tensors are ignored with a note; a block beyond the last is an error.
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "model/names.h"
#include "model/source.h"
#include "tensor/dtype.h"

typedef struct binder {
    dpi_source *source;
    dp_error *error;
    size_t unknown;
    const char *first_unknown;
} binder;

static dpi_place place_of(const binder *b, const dpi_tensor *tensor)
{
    return dpi_source_place(b->source, tensor, 0);
}

static void write_shape(const int64_t *shape, int32_t dims, char out[96])
{
    size_t used = 0;

    out[0] = 0;
    for (int32_t i = 0; i < dims; i++) {
        const int n = snprintf(out + used, 96 - used, "%s%lld", i ? ", " : "", (long long)shape[i]);
        used += n > 0 ? (size_t)n : 0;
    }
}

static int check_shape(const binder *b, const dpi_tensor *tensor, int32_t slot)
{
    const dpi_place place = place_of(b, tensor);
    int64_t wanted[2];
    char have[96], want[96];
    const int32_t dims = dpi_slot_shape(&b->source->config, slot, wanted);

    if (tensor->dims == dims && tensor->shape[0] == wanted[0] && (dims == 1 || tensor->shape[1] == wanted[1]))
        return DP_OK;
    write_shape(tensor->shape, tensor->dims, have);
    write_shape(wanted, dims, want);
    return dpi_fail_at(b->error, DP_E_FORMAT, &place, "has shape [%s], expected [%s]", have, want);
}

static int check_type(const binder *b, const dpi_tensor *tensor, int32_t slot)
{
    const dpi_place place = place_of(b, tensor);
    const dpi_dtype *type = dpi_dtype_of(tensor->type);
    const int plain = tensor->type == DP_F32 || tensor->type == DP_F16 || tensor->type == DP_BF16;

    if (!type || (!type->computed && b->source->format != DP_FORMAT_GGUF)) // those of GGUF can be carried
        return dpi_fail_at(b->error, DP_E_UNSUPPORTED, &place, "is stored as %s, which is not computed",
                           dp_type_name(tensor->type));
    if (!plain && !dpi_slot_is_matrix(slot))
        return dpi_fail_at(b->error, DP_E_UNSUPPORTED, &place,
                           "is a vector stored as %s, expected f32, f16 or bf16", dp_type_name(tensor->type));
    return DP_OK;
}

static const dpi_tensor **slot_in(dpi_source *source, int32_t slot, int32_t block)
{
    switch (slot) {
    case DPI_EMBEDDING:
        return &source->embedding;
    case DPI_LAST_NORM:
        return &source->norm;
    case DPI_HEAD:
        return &source->head;
    case DPI_ROPE_FACTORS:
        return &source->rope;
    default:
        return &source->blocks[block].weights[slot];
    }
}

static int is_bias(const char *name)
{
    const size_t size = strlen(name);

    return size >= 5 && memcmp(name + size - 5, ".bias", 5) == 0;
}

// A bias that the configuration does not speak of would be left out silently elsewhere.
static int refuse_bias(const binder *b, const dpi_place *place, int32_t slot)
{
    if (slot < 0)
        return dpi_fail_at(b->error, DP_E_UNSUPPORTED, place,
                           "bias vectors of this kind are not computed, only those of q, k, v and o");
    if (b->source->family->biases != DPI_BIASES_ASKED)
        return dpi_fail_at(b->error, DP_E_FORMAT, place, "is there, but a %s model has no such bias vector",
                           b->source->family->name);
    return dpi_fail_at(b->error, DP_E_FORMAT, place, "is there, but %s",
                       b->source->format == DP_FORMAT_HF ? "attention_bias in config.json does not say true"
                                                         : "block 0 has no such bias vector");
}

// The slot of a tensor that may be bound to it; -1 when its name is not known.
static int find_slot(const binder *b, const dpi_tensor *tensor, int32_t *slot, int32_t *block)
{
    const dpi_source *source = b->source;
    const dpi_place place = place_of(b, tensor);

    *slot = dpi_name_read(source->format, tensor->name, block);
    if (*block >= source->config.blocks)
        return dpi_fail_at(b->error, DP_E_FORMAT, &place,
                           "belongs to block %d, but the configuration says %d blocks", *block,
                           source->config.blocks);
    if (is_bias(tensor->name) && *block >= 0 && (*slot < 0 || *slot >= source->config.slots))
        return refuse_bias(b, &place, *slot);
    const int rc = *slot < 0 ? DP_OK : check_shape(b, tensor, *slot);
    return rc || *slot < 0 ? rc : check_type(b, tensor, *slot);
}

int dpi_source_slot(dpi_source *source, const dpi_tensor *tensor, int32_t *slot, int32_t *block, dp_error *error)
{
    const binder b = {.source = source, .error = error};

    return find_slot(&b, tensor, slot, block);
}

static int bind_one(binder *b, const dpi_tensor *tensor)
{
    int32_t slot, block;
    const int rc = find_slot(b, tensor, &slot, &block);

    if (!rc && slot < 0)
        b->first_unknown = b->unknown++ ? b->first_unknown : tensor->name;
    else if (!rc)
        *slot_in(b->source, slot, block) = tensor;
    return rc;
}

static int missing(const binder *b, int32_t slot, int32_t block)
{
    char name[DPI_NAME_SIZE];

    dpi_name_write(b->source->format, slot, block, name);
    const dpi_place place = {.file = b->source->weights, .item = name, .offset = -1};
    if (slot >= DPI_BIAS_Q && slot < DPI_BLOCK_WEIGHTS)
        return dpi_fail_at(b->error, DP_E_FORMAT, &place, "the tensor is missing; %s",
                           b->source->format == DP_FORMAT_HF && b->source->family->biases == DPI_BIASES_ASKED
                               ? "attention_bias in config.json says true"
                               : "other bias vectors, or the family, demand it");
    if (block >= 0)
        return dpi_fail_at(b->error, DP_E_FORMAT, &place, "the tensor is missing; the configuration says %d blocks",
                           b->source->config.blocks);
    return dpi_fail_at(b->error, DP_E_FORMAT, &place, "the tensor is missing");
}

static int check_present(const binder *b)
{
    const dpi_source *source = b->source;

    if (!source->embedding)
        return missing(b, DPI_EMBEDDING, -1);
    for (int32_t block = 0; block < source->config.blocks; block++)
        for (int32_t slot = 0; slot < source->config.slots; slot++)
            if (!source->blocks[block].weights[slot])
                return missing(b, slot, block);
    if (!source->norm)
        return missing(b, DPI_LAST_NORM, -1);
    return source->head || source->config.tied ? DP_OK : missing(b, DPI_HEAD, -1);
}

int dpi_source_bind(dpi_source *source, dp_context *context, const dpi_tensor *tensors, size_t count,
                    dp_error *error)
{
    binder b = {.source = source, .error = error};

    source->blocks = dpi_alloc(source->memory, (size_t)source->config.blocks, sizeof *source->blocks, error);
    if (!source->blocks)
        return DP_E_MEMORY;
    for (int32_t block = 0; block < source->config.blocks; block++)
        source->blocks[block].origin = block;
    for (size_t i = 0; i < count; i++) {
        const int rc = bind_one(&b, &tensors[i]);
        if (rc)
            return rc;
    }
    int rc = check_present(&b);
    if (!rc)
        rc = dpi_source_expect_reads(source, error);
    if (!rc && b.unknown)
        dpi_log(context, DP_LOG_NOTE, "%s: %zu tensors that this family does not have are ignored, the first is %s",
                source->weights, b.unknown, b.first_unknown);
    return rc;
}
