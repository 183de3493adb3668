// Text: a buffer that grows, UTF-8, numbers without the locale.
#ifndef DPI_BASE_TEXT_H
#define DPI_BASE_TEXT_H

#include <stdarg.h>

#include "base/memory.h"

typedef struct dpi_text {
    dpi_memory *memory;
    char *data; // terminated when not NULL
    size_t size, capacity;
} dpi_text;

int dpi_text_add(dpi_text *text, const void *bytes, size_t size, dp_error *error);
int dpi_text_format(dpi_text *text, dp_error *error, const char *format, ...) __attribute__((format(printf, 3, 4)));
void dpi_text_clear(dpi_text *text); // frees

// vsnprintf with '.' whatever the locale; the same result.
int dpi_vformat(char *out, size_t capacity, const char *format, va_list args) __attribute__((format(printf, 3, 0)));
// Copy `from` as one line: control characters, line separators and broken UTF-8 become '?'; cut at a whole
// character; always terminated (capacity >= 1).
void dpi_clean_text(char *out, size_t capacity, const char *from);

// Decode one code point of `size` > 0 bytes; returns its length, or 0 when the bytes are not valid UTF-8.
size_t dpi_utf8_decode(const char *bytes, size_t size, uint32_t *point);
// Bytes written; 0 when there is no such code point (above 0x10FFFF or a surrogate).
size_t dpi_utf8_encode(uint32_t point, char out[4]);

// Decimal number by the C grammar (no blanks, hexadecimal, "inf" or "nan"), '.' whatever the locale, correctly
// rounded; too large is infinity.  Returns bytes read, 0 when there is none.
size_t dpi_parse_double(const char *text, size_t size, double *out);
size_t dpi_parse_i64(const char *text, size_t size, int64_t *out); // 0 also when it does not fit
// The shortest of 15, 16 and 17 digits that reads back as `value`, '.' whatever the locale; "inf", "-inf", "nan".
void dpi_format_double(double value, char out[32]);

// Hand a text to a host's buffer by the (text, capacity, needed) convention of the public headers: what does not
// fit is cut at a whole character.  DP_E_ARGUMENT when text is NULL and capacity is not 0.
int dpi_give_text(const char *from, size_t size, char *text, size_t capacity, size_t *needed);

#endif
