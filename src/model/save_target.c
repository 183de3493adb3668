// May the target be written?  Never over or into what the model is read from, and only where there is room.
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/file.h"
#include "model/save.h"

enum { SLACK = 1 << 16, HEADER = 256, SHARD = 1 << 12 }; // bytes for small documents, a tensor's entry, a file more

// The nearest folder or file above `path`, itself included, that exists, from the root; *whole: it is all of it.
static int nearest(const char *path, char *out, int *whole)
{
    char copy[PATH_MAX];
    size_t size = strlen(path);

    if (size >= sizeof copy)
        return 0;
    memcpy(copy, path, size + 1);
    *whole = 1;
    while (!realpath(size ? copy : ".", out)) {
        if (!size)
            return 0;
        while (size > 1 && copy[size - 1] == '/')
            size--;
        while (size > 0 && copy[size - 1] != '/')
            size--;
        copy[size] = 0;
        *whole = 0;
    }
    return 1;
}

static int is_inside(const char *inner, const char *outer)
{
    const size_t size = strlen(outer);

    return strncmp(inner, outer, size) == 0 &&
           (inner[size] == '/' || inner[size] == 0 || (size > 0 && outer[size - 1] == '/'));
}

// Files may be links to elsewhere.
static int is_read(const dpi_source *source, const char *path)
{
    for (size_t i = 0; i < source->shard_count; i++)
        if (dpi_path_same(path, source->shards[i].path))
            return 1;
    return dpi_path_same(path, source->place) || dpi_path_same(path, source->weights);
}

static int check_source(const dpi_save *save, dp_error *error)
{
    const dpi_source *source = save->model->source;
    const dpi_place place = {.file = save->path, .offset = -1};
    char target[PATH_MAX];
    int whole;

    if (!nearest(save->path, target, &whole))
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "the target is not a path that can be followed");
    if (!source->place)
        return DP_OK;
    if (is_read(source, save->path))
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "the target is the model that is being read");
    if (source->format == DP_FORMAT_HF && is_inside(target, source->place))
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "the target lies inside the model that is being read");
    if (whole && is_inside(source->place, target))
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "the target holds the model that is being read");
    return DP_OK;
}

// Besides weights: carried files, or what a GGUF source says before its tensors, twice as much as JSON.
static uint64_t other_bytes(const dpi_save *save)
{
    const dpi_gguf *file = save->model->source->gguf;
    const uint64_t shards = save->shard_bytes ? dpi_save_shards(save) : 0;
    const uint64_t keys = file && file->tensor_count ? 2 * file->tensors[0].offset : 0;

    return save->carried_bytes + 2 * save->plan.size + keys + save->count * HEADER + shards * (SHARD + HEADER) + SLACK;
}

int dpi_save_target(const dpi_save *save, dp_error *error)
{
    dp_context *context = save->model->context;
    const dpi_place place = {.file = save->path, .offset = -1};
    uint64_t room = 0;
    int rc = check_source(save, error);

    if (!rc)
        rc = dpi_stage_check(context, save->path, save->format == DP_FORMAT_HF, save->overwrite, &room, error);
    if (rc)
        return rc;
    const uint64_t needed = save->bytes + other_bytes(save);
    if (needed > room)
        return dpi_fail_at(error, DP_E_IO, &place, "the model needs %llu bytes, %llu are free",
                           (unsigned long long)needed, (unsigned long long)room);
    return DP_OK;
}
