// JSON through jansson: strict (duplicate keys refused, nesting at most 64, size bounded), errors with line and
// column, and readers that name the key.  Values are jansson's json_t.
#ifndef DPI_IO_JSON_H
#define DPI_IO_JSON_H

#include <jansson.h>

#include "base/text.h"

// `name` stands in errors as the file.
int dpi_json_parse(json_t **out, const char *bytes, size_t size, const char *name, dp_error *error);
// Text with two-space indentation and a newline at the end, into new memory (terminated).  Order is kept,
// reals are the shortest text that reads back as the same number.
int dpi_json_text(const json_t *value, dpi_memory *memory, char **text, size_t *size, dp_error *error);

// Add a string with its quotes and escapes; UTF-8 stays as it is.
int dpi_json_quote(dpi_text *text, const char *string, size_t size, dp_error *error);

// Readers of an object's member.  `name` is the file for errors.  Absent or null: *out is untouched and the
// result is DP_OK, unless `required`.  A wrong kind or range is DP_E_FORMAT with the key as item.
int dpi_json_int(const json_t *object, const char *key, int required, int64_t least, int64_t most, int64_t *out,
                 const char *name, dp_error *error);
int dpi_json_real(const json_t *object, const char *key, int required, double *out, const char *name,
                  dp_error *error); // finite; integers are read too
int dpi_json_bool(const json_t *object, const char *key, int required, int *out, const char *name, dp_error *error);
int dpi_json_string(const json_t *object, const char *key, int required, const char **out, const char *name,
                    dp_error *error); // borrowed

#endif
