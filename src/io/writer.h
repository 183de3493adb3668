// How the stage begins a writer.
#ifndef DPI_IO_WRITER_H
#define DPI_IO_WRITER_H

#include "io/file.h"
#include "io/stage.h"

// What writers of a stage finished.
typedef struct dpi_written {
    uint64_t bytes;
    int32_t files;
} dpi_written;

typedef struct dpi_writer_start {
    dpi_memory *memory;
    dpi_written *written; // counted up when a writer ends well
    int folder;           // the new file's folder
    const char *name;     // in it, or FOLDER/NAME: in that one, which is made where nothing has the name
    int flags;            // O_EXCL: must not exist; O_TRUNC: is there already, and ours
    const char *shown;    // the path for errors; copied
} dpi_writer_start;

int dpi_writer_open(dpi_writer **out, const dpi_writer_start *start, dp_error *error);

#endif
