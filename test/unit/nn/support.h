// What the tests of nn, prune and eval share: contexts, models, golden files.
#ifndef TEST_NN_SUPPORT_H
#define TEST_NN_SUPPORT_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <depthprune/model.h>

#include "base/context.h"
#include "test/plain_forward.h"
#include "test/run.h"

static const char *const test_backends[] = {"ref", "cpu"};
enum { TEST_BACKENDS = 2 };

// The call succeeded, or its message is shown.
#define ck_ok(rc, error) ck_assert_msg((rc) == DP_OK, "%s: %s", (error).item, (error).message)

static inline dp_context *test_context(const char *backend, uint64_t limit)
{
    dp_context_options options;
    dp_context *context = NULL;
    dp_error error;

    dp_context_options_init(&options, sizeof options);
    options.backend = backend;
    options.memory_limit = limit;
    options.threads = 2;
    ck_ok(dp_context_new(&options, &context, &error), error);
    return context;
}

static inline dp_model *test_open(dp_context *context, const char *path)
{
    dp_model *model = NULL;
    dp_error error;

    ck_ok(dp_model_open(context, path, NULL, NULL, &model, &error), error);
    return model;
}

// The random model of test/plain_forward.h, through its files.
static inline dp_model *test_plain(dp_context *context, const plain_model *plain)
{
    char directory[] = "/tmp/depthprune-plain-XXXXXX";

    plain_save(plain, directory);
    dp_model *model = test_open(context, directory);
    plain_remove(directory); // the mapped file lives on
    return model;
}

// The same through a GGUF file that the library writes.
static inline dp_model *test_plain_gguf(dp_context *context, const plain_model *plain)
{
    char folder[] = "/tmp/depthprune-gguf-XXXXXX", path[64];
    dp_model *from = test_plain(context, plain);
    dp_save_options options;
    dp_error error;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/m.gguf", folder);
    dp_save_options_init(&options, sizeof options);
    options.format = DP_FORMAT_GGUF;
    ck_ok(dp_model_save(from, path, &options, NULL, NULL, &error), error);
    dp_model_free(from);
    dp_model *model = test_open(context, path);
    remove(path);
    remove(folder);
    return model;
}

// A file of the test data; when it is not there the whole program is skipped.
static inline const char *test_data(const char *name)
{
    static char path[1024];
    const char *root = getenv("DEPTHPRUNE_TEST_DATA");

    snprintf(path, sizeof path, "%s/%s", root ? root : "../shared", name);
    return path;
}

static inline void test_needs(const char *name)
{
    if (access(test_data(name), R_OK) == 0)
        return;
    printf("no %s: set DEPTHPRUNE_TEST_DATA\n", test_data(name));
    exit(77);
}

// The real model: DEPTHPRUNE_MODEL, else the user's cache folder.
static inline const char *test_smollm2(void)
{
    static char path[1024];
    const char *given = getenv("DEPTHPRUNE_MODEL"), *home = getenv("HOME");

    snprintf(path, sizeof path, "%s/.cache/depthprune/SmolLM2-135M-Instruct.Q4_1.gguf", home ? home : "");
    return given ? given : path;
}

static inline void test_needs_smollm2(void)
{
    if (access(test_smollm2(), R_OK) == 0)
        return;
    printf("no %s: set DEPTHPRUNE_MODEL\n", test_smollm2());
    exit(77);
}

static inline json_t *test_json(const char *path)
{
    json_t *root = json_load_file(path, 0, NULL);

    ck_assert_msg(root != NULL, "%s is not JSON", path);
    return root;
}

// Numbers of a list into out; returns how many.
static inline size_t test_numbers(const json_t *list, double *out, size_t capacity)
{
    const size_t count = json_array_size(list);

    ck_assert_uint_le(count, capacity);
    for (size_t i = 0; i < count; i++)
        out[i] = json_number_value(json_array_get(list, i));
    return count;
}

// {"ids": [[...], ...]} as rows one after another.
static inline int32_t *test_rows(const char *path, int32_t *samples, int32_t *length)
{
    json_t *root = test_json(path);
    const json_t *rows = json_object_get(root, "ids");
    const size_t count = json_array_size(rows), width = json_array_size(json_array_get(rows, 0));
    int32_t *ids = calloc(count * width, sizeof *ids);

    for (size_t i = 0; i < count * width; i++)
        ids[i] = (int32_t)json_integer_value(json_array_get(json_array_get(rows, i / width), i % width));
    *samples = (int32_t)count;
    *length = (int32_t)width;
    json_decref(root);
    return ids;
}

// An f64 tensor of a safetensors file, whole.
static inline double *test_tensor(const char *path, const char *name, size_t count)
{
    FILE *file = fopen(path, "rb");
    uint64_t size = 0;

    ck_assert(file && fread(&size, 8, 1, file) == 1);
    char *header = calloc(size + 1, 1);
    ck_assert_uint_eq(fread(header, 1, size, file), size);
    json_t *root = json_loads(header, 0, NULL);
    const json_t *offsets = json_object_get(json_object_get(root, name), "data_offsets");
    const long begin = (long)json_integer_value(json_array_get(offsets, 0));
    double *values = calloc(count, sizeof *values);
    fseek(file, 8 + (long)size + begin, SEEK_SET);
    ck_assert_uint_eq(fread(values, sizeof *values, count, file), count);
    fclose(file);
    json_decref(root);
    free(header);
    return values;
}

#endif
