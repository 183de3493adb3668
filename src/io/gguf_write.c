// GGUF out, version 3: keys in the order they were first put, tensor infos, padding.
#include "io/gguf.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/size.h"
#include "base/text.h"
#include "io/bytes.h"
#include "io/gguf_parse.h"
#include "tensor/dtype.h"

enum { USUAL_ALIGNMENT = 32, MOST_ALIGNMENT = 1 << 20, MOST_TENSOR_NAME = 63 };

// A key with its value as in the file; replaced ones point to what is written in their stead.
typedef struct item {
    dpi_text text; // length, key, type, value
    size_t key_size;
    size_t sequence;
    const struct item *shown; // at header time: the last put of this key; NULL: written elsewhere
} item;

struct dpi_gguf_out {
    dpi_memory *memory;
    item *items;
    size_t count, capacity;
    uint32_t alignment;
};

int dpi_gguf_out_open(dpi_gguf_out **out, dpi_memory *memory, uint32_t alignment, dp_error *error)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > MOST_ALIGNMENT)
        return dpi_fail(error, DP_E_ARGUMENT, "gguf alignment is %u, expected a power of two up to %d", alignment,
                        MOST_ALIGNMENT);
    dpi_gguf_out *made = dpi_alloc(memory, 1, sizeof *made, error);
    if (!made)
        return DP_E_MEMORY;
    made->memory = memory;
    made->alignment = alignment;
    *out = made;
    return DP_OK;
}

void dpi_gguf_out_free(dpi_gguf_out *out)
{
    if (!out)
        return;
    for (size_t i = 0; i < out->count; i++)
        dpi_text_clear(&out->items[i].text);
    dpi_free(out->memory, out->items);
    dpi_free(out->memory, out);
}

static int add_number(dpi_text *text, int bytes, uint64_t value, dp_error *error)
{
    unsigned char raw[8];

    dpi_le_write(raw, bytes, value);
    return dpi_text_add(text, raw, (size_t)bytes, error);
}

static int add_string(dpi_text *text, const char *string, size_t size, dp_error *error)
{
    const int rc = add_number(text, 8, size, error);

    return rc ? rc : dpi_text_add(text, string, size, error);
}

// A new item with key and type; the caller adds the value.
static int begin(dpi_gguf_out *out, const char *key, size_t key_size, int32_t type, dpi_text **text,
                 dp_error *error)
{
    if (out->count == out->capacity) {
        const size_t capacity = out->capacity ? 2 * out->capacity : 64;
        void *items = out->items;
        const int rc = dpi_grow(out->memory, &items, out->capacity, capacity, sizeof *out->items, error);
        if (rc)
            return rc;
        out->items = items;
        out->capacity = capacity;
    }
    item *fresh = &out->items[out->count];
    *fresh = (item){.text.memory = out->memory, .key_size = key_size, .sequence = out->count};
    int rc = add_string(&fresh->text, key, key_size, error);
    if (!rc)
        rc = add_number(&fresh->text, 4, (uint64_t)type, error);
    if (rc) {
        dpi_text_clear(&fresh->text);
        return rc;
    }
    out->count++;
    *text = &fresh->text;
    return DP_OK;
}

// A value that failed half-way takes its item with it.
static int finish(dpi_gguf_out *out, int rc)
{
    if (rc)
        dpi_text_clear(&out->items[--out->count].text);
    return rc;
}

static int put_number(dpi_gguf_out *out, const char *key, int32_t type, uint64_t value, dp_error *error)
{
    dpi_text *text;
    const int rc = begin(out, key, strlen(key), type, &text, error);

    return rc ? rc : finish(out, add_number(text, dpi_gguf_width(type), value, error));
}

int dpi_gguf_put_u32(dpi_gguf_out *out, const char *key, uint32_t value, dp_error *error)
{
    return put_number(out, key, DPI_GGUF_U32, value, error);
}

int dpi_gguf_put_f32(dpi_gguf_out *out, const char *key, float value, dp_error *error)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return put_number(out, key, DPI_GGUF_F32, bits, error);
}

int dpi_gguf_put_bool(dpi_gguf_out *out, const char *key, int value, dp_error *error)
{
    return put_number(out, key, DPI_GGUF_BOOL, value != 0, error);
}

