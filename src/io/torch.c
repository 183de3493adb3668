// PyTorch checkpoints in: ROOT/data.pkl of a zip archive describes tensors, ROOT/data/KEY are their storages.  Each
// tensor must lie inside its storage, contiguous, and each storage must have the size that the pickle says.
#include "io/torch.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/size.h"
#include "io/pickle.h"
#include "io/place.h"
#include "io/zip.h"
#include "tensor/dtype.h"

enum { MOST_ROOT = 255 };

typedef struct reader {
    dpi_memory *memory;
    dpi_storage *storage;
    const char *name; // the file
    dpi_zip *zip;
    char *root; // of the archive's members, with its slash
    const dpi_zip_entry *pickle;
    dp_error *error;
} reader;

static int fail(const reader *r, int32_t code, const char *item, const char *message)
{
    const dpi_place place = {.file = r->name, .item = item, .offset = -1};

    return dpi_fail_at(r->error, code, &place, "%s", message);
}

// root, middle and `size` bytes of `last` in new memory.
static char *join(const reader *r, const char *middle, const char *last, size_t size)
{
    const size_t head = strlen(r->root), body = strlen(middle);
    char *name = dpi_alloc(r->memory, 1, head + body + size + 1, r->error);

    if (!name)
        return NULL;
    memcpy(name, r->root, head);
    memcpy(name + head, middle, body);
    memcpy(name + head + body, last, size);
    return name;
}

static int find(const reader *r, const char *name, const dpi_zip_entry **entry)
{
    char *whole = join(r, "", name, strlen(name));

    if (!whole)
        return DP_E_MEMORY;
    *entry = dpi_zip_find(r->zip, whole);
    dpi_free(r->memory, whole);
    return DP_OK;
}

static int has_code(const reader *r)
{
    const size_t size = strlen(r->root);

    for (size_t i = 0; i < r->zip->count; i++)
        if (strncmp(r->zip->entries[i].name, r->root, size) == 0 &&
            strncmp(r->zip->entries[i].name + size, "code/", 5) == 0)
            return 1;
    return 0;
}

static int check_byte_order(const reader *r)
{
    const dpi_zip_entry *order;
    const int rc = find(r, "byteorder", &order);

    if (rc || !order)
        return rc; // files of PyTorch before 2.1 do not say it
    const unsigned char *said = dpi_storage_bytes(r->storage) + order->data;
    if (order->size == 3 && memcmp(said, "big", 3) == 0)
        return fail(r, DP_E_UNSUPPORTED, order->name,
                    "the checkpoint is big-endian, which is not read: save it on a little-endian machine");
    if (order->size != 6 || memcmp(said, "little", 6) != 0)
        return fail(r, DP_E_FORMAT, order->name, "the byte order is neither \"little\" nor \"big\"");
    return DP_OK;
}

static int check_stored(const reader *r)
{
    for (size_t i = 0; i < r->zip->count; i++) {
        const dpi_zip_entry *entry = &r->zip->entries[i];
        const dpi_place place = {.file = r->name, .item = entry->name, .offset = (int64_t)entry->header};
        if (entry->method != 0)
            return dpi_fail_at(r->error, DP_E_UNSUPPORTED, &place,
                               "the member is compressed (method %d), only stored ones are read", entry->method);
    }
    return DP_OK;
}

// The members that make the archive a state dict, and those that make it something else.
static int check_members(reader *r)
{
    const dpi_zip_entry *constants;
    const char *slash = r->zip->first ? strchr(r->zip->first, '/') : NULL;

    if (!slash || slash - r->zip->first > MOST_ROOT)
        return fail(r, DP_E_FORMAT, NULL,
                    "the zip archive is no PyTorch checkpoint: its members have no folder of at most 255 bytes");
    r->root = dpi_copy_bytes(r->memory, r->zip->first, (size_t)(slash + 1 - r->zip->first), r->error);
    int rc = r->root ? find(r, "constants.pkl", &constants) : DP_E_MEMORY;
    if (rc)
        return rc;
    if (constants || has_code(r))
        return fail(r, DP_E_UNSUPPORTED, constants ? constants->name : "code",
                    "the file is a TorchScript program, which is not read: save the module's state_dict() with "
                    "torch.save");
    rc = check_stored(r);
    if (!rc)
        rc = find(r, "data.pkl", &r->pickle);
    if (!rc && !r->pickle)
        return fail(r, DP_E_FORMAT, "data.pkl", "the zip archive is no PyTorch checkpoint: it has no data.pkl");
    return rc ? rc : check_byte_order(r);
}

