// Memory of a context.  Each block carries a header in front with its size, so that the host's sized free works
// and the limit and the peak are counted.
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/size.h"

enum { ALIGN = 64 };
static const uint64_t HUGE_PAGE = 2u << 20, LARGE = 4u << 20;

typedef union header {
    uint64_t bytes; // with the header
    unsigned char room[ALIGN];
} header;

// Large blocks begin on a huge page and ask for them; a system that has none says no, and that is fine.
static void *system_alloc(void *user, uint64_t size, uint64_t align)
{
    void *memory = NULL;
    const int large = size >= LARGE;

    (void)user;
    if (posix_memalign(&memory, large ? (size_t)HUGE_PAGE : (size_t)align, (size_t)size))
        return NULL;
    if (large)
        madvise(memory, (size_t)size, MADV_HUGEPAGE);
    return memory;
}

static void system_free(void *user, void *memory, uint64_t size)
{
    (void)user;
    (void)size;
    free(memory);
}

void dpi_memory_init(dpi_memory *memory, const dp_allocator *allocator, uint64_t limit)
{
    static const dp_allocator system = {.alloc = system_alloc, .free = system_free};

    memory->allocator = allocator ? *allocator : system;
    memory->limit = limit;
    atomic_init(&memory->used, 0);
    atomic_init(&memory->peak, 0);
}

// Count `bytes` as used; nonzero when the limit forbids it.
static int claim(dpi_memory *memory, uint64_t bytes)
{
    uint64_t used = atomic_load(&memory->used), after = 0;

    do {
        if (dpi_add_u64(used, bytes, &after) || (memory->limit && after > memory->limit))
            return -1;
    } while (!atomic_compare_exchange_weak(&memory->used, &used, after));
    uint64_t peak = atomic_load(&memory->peak);
    while (peak < after && !atomic_compare_exchange_weak(&memory->peak, &peak, after))
        ;
    return 0;
}

void *dpi_alloc_raw(dpi_memory *memory, size_t count, size_t size, dp_error *error)
{
    size_t wanted = 0, bytes = 0;

    if (dpi_mul_size(count, size, &wanted) || dpi_add_size(wanted, sizeof(header), &bytes)) {
        dpi_fail(error, DP_E_MEMORY, "out of memory: %zu times %zu bytes are more than can be addressed", count,
                 size);
        return NULL;
    }
    if (claim(memory, bytes)) {
        dpi_fail(error, DP_E_MEMORY, "out of memory: %zu bytes more than the %llu in use pass the limit of %llu",
                 bytes, (unsigned long long)atomic_load(&memory->used), (unsigned long long)memory->limit);
        return NULL;
    }
    header *const block = memory->allocator.alloc(memory->allocator.user, bytes, ALIGN);
    if (!block) {
        atomic_fetch_sub(&memory->used, bytes);
        dpi_fail(error, DP_E_MEMORY, "out of memory: %zu bytes were refused, %llu are in use", bytes,
                 (unsigned long long)atomic_load(&memory->used));
        return NULL;
    }
    block->bytes = bytes;
    return block + 1;
}

void *dpi_alloc(dpi_memory *memory, size_t count, size_t size, dp_error *error)
{
    void *const pointer = dpi_alloc_raw(memory, count, size, error);

    return pointer ? memset(pointer, 0, count * size) : NULL;
}

int dpi_grow(dpi_memory *memory, void **pointer, size_t old_count, size_t count, size_t size, dp_error *error)
{
    if (*pointer && count <= old_count)
        return DP_OK;
    void *const larger = dpi_alloc(memory, count, size, error);
    if (!larger)
        return DP_E_MEMORY;
    if (*pointer)
        memcpy(larger, *pointer, old_count * size);
    dpi_free(memory, *pointer);
    *pointer = larger;
    return DP_OK;
}

void dpi_free(dpi_memory *memory, void *pointer)
{
    if (!pointer)
        return;
    header *const block = (header *)pointer - 1;
    const uint64_t bytes = block->bytes;
    memory->allocator.free(memory->allocator.user, block, bytes);
    atomic_fetch_sub(&memory->used, bytes);
}

char *dpi_copy_text(dpi_memory *memory, const char *text, dp_error *error)
{
    return dpi_copy_bytes(memory, text, strlen(text), error);
}

char *dpi_copy_bytes(dpi_memory *memory, const void *bytes, size_t size, dp_error *error)
{
    size_t room = 0;

    if (dpi_add_size(size, 1, &room)) {
        dpi_fail(error, DP_E_MEMORY, "out of memory: a text of %zu bytes cannot be copied", size);
        return NULL;
    }
    char *const copy = dpi_alloc_raw(memory, room, 1, error);
    if (!copy)
        return NULL;
    if (size)
        memcpy(copy, bytes, size);
    copy[size] = 0;
    return copy;
}
