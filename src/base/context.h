// The context's inside.  The device part is opened by the backend room; here it is an opaque pointer.
#ifndef DPI_BASE_CONTEXT_H
#define DPI_BASE_CONTEXT_H

#include <pthread.h>

#include "base/memory.h"
#include "base/options.h"
#include "base/pool.h"

enum { DPI_THREADS_MOST = 1024 };

struct dp_context {
    _Atomic int32_t references;
    dpi_memory memory;
    dp_log_function log;
    void *log_user;
    int32_t threads;
    dpi_pool *pool;
    pthread_mutex_t turn; // held by the call that computes
    void *device;         // dpi_device of the backend room
    void (*device_close)(void *device);
};

extern const dpi_schema dpi_context_schema; // of dp_context_options

// A context with memory, log and pool but no device.  `options` was read and checked.
int dpi_context_make(const dp_context_options *options, dp_context **out, dp_error *error);
dp_context *dpi_context_keep(dp_context *context); // one more reference; returns it
void dpi_context_drop(dp_context *context);        // one less; NULL is allowed
// Wait for the turn to compute, with `watch` looked at by the pool; then give it back.
// Not from a callback of a call that has the turn.
void dpi_context_begin(dp_context *context, dpi_watch *watch);
void dpi_context_end(dp_context *context);
void dpi_log(dp_context *context, int32_t level, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
