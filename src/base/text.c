// Text that grows, and text handed to hosts.
#include "base/text.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/size.h"

static int reserve(dpi_text *text, size_t more, dp_error *error)
{
    size_t need = 0;

    if (dpi_add_size(text->size, more, &need) || dpi_add_size(need, 1, &need))
        return dpi_fail(error, DP_E_MEMORY, "a text of %zu bytes cannot grow by %zu", text->size, more);
    if (need <= text->capacity)
        return DP_OK;
    size_t capacity = text->capacity ? text->capacity : 64;
    while (capacity < need)
        capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;
    void *data = text->data;
    const int rc = dpi_grow(text->memory, &data, text->capacity, capacity, 1, error);
    if (rc)
        return rc;
    text->data = data;
    text->capacity = capacity;
    return DP_OK;
}

int dpi_text_add(dpi_text *text, const void *bytes, size_t size, dp_error *error)
{
    const int rc = reserve(text, size, error);

    if (rc)
        return rc;
    if (size)
        memcpy(text->data + text->size, bytes, size);
    text->size += size;
    text->data[text->size] = 0;
    return DP_OK;
}

int dpi_text_format(dpi_text *text, dp_error *error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const int size = dpi_vformat(NULL, 0, format, args);
    va_end(args);
    if (size < 0)
        return dpi_fail(error, DP_E_INTERNAL, "a text cannot be formatted");
    const int rc = reserve(text, (size_t)size, error);
    if (rc)
        return rc;
    va_start(args, format);
    dpi_vformat(text->data + text->size, (size_t)size + 1, format, args);
    va_end(args);
    text->size += (size_t)size;
    return DP_OK;
}

void dpi_text_clear(dpi_text *text)
{
    dpi_free(text->memory, text->data);
    text->data = NULL;
    text->size = text->capacity = 0;
}

// The host's locale is set aside for this thread only, for the length of one call.
int dpi_vformat(char *out, size_t capacity, const char *format, va_list args)
{
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    const locale_t before = plain ? uselocale(plain) : (locale_t)0;
    const int size = vsnprintf(out, capacity, format, args);

    if (plain) {
        uselocale(before);
        freelocale(plain);
    }
    return size;
}

static int breaks_the_line(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029;
}

void dpi_clean_text(char *out, size_t capacity, const char *from)
{
    size_t left = strlen(from), size = 0;

    while (left) {
        uint32_t point = 0;
        const size_t read = dpi_utf8_decode(from, left, &point);
        const int bad = !read || breaks_the_line(point);
        const size_t write = bad ? 1 : read;

        if (size + write >= capacity)
            break;
        memcpy(out + size, bad ? "?" : from, write);
        size += write;
        from += read ? read : 1;
        left -= read ? read : 1;
    }
    out[size] = 0;
}

int dpi_give_text(const char *from, size_t size, char *text, size_t capacity, size_t *needed)
{
    if (!text && capacity)
        return DP_E_ARGUMENT;
    if (capacity) {
        size_t fits = size < capacity ? size : capacity - 1;
        while (fits < size && fits && ((unsigned char)from[fits] & 0xC0) == 0x80)
            fits--;
        memcpy(text, from, fits);
        text[fits] = 0;
    }
    if (needed)
        *needed = size + 1;
    return DP_OK;
}
