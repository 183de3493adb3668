// Stands before the C library's memory (LD_PRELOAD): allocation FAIL_AT fails, with FAIL_ON all after it, too; how many
// there were goes into the file FAIL_COUNT.  Counts from the start of main's program on, that is, from the constructor.
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

void *__libc_malloc(size_t size);
void *__libc_memalign(size_t align, size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

static _Atomic long calls;
static long fail_at;
static int fail_on, counting;

static int fails(void)
{
    if (!counting)
        return 0;
    const long call = ++calls;
    const int hit = fail_at && (call == fail_at || (fail_on && call > fail_at));
    if (hit)
        errno = ENOMEM;
    return hit;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    return fails() ? NULL : __libc_realloc(block, size);
}

void *memalign(size_t align, size_t size)
{
    return fails() ? NULL : __libc_memalign(align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    void *block = memalign(align, size);

    if (block)
        *out = block;
    return block ? 0 : ENOMEM;
}

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("FAIL_AT");

    fail_at = at ? atol(at) : 0;
    fail_on = getenv("FAIL_ON") != NULL;
    counting = 1;
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("FAIL_COUNT");

    counting = 0;
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        return;
    fprintf(file, "%ld\n", (long)calls);
    fclose(file);
}
