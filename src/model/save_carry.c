// Files of a Hugging Face directory that a saved model needs unchanged: tokenizer, chat template, generation
// defaults, licence.  Copied byte for byte, never written anew.
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/file.h"
#include "model/save.h"

enum { CHUNK = 1 << 20 };

static int is_carried(const dpi_save *save, const char *name)
{
    static const char *const whole[] = {"tokenizer.json",
                                        "tokenizer.model",
                                        "tokenizer_config.json",
                                        "special_tokens_map.json",
                                        "added_tokens.json",
                                        "vocab.json",
                                        "merges.txt",
                                        "chat_template.jinja",
                                        "preprocessor_config.json",
                                        "generation_config.json"};
    static const char *const beginnings[] = {"LICENSE", "USE_POLICY"};

    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (strcmp(name, whole[i]) == 0)
            return 1;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return 1;
    return !save->pruned && !save->model->plan && strcmp(name, "depthprune.json") == 0;
}

static int add_file(dpi_save *save, const char *name, dp_error *error)
{
    dpi_names *list = &save->carried;
    dpi_memory *memory = list->memory;
    dpi_storage *storage = NULL;
    char *path = dpi_path_join(memory, save->model->source->place, name, error);

    if (!path)
        return DP_E_MEMORY;
    if (dpi_path_is_directory(path)) {
        dpi_free(memory, path);
        return DP_OK;
    }
    int rc = dpi_file_open(&storage, save->model->context, path, 0, error);
    dpi_free(memory, path);
    if (!rc && list->count == list->capacity) {
        void *names = list->names;
        rc = dpi_grow(memory, &names, list->count, list->count + 16, sizeof *list->names, error);
        list->names = names;
        list->capacity += rc ? 0 : 16;
    }
    if (!rc) {
        save->carried_bytes += dpi_storage_size(storage);
        list->names[list->count] = dpi_copy_text(memory, name, error);
        rc = list->names[list->count] ? DP_OK : DP_E_MEMORY;
        list->count += !rc;
    }
    dpi_storage_drop(storage);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int dpi_carry_find(dpi_save *save, dp_error *error)
{
    const dpi_source *source = save->model->source;
    const struct dirent *entry;
    int rc = DP_OK;

    save->carried.memory = &save->model->context->memory;
    if (source->format != DP_FORMAT_HF || save->format != DP_FORMAT_HF)
        return DP_OK;
    DIR *folder = opendir(source->place);
    if (!folder)
        return dpi_fail_system(error, errno, source->place, "cannot list the source directory");
    while (!rc && (entry = readdir(folder))) {
        if (strcmp(entry->d_name, "additional_chat_templates") == 0)
            dpi_log(save->model->context, DP_LOG_WARNING, "%s/additional_chat_templates is not copied",
                    source->path);
        if (is_carried(save, entry->d_name))
            rc = add_file(save, entry->d_name, error);
    }
    closedir(folder);
    if (!rc && save->carried.count > 1)
        qsort(save->carried.names, save->carried.count, sizeof *save->carried.names, by_name);
    return rc;
}

static int copy_file(const dpi_save *save, dpi_stage *stage, const char *name, dp_error *error)
{
    dpi_memory *memory = save->carried.memory;
    dpi_storage *storage = NULL;
    dpi_writer *writer = NULL;
    char *path = dpi_path_join(memory, save->model->source->place, name, error);
    int rc = path ? dpi_file_open(&storage, save->model->context, path, 1, error) : DP_E_MEMORY;

    dpi_free(memory, path);
    if (!rc)
        rc = dpi_stage_file(stage, name, &writer, error);
    const uint64_t size = rc ? 0 : dpi_storage_size(storage);
    for (uint64_t at = 0; !rc && at < size; at += CHUNK) {
        rc = dpi_writer_add(writer, dpi_storage_bytes(storage) + at, size - at < CHUNK ? size - at : CHUNK, error);
        if (!rc)
            rc = dpi_watch_advance(save->watch, 0, error);
    }
    dpi_storage_drop(storage);
    if (rc) {
        dpi_writer_abandon(writer);
        return rc;
    }
    return dpi_writer_end(writer, error);
}

int dpi_carry_write(const dpi_save *save, dpi_stage *stage, dp_error *error)
{
    int rc = DP_OK;

    for (size_t i = 0; !rc && i < save->carried.count; i++)
        rc = copy_file(save, stage, save->carried.names[i], error);
    return rc;
}
