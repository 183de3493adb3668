// What the tests of this room share: a context, bytes built piece by piece, temporary folders.
#ifndef TEST_IO_SUPPORT_H
#define TEST_IO_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/context.h"
#include "io/bytes.h"
#include "tensor/storage.h"
#include "test/run.h"

static inline dp_context *new_context(void)
{
    dp_context_options options;
    dp_context *context = NULL;

    dp_context_options_init(&options, sizeof options);
    options.threads = 1;
    ck_assert_int_eq(dpi_context_make(&options, &context, NULL), DP_OK);
    return context;
}

// Everything that was taken from the context was given back; frees it.
static inline void end_context(dp_context *context, uint64_t used_before)
{
    ck_assert_uint_eq(context->memory.used, used_before);
    dpi_context_drop(context);
}

// Bytes that grow; never freed one by one, each test is a process of its own or short.
typedef struct bytes {
    unsigned char at[1 << 16];
    size_t size;
} bytes;

static inline void add(bytes *to, const void *from, size_t size)
{
    ck_assert_uint_le(to->size + size, sizeof to->at);
    memcpy(to->at + to->size, from, size);
    to->size += size;
}

static inline void add_le(bytes *to, int width, uint64_t value)
{
    unsigned char raw[8];

    dpi_le_write(raw, width, value);
    add(to, raw, (size_t)width);
}

static inline void add_zeros(bytes *to, size_t size)
{
    ck_assert_uint_le(to->size + size, sizeof to->at);
    memset(to->at + to->size, 0, size);
    to->size += size;
}

// A storage over memory of exactly this size, so that a sanitizer sees a step beyond it.
static inline void free_exact(void *user, const void *memory, uint64_t size)
{
    (void)memory;
    (void)size;
    free(user);
}

static inline dpi_storage *exact_storage(dp_context *context, const void *from, size_t size)
{
    dpi_storage *storage = NULL;
    void *memory = malloc(size ? size : 1);

    ck_assert_ptr_nonnull(memory);
    memcpy(memory, from, size);
    ck_assert_int_eq(dpi_storage_new(&storage, &context->memory, memory, size, free_exact, memory, NULL), DP_OK);
    return storage;
}

// A fresh folder under TMPDIR or /tmp, one in a test.
static inline const char *new_folder(void)
{
    static char path[512];
    const char *base = getenv("TMPDIR");

    snprintf(path, sizeof path, "%s/dp-io-XXXXXX", base && base[0] ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(path));
    return path;
}

// folder/name; the text lives as long as the test.
static inline const char *under(const char *folder, const char *name)
{
    static char *kept[64];
    static size_t count;
    const size_t size = strlen(folder) + strlen(name) + 2;

    ck_assert_uint_lt(count, sizeof kept / sizeof *kept);
    kept[count] = malloc(size);
    ck_assert_ptr_nonnull(kept[count]);
    snprintf(kept[count], size, "%s/%s", folder, name);
    return kept[count++];
}

static inline void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, strlen(text), file), strlen(text));
    ck_assert_int_eq(fclose(file), 0);
}

static inline int holds_text(const char *path, const char *text)
{
    char have[4096] = "";
    FILE *file = fopen(path, "rb");

    if (!file)
        return 0;
    const size_t size = fread(have, 1, sizeof have - 1, file);
    fclose(file);
    return size == strlen(text) && memcmp(have, text, size) == 0;
}

#endif
