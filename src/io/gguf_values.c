// GGUF values by key, checked for type and range.
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "io/bytes.h"
#include "io/gguf.h"
#include "io/gguf_parse.h"

const dpi_gguf_entry *dpi_gguf_find(const dpi_gguf *file, const char *key)
{
    const size_t size = strlen(key);

    for (size_t i = 0; i < file->entry_count; i++)
        if (file->entries[i].key_size == size && memcmp(file->entries[i].key, key, size) == 0)
            return &file->entries[i];
    return NULL;
}

static const dpi_gguf_entry *wanted(const dpi_gguf *file, const char *key, int required, int *rc, dp_error *error)
{
    const dpi_place place = {.file = file->name, .item = key, .offset = -1};
    const dpi_gguf_entry *entry = dpi_gguf_find(file, key);

    *rc = entry || !required ? DP_OK : dpi_fail_at(error, DP_E_FORMAT, &place, "\"%s\" is missing", key);
    return entry;
}

static dpi_place place_of(const dpi_gguf *file, const char *key, const dpi_gguf_entry *entry)
{
    return (dpi_place){.file = file->name, .item = key, .offset = (int64_t)entry->offset};
}

static int wrong(const dpi_gguf *file, const char *key, const dpi_gguf_entry *entry, const char *expected,
                 dp_error *error)
{
    const dpi_place place = place_of(file, key, entry);

    return dpi_fail_at(error, DP_E_FORMAT, &place, "\"%s\" is of type %s, expected %s", key,
                       dpi_gguf_type_name(entry->type), expected);
}

// An integer of any width; 0 when the type is no integer.  *huge: above INT64_MAX.
static int integer(const dpi_gguf_entry *entry, int64_t *out, int *huge)
{
    const uint64_t raw = dpi_le_read(entry->data, dpi_gguf_width(entry->type));

    *huge = 0;
    switch (entry->type) {
    case DPI_GGUF_I8:
        *out = (int8_t)raw;
        return 1;
    case DPI_GGUF_I16:
        *out = (int16_t)raw;
        return 1;
    case DPI_GGUF_I32:
        *out = (int32_t)raw;
        return 1;
    case DPI_GGUF_U64:
        *huge = raw > INT64_MAX;
        *out = (int64_t)raw;
        return 1;
    case DPI_GGUF_U8:
    case DPI_GGUF_U16:
    case DPI_GGUF_U32:
    case DPI_GGUF_I64:
        *out = (int64_t)raw;
        return 1;
    default:
        return 0;
    }
}

int dpi_gguf_int(const dpi_gguf *file, const char *key, int required, int64_t least, int64_t most, int64_t *out,
                 dp_error *error)
{
    int64_t value;
    int rc, huge;
    const dpi_gguf_entry *entry = wanted(file, key, required, &rc, error);

    if (!entry)
        return rc;
    if (!integer(entry, &value, &huge))
        return wrong(file, key, entry, "an integer", error);
    const dpi_place place = place_of(file, key, entry);
    if (huge)
        return dpi_fail_at(error, DP_E_FORMAT, &place, "\"%s\" is %llu, expected %lld to %lld", key,
                           (unsigned long long)value, (long long)least, (long long)most);
    if (value < least || value > most)
        return dpi_fail_at(error, DP_E_FORMAT, &place, "\"%s\" is %lld, expected %lld to %lld", key,
                           (long long)value, (long long)least, (long long)most);
    *out = value;
    return DP_OK;
}

int dpi_gguf_real(const dpi_gguf *file, const char *key, int required, double *out, dp_error *error)
{
    float single;
    double value;
    int64_t whole;
    int rc, huge;
    const dpi_gguf_entry *entry = wanted(file, key, required, &rc, error);

    if (!entry)
        return rc;
    if (entry->type == DPI_GGUF_F32) {
        memcpy(&single, entry->data, sizeof single);
        value = (double)single;
    } else if (entry->type == DPI_GGUF_F64) {
        memcpy(&value, entry->data, sizeof value);
    } else if (integer(entry, &whole, &huge)) {
        value = huge ? (double)(uint64_t)whole : (double)whole;
    } else {
        return wrong(file, key, entry, "a number", error);
    }
    const dpi_place place = place_of(file, key, entry);
    if (!isfinite(value))
        return dpi_fail_at(error, DP_E_FORMAT, &place, "\"%s\" is not finite", key);
    *out = value;
    return DP_OK;
}

int dpi_gguf_bool(const dpi_gguf *file, const char *key, int required, int *out, dp_error *error)
{
    int rc;
    const dpi_gguf_entry *entry = wanted(file, key, required, &rc, error);

    if (!entry)
        return rc;
    if (entry->type != DPI_GGUF_BOOL)
        return wrong(file, key, entry, "bool", error);
    const dpi_place place = place_of(file, key, entry);
    if (entry->data[0] > 1)
        return dpi_fail_at(error, DP_E_FORMAT, &place, "\"%s\" is %d, expected 0 or 1", key, entry->data[0]);
    *out = entry->data[0];
    return DP_OK;
}

int dpi_gguf_string(const dpi_gguf *file, const char *key, int required, const char **out, size_t *size,
                    dp_error *error)
{
    int rc;
    const dpi_gguf_entry *entry = wanted(file, key, required, &rc, error);

    if (!entry)
        return rc;
    if (entry->type != DPI_GGUF_STRING)
        return wrong(file, key, entry, "string", error);
    *size = (size_t)dpi_le_read(entry->data, 8);
    *out = (const char *)entry->data + 8;
    return DP_OK;
}

int dpi_gguf_array(const dpi_gguf *file, const char *key, int required, int32_t element, const dpi_gguf_entry **out,
                   dp_error *error)
{
    int rc;
    const dpi_gguf_entry *entry = wanted(file, key, required, &rc, error);

    if (!entry)
        return rc;
    if (entry->type != DPI_GGUF_ARRAY)
        return wrong(file, key, entry, "array", error);
    const dpi_place place = place_of(file, key, entry);
    if (entry->element != element)
        return dpi_fail_at(error, DP_E_FORMAT, &place, "\"%s\" is an array of %s, expected %s", key,
                           dpi_gguf_type_name(entry->element), dpi_gguf_type_name(element));
    *out = entry;
    return DP_OK;
}

void dpi_gguf_next(const unsigned char **cursor, const char **string, size_t *size)
{
    *size = (size_t)dpi_le_read(*cursor, 8);
    *string = (const char *)*cursor + 8;
    *cursor += 8 + *size;
}
