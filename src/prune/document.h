// The JSON documents of this room, written so that a person can read and edit them: lists of blocks on one line.
#ifndef DPI_PRUNE_DOCUMENT_H
#define DPI_PRUNE_DOCUMENT_H

#include "base/context.h"
#include "io/json.h"

enum { DPI_DOCUMENT_BLOCKS = 1 << 20 }; // no model has more

// ---- writing; each is one value, without comma or newline
int dpi_document_string(dpi_text *text, const char *string, dp_error *error); // broken UTF-8 becomes U+FFFD
int dpi_document_real(dpi_text *text, double value, dp_error *error);         // null when not finite
int dpi_document_blocks(dpi_text *text, const int32_t *blocks, size_t count, dp_error *error);
int dpi_document_seed(dpi_text *text, uint64_t seed, dp_error *error); // a string above INT64_MAX
// Any value over several lines, all but the first indented by `indent`.
int dpi_document_value(dpi_text *text, const json_t *value, int indent, dp_error *error);

// ---- reading
typedef struct dpi_document {
    dp_context *context;
    const char *text;
    size_t size;
    const char *name; // for errors; may be NULL
    json_t *root;     // an object
} dpi_document;

// Parse, and check that "schema", where present or demanded, is `schema`.
int dpi_document_open(dpi_document *document, const char *schema, int demanded, dp_error *error);
void dpi_document_close(dpi_document *document);
// Fail with the line of a top-level key.
int dpi_document_fail(const dpi_document *document, int32_t code, const char *key, dp_error *error,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));
// A list of distinct blocks of 0 .. blocks-1 into new memory, as it stands; *out NULL when the key is absent.
int dpi_document_list(const dpi_document *document, const char *key, int64_t blocks, int32_t **out, size_t *count,
                      dp_error *error);

#endif
