// Shared bytes, released with the last reference.
#include "tensor/storage.h"

struct dpi_storage {
    _Atomic int64_t references;
    dpi_memory *memory;
    const unsigned char *bytes;
    uint64_t size, whole;
    void (*release)(void *user, const void *bytes, uint64_t size);
    void *user;
};

int dpi_storage_new(dpi_storage **out, dpi_memory *memory, const void *bytes, uint64_t size,
                    void (*release)(void *user, const void *bytes, uint64_t size), void *user, dp_error *error)
{
    dpi_storage *const storage = dpi_alloc(memory, 1, sizeof *storage, error);

    if (!storage)
        return DP_E_MEMORY;
    atomic_init(&storage->references, 1);
    storage->memory = memory;
    storage->bytes = bytes;
    storage->size = storage->whole = size;
    storage->release = release;
    storage->user = user;
    *out = storage;
    return DP_OK;
}

void *dpi_storage_user(const dpi_storage *storage, void (*release)(void *user, const void *bytes, uint64_t size))
{
    return storage->release == release ? storage->user : NULL;
}

dpi_storage *dpi_storage_keep(dpi_storage *storage)
{
    atomic_fetch_add(&storage->references, 1);
    return storage;
}

void dpi_storage_drop(dpi_storage *storage)
{
    if (!storage || atomic_fetch_sub(&storage->references, 1) != 1)
        return;
    if (storage->release)
        storage->release(storage->user, storage->bytes, storage->size);
    dpi_free(storage->memory, storage);
}

const unsigned char *dpi_storage_bytes(const dpi_storage *storage)
{
    return storage->bytes;
}

uint64_t dpi_storage_size(const dpi_storage *storage)
{
    return storage->size;
}

uint64_t dpi_storage_whole(const dpi_storage *storage)
{
    return storage->whole;
}

void dpi_storage_set_whole(dpi_storage *storage, uint64_t whole)
{
    storage->whole = whole;
}
