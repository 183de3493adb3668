// A Hugging Face directory: config.json and model.safetensors or, where that is not, the files of its index; where
// that is not either, the same of PyTorch checkpoints.
#include <string.h>

#include "base/error.h"
#include "io/file.h"
#include "io/torch.h"
#include "model/parse.h"
#include "model/source.h"

enum { MOST_CONFIG_BYTES = 4 << 20 };

#define WHOLE_FILE "model.safetensors"
#define TORCH_FILE "pytorch_model.bin"

static int look(const dpi_source *source, const char *name, int *there, dp_error *error)
{
    char *path = dpi_path_join(source->memory, source->path, name, error);

    if (!path)
        return DP_E_MEMORY;
    *there = dpi_path_exists(path);
    dpi_free(source->memory, path);
    return DP_OK;
}

// The file of weights that is there instead of the one that is read.
static int no_weights(const dpi_source *source, dp_error *error)
{
    static const struct {
        const char *file, *what;
    } others[] = {
        {"consolidated.00.pth", "checkpoints with Meta's names are not read; convert them with Transformers"},
        {"adapter_model.safetensors", "the directory holds an adapter, not a model"},
    };
    dpi_place place = {.file = source->path, .offset = -1};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        int there = 0;
        const int rc = look(source, others[i].file, &there, error);
        place.item = others[i].file;
        if (rc)
            return rc;
        if (there)
            return dpi_fail_at(error, DP_E_UNSUPPORTED, &place, "there is no model.safetensors but %s: %s",
                               others[i].file, others[i].what);
    }
    place.item = WHOLE_FILE;
    return dpi_fail_at(error, DP_E_FORMAT, &place,
                       "the directory has a config.json but no " WHOLE_FILE ", " DPI_INDEX_FILE ", " TORCH_FILE
                       " or " DPI_TORCH_INDEX_FILE);
}

static int read_config(dpi_source *source, dp_context *context, dp_error *error)
{
    dpi_storage *storage = NULL;
    char *path = dpi_path_join(source->memory, source->path, "config.json", error);

    if (!path)
        return DP_E_MEMORY;
    int rc = dpi_file_read(&storage, context, path, MOST_CONFIG_BYTES, error);
    if (!rc) {
        source->config_size = (size_t)dpi_storage_size(storage);
        source->config_text =
            dpi_copy_bytes(source->memory, dpi_storage_bytes(storage), source->config_size, error);
        rc = source->config_text ? DP_OK : DP_E_MEMORY;
        dpi_storage_drop(storage);
    }
    if (!rc)
        rc = dpi_config_from_hf(&source->config, &source->family, source->config_text, source->config_size, path,
                                error);
    dpi_free(source->memory, path);
    return rc;
}

int dpi_load_file(dpi_safetensors **out, dpi_source *source, dp_context *context, const char *path, int copy,
                  dp_error *error)
{
    dpi_storage *storage = NULL;
    int rc = source->pickled ? dpi_file_open(&storage, context, path, copy, error)
                             : dpi_file_open_weights(&storage, context, path, copy, error);

    if (!rc)
        dpi_source_note_room(source, context, storage);
    if (!rc && source->pickled)
        rc = dpi_torch_read(out, source->memory, storage, path, error);
    else if (!rc)
        rc = dpi_safetensors_read(out, source->memory, storage, path, error);
    dpi_storage_drop(storage); // the tensors keep it
    return rc;
}

static int read_weights(dpi_source *source, dp_context *context, int copy, dp_error *error)
{
    static const struct {
        const char *file;
        int32_t pickled, index;
    } files[] = {{WHOLE_FILE, 0, 0}, {DPI_INDEX_FILE, 0, 1}, {TORCH_FILE, 1, 0}, {DPI_TORCH_INDEX_FILE, 1, 1}};
    enum { COUNT = sizeof files / sizeof *files };
    size_t i = 0;
    int there = 0, rc = DP_OK;

    while (!rc && !there && i < COUNT)
        rc = look(source, files[i++].file, &there, error);
    if (rc)
        return rc;
    if (!there)
        return no_weights(source, error);
    i--;
    source->pickled = files[i].pickled;
    source->weights = dpi_path_join(source->memory, source->path, files[i].file, error);
    if (!source->weights)
        return DP_E_MEMORY;
    return files[i].index ? dpi_load_shards(source, context, copy, error)
                          : dpi_load_file(&source->safetensors, source, context, source->weights, copy, error);
}

int dpi_load_hf(dpi_source *source, dp_context *context, int copy, dp_error *error)
{
    const dpi_place place = {.file = source->path, .item = "config.json", .offset = -1};
    int there = 0, rc = look(source, "config.json", &there, error);

    if (!rc && !there)
        return dpi_fail_at(error, DP_E_FORMAT, &place,
                           "the directory has no config.json; a model is a directory with one, or a GGUF file");
    if (!rc)
        rc = read_config(source, context, error);
    if (!rc && source->shapes_only) {
        source->weights = dpi_path_join(source->memory, source->path, "config.json", error);
        return source->weights ? dpi_load_shapes(source, context, error) : DP_E_MEMORY;
    }
    if (!rc)
        rc = read_weights(source, context, copy, error);
    return rc ? rc
              : dpi_source_bind(source, context, source->safetensors->tensors, source->safetensors->count, error);
}
