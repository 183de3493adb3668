// Bytes that several tensors share: a mapped file, a heap block, or a host's own memory.
#ifndef DPI_TENSOR_STORAGE_H
#define DPI_TENSOR_STORAGE_H

#include "base/memory.h"

typedef struct dpi_storage dpi_storage;

// release(user, bytes, size) is called once, when the last reference goes; may be NULL.
// On failure release is not called.
int dpi_storage_new(dpi_storage **out, dpi_memory *memory, const void *bytes, uint64_t size,
                    void (*release)(void *user, const void *bytes, uint64_t size), void *user, dp_error *error);
// What was given as `user` with this release function; NULL when another, or none, was given.
void *dpi_storage_user(const dpi_storage *storage, void (*release)(void *user, const void *bytes, uint64_t size));
dpi_storage *dpi_storage_keep(dpi_storage *storage);
void dpi_storage_drop(dpi_storage *storage); // NULL is allowed
const unsigned char *dpi_storage_bytes(const dpi_storage *storage);
uint64_t dpi_storage_size(const dpi_storage *storage);
// A file of which only the first `size` bytes could be mapped is this long; else the same as size.
uint64_t dpi_storage_whole(const dpi_storage *storage);
void dpi_storage_set_whole(dpi_storage *storage, uint64_t whole); // before it is shared

#endif
