// GGUF, the parts: bounded numbers, strings, keys with values.  Every count is compared with the bytes that remain.
#include "io/gguf_parse.h"

#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "io/bytes.h"

enum { MOST_KEY = 65535 };

dpi_gguf_label dpi_gguf_label_of(const char *bytes, uint64_t size)
{
    dpi_gguf_label label = {""};
    const size_t most = sizeof label.text - 1;

    memcpy(label.text, bytes, size < most ? (size_t)size : most);
    return label;
}

int dpi_gguf_fail(const dpi_gguf_cursor *cursor, int32_t code, uint64_t offset, const char *format, ...)
{
    const dpi_place place = {.file = cursor->name, .item = cursor->item, .offset = (int64_t)offset};
    char message[256];
    va_list values;

    va_start(values, format);
    dpi_vformat(message, sizeof message, format, values);
    va_end(values);
    return dpi_fail_at(cursor->error, code, &place, "%s", message);
}

int dpi_gguf_take(dpi_gguf_cursor *cursor, int bytes, const char *what, uint64_t *out)
{
    if (cursor->size - cursor->at < (uint64_t)bytes)
        return dpi_gguf_fail(cursor, DP_E_FORMAT, cursor->at, "the file ends inside %s", what);
    *out = dpi_le_read(cursor->bytes + cursor->at, bytes);
    cursor->at += (uint64_t)bytes;
    return DP_OK;
}

int dpi_gguf_take_string(dpi_gguf_cursor *cursor, const char *what, const char **out, uint64_t *size)
{
    const uint64_t start = cursor->at;
    const int rc = dpi_gguf_take(cursor, 8, what, size);

    if (rc)
        return rc;
    if (*size > cursor->size - cursor->at)
        return dpi_gguf_fail(cursor, DP_E_FORMAT, start, "%s of %llu bytes, %llu remain", what,
                             (unsigned long long)*size, (unsigned long long)(cursor->size - cursor->at));
    *out = (const char *)cursor->bytes + cursor->at;
    cursor->at += *size;
    return DP_OK;
}

int dpi_gguf_width(int32_t type)
{
    static const signed char widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

    return type >= 0 && type <= DPI_GGUF_F64 ? widths[type] : -1;
}

const char *dpi_gguf_type_name(int32_t type)
{
    static const char *const names[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                        "bool", "string", "array", "u64", "i64", "f64"};

    return type >= 0 && type <= DPI_GGUF_F64 ? names[type] : "unknown";
}

static int take_strings(dpi_gguf_cursor *cursor, uint64_t count)
{
    const char *string;
    uint64_t size;
    int rc = DP_OK;

    for (uint64_t i = 0; !rc && i < count; i++)
        rc = dpi_gguf_take_string(cursor, "a string of the array", &string, &size);
    return rc;
}

static int take_array(dpi_gguf_cursor *cursor, dpi_gguf_entry *entry)
{
    const uint64_t start = cursor->at;
    uint64_t element = 0, count = 0;
    int rc = dpi_gguf_take(cursor, 4, "an element type", &element);

    if (!rc)
        rc = dpi_gguf_take(cursor, 8, "an array length", &count);
    if (rc)
        return rc;
    if (element == DPI_GGUF_ARRAY)
        return dpi_gguf_fail(cursor, DP_E_UNSUPPORTED, start, "is an array of arrays");
    if (element > DPI_GGUF_F64)
        return dpi_gguf_fail(cursor, DP_E_FORMAT, start, "is an array of unknown type %llu",
                             (unsigned long long)element);
    const int width = dpi_gguf_width((int32_t)element);
    const uint64_t least = width ? (uint64_t)width : 8; // a string has its length in front
    if (count > (cursor->size - cursor->at) / least)
        return dpi_gguf_fail(cursor, DP_E_FORMAT, start + 4, "is an array of %llu elements, %llu bytes remain",
                             (unsigned long long)count, (unsigned long long)(cursor->size - cursor->at));
    entry->element = (int32_t)element;
    entry->count = count;
    entry->offset = cursor->at;
    if (!width)
        return take_strings(cursor, count);
    cursor->at += count * (uint64_t)width;
    return DP_OK;
}

static int take_value(dpi_gguf_cursor *cursor, dpi_gguf_entry *entry)
{
    const int width = dpi_gguf_width(entry->type);
    const char *string;
    uint64_t size;
    int rc = DP_OK;

    entry->count = 1;
    entry->offset = cursor->at;
    if (entry->type == DPI_GGUF_ARRAY)
        rc = take_array(cursor, entry);
    else if (entry->type == DPI_GGUF_STRING)
        rc = dpi_gguf_take_string(cursor, "a string", &string, &size);
    else
        rc = dpi_gguf_take(cursor, width, "a value", &size);
    entry->data = cursor->bytes + entry->offset;
    entry->bytes = cursor->at - entry->offset;
    return rc;
}

int dpi_gguf_take_entry(dpi_gguf_cursor *cursor, dpi_gguf_entry *entry)
{
    const uint64_t start = cursor->at;
    uint64_t type = 0;

    cursor->item = NULL;
    int rc = dpi_gguf_take_string(cursor, "a key", &entry->key, &entry->key_size);
    if (rc)
        return rc;
    const dpi_gguf_label label = dpi_gguf_label_of(entry->key, entry->key_size);
    if (entry->key_size == 0 || entry->key_size > MOST_KEY)
        return dpi_gguf_fail(cursor, DP_E_FORMAT, start, "a key of %llu bytes, expected 1 to %d",
                             (unsigned long long)entry->key_size, MOST_KEY);
    cursor->item = label.text;
    if (memchr(entry->key, 0, (size_t)entry->key_size))
        rc = dpi_gguf_fail(cursor, DP_E_FORMAT, start + 8, "a key holds a zero byte");
    if (!rc)
        rc = dpi_gguf_take(cursor, 4, "a value type", &type);
    if (!rc && type > DPI_GGUF_F64)
        rc = dpi_gguf_fail(cursor, DP_E_FORMAT, cursor->at - 4, "has the unknown value type %llu",
                           (unsigned long long)type);
    if (!rc) {
        entry->type = (int32_t)type;
        rc = take_value(cursor, entry);
    }
    cursor->item = NULL;
    return rc;
}
