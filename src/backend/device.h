// An open backend of a context: its table, its stream, and what it is.
#ifndef DPI_BACKEND_DEVICE_H
#define DPI_BACKEND_DEVICE_H

#include <depthprune/sys/backend.h>

#include "base/context.h"

typedef struct dpi_device {
    dp_context *context; // not a reference: the context owns the device
    const dp_backend *table; // every slot below table->size may be read; shorter tables were copied
    dp_stream *stream;
    dp_backend_info info;
    dp_host host;        // what the stream was lent
    dp_backend copy;     // the table, missing slots NULL
    void *scratch;       // compose.c's, device memory, grows
    uint64_t scratch_bytes;
    uint64_t used_before; // bytes of the context when the turn to compute began
    uint64_t kept;        // bytes that past turns left in use: what the backend keeps for the next
} dpi_device;

dpi_device *dpi_device_of(dp_context *context);

// Open `table` as the context's device, closing the one it has.  Refuses a table of another abi or without the
// required slots.  Tests put a counting table in this way.
int dpi_device_open(dp_context *context, const dp_backend *table, int32_t index, const dp_context_options *options,
                    dp_error *error);

#endif
