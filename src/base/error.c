// The caller's error record: filled once, at the place that knows; allocates nothing.
#include "base/error.h"

#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"

enum { MESSAGE_ROOM = 1024 }; // longer than any record's message, so that the cut is made after cleaning

// The end of a long file name says more than its beginning.
static const char *tail_that_fits(const char *text, size_t capacity)
{
    const size_t size = strlen(text);

    if (size < capacity)
        return text;
    text += size - (capacity - 1);
    for (int i = 0; i < 3 && ((unsigned char)*text & 0xC0) == 0x80; i++)
        text++;
    return text;
}

static void fill(dp_error *error, int32_t code, const dpi_place *place, const char *message)
{
    dp_error record = {.offset = place->offset,
                       .code = code,
                       .system_error = place->system_error,
                       .line = place->line,
                       .column = place->column};

    if (place->file)
        dpi_clean_text(record.file, sizeof record.file, tail_that_fits(place->file, sizeof record.file));
    if (place->item)
        dpi_clean_text(record.item, sizeof record.item, place->item);
    dpi_clean_text(record.message, sizeof record.message, message);
    *error = record;
}

int dpi_fail(dp_error *error, int32_t code, const char *format, ...)
{
    char message[MESSAGE_ROOM];
    va_list args;

    if (!error)
        return code;
    va_start(args, format);
    dpi_vformat(message, sizeof message, format, args);
    va_end(args);
    fill(error, code, &DPI_NOWHERE, message);
    return code;
}

int dpi_fail_at(dp_error *error, int32_t code, const dpi_place *place, const char *format, ...)
{
    char message[MESSAGE_ROOM];
    va_list args;

    if (!error)
        return code;
    va_start(args, format);
    dpi_vformat(message, sizeof message, format, args);
    va_end(args);
    fill(error, code, place, message);
    return code;
}

int dpi_fail_system(dp_error *error, int system_error, const char *file, const char *what)
{
    const dpi_place place = {.file = file, .offset = -1, .system_error = system_error};
    const int code = system_error == ENOMEM ? DP_E_MEMORY : DP_E_IO;
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);

    if (!plain)
        return dpi_fail_at(error, code, &place, "%s: system error %d", what, system_error);
    dpi_fail_at(error, code, &place, "%s: %s", what, strerror_l(system_error, plain));
    freelocale(plain);
    return code;
}