// What other programs and older versions wrote under the same file name.
static int check_beginning(const reader *r)
{
    static const unsigned char magic[] = {0x80, 2,    0x8a, 10,   0x6c, 0xfc, 0x9c,
                                          0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
    const unsigned char *bytes = dpi_storage_bytes(r->storage);
    const uint64_t size = dpi_storage_size(r->storage);
    const dpi_place start = {.file = r->name, .offset = 0};

    if (size >= sizeof magic && memcmp(bytes, magic, sizeof magic) == 0)
        return dpi_fail_at(
            r->error, DP_E_UNSUPPORTED, &start,
            "is in the format of PyTorch before 1.6, which is not read: torch.load it and torch.save "
            "it again");
    if (size >= 2 && bytes[0] == 0x80)
        return dpi_fail_at(r->error, DP_E_UNSUPPORTED, &start,
                           "is a pickle without a zip archive, which is not read: torch.load it and torch.save it "
                           "again");
    if (size < 4 || memcmp(bytes, "PK\3\4", 4) != 0)
        return dpi_fail_at(r->error, DP_E_FORMAT, &start, "does not begin as a zip archive, which a checkpoint is");
    return DP_OK;
}

// Row after row without gaps; strides of dimensions of one element do not matter, nor any of an empty tensor.
static int is_contiguous(const dpi_pickled *from, uint64_t count)
{
    int64_t expected = 1;

    for (int32_t i = from->dims; count > 0 && i-- > 0;) {
        if (from->shape[i] != 1 && from->strides[i] != expected)
            return 0;
        expected *= from->shape[i];
    }
    return 1;
}

static int check_numbers(const reader *r, const dpi_pickled *from, dpi_tensor *tensor, const dpi_place *place)
{
    uint64_t count = 1;

    if (from->type < 0)
        return dpi_fail_at(r->error, DP_E_UNSUPPORTED, place,
                           "%s is not read; Float, Half, BFloat16, Double and Int are", from->type_name);
    tensor->bytes = (uint64_t)from->width;
    for (int32_t i = 0; i < from->dims; i++)
        if (dpi_mul_u64(count, (uint64_t)from->shape[i], &count) ||
            dpi_mul_u64(tensor->bytes, (uint64_t)from->shape[i], &tensor->bytes) || tensor->bytes > INT64_MAX)
            return dpi_fail_at(r->error, DP_E_FORMAT, place, "shape is larger than 64 bits can count");
    if (!is_contiguous(from, count))
        return dpi_fail_at(
            r->error, DP_E_UNSUPPORTED, place,
            "is a view with strides, transposed or cut, which is not read: save tensor.contiguous()");
    if ((uint64_t)from->first > (uint64_t)from->elements || count > (uint64_t)(from->elements - from->first))
        return dpi_fail_at(r->error, DP_E_FORMAT, place, "has %llu elements from %lld on, its storage has %lld",
                           (unsigned long long)count, (long long)from->first, (long long)from->elements);
    return DP_OK;
}

static int find_data(const reader *r, const dpi_pickled *from, dpi_tensor *tensor, const dpi_place *place)
{
    uint64_t bytes = 0;
    char *name = join(r, "data/", from->key, from->key_size);

    if (!name)
        return DP_E_MEMORY;
    const dpi_zip_entry *entry = dpi_zip_find(r->zip, name);
    dpi_free(r->memory, name);
    if (!entry)
        return dpi_fail_at(r->error, DP_E_FORMAT, place,
                           "lies in storage \"%.*s\", which the archive does not have",
                           (int)(from->key_size < 80 ? from->key_size : 80), from->key);
    if (dpi_mul_u64((uint64_t)from->elements, (uint64_t)from->width, &bytes) || bytes != entry->size)
        return dpi_fail_at(r->error, DP_E_FORMAT, place,
                           "lies in a storage of %lld elements of %d bytes, its member has %llu bytes",
                           (long long)from->elements, from->width, (unsigned long long)entry->size);
    tensor->offset = entry->data + (uint64_t)from->first * (uint64_t)from->width;
    tensor->data = dpi_storage_bytes(r->storage) + tensor->offset;
    return DP_OK;
}

static int read_tensor(const reader *r, const dpi_pickled *from, dpi_tensor *tensor)
{
    dpi_place place = {.file = r->name, .offset = (int64_t)(r->pickle->data + from->at)};

    tensor->name = dpi_copy_bytes(r->memory, from->name, from->name_size, r->error);
    if (!tensor->name)
        return DP_E_MEMORY;
    place.item = tensor->name;
    tensor->type = from->type;
    tensor->dims = from->dims;
    memcpy(tensor->shape, from->shape, sizeof tensor->shape);
    int rc = check_numbers(r, from, tensor, &place);
    if (!rc)
        rc = find_data(r, from, tensor, &place);
    if (!rc)
        tensor->storage = dpi_storage_keep(r->storage);
    return rc;
}

static int by_place(const void *a, const void *b)
{
    const dpi_tensor *x = a, *y = b;

    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return strcmp(x->name, y->name);
}

// In file order and aligned.
static int arrange(const reader *r, dpi_safetensors *file)
{
    int rc = DP_OK;

    qsort(file->tensors, file->count, sizeof *file->tensors, by_place);
    for (size_t i = 0; !rc && i < file->count; i++)
        rc = dpi_tensor_align(r->memory, &file->tensors[i], r->error);
    return rc;
}

static int read_tensors(const reader *r, const dpi_pickled *all, size_t count, dpi_safetensors *file)
{
    int rc = DP_OK;

    file->memory = r->memory;
    file->tensors = dpi_alloc(r->memory, count, sizeof *file->tensors, r->error);
    if (!file->tensors)
        return DP_E_MEMORY;
    while (!rc && file->count < count) {
        rc = read_tensor(r, &all[file->count], &file->tensors[file->count]);
        file->count++;
    }
    return rc ? rc : arrange(r, file);
}

static int read_pickle(const reader *r, dpi_safetensors **out)
{
    const dpi_pickle_input input = {.bytes = dpi_storage_bytes(r->storage) + r->pickle->data,
                                    .size = (size_t)r->pickle->size,
                                    .file = r->name,
                                    .offset = r->pickle->data};
    dpi_pickled *all = NULL;
    size_t count = 0;
    int rc = dpi_pickle_read(&all, &count, r->memory, &input, r->error);

    if (rc)
        return rc;
    dpi_safetensors *file = dpi_alloc(r->memory, 1, sizeof *file, r->error);
    rc = file ? read_tensors(r, all, count, file) : DP_E_MEMORY;
    dpi_free(r->memory, all);
    if (rc) {
        dpi_safetensors_free(file);
        return rc;
    }
    *out = file;
    return DP_OK;
}

int dpi_torch_read(dpi_safetensors **out, dpi_memory *memory, dpi_storage *storage, const char *name,
                   dp_error *error)
{
    reader r = {.memory = memory, .storage = storage, .name = name, .error = error};
    int rc = check_beginning(&r);

    if (!rc)
        rc = dpi_zip_read(&r.zip, memory, dpi_storage_bytes(storage), dpi_storage_size(storage), name, error);
    if (!rc)
        rc = check_members(&r);
    if (!rc)
        rc = read_pickle(&r, out);
    dpi_free(memory, r.root);
    dpi_zip_free(r.zip);
    return rc;
}
