// A GGUF file; first a look at what it begins with, for other files are often given by mistake.
#include <string.h>

#include "base/error.h"
#include "io/file.h"
#include "model/parse.h"
#include "model/source.h"
#include "tensor/dtype.h"

static int ends_with(const char *text, const char *end)
{
    const size_t size = strlen(text), tail = strlen(end);

    return size >= tail && strcmp(text + size - tail, end) == 0;
}

static int check_magic(const char *path, const dpi_storage *storage, dp_error *error)
{
    const dpi_place place = {.file = path, .offset = 0};
    const unsigned char *bytes = dpi_storage_bytes(storage);
    const uint64_t size = dpi_storage_size(storage);

    if (size >= 4 && memcmp(bytes, "GGUF", 4) == 0)
        return DP_OK;
    if (ends_with(path, ".safetensors") || ends_with(path, "config.json") || ends_with(path, ".index.json"))
        return dpi_fail_at(error, DP_E_FORMAT, &place,
                           "is one file of a Hugging Face model; give the directory that holds it");
    if (size < 4)
        return dpi_fail_at(error, DP_E_FORMAT, &place, "is %llu bytes long, no GGUF file",
                           (unsigned long long)size);
    return dpi_fail_at(error, DP_E_FORMAT, &place, "is no GGUF file: it begins with %02x %02x %02x %02x", bytes[0],
                       bytes[1], bytes[2], bytes[3]);
}

// rope_freqs.weight stands for llama3 scaling; other keys of the file do not.
static int read_rope(dpi_source *source, dp_error *error)
{
    const dpi_place place = {.file = source->weights, .item = "rope_freqs.weight", .offset = -1};
    const int64_t count = source->config.head_dim / 2;

    if (!source->rope || source->shapes_only)
        return DP_OK;
    if (source->config.rope_kind != DPI_ROPE_DEFAULT)
        return dpi_fail_at(error, DP_E_UNSUPPORTED, &place,
                           "divisors beside another rope scaling are not computed");
    float *divisors = dpi_alloc(source->memory, (size_t)count, sizeof *divisors, error);
    if (!divisors)
        return DP_E_MEMORY;
    dpi_to_f32(source->rope->type, source->rope->data, count, divisors);
    const int rc = dpi_rope_fit(&source->config, divisors, source->weights, error);
    dpi_free(source->memory, divisors);
    return rc;
}

static int has_head(const dpi_gguf *file)
{
    for (size_t i = 0; i < file->tensor_count; i++)
        if (strcmp(file->tensors[i].name, "output.weight") == 0)
            return 1;
    return 0;
}

int dpi_load_gguf(dpi_source *source, dp_context *context, int copy, dp_error *error)
{
    dpi_storage *storage = NULL;

    source->weights = dpi_copy_text(source->memory, source->path, error);
    if (!source->weights)
        return DP_E_MEMORY;
    int rc = dpi_file_open_weights(&storage, context, source->path, copy, error);
    if (!rc)
        dpi_source_note_room(source, context, storage);
    if (!rc)
        rc = check_magic(source->path, storage, error);
    if (!rc)
        rc = dpi_gguf_read(&source->gguf, source->memory, storage, source->path, error);
    dpi_storage_drop(storage); // the file and its tensors keep it
    if (!rc)
        rc = dpi_config_from_gguf(&source->config, &source->family, source->gguf, error);
    if (rc)
        return rc;
    source->config.tied = !has_head(source->gguf);
    rc = dpi_source_bind(source, context, source->gguf->tensors, source->gguf->tensor_count, error);
    return rc ? rc : read_rope(source, error);
}
