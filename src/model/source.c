// A source's life: made empty for a path, shared by counting, freed with its files.
#include "model/source.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/error.h"
#include "io/place.h"

int dpi_source_new(dpi_source **out, dp_context *context, const char *path, int32_t format, dp_error *error)
{
    char place[PATH_MAX];
    dpi_memory *memory = &context->memory;

    if (!realpath(path, place))
        return dpi_fail_system(error, errno, path, "cannot be found");
    dpi_source *source = dpi_alloc(memory, 1, sizeof *source, error);
    if (!source)
        return DP_E_MEMORY;
    source->references = 1;
    source->memory = memory;
    source->format = format;
    source->path = dpi_copy_text(memory, path, error);
    source->place = source->path ? dpi_copy_text(memory, place, error) : NULL;
    if (!source->place) {
        dpi_source_drop(source);
        return DP_E_MEMORY;
    }
    *out = source;
    return DP_OK;
}

dpi_source *dpi_source_keep(dpi_source *source)
{
    atomic_fetch_add(&source->references, 1);
    return source;
}

const char *dpi_source_file(const dpi_source *source, const dpi_tensor *tensor)
{
    size_t low = 0, high = source->shard_count;

    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (tensor < source->safetensors->tensors + source->shards[middle].end)
            high = middle;
        else
            low = middle + 1;
    }
    return low < source->shard_count ? source->shards[low].path : source->weights;
}

void dpi_source_drop(dpi_source *source)
{
    if (!source || atomic_fetch_sub(&source->references, 1) != 1)
        return;
    dpi_memory *memory = source->memory;
    dpi_safetensors_free(source->safetensors);
    for (size_t i = 0; i < source->shard_count; i++)
        dpi_free(memory, source->shards[i].path);
    dpi_free(memory, source->shards);
    dpi_gguf_free(source->gguf);
    if (source->shapes)
        dpi_tensors_free(memory, source->shapes, source->shape_count);
    dpi_free(memory, source->blocks);
    dpi_free(memory, source->config_text);
    dpi_free(memory, source->weights);
    dpi_free(memory, source->place);
    dpi_free(memory, source->path);
    dpi_free(memory, source);
}
