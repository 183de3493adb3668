// safetensors in: u64 header length, JSON header, data.  Sorted by offset the tensors must tile the data with no
// hole, no overlap and nothing left, and every range must be product(shape) * element size.
#include "io/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/size.h"
#include "io/bytes.h"
#include "io/json.h"
#include "io/place.h"
#include "tensor/dtype.h"

enum { MOST_HEADER = 100000000, PREFIX = 8 };

typedef struct reader {
    dpi_memory *memory;
    dpi_storage *storage;
    const char *name;   // the file
    const char *header; // its JSON
    size_t header_size;
    uint64_t data; // offset of the first data byte
    uint64_t data_size;
    dp_error *error;
} reader;

// Where the entry of a tensor stands: a text search, good enough to point a reader of the error to it.
static int64_t entry_offset(const reader *r, const char *name)
{
    const size_t size = strlen(name);
    const char *at = r->header;
    const char *end = r->header + r->header_size;

    while (size > 0 && (at = memmem(at, (size_t)(end - at), name, size))) {
        if (at > r->header && at[-1] == '"' && at + size < end && at[size] == '"')
            return PREFIX + (at - 1 - r->header);
        at++;
    }
    return PREFIX;
}

static dpi_place place_of(const reader *r, const char *tensor)
{
    return (dpi_place){.file = r->name, .item = tensor, .offset = PREFIX};
}

// A failure that concerns an entry gets its place; the search is too long for entries that are well.
static int locate(const reader *r, const char *name, int rc)
{
    if (rc && rc != DP_E_MEMORY && r->error)
        r->error->offset = entry_offset(r, name);
    return rc;
}

static int fail(const reader *r, const char *tensor, const char *message)
{
    const dpi_place place = place_of(r, tensor);

    return dpi_fail_at(r->error, DP_E_FORMAT, &place, "%s", message);
}

// dtype: those this library computes with, and those it knows but cannot take.
static int read_type(const reader *r, const char *tensor, const json_t *value, int32_t *type)
{
    static const struct {
        const char *name;
        int32_t type;
    } taken[] = {{"F32", DP_F32}, {"F16", DP_F16}, {"BF16", DP_BF16}, {"F64", DP_F64}, {"I32", DP_I32}};
    static const char *const known[] = {"BOOL",        "U8",  "I8",      "U16",     "I16",     "U32",
                                        "U64",         "I64", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ",
                                        "F8_E5M2FNUZ", "C64", "F4",      "F6_E2M3", "F6_E3M2"};
    const dpi_place place = place_of(r, tensor);
    const char *name = json_string_value(value);

    if (!name)
        return fail(r, tensor, "dtype is missing or not a string");
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(name, taken[i].name) == 0) {
            *type = taken[i].type;
            return DP_OK;
        }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i]) == 0)
            return dpi_fail_at(r->error, DP_E_UNSUPPORTED, &place,
                               "dtype %s is not read; F32, F16, BF16, F64 and I32 are", name);
    return dpi_fail_at(r->error, DP_E_FORMAT, &place, "dtype \"%.40s\" is unknown", name);
}

static int read_shape(const reader *r, const json_t *value, dpi_tensor *tensor, uint64_t *bytes)
{
    const dpi_place place = place_of(r, tensor->name);
    uint64_t product = (uint64_t)dpi_dtype_of(tensor->type)->block_bytes;
    uint64_t count = 1;

    if (!json_is_array(value))
        return fail(r, tensor->name, "shape is missing or not an array");
    if (json_array_size(value) > DPI_MAX_DIMS)
        return dpi_fail_at(r->error, DP_E_UNSUPPORTED, &place, "has %zu dimensions, at most %d are read",
                           json_array_size(value), DPI_MAX_DIMS);
    for (size_t i = 0; i < DPI_MAX_DIMS; i++) {
        const json_t *dim = json_array_get(value, i);
        tensor->shape[i] = 1;
        if (!dim)
            continue;
        if (!json_is_integer(dim) || json_integer_value(dim) < 0)
            return fail(r, tensor->name, "shape holds something that is not a whole number from 0 up");
        tensor->shape[i] = json_integer_value(dim);
        tensor->dims = (int32_t)i + 1;
        if (dpi_mul_u64(count, (uint64_t)tensor->shape[i], &count) ||
            dpi_mul_u64(product, (uint64_t)tensor->shape[i], &product) || product > INT64_MAX)
            return fail(r, tensor->name, "shape is larger than 64 bits can count");
    }
    *bytes = product;
    return DP_OK;
}

