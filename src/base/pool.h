// Threads of a context.  Work is cut into fixed chunks, so that results do not depend on the number of
// threads; the calling thread works too, and looks at the monitor between chunks.
#ifndef DPI_BASE_POOL_H
#define DPI_BASE_POOL_H

#include "base/memory.h"
#include "base/monitor.h"

typedef struct dpi_pool dpi_pool;
typedef void (*dpi_pool_function)(void *arg, int64_t begin, int64_t end, int32_t worker);

// Threads are started at the first run.  threads >= 1, the caller's included.
int dpi_pool_open(dpi_pool **out, dpi_memory *memory, int32_t threads, dp_error *error);
void dpi_pool_close(dpi_pool *pool); // NULL is allowed
int32_t dpi_pool_threads(const dpi_pool *pool);
// The watch that runs look at; NULL for none.
void dpi_pool_watch(dpi_pool *pool, dpi_watch *watch);
// fn over 0 .. count-1 in chunks of `grain` (>= 1), chunks handed out in order; `worker` is below
// dpi_pool_threads, 0 on the calling thread.  One run at a time: the caller has the context's turn.
// DP_OK, or DP_E_CANCELLED when the watch said stop (some chunks then did not run).
// A run from inside a run, with one chunk, or in a forked child happens on the calling thread.
int dpi_pool_run(dpi_pool *pool, int64_t count, int64_t grain, dpi_pool_function fn, void *arg);

#endif
