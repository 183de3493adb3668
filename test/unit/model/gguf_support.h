// GGUF files with one thing changed.
#ifndef TEST_MODEL_GGUF_SUPPORT_H
#define TEST_MODEL_GGUF_SUPPORT_H

#include "io/gguf.h"
#include "test/unit/model/support.h"

typedef struct change {
    const char *drop_key, *drop_tensor, *from, *to;
    void (*put)(dpi_gguf_out *out); // keys that are put after the others; may replace them
    const char *add;                // a tensor of `add_count` f32 numbers
    const float *numbers;
    int64_t add_count;
    const char *retype; // this tensor is of `type`: `add_count` bytes at `numbers`
    int32_t type;
} change;

static inline int is_key(const dpi_gguf_entry *entry, const char *key)
{
    return key && entry->key_size == strlen(key) && memcmp(entry->key, key, entry->key_size) == 0;
}

// FROM with the change applied as TO.
static inline void rewrite(scene *s, const char *from, const char *to, const change *c)
{
    dpi_memory *memory = &s->context->memory;
    dpi_storage *storage;
    dpi_gguf *file;
    dpi_gguf_out *out;
    dpi_stage *stage;
    dpi_writer *writer;
    dpi_tensor *tensors;
    size_t count = 0;

    ck_assert_int_eq(dpi_file_open(&storage, s->context, from[0] == '/' ? from : path_in(s, from), 0, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_read(&file, memory, storage, from, NULL), DP_OK);
    dpi_storage_drop(storage);
    ck_assert_int_eq(dpi_gguf_out_open(&out, memory, file->alignment, NULL), DP_OK);
    for (size_t i = 0; i < file->entry_count; i++)
        if (!is_key(&file->entries[i], c->drop_key))
            ck_assert_int_eq(dpi_gguf_put_entry(out, &file->entries[i], NULL), DP_OK);
    if (c->put)
        c->put(out);
    tensors = calloc(file->tensor_count + 1, sizeof *tensors);
    for (size_t i = 0; i < file->tensor_count; i++) {
        if (c->drop_tensor && strcmp(file->tensors[i].name, c->drop_tensor) == 0)
            continue;
        tensors[count] = file->tensors[i];
        if (c->from && strcmp(tensors[count].name, c->from) == 0)
            tensors[count].name = (char *)(uintptr_t)c->to;
        if (c->retype && strcmp(tensors[count].name, c->retype) == 0) {
            tensors[count].type = c->type;
            tensors[count].data = (const void *)c->numbers;
            tensors[count].bytes = (uint64_t)c->add_count;
        }
        count++;
    }
    if (c->add)
        tensors[count++] = (dpi_tensor){.name = (char *)(uintptr_t)c->add,
                                        .data = (const void *)c->numbers,
                                        .bytes = (uint64_t)c->add_count * 4,
                                        .shape = {c->add_count},
                                        .dims = 1};
    ck_assert_int_eq(dpi_stage_open(&stage, s->context, path_in(s, to), 0, 0, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_file(stage, NULL, &writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_header(out, writer, tensors, count, NULL, NULL), DP_OK);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(dpi_writer_add(writer, tensors[i].data, tensors[i].bytes, NULL), DP_OK);
        ck_assert_int_eq(dpi_gguf_pad(out, writer, NULL), DP_OK);
    }
    ck_assert_int_eq(dpi_writer_end(writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_commit(stage, NULL), DP_OK);
    dpi_gguf_out_free(out);
    dpi_gguf_free(file);
    free(tensors);
}

// TINY as "m.gguf".
static inline void write_gguf(scene *s, const tiny *t)
{
    write_tiny(s, "m", t);
    dp_model *model = open_model(s, "m");
    must_save(s, model, "m.gguf", DP_FORMAT_GGUF, -1);
    dp_model_free(model);
}

#endif
