// What was staged is read back as a model before it gets its name: same configuration, names, shapes and types.
#include <string.h>

#include "base/error.h"
#include "model/save.h"

static int differs(const char *path, const char *item, const char *what, dp_error *error)
{
    const dpi_place place = {.file = path, .item = item, .offset = -1};

    return dpi_fail_at(error, DP_E_INTERNAL, &place, "what was written does not read back: %s differs", what);
}

static int same_numbers(const dpi_config *a, const dpi_config *b)
{
    return a->blocks == b->blocks && a->hidden == b->hidden && a->heads == b->heads && a->kv_heads == b->kv_heads &&
           a->head_dim == b->head_dim && a->ffn == b->ffn && a->vocab == b->vocab && a->context == b->context &&
           a->tied == b->tied && a->rope_kind == b->rope_kind && a->rope_original == b->rope_original;
}

static const dpi_tensor *find(const dpi_source *source, const dpi_part *part)
{
    switch (part->slot) {
    case DPI_EMBEDDING:
        return source->embedding;
    case DPI_LAST_NORM:
        return source->norm;
    case DPI_HEAD:
        return source->head;
    case DPI_ROPE_FACTORS:
        return source->rope;
    default:
        return source->blocks[part->block].weights[part->slot];
    }
}

static int compare(const dpi_save *save, const dpi_source *staged, dp_error *error)
{
    const size_t count = staged->gguf ? staged->gguf->tensor_count : staged->safetensors->count;

    if (!same_numbers(&save->model->config, &staged->config))
        return differs(save->path, "", "the configuration", error);
    if (count != save->count)
        return differs(save->path, "", "the number of tensors", error);
    for (size_t i = 0; i < count; i++) {
        const dpi_tensor *wanted = &save->tensors[i], *found = find(staged, &save->parts[i]);
        if (!found || strcmp(found->name, wanted->name) != 0)
            return differs(save->path, wanted->name, "the tensor's name", error);
        if (found->type != wanted->type || found->bytes != wanted->bytes)
            return differs(save->path, wanted->name, "the tensor's type", error);
    }
    return DP_OK;
}

int dpi_save_verify(const dpi_save *save, dpi_stage *stage, dp_error *error)
{
    dp_context *context = save->model->context;
    const char *inside = dpi_stage_path(stage, save->format == DP_FORMAT_HF ? "config.json" : NULL);
    char *path = inside ? dpi_copy_text(&context->memory, inside, error) : NULL;
    dp_model *staged = NULL;

    if (!path)
        return dpi_fail(error, DP_E_MEMORY, "no memory for a path");
    if (save->format == DP_FORMAT_HF)
        *strrchr(path, '/') = 0;
    int rc = dpi_model_open(context, path, DP_LOAD_MAP, save->watch, &staged, error);
    if (!rc)
        rc = compare(save, staged->source, error);
    dp_model_free(staged);
    dpi_free(&context->memory, path);
    return rc;
}
