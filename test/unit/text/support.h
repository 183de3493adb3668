// What the tests of this room share: a context, files, small tokenizers made on the spot, and where the large data
// is.
#ifndef TEST_TEXT_SUPPORT_H
#define TEST_TEXT_SUPPORT_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "io/json.h"
#include "test/run.h"
#include "text/bytemap.h"
#include "text/protobuf.h"
#include "text/tokenizer.h"

static inline dp_context *new_context(const dp_allocator *allocator)
{
    dp_context_options options;
    dp_context *context = NULL;

    dp_context_options_init(&options, sizeof options);
    options.threads = 1;
    options.allocator = allocator;
    ck_assert_int_eq(dpi_context_make(&options, &context, NULL), DP_OK);
    return context;
}

static inline uint64_t context_use(void) // bytes of a context with nothing in it
{
    dp_context *const context = new_context(NULL);
    const uint64_t used = context->memory.used;

    dpi_context_drop(context);
    return used;
}

// Everything that was taken from the context was given back.
static inline void end_context(dp_context *context)
{
    ck_assert_uint_eq(context->memory.used, context_use());
    dpi_context_drop(context);
}

static inline char *scratch_folder(void)
{
    static char folder[64];

    return folder;
}

static inline int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *level)
{
    (void)facts;
    (void)kind;
    (void)level;
    return remove(path);
}

static inline void remove_scratch(void)
{
    nftw(scratch_folder(), remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

// A path in a folder of this process's own, which goes away with it.
static inline const char *scratch(const char *name)
{
    static char path[256];
    char *const folder = scratch_folder();

    if (!folder[0]) {
        strcpy(folder, "/tmp/dp_text_XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        atexit(remove_scratch);
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static inline void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static inline char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");

    ck_assert_msg(file != NULL, "%s", path);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size + 1);
    ck_assert_uint_eq(fread(bytes, 1, *size, file), *size);
    bytes[*size] = 0;
    fclose(file);
    return bytes;
}

// Byte-level tokenizer.json: the 256 bytes are ids 0 to 255, then `vocab` ("\"he\": 256"), with the other parts
// given.
typedef struct parts {
    const char *vocab, *merges, *pre_tokenizer, *added, *more, *normalizer; // NULL: none; `more` is of the model
} parts;

#define SMOLLM                                                                                                     \
    "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\",\"individual_digits\":true},"                  \
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}]}"

static inline char *byte_level_json(const parts *p)
{
    char *json = malloc(1 << 16), *at = json;

    at += sprintf(at, "{\"added_tokens\":[%s],\"normalizer\":%s,\"pre_tokenizer\":%s,"
                  "\"model\":{\"type\":\"BPE\",%s\"vocab\":{",
                  p->added ? p->added : "", p->normalizer ? p->normalizer : "null", p->pre_tokenizer ? p->pre_tokenizer : SMOLLM, p->more ? p->more : "");
    for (int byte = 0; byte < 256; byte++)
        at += sprintf(at, "\"\\u%04x\":%d,", dpi_byte_point((unsigned char)byte), byte);
    at +=
        sprintf(at, "%s},\"merges\":[%s]}}", p->vocab ? p->vocab : "\"he\":256", p->merges ? p->merges : "\"h e\"");
    return json;
}

static inline int open_json(dp_context *context, const parts *p, dp_tokenizer **out, dp_error *error)
{
    char *const json = byte_level_json(p);

    write_file(scratch("tokenizer.json"), json, strlen(json));
    free(json);
    return dp_tokenizer_open(context, scratch("tokenizer.json"), out, error);
}

// Ids of a text against a list that ends with -1.
static inline void check_ids(const dp_tokenizer *tokenizer, const char *text, size_t size, uint32_t flags,
                             const int32_t *want)
{
    int32_t ids[256];
    size_t count = 0, wanted = 0;
    dp_error error;

    while (want[wanted] >= 0)
        wanted++;
    ck_assert_msg(dp_tokenizer_encode(tokenizer, text, size, flags, ids, 256, &count, &error) == DP_OK, "%s",
                  error.message);
    ck_assert_msg(count == wanted && !memcmp(ids, want, count * sizeof *ids), "\"%.*s\" has other ids", (int)size,
                  text);
}
#define IDS(tokenizer, text, flags, ...)                                                                           \
    check_ids(tokenizer, text, sizeof text - 1, flags, (const int32_t[]){__VA_ARGS__, -1})

static inline void check_text(const dp_tokenizer *tokenizer, const int32_t *ids, size_t count, uint32_t flags,
                              const char *want, size_t size)
{
    char text[1024];
    size_t needed = 0;

    ck_assert_int_eq(dp_tokenizer_decode(tokenizer, ids, count, flags, text, sizeof text, &needed, NULL), DP_OK);
    ck_assert_msg(needed == size && !memcmp(text, want, size), "\"%.*s\", not \"%.*s\"", (int)needed, text,
                  (int)size, want);
}
#define TEXT(tokenizer, flags, want, ...)                                                                          \
    check_text(tokenizer, (const int32_t[]){__VA_ARGS__}, sizeof((const int32_t[]){__VA_ARGS__}) / 4, flags, want, \
               sizeof want - 1)

// A file of the larger test data; the first call says aloud when there is none.
static inline const char *shared_path(const char *name)
{
    static char path[512];
    const char *root = getenv("DEPTHPRUNE_TEST_DATA");

    snprintf(path, sizeof path, "%s/%s", root ? root : "../shared", name);
    return path;
}

static inline void need_shared(const char *name)
{
    if (access(shared_path(name), R_OK) == 0)
        return;
    printf("skipped: no %s (set DEPTHPRUNE_TEST_DATA)\n", shared_path(name));
    exit(77);
}

#endif