int dpi_gguf_put_string(dpi_gguf_out *out, const char *key, const char *value, size_t size, dp_error *error)
{
    dpi_text *text;
    const int rc = begin(out, key, strlen(key), DPI_GGUF_STRING, &text, error);

    return rc ? rc : finish(out, add_string(text, value, size, error));
}

static int add_array_head(dpi_text *text, int32_t element, uint64_t count, dp_error *error)
{
    const int rc = add_number(text, 4, (uint64_t)element, error);

    return rc ? rc : add_number(text, 8, count, error);
}

int dpi_gguf_put_array(dpi_gguf_out *out, const char *key, int32_t element, const void *data, uint64_t count,
                       dp_error *error)
{
    const dpi_place place = {.item = key, .offset = -1};
    const int width = dpi_gguf_width(element);
    dpi_text *text;
    size_t bytes;

    if (width < 1 || dpi_mul_size((size_t)count, (size_t)width, &bytes))
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "an array of %llu elements of type %s cannot be put",
                           (unsigned long long)count, dpi_gguf_type_name(element));
    int rc = begin(out, key, strlen(key), DPI_GGUF_ARRAY, &text, error);
    if (rc)
        return rc;
    rc = add_array_head(text, element, count, error);
    return finish(out, rc ? rc : dpi_text_add(text, data, bytes, error));
}

int dpi_gguf_put_strings(dpi_gguf_out *out, const char *key, const char *const *strings, const size_t *sizes,
                         uint64_t count, dp_error *error)
{
    dpi_text *text;
    int rc = begin(out, key, strlen(key), DPI_GGUF_ARRAY, &text, error);

    if (rc)
        return rc;
    rc = add_array_head(text, DPI_GGUF_STRING, count, error);
    for (uint64_t i = 0; !rc && i < count; i++)
        rc = add_string(text, strings[i], sizes[i], error);
    return finish(out, rc);
}

int dpi_gguf_put_entry(dpi_gguf_out *out, const dpi_gguf_entry *entry, dp_error *error)
{
    dpi_text *text;
    int rc = begin(out, entry->key, (size_t)entry->key_size, entry->type, &text, error);

    if (rc)
        return rc;
    if (entry->type == DPI_GGUF_ARRAY)
        rc = add_array_head(text, entry->element, entry->count, error);
    return finish(out, rc ? rc : dpi_text_add(text, entry->data, (size_t)entry->bytes, error));
}

static int same_key(const item *a, const item *b)
{
    return a->key_size == b->key_size && memcmp(a->text.data + 8, b->text.data + 8, a->key_size) == 0;
}

static int by_key(const void *a, const void *b)
{
    const item *x = *(const item *const *)a, *y = *(const item *const *)b;
    const int order =
        memcmp(x->text.data, y->text.data, 8 + (x->key_size < y->key_size ? x->key_size : y->key_size));

    if (order)
        return order; // the length is in front, so equal prefixes are equal keys
    return x->sequence < y->sequence ? -1 : 1;
}

// Let the first put of each key show the last one, and count what will be written.
static int resolve(dpi_gguf_out *out, uint64_t *written, dp_error *error)
{
    item **sorted = dpi_alloc(out->memory, out->count, sizeof *sorted, error);

    if (!sorted)
        return DP_E_MEMORY;
    for (size_t i = 0; i < out->count; i++) {
        sorted[i] = &out->items[i];
        out->items[i].shown = NULL;
    }
    if (out->count > 1)
        qsort(sorted, out->count, sizeof *sorted, by_key);
    *written = 0;
    for (size_t i = 0, first = 0; i < out->count; i++) {
        if (i == 0 || !same_key(sorted[i - 1], sorted[i])) {
            first = i;
            ++*written;
        }
        sorted[first]->shown = sorted[i];
    }
    dpi_free(out->memory, sorted);
    return DP_OK;
}

// Move *at past a tensor whose rows have `bytes` bytes, to the next multiple of the alignment.
static int move_past(const dpi_tensor *tensor, uint64_t bytes, uint32_t alignment, uint64_t *at, dp_error *error)
{
    const dpi_place place = {.item = tensor->name, .offset = -1};

    for (int32_t i = 0; i + 1 < tensor->dims; i++)
        if (tensor->shape[i] < 1 || dpi_mul_u64(bytes, (uint64_t)tensor->shape[i], &bytes))
            return dpi_fail_at(error, DP_E_ARGUMENT, &place, "shape is larger than 64 bits can count");
    if (dpi_add_u64(*at, bytes, at) || dpi_add_u64(*at, alignment - 1, at))
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "tensors are larger than 64 bits can count");
    *at &= ~(uint64_t)(alignment - 1);
    return DP_OK;
}

