// Zip archives in: where each member's bytes lie.  Nothing is unpacked.
#ifndef DPI_IO_ZIP_H
#define DPI_IO_ZIP_H

#include "base/memory.h"

typedef struct dpi_zip_entry {
    const char *name;    // terminated
    uint64_t header;     // offset of its own header in the file
    uint64_t data, size; // its bytes in the file
    int32_t method;      // 0: stored as they are, else compressed
} dpi_zip_entry;

typedef struct dpi_zip {
    dpi_memory *memory;
    dpi_zip_entry *entries; // by name, each name once; their bytes do not overlap
    size_t count;
    const char *first; // the name that the directory lists first, or NULL
    char *names;
} dpi_zip;

// The archive in `bytes`, zip64 or not, which needs to stay only for this call.  An encrypted member is
// DP_E_UNSUPPORTED. Checksums are not looked at: that would read every byte.  `file` is for errors.
int dpi_zip_read(dpi_zip **out, dpi_memory *memory, const unsigned char *bytes, uint64_t size, const char *file,
                 dp_error *error);
const dpi_zip_entry *dpi_zip_find(const dpi_zip *zip, const char *name); // NULL when there is none
void dpi_zip_free(dpi_zip *zip);                                         // NULL is allowed

#endif
