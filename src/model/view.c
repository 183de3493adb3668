// Models as lists of blocks over a source: made, shortened, shared, freed.
#include <string.h>

#include "base/error.h"
#include "base/monitor.h"
#include "base/text.h"
#include "io/file.h"
#include "model/source.h"

enum { TIE_CHUNK = 16 << 20 };

static void destroy(dp_model *model)
{
    dp_context *context = model->context;
    dpi_memory *memory = &context->memory;

    pthread_mutex_destroy(&model->digest_turn);
    dpi_free(memory, model->plan);
    dpi_free(memory, model->history);
    dpi_free(memory, model->blocks);
    dpi_source_drop(model->source);
    dpi_free(memory, model);
    dpi_context_drop(context);
}

// An empty model of `blocks` blocks with its own references to context and source.
static int make(dp_context *context, dpi_source *source, int32_t blocks, dp_model **out, dp_error *error)
{
    dp_model *model = dpi_alloc(&context->memory, 1, sizeof *model, error);

    if (!model)
        return DP_E_MEMORY;
    model->blocks = dpi_alloc(&context->memory, (size_t)blocks, sizeof *model->blocks, error);
    if (!model->blocks || pthread_mutex_init(&model->digest_turn, NULL) != 0) {
        const int rc = model->blocks ? dpi_fail(error, DP_E_MEMORY, "no memory for a lock") : DP_E_MEMORY;
        dpi_free(&context->memory, model->blocks);
        dpi_free(&context->memory, model);
        return rc;
    }
    model->references = 1;
    model->context = dpi_context_keep(context);
    model->source = dpi_source_keep(source);
    model->config = source->config;
    model->config.blocks = blocks;
    model->embedding = source->embedding;
    model->norm = source->norm;
    model->head = source->head;
    *out = model;
    return DP_OK;
}

int dpi_model_of_source(dpi_source *source, dp_context *context, dp_model **out, dp_error *error)
{
    dp_model *model;
    const int rc = make(context, source, source->config.blocks, &model, error);

    if (!rc) {
        memcpy(model->blocks, source->blocks, (size_t)source->config.blocks * sizeof *model->blocks);
        *out = model;
    }
    dpi_source_drop(source);
    return rc;
}

int dpi_source_check_tie(const dpi_source *source, dpi_watch *watch, dp_error *error)
{
    const dpi_tensor *embedding = source->embedding, *head = source->head;
    const dpi_place place = dpi_source_place(source, head, 0);
    int same = head->type == embedding->type && head->bytes == embedding->bytes;

    for (uint64_t at = 0; same && at < head->bytes; at += TIE_CHUNK) {
        const uint64_t left = head->bytes - at, size = left < TIE_CHUNK ? left : TIE_CHUNK;
        const int rc = dpi_watch_advance(watch, 0, error);
        if (rc)
            return rc;
        same = memcmp(head->data + at, embedding->data + at, size) == 0;
    }
    return same ? DP_OK
                : dpi_fail_at(error, DP_E_FORMAT, &place,
                              "the configuration ties the head to the embedding, but their bytes differ");
}

int dpi_model_open(dp_context *context, const char *path, int32_t load, dpi_watch *watch, dp_model **out,
                   dp_error *error)
{
    const int directory = dpi_path_is_directory(path), copy = load == DP_LOAD_READ;
    dpi_source *source = NULL;
    int rc = dpi_source_new(&source, context, path, directory ? DP_FORMAT_HF : DP_FORMAT_GGUF, error);

    if (!rc)
        rc = dpi_watch_advance(watch, 0, error);
    if (!rc)
        source->shapes_only = load == DP_LOAD_SHAPES;
    if (!rc)
        rc = directory ? dpi_load_hf(source, context, copy, error) : dpi_load_gguf(source, context, copy, error);
    if (!rc && source->config.tied && source->head && !source->shapes_only)
        rc = dpi_source_check_tie(source, watch, error);
    if (rc) {
        dpi_source_drop(source);
        return rc;
    }
    if (source->config.tied)
        source->head = source->embedding;
    return dpi_model_of_source(source, context, out, error);
}

static int check_kept(const dp_model *model, const int32_t *kept, int32_t count, dp_error *error)
{
    if (count < 1)
        return dpi_fail(error, DP_E_ARGUMENT, "a model must keep at least one block");
    for (int32_t i = 0; i < count; i++) {
        if (kept[i] < 0 || kept[i] >= model->config.blocks)
            return dpi_fail(error, DP_E_ARGUMENT, "block %d cannot be kept: the model has blocks 0 to %d", kept[i],
                            model->config.blocks - 1);
        if (i > 0 && kept[i] <= kept[i - 1])
            return dpi_fail(error, DP_E_ARGUMENT, "kept blocks must ascend, but %d follows %d", kept[i],
                            kept[i - 1]);
    }
    return DP_OK;
}

// The plan, and behind the larger model's history its plan.
static int keep_plans(dp_model *smaller, const dp_model *model, const char *plan, dp_error *error)
{
    dpi_text history = {.memory = &model->context->memory};
    int rc = DP_OK;

    if (plan && !(smaller->plan = dpi_copy_text(history.memory, plan, error)))
        return DP_E_MEMORY;
    if (model->history)
        rc = dpi_text_format(&history, error, "%s,\n    ", model->history);
    if (!rc && model->plan)
        rc = dpi_text_add(&history, model->plan, strlen(model->plan), error);
    while (history.size && history.data[history.size - 1] == '\n')
        history.data[--history.size] = 0;
    smaller->history = history.data;
    return rc;
}

int dpi_model_keep(const dp_model *model, const int32_t *kept, int32_t count, const char *plan, dp_model **out,
                   dp_error *error)
{
    dp_model *smaller;
    dp_model *parent = (dp_model *)(uintptr_t)model; // only its lock is touched
    int rc = check_kept(model, kept, count, error);

    if (!rc)
        rc = make(model->context, model->source, count, &smaller, error);
    if (rc)
        return rc;
    for (int32_t i = 0; i < count; i++)
        smaller->blocks[i] = model->blocks[kept[i]];
    pthread_mutex_lock(&parent->digest_turn);
    memcpy(smaller->parent, parent->digest, sizeof smaller->parent);
    pthread_mutex_unlock(&parent->digest_turn);
    rc = keep_plans(smaller, model, plan, error);
    if (rc) {
        destroy(smaller);
        return rc;
    }
    *out = smaller;
    return DP_OK;
}

dp_model *dpi_model_retain(const dp_model *model)
{
    dp_model *shared = (dp_model *)(uintptr_t)model;

    atomic_fetch_add(&shared->references, 1);
    return shared;
}

void dp_model_free(dp_model *model)
{
    if (model && atomic_fetch_sub(&model->references, 1) == 1)
        destroy(model);
}
