// GGUF in: magic, version, counts, keys with values, tensor infos, padding, data.  Tensors must follow one another
// in file order, each padded to the alignment, as llama.cpp demands.
#include "io/gguf.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/size.h"
#include "io/gguf_parse.h"
#include "io/place.h"
#include "tensor/dtype.h"

enum {
    LEAST_ENTRY = 8 + 1 + 4 + 1,          // bytes of the shortest key and value
    LEAST_TENSOR = 8 + 1 + 4 + 8 + 4 + 8, // and of the shortest tensor info
    MOST_NAME = 65535,
    USUAL_ALIGNMENT = 32,
    MOST_ALIGNMENT = 1 << 20
};

static int read_counts(dpi_gguf *file, dpi_gguf_cursor *cursor)
{
    uint64_t version = 0, tensors = 0, entries = 0;

    if (cursor->size < 4 || memcmp(cursor->bytes, "GGUF", 4) != 0)
        return dpi_gguf_fail(cursor, DP_E_FORMAT, 0, "does not begin with \"GGUF\"");
    cursor->at = 4;
    int rc = dpi_gguf_take(cursor, 4, "the version", &version);
    if (rc)
        return rc;
    const uint32_t swapped = __builtin_bswap32((uint32_t)version);
    if (swapped >= 1 && swapped <= 3)
        return dpi_gguf_fail(cursor, DP_E_UNSUPPORTED, 4, "is a big-endian gguf file; only little-endian is read");
    if (version != 2 && version != 3)
        return dpi_gguf_fail(cursor, version == 1 ? DP_E_UNSUPPORTED : DP_E_FORMAT, 4,
                             "has gguf version %llu; versions 2 and 3 are read", (unsigned long long)version);
    rc = dpi_gguf_take(cursor, 8, "the number of tensors", &tensors);
    if (!rc)
        rc = dpi_gguf_take(cursor, 8, "the number of keys", &entries);
    if (rc)
        return rc;
    const uint64_t left = cursor->size - cursor->at;
    if (entries > left / LEAST_ENTRY)
        return dpi_gguf_fail(cursor, DP_E_FORMAT, 16, "says %llu keys, %llu bytes remain",
                             (unsigned long long)entries, (unsigned long long)left);
    file->version = (uint32_t)version;
    file->entry_count = (size_t)entries;
    file->tensor_count = (size_t)tensors;
    return DP_OK;
}

