// What the parts of the GGUF reader share: a cursor that never passes the end, and entries.
#ifndef DPI_IO_GGUF_PARSE_H
#define DPI_IO_GGUF_PARSE_H

#include "io/gguf.h"

// The key in error messages: terminated, cut.
typedef struct dpi_gguf_label {
    char text[128];
} dpi_gguf_label;

typedef struct dpi_gguf_cursor {
    const unsigned char *bytes;
    uint64_t size, at;
    const char *name; // the file
    const char *item; // what is being read, or NULL
    dp_error *error;
} dpi_gguf_cursor;

dpi_gguf_label dpi_gguf_label_of(const char *bytes, uint64_t size);
// Fail at byte `offset` with the cursor's item.
int dpi_gguf_fail(const dpi_gguf_cursor *cursor, int32_t code, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// An unsigned number of 1, 2, 4 or 8 bytes; `what` names it when the file ends before.
int dpi_gguf_take(dpi_gguf_cursor *cursor, int bytes, const char *what, uint64_t *out);
// A length and that many bytes.
int dpi_gguf_take_string(dpi_gguf_cursor *cursor, const char *what, const char **out, uint64_t *size);
// Key, type and value.
int dpi_gguf_take_entry(dpi_gguf_cursor *cursor, dpi_gguf_entry *entry);
int dpi_gguf_width(int32_t type); // bytes of a value; 0 for strings and arrays, -1 for no type
const char *dpi_gguf_type_name(int32_t type);

#endif
