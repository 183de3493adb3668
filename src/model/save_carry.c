// Files of a Hugging Face directory that a saved model needs unchanged: tokenizer, chat templates, generation
// defaults, licence.  Copied byte for byte, never written anew.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "io/file.h"
#include "io/folder.h"
#include "model/save.h"

enum { CHUNK = 1 << 20 };

static const char TEMPLATES[] = "additional_chat_templates";

// In capitals or not; `word` is in capitals.
static int begins(const char *name, const char *word)
{
    while (*word && (*name & ~0x20) == *word) {
        name++;
        word++;
    }
    return !*word;
}

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
                                        "chat_template.json",
                                        "preprocessor_config.json",
                                        "generation_config.json"};
    static const char *const beginnings[] = {"LICENSE", "LICENCE", "NOTICE", "COPYING", "USE_POLICY"};

    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (strcmp(name, whole[i]) == 0)
            return 1;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (begins(name, beginnings[i]))
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

// Each template of the folder; whatever else lies there is not one.
static int add_templates(dpi_save *save, DIR *folder, dp_error *error)
{
    dpi_memory *memory = save->carried.memory;
    const struct dirent *entry;
    int rc = DP_OK;

    while (!rc && (entry = readdir(folder))) {
        const size_t size = strlen(entry->d_name);
        if (size < 7 || strcmp(entry->d_name + size - 6, ".jinja") != 0)
            continue;
        char *name = dpi_path_join(memory, TEMPLATES, entry->d_name, error);
        rc = name ? add_file(save, name, error) : DP_E_MEMORY;
        dpi_free(memory, name);
    }
    return rc;
}

static int find_templates(dpi_save *save, int source, dp_error *error)
{
    const char *place = save->model->source->place;
    const int fd = dpi_open(source, TEMPLATES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);

    if (!folder) {
        const int failed = errno;
        if (fd >= 0)
            close(fd);
        if (failed == ENOENT)
            return DP_OK;
        if (failed != ENOTDIR && failed != ELOOP)
            return dpi_fail_system(error, failed, place, "cannot list additional_chat_templates of");
        dpi_log(save->model->context, DP_LOG_WARNING, "%s/%s is not copied: it is not a folder of its own",
                save->model->source->path, TEMPLATES);
        return DP_OK;
    }
    const int rc = add_templates(save, folder, error);
    closedir(folder);
    return rc;
}

int dpi_carry_find(dpi_save *save, dp_error *error)
{
    const dpi_source *source = save->model->source;
    const struct dirent *entry;
    int rc = DP_OK;

    save->carried.memory = &save->model->context->memory;
    if (source->format != DP_FORMAT_HF || save->format != DP_FORMAT_HF || !source->place)
        return DP_OK;
    DIR *folder = opendir(source->place);
    if (!folder)
        return dpi_fail_system(error, errno, source->place, "cannot list the source directory");
    while (!rc && (entry = readdir(folder)))
        if (is_carried(save, entry->d_name))
            rc = add_file(save, entry->d_name, error);
    if (!rc)
        rc = find_templates(save, dirfd(folder), error);
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