static int by_key(const void *a, const void *b)
{
    const dpi_gguf_entry *x = *(const dpi_gguf_entry *const *)a, *y = *(const dpi_gguf_entry *const *)b;
    const int order = memcmp(x->key, y->key, (size_t)(x->key_size < y->key_size ? x->key_size : y->key_size));

    if (order || x->key_size != y->key_size)
        return order ? order : x->key_size < y->key_size ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int check_keys(const dpi_gguf *file, dpi_gguf_cursor *cursor)
{
    const dpi_gguf_entry **sorted = dpi_alloc(file->memory, file->entry_count, sizeof *sorted, cursor->error);
    int rc = sorted ? DP_OK : DP_E_MEMORY;

    for (size_t i = 0; !rc && i < file->entry_count; i++)
        sorted[i] = &file->entries[i];
    if (!rc && file->entry_count > 1)
        qsort(sorted, file->entry_count, sizeof *sorted, by_key);
    for (size_t i = 1; !rc && i < file->entry_count; i++) {
        const dpi_gguf_entry *entry = sorted[i];
        const dpi_gguf_label label = dpi_gguf_label_of(entry->key, entry->key_size);
        if (entry->key_size != sorted[i - 1]->key_size ||
            memcmp(entry->key, sorted[i - 1]->key, (size_t)entry->key_size) != 0)
            continue;
        cursor->item = label.text;
        rc = dpi_gguf_fail(cursor, DP_E_FORMAT, entry->offset, "the key stands twice");
        cursor->item = NULL;
    }
    dpi_free(file->memory, sorted);
    return rc;
}

static int read_entries(dpi_gguf *file, dpi_gguf_cursor *cursor)
{
    int rc = DP_OK;

    file->entries = dpi_alloc(file->memory, file->entry_count, sizeof *file->entries, cursor->error);
    if (!file->entries)
        return DP_E_MEMORY;
    for (size_t i = 0; !rc && i < file->entry_count; i++)
        rc = dpi_gguf_take_entry(cursor, &file->entries[i]);
    return rc ? rc : check_keys(file, cursor);
}

// What the reader itself must know of the metadata: alignment, and whether this is a part of a split file.
static int read_layout(dpi_gguf *file, dpi_gguf_cursor *cursor)
{
    const dpi_gguf_entry *alignment = dpi_gguf_find(file, "general.alignment");
    const dpi_gguf_entry *split = dpi_gguf_find(file, "split.count");
    int64_t value = USUAL_ALIGNMENT, parts = 1;

    cursor->item = "general.alignment";
    if (alignment && alignment->type != DPI_GGUF_U32)
        return dpi_gguf_fail(cursor, DP_E_FORMAT, alignment->offset, "is of type %s, expected u32",
                             dpi_gguf_type_name(alignment->type));
    int rc = dpi_gguf_int(file, cursor->item, 0, 1, MOST_ALIGNMENT, &value, cursor->error);
    if (!rc && (value & (value - 1)) != 0)
        rc = dpi_gguf_fail(cursor, DP_E_FORMAT, alignment->offset, "is %lld, expected a power of two",
                           (long long)value);
    file->alignment = (uint32_t)value;
    cursor->item = "split.count";
    if (!rc)
        rc = dpi_gguf_int(file, cursor->item, 0, 0, UINT16_MAX, &parts, cursor->error);
    if (!rc && parts > 1)
        rc = dpi_gguf_fail(cursor, DP_E_UNSUPPORTED, split->offset,
                           "is one part of a file split into %lld; merge them first", (long long)parts);
    cursor->item = NULL;
    return rc;
}

static int read_dims(dpi_gguf_cursor *cursor, dpi_tensor *tensor)
{
    const uint64_t start = cursor->at;
    uint64_t dims = 0, extent = 0;
    int64_t product = 1;
    int rc = dpi_gguf_take(cursor, 4, "a number of dimensions", &dims);

    if (rc)
        return rc;
    if (dims < 1 || dims > DPI_MAX_DIMS)
        return dpi_gguf_fail(cursor, DP_E_FORMAT, start, "has %llu dimensions, expected 1 to %d",
                             (unsigned long long)dims, DPI_MAX_DIMS);
    tensor->dims = (int32_t)dims;
    for (size_t i = 0; i < DPI_MAX_DIMS; i++)
        tensor->shape[i] = 1;
    for (size_t i = dims; i-- > 0;) { // the file has the fastest dimension first
        rc = dpi_gguf_take(cursor, 8, "a dimension", &extent);
        if (rc)
            return rc;
        if (extent < 1 || extent > INT64_MAX)
            return dpi_gguf_fail(cursor, DP_E_FORMAT, cursor->at - 8, "has a dimension of %lld", (long long)extent);
        tensor->shape[i] = (int64_t)extent;
        if (dpi_mul_i64(product, tensor->shape[i], &product))
            return dpi_gguf_fail(cursor, DP_E_FORMAT, cursor->at - 8, "has more elements than 64 bits can count");
    }
    return DP_OK;
}

static int read_type(dpi_gguf_cursor *cursor, dpi_tensor *tensor)
{
    uint64_t type = 0, row = 0;
    const int64_t columns = tensor->shape[tensor->dims - 1];
    const int rc = dpi_gguf_take(cursor, 4, "a tensor type", &type);

    if (rc)
        return rc;
    const dpi_dtype *known = type <= INT32_MAX ? dpi_dtype_of((int32_t)type) : NULL;
    if (!known)
        return dpi_gguf_fail(cursor, DP_E_UNSUPPORTED, cursor->at - 4, "is of tensor type %llu, which is not read",
                             (unsigned long long)type);
    tensor->type = known->type;
    if (columns % known->block != 0)
        return dpi_gguf_fail(cursor, DP_E_FORMAT, cursor->at - 4, "has rows of %lld elements, %s has blocks of %d",
                             (long long)columns, known->name, known->block);
    tensor->bytes = 0;
    int64_t rows = 1;
    for (int32_t i = 0; i + 1 < tensor->dims; i++)
        rows *= tensor->shape[i]; // the whole product was checked
    if (dpi_row_bytes(tensor->type, columns, &row) || dpi_mul_u64(row, (uint64_t)rows, &tensor->bytes))
        return dpi_gguf_fail(cursor, DP_E_FORMAT, cursor->at - 4, "has more bytes than 64 bits can count");
    return DP_OK;
}

static int read_tensor(dpi_gguf *file, dpi_gguf_cursor *cursor, dpi_tensor *tensor)
{
    const uint64_t start = cursor->at;
    const char *name = NULL;
    uint64_t size = 0;

    cursor->item = NULL;
    int rc = dpi_gguf_take_string(cursor, "a tensor name", &name, &size);
    if (rc)
        return rc;
    if (size == 0 || size > MOST_NAME || memchr(name, 0, (size_t)size))
        return dpi_gguf_fail(cursor, DP_E_FORMAT, start,
                             "a tensor name of %llu bytes is empty, too long or holds a zero byte",
                             (unsigned long long)size);
    tensor->name = dpi_copy_bytes(file->memory, name, (size_t)size, cursor->error);
    if (!tensor->name)
        return DP_E_MEMORY;
    cursor->item = tensor->name;
    rc = read_dims(cursor, tensor);
    if (!rc)
        rc = read_type(cursor, tensor);
    if (!rc)
        rc = dpi_gguf_take(cursor, 8, "a tensor offset", &tensor->offset); // in the data until placed
    cursor->item = NULL;
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const dpi_tensor *const *)a)->name, (*(const dpi_tensor *const *)b)->name);
}

