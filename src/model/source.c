// A source's life: made empty for a path, shared by counting, freed with its files.
#include "model/source.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/error.h"
#include "io/place.h"

// `place` may be NULL.
static int make(dpi_source **out, dp_context *context, const char *path, const char *place, dp_error *error)
{
    dpi_memory *memory = &context->memory;
    dpi_source *source = dpi_alloc(memory, 1, sizeof *source, error);

    if (!source)
        return DP_E_MEMORY;
    source->references = 1;
    source->memory = memory;
    source->path = dpi_copy_text(memory, path, error);
    source->place = source->path && place ? dpi_copy_text(memory, place, error) : NULL;
    if (!source->path || (place && !source->place)) {
        dpi_source_drop(source);
        return DP_E_MEMORY;
    }
    *out = source;
    return DP_OK;
}

int dpi_source_new(dpi_source **out, dp_context *context, const char *path, int32_t format, dp_error *error)
{
    char place[PATH_MAX];

    if (!realpath(path, place))
        return dpi_fail_system(error, errno, path, "cannot be found");
    const int rc = make(out, context, path, place, error);
    if (!rc)
        (*out)->format = format;
    return rc;
}

int dpi_source_new_without_files(dpi_source **out, dp_context *context, dp_error *error)
{
    dpi_source *source;
    const int rc = make(&source, context, "", NULL, error);

    if (rc)
        return rc;
    source->format = DP_FORMAT_HF;
    source->weights = dpi_copy_text(source->memory, "", error);
    if (!source->weights) {
        dpi_source_drop(source);
        return DP_E_MEMORY;
    }
    *out = source;
    return DP_OK;
}

void dpi_source_unbind(dpi_source *source)
{
    dpi_free(source->memory, source->blocks);
    dpi_free(source->memory, (void *)(uintptr_t)source->seen);
    source->blocks = NULL;
    source->seen = NULL;
    source->embedding = source->norm = source->head = source->rope = NULL;
}

void dpi_source_note_room(dpi_source *source, dp_context *context, const dpi_storage *storage)
{
    if (dpi_storage_whole(storage) == dpi_storage_size(storage))
        return;
    dpi_log(context, DP_LOG_NOTE, "%s: does not fit the address space: its header alone is read", source->path);
    source->shapes_only = source->no_room = 1;
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

dpi_place dpi_source_place(const dpi_source *source, const dpi_tensor *tensor, uint64_t at)
{
    return (dpi_place){.file = dpi_source_file(source, tensor),
                       .item = tensor->name,
                       .offset = source->place ? (int64_t)(tensor->offset + at) : -1};
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
    dpi_tensors_free(memory, source->made, source->made_count);
    dpi_free(memory, source->blocks);
    dpi_free(memory, (void *)(uintptr_t)source->seen);
    dpi_free(memory, source->config_text);
    dpi_free(memory, source->weights);
    dpi_free(memory, source->place);
    dpi_free(memory, source->path);
    dpi_free(memory, source);
}
