// A checkpoint in several files: model.safetensors.index.json or pytorch_model.bin.index.json maps each tensor to a
// file beside it.
// The index is not believed: names are plain file names, and each file holds the tensors listed for it, no other.
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/file.h"
#include "io/json.h"
#include "model/source.h"

enum { MOST_INDEX_BYTES = 16 << 20, MOST_NAME = 255 };

typedef struct entry {
    const char *tensor, *shard; // of the JSON
    int found;
} entry;

typedef struct reader {
    dpi_source *source;
    dp_context *context;
    int copy;
    const json_t *map; // weight_map
    entry *entries;    // by shard, then by tensor
    size_t count;
    dp_error *error;
} reader;

static int fail(const reader *r, const char *item, const char *message)
{
    const dpi_place place = {.file = r->source->weights, .item = item, .offset = -1};

    return dpi_fail_at(r->error, DP_E_FORMAT, &place, "%s", message);
}

// What keeps `name` from being a file of the directory itself, or NULL.
static const char *fault_of(const char *name)
{
    const size_t size = strlen(name);

    if (size == 0)
        return "it is empty";
    if (size > MOST_NAME)
        return "it is longer than 255 bytes";
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return "it is a directory";
    if (strpbrk(name, "/\\"))
        return "it has a path separator";
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return "it has a control character";
    return strcmp(name, DPI_INDEX_FILE) == 0 || strcmp(name, DPI_TORCH_INDEX_FILE) == 0 ? "it is the index" : NULL;
}

static int add_entry(reader *r, const char *tensor, const json_t *value)
{
    const dpi_place place = {.file = r->source->weights, .item = tensor, .offset = -1};
    const char *shard = json_string_value(value);

    if (!shard)
        return fail(r, tensor, "the weight_map gives something that is not a string, expected a file name");
    const char *fault = fault_of(shard);
    if (fault)
        return dpi_fail_at(r->error, DP_E_FORMAT, &place,
                           "the weight_map gives \"%.80s\", expected the name of a file in the directory: %s",
                           shard, fault);
    r->entries[r->count++] = (entry){.tensor = tensor, .shard = shard};
    return DP_OK;
}

static int by_shard(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    const int order = strcmp(x->shard, y->shard);

    return order ? order : strcmp(x->tensor, y->tensor);
}

static int list_entries(reader *r, const json_t *root)
{
    const char *tensor;
    json_t *value;

    if (!json_is_object(root))
        return fail(r, "weight_map", "the index is not an object");
    r->map = json_object_get(root, "weight_map");
    if (!r->map)
        return fail(r, "weight_map", "the index has no weight_map");
    if (!json_is_object(r->map))
        return fail(r, "weight_map", "weight_map is not an object");
    if (json_object_size(r->map) == 0)
        return fail(r, "weight_map", "weight_map is empty");
    r->entries = dpi_alloc(r->source->memory, json_object_size(r->map), sizeof *r->entries, r->error);
    if (!r->entries)
        return DP_E_MEMORY;
    json_object_foreach ((json_t *)(uintptr_t)r->map, tensor, value) {
        const int rc = add_entry(r, tensor, value);
        if (rc)
            return rc;
    }
    qsort(r->entries, r->count, sizeof *r->entries, by_shard);
    return DP_OK;
}

// Where the entries of the shard of entry `first` end.
static size_t end_of(const reader *r, size_t first)
{
    size_t end = first + 1;

    while (end < r->count && strcmp(r->entries[end].shard, r->entries[first].shard) == 0)
        end++;
    return end;
}

// A tensor that its file has and the index does not expect there.
static int stranger(const reader *r, const char *path, const dpi_tensor *tensor)
{
    const dpi_place place = {.file = path, .item = tensor->name, .offset = (int64_t)tensor->offset};
    const char *shard = json_string_value(json_object_get(r->map, tensor->name));

    if (!shard)
        return dpi_fail_at(r->error, DP_E_FORMAT, &place,
                           "the file has this tensor, which the index does not list");
    return dpi_fail_at(r->error, DP_E_FORMAT, &place, "the file has this tensor, which the index lists in %.80s",
                       shard);
}