static int check_names(const dpi_gguf *file, dpi_gguf_cursor *cursor)
{
    const dpi_tensor **sorted = dpi_alloc(file->memory, file->tensor_count, sizeof *sorted, cursor->error);
    int rc = sorted ? DP_OK : DP_E_MEMORY;

    for (size_t i = 0; !rc && i < file->tensor_count; i++)
        sorted[i] = &file->tensors[i];
    if (!rc && file->tensor_count > 1)
        qsort(sorted, file->tensor_count, sizeof *sorted, by_name);
    for (size_t i = 1; !rc && i < file->tensor_count; i++)
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0) {
            cursor->item = sorted[i]->name;
            rc = dpi_gguf_fail(cursor, DP_E_FORMAT, cursor->at, "two tensors have this name");
        }
    cursor->item = NULL;
    dpi_free(file->memory, sorted);
    return rc;
}

// The end of `at` padded to the alignment; nonzero when it does not fit.
static int pad(const dpi_gguf *file, uint64_t at, uint64_t *out)
{
    if (dpi_add_u64(at, file->alignment - 1, out))
        return 1;
    *out &= ~(uint64_t)(file->alignment - 1);
    return 0;
}

// Offsets are the running sum of padded sizes: anything else is a hole, an overlap or a lie.
static int place_tensor(const dpi_gguf *file, dpi_gguf_cursor *cursor, dpi_tensor *tensor, uint64_t data,
                        uint64_t *next)
{
    const uint64_t offset = tensor->offset, whole = dpi_storage_whole(file->storage), left = whole - data;

    cursor->item = tensor->name;
    if (offset % file->alignment != 0)
        return dpi_gguf_fail(cursor, DP_E_FORMAT, data, "has offset %llu, which is no multiple of the alignment %u",
                             (unsigned long long)offset, file->alignment);
    if (offset > left || tensor->bytes > left - offset)
        return dpi_gguf_fail(cursor, DP_E_FORMAT, data, "has %llu bytes at offset %llu, the data ends at %llu",
                             (unsigned long long)tensor->bytes, (unsigned long long)offset,
                             (unsigned long long)left);
    if (offset != *next)
        return dpi_gguf_fail(cursor, DP_E_FORMAT, data + offset, "has offset %llu, expected %llu: %s",
                             (unsigned long long)offset, (unsigned long long)*next,
                             offset < *next ? "it overlaps the tensor before" : "it leaves a hole");
    tensor->offset = data + offset;
    if (whole == cursor->size) // else only the header can be read
        tensor->data = cursor->bytes + tensor->offset;
    tensor->storage = dpi_storage_keep(file->storage);
    cursor->item = NULL;
    if (pad(file, offset + tensor->bytes, next)) // cannot wrap: both lie in the file
        return dpi_gguf_fail(cursor, DP_E_FORMAT, data, "has more bytes than 64 bits can count");
    return DP_OK;
}