static int read_range(const reader *r, const json_t *value, dpi_tensor *tensor, uint64_t bytes)
{
    const dpi_place place = place_of(r, tensor->name);
    const json_t *first = json_array_get(value, 0), *second = json_array_get(value, 1);

    if (json_array_size(value) != 2 || !json_is_integer(first) || !json_is_integer(second))
        return fail(r, tensor->name, "data_offsets is not an array of two integers");
    const int64_t begin = json_integer_value(first), end = json_integer_value(second);
    if (begin < 0 || end < begin)
        return dpi_fail_at(r->error, DP_E_FORMAT, &place, "data_offsets [%lld, %lld] is not a range",
                           (long long)begin, (long long)end);
    if ((uint64_t)end > r->data_size)
        return dpi_fail_at(r->error, DP_E_FORMAT, &place,
                           "data_offsets end at %lld, the file has %llu bytes of data", (long long)end,
                           (unsigned long long)r->data_size);
    if ((uint64_t)(end - begin) != bytes)
        return dpi_fail_at(r->error, DP_E_FORMAT, &place, "data_offsets span %lld bytes, dtype and shape make %llu",
                           (long long)(end - begin), (unsigned long long)bytes);
    tensor->bytes = bytes;
    tensor->offset = r->data + (uint64_t)begin;
    if (dpi_storage_whole(r->storage) == dpi_storage_size(r->storage)) // else only the header can be read
        tensor->data = dpi_storage_bytes(r->storage) + tensor->offset;
    return DP_OK;
}

static int read_tensor(const reader *r, const char *name, const json_t *entry, dpi_tensor *tensor)
{
    uint64_t bytes = 0;

    if (!json_is_object(entry))
        return locate(r, name, fail(r, name, "entry is not an object"));
    tensor->name = dpi_copy_text(r->memory, name, r->error);
    if (!tensor->name)
        return DP_E_MEMORY;
    int rc = read_type(r, name, json_object_get(entry, "dtype"), &tensor->type);
    if (!rc)
        rc = read_shape(r, json_object_get(entry, "shape"), tensor, &bytes);
    if (!rc)
        rc = read_range(r, json_object_get(entry, "data_offsets"), tensor, bytes);
    if (!rc)
        tensor->storage = dpi_storage_keep(r->storage);
    return locate(r, name, rc);
}

static int check_metadata(const reader *r, const json_t *metadata)
{
    const char *key;
    json_t *value;

    if (!json_is_object(metadata))
        return locate(r, "__metadata__", fail(r, "__metadata__", "is not an object"));
    json_object_foreach ((json_t *)(uintptr_t)metadata, key, value)
        if (!json_is_string(value))
            return locate(r, key, fail(r, key, "metadata is not a string"));
    return DP_OK;
}