static int add_tensor(dpi_text *text, const dpi_tensor *tensor, uint64_t *at, uint32_t alignment, dp_error *error)
{
    const dpi_place place = {.item = tensor->name, .offset = -1};
    const size_t size = strlen(tensor->name);
    uint64_t bytes;

    if (size == 0 || size > MOST_TENSOR_NAME)
        return dpi_fail_at(error, DP_E_UNSUPPORTED, &place, "has a name of %zu bytes, gguf readers take 1 to %d",
                           size, MOST_TENSOR_NAME);
    if (tensor->dims < 1 || dpi_row_bytes(tensor->type, tensor->shape[tensor->dims - 1], &bytes))
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "has no rows of whole %s blocks",
                           dp_type_name(tensor->type));
    int rc = add_string(text, tensor->name, size, error);
    if (!rc)
        rc = add_number(text, 4, (uint64_t)tensor->dims, error);
    for (int32_t i = tensor->dims; !rc && i-- > 0;)
        rc = add_number(text, 8, (uint64_t)tensor->shape[i], error);
    if (!rc)
        rc = add_number(text, 4, (uint64_t)tensor->type, error);
    if (!rc)
        rc = add_number(text, 8, *at, error);
    return rc ? rc : move_past(tensor, bytes, alignment, at, error);
}

static int add_head(const dpi_gguf_out *out, dpi_text *text, uint64_t entries, uint64_t tensors, dp_error *error)
{
    int rc = dpi_text_add(text, "GGUF\3\0\0", 8, error);

    if (!rc)
        rc = add_number(text, 8, tensors, error);
    if (!rc)
        rc = add_number(text, 8, entries, error);
    for (size_t i = 0; !rc && i < out->count; i++)
        if (out->items[i].shown)
            rc = dpi_text_add(text, out->items[i].shown->text.data, out->items[i].shown->text.size, error);
    return rc;
}

// A file aligned otherwise than usual says so; a copied entry must not say something else.
static int state_alignment(dpi_gguf_out *out, dp_error *error)
{
    static const char key[] = "general.alignment";
    int said = out->alignment != USUAL_ALIGNMENT;

    for (size_t i = 0; i < out->count; i++)
        said |= out->items[i].key_size == sizeof key - 1 &&
                memcmp(out->items[i].text.data + 8, key, sizeof key - 1) == 0;
    return said ? dpi_gguf_put_u32(out, key, out->alignment, error) : DP_OK;
}

int dpi_gguf_header(dpi_gguf_out *out, dpi_writer *writer, const dpi_tensor *tensors, size_t count,
                    uint64_t *bytes_out, dp_error *error)
{
    dpi_text text = {.memory = out->memory};
    uint64_t entries = 0, at = 0;
    int rc = state_alignment(out, error);

    if (!rc)
        rc = resolve(out, &entries, error);
    if (!rc)
        rc = add_head(out, &text, entries, count, error);
    for (size_t i = 0; !rc && i < count; i++)
        rc = add_tensor(&text, &tensors[i], &at, out->alignment, error);
    if (!rc)
        rc = dpi_writer_add(writer, text.data, text.size, error);
    if (!rc)
        rc = dpi_gguf_pad(out, writer, error);
    if (!rc && bytes_out)
        *bytes_out = dpi_writer_size(writer) + at;
    dpi_text_clear(&text);
    return rc;
}

int dpi_gguf_pad(dpi_gguf_out *out, dpi_writer *writer, dp_error *error)
{
    static const unsigned char zeros[64];
    uint64_t left = (0 - dpi_writer_size(writer)) & (out->alignment - 1);
    int rc = DP_OK;

    while (!rc && left > 0) {
        const uint64_t some = left < sizeof zeros ? left : sizeof zeros;
        rc = dpi_writer_add(writer, zeros, some, error);
        left -= some;
    }
    return rc;
}
