// Options structs: one table a struct gives defaults, size rule and range checks.
#ifndef DPI_BASE_OPTIONS_H
#define DPI_BASE_OPTIONS_H

#include <depthprune/types.h>

enum { DPI_INT32, DPI_UINT32, DPI_INT64, DPI_UINT64, DPI_DOUBLE, DPI_TEXT, DPI_POINTER };

typedef struct dpi_option {
    const char *name; // as in the struct
    const char *help; // one line
    uint32_t offset;
    int32_t kind;       // DPI_INT32 ...
    double least, most; // for numbers; ignored when both are 0
    double value;       // default of a number
    const char *text;   // default of a text
} dpi_option;

typedef struct dpi_schema {
    const char *name; // such as "dp_scorer_options"
    uint32_t size;    // sizeof the struct in this library
    uint32_t count;
    const dpi_option *options;
} dpi_schema;

// Defaults into the first min(size, schema->size) bytes; the size field is `size`.
void dpi_options_init(const dpi_schema *schema, void *options, size_t size);
// Read a host's options (NULL: all defaults) into `out`, a struct of schema->size bytes.
// Shorter is an older caller: the rest gets defaults.  Longer is a newer one: accepted when its tail is zero,
// else DP_E_VERSION.  Size 0: DP_E_ARGUMENT.  Out of range: DP_E_ARGUMENT with the option's name as item.
int dpi_options_read(const dpi_schema *schema, const void *options, void *out, dp_error *error);
// Bytes of an info struct that may be written: DP_OK when *size >= the least this library knew (4), else
// DP_E_ARGUMENT; copies min(size, known) bytes of `from` and keeps the caller's size field.
int dpi_info_give(const void *from, uint32_t known, void *info, dp_error *error);

#endif
