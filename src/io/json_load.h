// jansson, made safe where memory runs out: it would lose characters of a token and go on.
#ifndef DPI_IO_JSON_LOAD_H
#define DPI_IO_JSON_LOAD_H

#include <jansson.h>

// Parse; `longest` is at least the bytes of the longest token.  NULL: *found says why, and what is no fault of the
// text has code json_error_out_of_memory.
json_t *dpi_json_load(const char *bytes, size_t size, size_t longest, json_error_t *found);
// Is the text, which nests at most 64 levels, an object or an array by the grammar of JSON?  Takes no memory.
int dpi_json_check(const char *bytes, size_t size);

#endif
