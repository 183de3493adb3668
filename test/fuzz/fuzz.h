// What the fuzz targets share: one context for all runs, bytes in memory of their exact size, files without a disk,
// and what every failure must look like.
#ifndef TEST_FUZZ_FUZZ_H
#define TEST_FUZZ_FUZZ_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/context.h"
#include "base/text.h"
#include "tensor/storage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_SLOTS = 8, FUZZ_FIRST = 200 }; // descriptors 200 to 207 are the inputs that have to be files

static inline void fuzz_require(int holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}
#define require(what) fuzz_require((what) != 0, #what, __FILE__, __LINE__)

static inline dp_context *fuzz_context(void)
{
    static dp_context *context;
    dp_context_options options;

    if (!context) {
        dp_context_options_init(&options, sizeof options);
        options.threads = 1;
        require(dpi_context_make(&options, &context, NULL) == DP_OK);
    }
    return context;
}

static inline void fuzz_release(void *user, const void *bytes, uint64_t size)
{
    (void)bytes;
    (void)size;
    free(user);
}

// A copy of exactly this size, so that a sanitizer sees a step beyond it.
static inline char *fuzz_copy(const uint8_t *data, size_t size)
{
    char *const copy = malloc(size ? size : 1);

    require(copy != NULL);
    if (size)
        memcpy(copy, data, size);
    return copy;
}

static inline dpi_storage *fuzz_storage(const uint8_t *data, size_t size)
{
    dpi_storage *storage = NULL;
    char *const copy = fuzz_copy(data, size);

    require(dpi_storage_new(&storage, &fuzz_context()->memory, copy, size, fuzz_release, copy, NULL) == DP_OK);
    return storage;
}

// The bytes as a file of memory; the path is the same each time.
static inline const char *fuzz_file(int slot, const void *data, size_t size)
{
    static int made[FUZZ_SLOTS];
    static char paths[FUZZ_SLOTS][32];
    const int fixed = FUZZ_FIRST + slot;

    if (!made[slot]) {
        const int file = memfd_create("fuzz", 0);
        require(file >= 0 && dup2(file, fixed) == fixed);
        close(file);
        snprintf(paths[slot], sizeof paths[slot], "/proc/self/fd/%d", fixed);
        made[slot] = 1;
    }
    require(ftruncate(fixed, 0) == 0);
    require(size == 0 || pwrite(fixed, data, size, 0) == (ssize_t)size);
    return paths[slot];
}

// One line of clean text.
static inline void fuzz_clean(const char *text, size_t capacity)
{
    const size_t size = strnlen(text, capacity);
    uint32_t point = 0;

    require(size < capacity);
    for (size_t at = 0, step; at < size; at += step) {
        step = dpi_utf8_decode(text + at, size - at, &point);
        require(step > 0 && point >= 0x20 && point != 0x7f);
    }
}

// A failure says what and, where a file is to blame, which; memory is never to blame here.
static inline void fuzz_failed(int rc, const dp_error *error)
{
    require(rc == error->code && rc != DP_OK && rc != DP_E_MEMORY && rc != DP_E_ARGUMENT);
    require(error->message[0] && error->file[0]);
    fuzz_clean(error->message, sizeof error->message);
    fuzz_clean(error->item, sizeof error->item);
    fuzz_clean(error->file, sizeof error->file);
    require(error->offset >= -1 && error->line >= 0 && error->column >= 0);
}

#endif
