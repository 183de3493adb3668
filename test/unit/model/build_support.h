// A host that has the weights of a small model in arrays of its own, and counts when they are given back.
#ifndef TEST_MODEL_BUILD_SUPPORT_H
#define TEST_MODEL_BUILD_SUPPORT_H

#include <depthprune/model_build.h>

#include "test/unit/model/support.h"

enum { ARRAYS_ROOM = 64, NAME_ROOM = 96 };

typedef struct array {
    dp_weight weight;
    char name[NAME_ROOM];
    void *memory; // what malloc gave
    int released;
} array;

// The arrays of a host: copies of the weights of a model in a file.
typedef struct host {
    array arrays[ARRAYS_ROOM];
    size_t count;
    char *config;
    size_t config_size;
} host;

static inline void release(void *user, const void *data, uint64_t bytes)
{
    array *mine = user;

    ck_assert_ptr_eq(data, mine->weight.data);
    ck_assert_uint_eq(bytes, mine->weight.bytes);
    mine->released++;
}

// `shift` bytes past an aligned address.
static inline void open_host(host *h, scene *s, const dp_model *model, const char *folder, size_t shift)
{
    char path[PATH_ROOM + 16];

    memset(h, 0, sizeof *h);
    snprintf(path, sizeof path, "%s/config.json", path_in(s, folder));
    h->config = read_file(path, &h->config_size);
    h->count = dp_model_weight_count(model);
    ck_assert_uint_lt(h->count, ARRAYS_ROOM);
    for (size_t i = 0; i < h->count; i++) {
        array *a = &h->arrays[i];
        a->weight.size = sizeof a->weight;
        ck_assert_int_eq(dp_model_weight(model, i, &a->weight, NULL), DP_OK);
        snprintf(a->name, sizeof a->name, "%s", a->weight.name);
        a->weight.name = a->name;
        a->memory = malloc(a->weight.bytes + shift);
        memcpy((char *)a->memory + shift, a->weight.data, a->weight.bytes);
        a->weight.data = (char *)a->memory + shift;
    }
}

static inline void close_host(host *h)
{
    for (size_t i = 0; i < h->count; i++)
        free(h->arrays[i].memory);
    free(h->config);
}

static inline void assert_released(const host *h, int times)
{
    for (size_t i = 0; i < h->count; i++)
        ck_assert_int_eq(h->arrays[i].released, times);
}

static inline dp_model_builder *begin(scene *s, const host *h)
{
    dp_model_builder *builder = NULL;
    const int rc = dp_model_builder_new(s->context, h->config, h->config_size, NULL, &builder, &s->error);

    ck_assert_msg(rc == DP_OK, "%s: %s", s->error.item, s->error.message);
    return builder;
}

static inline int add(dp_model_builder *builder, array *a, dp_error *error)
{
    return dp_model_builder_add(builder, &a->weight, release, a, error);
}

static inline void add_all(scene *s, dp_model_builder *builder, host *h)
{
    for (size_t i = 0; i < h->count; i++) {
        const int rc = add(builder, &h->arrays[i], &s->error);
        ck_assert_msg(rc == DP_OK, "%s: %s", s->error.item, s->error.message);
    }
}

static inline dp_model *build(scene *s, host *h)
{
    dp_model_builder *builder = begin(s, h);
    dp_model *model = NULL;

    add_all(s, builder, h);
    const int rc = dp_model_builder_finish(builder, &model, &s->error);
    ck_assert_msg(rc == DP_OK, "%s: %s", s->error.item, s->error.message);
    dp_model_builder_free(builder);
    return model;
}

// A scene with a tiny model "m" opened, and a host with its arrays.
static inline dp_model *open_both(scene *s, host *h, const tiny *t, size_t shift)
{
    open_scene(s);
    write_tiny(s, "m", t);
    dp_model *model = open_model(s, "m");
    open_host(h, s, model, "m", shift);
    return model;
}

#endif
