// A model's file cut into several with an index, for tests to open and to break.
#ifndef TEST_MODEL_SHARD_SUPPORT_H
#define TEST_MODEL_SHARD_SUPPORT_H

#include "io/safetensors.h"
#include "model/source.h"
#include "test/unit/model/support.h"

#define INDEX "model.safetensors.index.json"

static inline const char *part_name(int part, int parts)
{
    static char names[4][64];
    static int next;

    next = (next + 1) % 4;
    snprintf(names[next], sizeof names[next], "model-%05d-of-%05d.safetensors", part + 1, parts);
    return names[next];
}

static inline void write_part(scene *s, const char *path, const dpi_tensor *tensors, size_t count)
{
    dpi_stage *stage;
    dpi_writer *writer;
    dpi_memory *memory = &s->context->memory;

    ck_assert_int_eq(dpi_stage_open(&stage, s->context, path, 0, 1, &s->error), DP_OK);
    ck_assert_int_eq(dpi_stage_file(stage, NULL, &writer, &s->error), DP_OK);
    ck_assert_int_eq(dpi_safetensors_header(writer, memory, tensors, count, NULL, 0, NULL, &s->error), DP_OK);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(dpi_writer_add(writer, tensors[i].data, tensors[i].bytes, &s->error), DP_OK);
    ck_assert_int_eq(dpi_writer_end(writer, &s->error), DP_OK);
    ck_assert_int_eq(dpi_stage_commit(stage, &s->error), DP_OK);
}

// FOLDER/NAME: the same model as `from` (a path), tensor i of its file in shard i % parts; `total` is what the
// index says of the size, 0: the truth.
static inline void write_shards(scene *s, const char *name, const char *from, int parts, uint64_t total)
{
    char folder[PATH_ROOM], path[PATH_ROOM + 64], *index;
    dp_model *model = open_model(s, from);
    const dpi_safetensors *file = model->source->safetensors;
    uint64_t bytes = 0;
    size_t size, config_size;
    FILE *out = open_memstream(&index, &size);

    snprintf(folder, sizeof folder, "%s", path_in(s, name));
    ck_assert_int_eq(mkdir(folder, 0777), 0);
    snprintf(path, sizeof path, "%s/config.json", from[0] == '/' ? from : path_in(s, from));
    char *config = read_file(path, &config_size);
    snprintf(path, sizeof path, "%s/config.json", folder);
    write_file(path, config, config_size);
    free(config);
    fputs("{\"weight_map\": {", out);
    dpi_tensor *mine = calloc(file->count, sizeof *mine);
    for (int part = 0; part < parts; part++) {
        size_t count = 0;
        for (size_t i = (size_t)part; i < file->count; i += (size_t)parts) {
            fprintf(out, "%s\n  \"%s\": \"%s\"", i ? "," : "", file->tensors[i].name, part_name(part, parts));
            bytes += file->tensors[i].bytes;
            mine[count++] = file->tensors[i];
        }
        snprintf(path, sizeof path, "%s/%s", folder, part_name(part, parts));
        write_part(s, path, mine, count);
    }
    free(mine);
    fprintf(out, "\n}, \"metadata\": {\"total_size\": %llu}}\n", (unsigned long long)(total ? total : bytes));
    fclose(out);
    snprintf(path, sizeof path, "%s/" INDEX, folder);
    write_file(path, index, size);
    free(index);
    dp_model_free(model);
}

// Replace the first `from` in a file by `to`.
static inline void edit(const char *path, const char *from, const char *to)
{
    size_t size;
    char *bytes = read_file(path, &size);
    char *at = memmem(bytes, size, from, strlen(from));
    FILE *file = fopen(path, "wb");

    ck_assert_msg(at != NULL, "%s has no %s", path, from);
    fwrite(bytes, 1, (size_t)(at - bytes), file);
    fputs(to, file);
    fwrite(at + strlen(from), 1, size - (size_t)(at - bytes) - strlen(from), file);
    fclose(file);
    free(bytes);
}

#endif
