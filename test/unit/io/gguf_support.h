// GGUF bytes built piece by piece.
#ifndef TEST_IO_GGUF_SUPPORT_H
#define TEST_IO_GGUF_SUPPORT_H

#include "base/error.h"
#include "io/gguf.h"
#include "test/unit/io/support.h"

static inline void add_text(bytes *to, const char *text)
{
    add_le(to, 8, strlen(text));
    add(to, text, strlen(text));
}

static inline void add_head(bytes *to, uint64_t version, uint64_t tensors, uint64_t keys)
{
    to->size = 0;
    add(to, "GGUF", 4);
    add_le(to, 4, version);
    add_le(to, 8, tensors);
    add_le(to, 8, keys);
}

static inline void add_u32(bytes *to, const char *key, uint32_t value)
{
    add_text(to, key);
    add_le(to, 4, DPI_GGUF_U32);
    add_le(to, 4, value);
}

static inline void add_info(bytes *to, const char *name, uint64_t columns, uint64_t rows, uint64_t type,
                            uint64_t offset)
{
    add_text(to, name);
    add_le(to, 4, 2);
    add_le(to, 8, columns);
    add_le(to, 8, rows);
    add_le(to, 4, type);
    add_le(to, 8, offset);
}

static inline void pad_bytes(bytes *to, size_t alignment)
{
    while (to->size % alignment)
        add_zeros(to, 1);
}

static inline int read_gguf(dp_context *context, const bytes *file, dpi_gguf **out, dp_error *error)
{
    const uint64_t used = context->memory.used;
    dpi_storage *storage = exact_storage(context, file->at, file->size);
    const int rc = dpi_gguf_read(out, &context->memory, storage, "m.gguf", error);

    dpi_storage_drop(storage);
    if (rc)
        ck_assert_uint_eq(context->memory.used, used); // a failure leaves nothing allocated
    return rc;
}

#endif