// The file's tensors are the entries from `first` to `end`, each once: a file cannot repeat a name.
static int match(const reader *r, const char *path, const dpi_safetensors *file, size_t first, size_t end)
{
    for (size_t i = 0; i < file->count; i++) {
        const entry key = {.tensor = file->tensors[i].name, .shard = r->entries[first].shard};
        entry *found = bsearch(&key, r->entries + first, end - first, sizeof key, by_shard);
        if (!found)
            return stranger(r, path, &file->tensors[i]);
        found->found = 1;
    }
    for (size_t i = first; i < end; i++) {
        const dpi_place place = {.file = path, .item = r->entries[i].tensor, .offset = -1};
        if (!r->entries[i].found)
            return dpi_fail_at(r->error, DP_E_FORMAT, &place,
                               "the index lists this tensor here, but the file does not have it");
    }
    return DP_OK;
}

static int read_shard(const reader *r, size_t first, size_t end)
{
    dpi_source *source = r->source;
    dpi_safetensors *all = source->safetensors, *file = NULL;
    dpi_shard *shard = &source->shards[source->shard_count];

    shard->path = dpi_path_join(source->memory, source->path, r->entries[first].shard, r->error);
    if (!shard->path)
        return DP_E_MEMORY;
    source->shard_count++;
    int rc = dpi_load_file(&file, source, r->context, shard->path, r->copy, r->error);
    if (!rc)
        rc = match(r, shard->path, file, first, end);
    if (!rc) {
        memcpy(all->tensors + all->count, file->tensors, file->count * sizeof *file->tensors);
        all->count += file->count;
        shard->end = all->count;
        file->count = 0; // moved
    }
    dpi_safetensors_free(file);
    return rc;
}

// Room for what the entries promise; match() lets no more in.
static int make_room(reader *r)
{
    dpi_memory *memory = r->source->memory;
    size_t shards = 0;

    for (size_t i = 0; i < r->count; i = end_of(r, i))
        shards++;
    r->source->shards = dpi_alloc(memory, shards, sizeof *r->source->shards, r->error);
    r->source->safetensors =
        r->source->shards ? dpi_alloc(memory, 1, sizeof *r->source->safetensors, r->error) : NULL;
    if (!r->source->safetensors)
        return DP_E_MEMORY;
    r->source->safetensors->memory = memory;
    r->source->safetensors->tensors = dpi_alloc(memory, r->count, sizeof(dpi_tensor), r->error);
    return r->source->safetensors->tensors ? DP_OK : DP_E_MEMORY;
}

// Of the tensors of one file, which stand in its order; those that share their bytes (a tied head) count once.
static uint64_t bytes_of(const dpi_source *source, size_t first, size_t end)
{
    const dpi_tensor *tensors = source->safetensors->tensors;
    uint64_t bytes = 0;

    for (size_t i = first; i < end; i++)
        if (i == first || tensors[i].offset != tensors[i - 1].offset || tensors[i].bytes != tensors[i - 1].bytes)
            bytes += tensors[i].bytes;
    return bytes;
}

// Writers have counted it in several ways, so it is worth a word and no more.
static void compare_total(const reader *r, const json_t *root)
{
    const json_t *total = json_object_get(json_object_get(root, "metadata"), "total_size");
    uint64_t bytes = 0;
    size_t first = 0;

    for (size_t i = 0; i < r->source->shard_count; first = r->source->shards[i++].end)
        bytes += bytes_of(r->source, first, r->source->shards[i].end);
    if (json_is_integer(total) && (uint64_t)json_integer_value(total) != bytes)
        dpi_log(r->context, DP_LOG_WARNING, "%s: total_size is %lld, the tensors have %llu bytes",
                r->source->weights, (long long)json_integer_value(total), (unsigned long long)bytes);
}

static int read_all(reader *r, const json_t *root)
{
    int rc = list_entries(r, root);

    if (!rc)
        rc = make_room(r);
    for (size_t i = 0; !rc && i < r->count; i = end_of(r, i))
        rc = read_shard(r, i, end_of(r, i));
    if (!rc)
        compare_total(r, root);
    dpi_free(r->source->memory, r->entries);
    return rc;
}

int dpi_load_shards(dpi_source *source, dp_context *context, int copy, dp_error *error)
{
    reader r = {.source = source, .context = context, .copy = copy, .error = error};
    dpi_storage *storage = NULL;
    json_t *root = NULL;
    int rc = dpi_file_read(&storage, context, source->weights, MOST_INDEX_BYTES, error);

    if (!rc)
        rc = dpi_json_parse(&root, (const char *)dpi_storage_bytes(storage), (size_t)dpi_storage_size(storage),
                            source->weights, error);
    dpi_storage_drop(storage);
    if (!rc)
        rc = read_all(&r, root);
    json_decref(root);
    return rc;
}
