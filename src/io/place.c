// Alignment of tensor bytes: what a file leaves at an odd address is copied once, everything else stays mapped.
#include "io/place.h"

#include <string.h>

static uintptr_t alignment_of(int32_t type)
{
    if (type == DP_F64)
        return 8;
    return type == DP_F32 || type == DP_I32 ? 4 : 2; // blocks of quantised types begin with an f16
}

static void release(void *user, const void *bytes, uint64_t size)
{
    (void)bytes;
    (void)size;
    void **owned = user;
    dpi_free(owned[0], owned);
}

int dpi_tensor_aligned(const dpi_tensor *tensor)
{
    return (uintptr_t)tensor->data % alignment_of(tensor->type) == 0;
}

int dpi_tensor_align(dpi_memory *memory, dpi_tensor *tensor, dp_error *error)
{
    return dpi_tensor_aligned(tensor) ? DP_OK : dpi_tensor_copy(memory, tensor, error);
}

int dpi_tensor_copy(dpi_memory *memory, dpi_tensor *tensor, dp_error *error)
{
    enum { HEAD = 64 }; // the block's own address and its memory, in front of bytes that stay aligned
    dpi_storage *storage = NULL;

    unsigned char *block = dpi_alloc_raw(memory, 1, (size_t)tensor->bytes + HEAD, error);
    if (!block)
        return DP_E_MEMORY;
    memcpy(block, &memory, sizeof memory);
    memcpy(block + HEAD, tensor->data, (size_t)tensor->bytes);
    const int rc = dpi_storage_new(&storage, memory, block + HEAD, tensor->bytes, release, block, error);
    if (rc) {
        dpi_free(memory, block);
        return rc;
    }
    dpi_storage_drop(tensor->storage);
    tensor->storage = storage;
    tensor->data = block + HEAD;
    return DP_OK;
}

void dpi_tensors_free(dpi_memory *memory, dpi_tensor *tensors, size_t count)
{
    for (size_t i = 0; tensors && i < count; i++) {
        dpi_storage_drop(tensors[i].storage);
        dpi_free(memory, tensors[i].name);
    }
    dpi_free(memory, tensors);
}