static int by_offset(const void *a, const void *b)
{
    const dpi_tensor *x = a, *y = b;

    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

// Tensors in file order must tile the data.
static int check_tiling(const reader *r, const dpi_safetensors *file)
{
    uint64_t at = r->data;

    for (size_t i = 0; i < file->count; i++) {
        const dpi_tensor *tensor = &file->tensors[i];
        const dpi_place place = {.file = r->name, .item = tensor->name, .offset = (int64_t)tensor->offset};
        if (tensor->offset < at)
            return dpi_fail_at(r->error, DP_E_FORMAT, &place, "begins at byte %llu inside \"%.80s\"",
                               (unsigned long long)tensor->offset, file->tensors[i - 1].name);
        if (tensor->offset > at)
            return dpi_fail_at(r->error, DP_E_FORMAT, &place, "begins at byte %llu, after a hole from byte %llu",
                               (unsigned long long)tensor->offset, (unsigned long long)at);
        at += tensor->bytes;
    }
    if (at != r->data + r->data_size) {
        const dpi_place place = {.file = r->name, .offset = (int64_t)at};
        return dpi_fail_at(r->error, DP_E_FORMAT, &place, "%llu bytes follow the last tensor",
                           (unsigned long long)(r->data + r->data_size - at));
    }
    return DP_OK;
}

static int read_tensors(const reader *r, const json_t *root, dpi_safetensors *file)
{
    const char *name;
    json_t *entry;
    int rc = DP_OK;

    file->tensors = dpi_alloc(r->memory, json_object_size(root), sizeof *file->tensors, r->error);
    if (!file->tensors)
        return DP_E_MEMORY;
    json_object_foreach ((json_t *)(uintptr_t)root, name, entry) {
        if (strcmp(name, "__metadata__") == 0)
            rc = check_metadata(r, entry);
        else
            rc = read_tensor(r, name, entry, &file->tensors[file->count++]);
        if (rc)
            return rc;
    }
    if (file->count > 1)
        qsort(file->tensors, file->count, sizeof *file->tensors, by_offset);
    rc = check_tiling(r, file);
    for (size_t i = 0; !rc && i < file->count; i++)
        rc = dpi_tensor_align(r->memory, &file->tensors[i], r->error);
    return rc;
}

// The header's length and place, before any of it is read.
static int find_header(reader *r)
{
    const unsigned char *bytes = dpi_storage_bytes(r->storage);
    const uint64_t size = dpi_storage_whole(r->storage);
    const dpi_place place = {.file = r->name, .offset = 0};

    if (size < PREFIX)
        return dpi_fail_at(r->error, DP_E_FORMAT, &place, "%llu bytes are no safetensors file, which begins with 8",
                           (unsigned long long)size);
    const uint64_t length = dpi_le_read(bytes, PREFIX);
    if (length > MOST_HEADER)
        return dpi_fail_at(r->error, DP_E_FORMAT, &place, "header of %llu bytes, at most %d are allowed",
                           (unsigned long long)length, MOST_HEADER);
    if (length > size - PREFIX)
        return dpi_fail_at(r->error, DP_E_FORMAT, &place, "header of %llu bytes in a file that has %llu after it",
                           (unsigned long long)length, (unsigned long long)(size - PREFIX));
    if (length == 0 || bytes[PREFIX] != '{') {
        const dpi_place start = {.file = r->name, .offset = PREFIX};
        return dpi_fail_at(r->error, DP_E_FORMAT, &start, "header does not begin with '{'");
    }
    r->header = (const char *)bytes + PREFIX;
    r->header_size = (size_t)length;
    r->data = PREFIX + length;
    r->data_size = size - r->data;
    return DP_OK;
}

int dpi_safetensors_read(dpi_safetensors **out, dpi_memory *memory, dpi_storage *storage, const char *name,
                         dp_error *error)
{
    reader r = {.memory = memory, .storage = storage, .name = name, .error = error};
    json_t *root = NULL;
    int rc = find_header(&r);

    if (rc)
        return rc;
    rc = dpi_json_parse(&root, r.header, r.header_size, name, error);
    if (rc) {
        if (error && error->offset >= 0)
            error->offset += PREFIX; // the parser counts from the header
        return rc;
    }
    dpi_safetensors *file = dpi_alloc(memory, 1, sizeof *file, error);
    rc = file ? DP_OK : DP_E_MEMORY;
    if (!rc) {
        file->memory = memory;
        rc = read_tensors(&r, root, file);
    }
    json_decref(root);
    if (rc) {
        dpi_safetensors_free(file);
        return rc;
    }
    *out = file;
    return DP_OK;
}

void dpi_safetensors_free(dpi_safetensors *file)
{
    if (!file)
        return;
    dpi_tensors_free(file->memory, file->tensors, file->count);
    dpi_free(file->memory, file);
}
