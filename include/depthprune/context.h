/**
 * @file context.h
 * The context: memory, threads, log and device of everything made with it; and the monitor that
 * long calls report to.
 *
 * A context may be used from several threads; calls that compute take turns on its threads.
 * Handles may be freed in any order: each keeps alive what it needs.
 */
#ifndef DEPTHPRUNE_CONTEXT_H
#define DEPTHPRUNE_CONTEXT_H

#include <depthprune/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dp_context dp_context;

/** Where the library's memory comes from.  Called from any thread; must be thread-safe. */
typedef struct dp_allocator {
    /** `size` bytes aligned to `align` (a power of two, at most 64), or NULL. */
    void *(*alloc)(void *user, uint64_t size, uint64_t align);
    /** Give back what alloc returned; `size` is what was asked for. */
    void (*free)(void *user, void *memory, uint64_t size);
    void *user;
} dp_allocator;

/** Severity of a log line. */
enum { DP_LOG_ERROR = 1, DP_LOG_WARNING = 2, DP_LOG_NOTE = 3, DP_LOG_DETAIL = 4 };

/** Receives one line without a newline, on the thread that called into the library. */
typedef void (*dp_log_function)(void *user, int32_t level, const char *line);

/** Fill with dp_context_options_init(), then change what you need. */
typedef struct dp_context_options {
    uint32_t size;          /**< bytes the caller knows of; set by the initializer */
    int32_t threads;        /**< compute threads; 0: the processors this process may use; at most 1024 */
    uint64_t memory_limit;  /**< bytes the library may allocate; 0: no limit.  Mapped weights do not count */
    const char *backend;    /**< "auto" (default), "cpu", "ref" or "cuda[:N]"; copied */
    const char *gemm;       /**< "auto" (default), "native" or "openblas"; copied */
    const char *kernels;    /**< "auto" (default), "portable", "avx2" or "avx512"; copied */
    const char *plugin;     /**< path of a backend plugin; NULL: beside the library; copied */
    const dp_allocator *allocator; /**< copied; NULL: the C library's */
    dp_log_function log;    /**< NULL: silent */
    void *log_user;         /**< handed to `log` */
} dp_context_options;

/** Set every option to this library's default.  @param size sizeof(dp_context_options) */
DP_API void dp_context_options_init(dp_context_options *options, size_t size);

/**
 * Make a context.
 * @param options copied; NULL for defaults
 * @param[out] out new
 * @return DP_OK, DP_E_ARGUMENT (an option out of range; dp_error.item names it), DP_E_MEMORY,
 *         DP_E_BACKEND (the demanded device cannot be had) or DP_E_VERSION (a struct from a newer header)
 */
DP_API int dp_context_new(const dp_context_options *options, dp_context **out, dp_error *error);

/**
 * What the context runs on, as one JSON object: backend, kernel set, threads, processor, OpenBLAS core.
 * @param[out] text at most `capacity` bytes, terminated when capacity > 0; may be NULL when capacity is 0
 * @param[out] needed bytes of the whole text with its terminator; may be NULL
 */
DP_API int dp_context_describe(dp_context *context, char *text, size_t capacity, size_t *needed,
                               dp_error *error);

/** Free a context; NULL is allowed.  Handles made with it stay valid. */
DP_API void dp_context_free(dp_context *context);

/** How far a long call has come. */
typedef struct dp_progress {
    uint32_t size;         /**< sizeof(dp_progress) of the library */
    uint32_t reserved;     /**< zero */
    const char *phase;     /**< what is being done, such as "score"; valid during the callback */
    uint64_t done;         /**< units done */
    uint64_t total;        /**< units in all; 0 when not known */
    double elapsed;        /**< seconds since the phase began */
    double left;           /**< estimated seconds to its end; negative when not known */
} dp_progress;

/**
 * Watches and stops a long call.  Zero the struct and set `size`.  The callback runs on the thread that
 * made the call, never under a lock.  Both ways of stopping are looked at every 100 ms of work or oftener;
 * the call then returns DP_E_CANCELLED and leaves its outputs untouched.
 */
typedef struct dp_monitor {
    uint32_t size;         /**< sizeof(dp_monitor) */
    uint32_t interval_ms;  /**< least time between two reports; 0 means 100 */
    const int32_t *cancel; /**< set nonzero from any thread or signal handler to stop; may be NULL */
    int32_t (*progress)(void *user, const dp_progress *now); /**< nonzero stops too; may be NULL */
    void *user;            /**< handed to `progress` */
} dp_monitor;

#ifdef __cplusplus
}
#endif

#endif
