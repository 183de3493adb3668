// The safetensors of a directory out: one file or, when a file may hold only so many bytes of tensors, several with
// an index.  Tensors fill the files in order; one that is larger than the limit has a file of its own.
#include <depthprune/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "model/save.h"

enum { FILE_NAME = 64 };

typedef struct place_of_tensor {
    const char *tensor;
    size_t shard;
} place_of_tensor;

// Where the tensors end that share a file with tensor `first`.
static size_t shard_end(const dpi_save *save, size_t first)
{
    uint64_t bytes = save->tensors[first].bytes;
    size_t end = first + 1;

    if (!save->shard_bytes)
        return save->count;
    for (; end < save->count && bytes <= save->shard_bytes; end++) {
        if (save->tensors[end].bytes > save->shard_bytes - bytes)
            return end;
        bytes += save->tensors[end].bytes;
    }
    return end;
}

size_t dpi_save_shards(const dpi_save *save)
{
    size_t shards = 0;

    for (size_t at = 0; at < save->count; at = shard_end(save, at))
        shards++;
    return shards;
}

static void file_name(size_t shard, size_t shards, char out[FILE_NAME])
{
    if (shards == 1)
        snprintf(out, FILE_NAME, "model.safetensors");
    else
        snprintf(out, FILE_NAME, "model-%05zu-of-%05zu.safetensors", shard + 1, shards);
}

// The removed blocks as "[1,4]".
static int write_removed(const dpi_save *save, dpi_text *text, dp_error *error)
{
    dpi_memory *memory = &save->model->context->memory;
    int32_t *removed = dpi_alloc(memory, (size_t)save->model->source->config.blocks, sizeof *removed, error);
    int rc = removed ? dpi_text_add(text, "[", 1, error) : DP_E_MEMORY;
    const int32_t count = removed ? dpi_save_removed(save, removed) : 0;

    for (int32_t i = 0; !rc && i < count; i++)
        rc = dpi_text_format(text, error, "%s%d", i ? "," : "", (int)removed[i]);
    dpi_free(memory, removed);
    return rc ? rc : dpi_text_add(text, "]", 1, error);
}

static int write_tensors(const dpi_save *save, size_t first, size_t end, dpi_writer *writer, dp_error *error)
{
    dpi_text removed = {.memory = &save->model->context->memory};
    dpi_pair pairs[3] = {{"depthprune.version", dp_version_text()}};
    size_t count = 1;
    int rc = save->pruned ? write_removed(save, &removed, error) : DP_OK;

    if (save->pruned)
        pairs[count++] = (dpi_pair){"depthprune.removed", removed.data};
    if (save->model->parent[0])
        pairs[count++] = (dpi_pair){"depthprune.parent", save->model->parent};
    if (!rc)
        rc = dpi_safetensors_header(writer, removed.memory, save->tensors + first, end - first, pairs, count, NULL,
                                    error);
    dpi_text_clear(&removed);
    for (size_t i = first; !rc && i < end; i++)
        rc = dpi_part_write(save, i, writer, error);
    return rc;
}

static int write_file(const dpi_save *save, dpi_stage *stage, size_t first, const char *name, dp_error *error)
{
    dpi_writer *writer;
    int rc = dpi_stage_file(stage, name, &writer, error);

    if (rc)
        return rc;
    rc = write_tensors(save, first, shard_end(save, first), writer, error);
    if (rc) {
        dpi_writer_abandon(writer);
        return rc;
    }
    return dpi_writer_end(writer, error);
}

static int by_name(const void *a, const void *b)
{
    const place_of_tensor *x = a, *y = b;

    return strcmp(x->tensor, y->tensor);
}

// Names in the order of their bytes, as other writers have them.
static int write_index(const dpi_save *save, size_t shards, dpi_text *text, dp_error *error)
{
    dpi_memory *memory = text->memory;
    place_of_tensor *places = dpi_alloc(memory, save->count, sizeof *places, error);
    uint64_t bytes = 0;
    size_t shard = 0, end = 0;

    if (!places)
        return DP_E_MEMORY;
    for (size_t i = 0; i < save->count; i++) {
        if (i == end) {
            end = shard_end(save, i);
            shard++;
        }
        places[i] = (place_of_tensor){.tensor = save->tensors[i].name, .shard = shard - 1};
        bytes += save->tensors[i].bytes;
    }
    qsort(places, save->count, sizeof *places, by_name);
    int rc =
        dpi_text_format(text, error, "{\n  \"metadata\": {\n    \"total_size\": %llu\n  },\n  \"weight_map\": {",
                        (unsigned long long)bytes);
    for (size_t i = 0; !rc && i < save->count; i++) {
        char name[FILE_NAME];
        file_name(places[i].shard, shards, name);
        rc = dpi_text_format(text, error, "%s\n    \"%s\": \"%s\"", i ? "," : "", places[i].tensor, name);
    }
    dpi_free(memory, places);
    return rc ? rc : dpi_text_format(text, error, "\n  }\n}\n");
}

int dpi_save_weights(const dpi_save *save, dpi_stage *stage, dp_error *error)
{
    dpi_text index = {.memory = &save->model->context->memory};
    const size_t shards = dpi_save_shards(save);
    size_t shard = 0;
    int rc = DP_OK;

    for (size_t at = 0; !rc && at < save->count; at = shard_end(save, at)) {
        char name[FILE_NAME];
        file_name(shard++, shards, name);
        rc = write_file(save, stage, at, name, error);
    }
    if (rc || shards < 2)
        return rc;
    rc = write_index(save, shards, &index, error);
    if (!rc)
        rc = dpi_save_text(stage, DPI_INDEX_FILE, index.data, index.size, error);
    dpi_text_clear(&index);
    return rc;
}
