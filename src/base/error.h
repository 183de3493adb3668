// Filling the caller's error record.
#ifndef DPI_BASE_ERROR_H
#define DPI_BASE_ERROR_H

#include <depthprune/types.h>

// Where a failure is.  Zero fields do not apply; start from DPI_NOWHERE.
typedef struct dpi_place {
    const char *file;
    const char *item;
    int64_t offset; // byte in file, or -1
    int32_t line, column;
    int32_t system_error;
} dpi_place;

#define DPI_NOWHERE ((dpi_place){.offset = -1})

// Fill *error (when not NULL) and return code.  Text is cut to fit at a UTF-8 boundary; control bytes and
// broken UTF-8 in it are replaced by '?'.
int dpi_fail(dp_error *error, int32_t code, const char *format, ...) __attribute__((format(printf, 3, 4)));
int dpi_fail_at(dp_error *error, int32_t code, const dpi_place *place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// The same for a failed system call: code DP_E_IO (DP_E_MEMORY for ENOMEM), message "<what>: <words of errno>".
int dpi_fail_system(dp_error *error, int system_error, const char *file, const char *what);

#endif