static int place_tensors(dpi_gguf *file, dpi_gguf_cursor *cursor)
{
    uint64_t data, next = 0;
    int rc = DP_OK;

    if (pad(file, cursor->at, &data) || data > cursor->size) {
        if (file->tensor_count > 0)
            return dpi_gguf_fail(cursor, DP_E_FORMAT, cursor->at, "the file ends before its data");
        return DP_OK;
    }
    for (size_t i = 0; !rc && i < file->tensor_count; i++)
        rc = place_tensor(file, cursor, &file->tensors[i], data, &next);
    const uint64_t left = dpi_storage_whole(file->storage) - data;
    if (!rc && left > next)
        rc = dpi_gguf_fail(cursor, DP_E_FORMAT, data + next, "%llu bytes follow the last tensor",
                           (unsigned long long)(left - next));
    for (size_t i = 0; !rc && i < file->tensor_count; i++)
        rc = dpi_tensor_align(file->memory, &file->tensors[i], cursor->error);
    return rc;
}

static int read_tensors(dpi_gguf *file, dpi_gguf_cursor *cursor)
{
    int rc = DP_OK;

    if (file->tensor_count > (cursor->size - cursor->at) / LEAST_TENSOR)
        return dpi_gguf_fail(cursor, DP_E_FORMAT, 8, "says %zu tensors, %llu bytes remain", file->tensor_count,
                             (unsigned long long)(cursor->size - cursor->at));
    file->tensors = dpi_alloc(file->memory, file->tensor_count, sizeof *file->tensors, cursor->error);
    if (!file->tensors)
        return DP_E_MEMORY;
    for (size_t i = 0; !rc && i < file->tensor_count; i++)
        rc = read_tensor(file, cursor, &file->tensors[i]);
    if (!rc)
        rc = check_names(file, cursor);
    return rc ? rc : place_tensors(file, cursor);
}

int dpi_gguf_read(dpi_gguf **out, dpi_memory *memory, dpi_storage *storage, const char *name, dp_error *error)
{
    dpi_gguf_cursor cursor = {
        .bytes = dpi_storage_bytes(storage), .size = dpi_storage_size(storage), .name = name, .error = error};
    dpi_gguf *file = dpi_alloc(memory, 1, sizeof *file, error);

    if (!file)
        return DP_E_MEMORY;
    file->memory = memory;
    file->storage = dpi_storage_keep(storage);
    file->name = dpi_copy_text(memory, name, error);
    int rc = file->name ? DP_OK : DP_E_MEMORY;
    if (!rc)
        rc = read_counts(file, &cursor);
    if (!rc)
        rc = read_entries(file, &cursor);
    if (!rc)
        rc = read_layout(file, &cursor);
    if (!rc)
        rc = read_tensors(file, &cursor);
    if (rc) {
        dpi_gguf_free(file);
        return rc;
    }
    *out = file;
    return DP_OK;
}

void dpi_gguf_free(dpi_gguf *file)
{
    if (!file)
        return;
    if (file->tensors)
        dpi_tensors_free(file->memory, file->tensors, file->tensor_count);
    dpi_free(file->memory, file->entries);
    dpi_storage_drop(file->storage);
    dpi_free(file->memory, file->name);
    dpi_free(file->memory, file);
}
