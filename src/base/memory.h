// Memory of a context: every allocation of the library goes through here, is counted, and is zeroed.
#ifndef DPI_BASE_MEMORY_H
#define DPI_BASE_MEMORY_H

#include <depthprune/context.h>
#include <stdatomic.h>

typedef struct dpi_memory {
    dp_allocator allocator;
    uint64_t limit; // bytes, 0: none
    _Atomic uint64_t used, peak;
} dpi_memory;

void dpi_memory_init(dpi_memory *memory, const dp_allocator *allocator, uint64_t limit);

// count * size zeroed bytes, 64-byte aligned.  On failure NULL and *error (DP_E_MEMORY, with the bytes).
// A zero-sized request gives a valid pointer.
void *dpi_alloc(dpi_memory *memory, size_t count, size_t size, dp_error *error);
// The same without zeroing, for large buffers that are overwritten.
void *dpi_alloc_raw(dpi_memory *memory, size_t count, size_t size, dp_error *error);
// Grow *pointer (may be NULL) to `count` elements, new ones zeroed.  On failure nothing changed.
int dpi_grow(dpi_memory *memory, void **pointer, size_t old_count, size_t count, size_t size, dp_error *error);
void dpi_free(dpi_memory *memory, void *pointer); // NULL is allowed
char *dpi_copy_text(dpi_memory *memory, const char *text, dp_error *error);
char *dpi_copy_bytes(dpi_memory *memory, const void *bytes, size_t size, dp_error *error); // terminated

#endif
