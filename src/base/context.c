// A context's life, its turn, and its log.
#include "base/context.h"

#include <sched.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

// Processors this process may run on.
static int32_t processors(void)
{
    cpu_set_t sets[8]; // room for 8192
    long count = 0;

    if (sched_getaffinity(0, sizeof sets, sets) == 0)
        count = CPU_COUNT_S(sizeof sets, sets);
    else
        count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > DPI_THREADS_MOST ? DPI_THREADS_MOST : (int32_t)count;
}

int dpi_context_make(const dp_context_options *options, dp_context **out, dp_error *error)
{
    const dp_allocator *const allocator = options->allocator;
    const dpi_place place = {.item = "allocator", .offset = -1};
    dpi_memory memory;

    if (allocator && (!allocator->alloc || !allocator->free))
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "the allocator lacks alloc or free");
    dpi_memory_init(&memory, allocator, options->memory_limit);
    dp_context *const context = dpi_alloc(&memory, 1, sizeof *context, error);
    if (!context)
        return DP_E_MEMORY;
    atomic_init(&context->references, 1);
    dpi_memory_init(&context->memory, &memory.allocator, memory.limit);
    atomic_init(&context->memory.used, atomic_load(&memory.used));
    atomic_init(&context->memory.peak, atomic_load(&memory.peak));
    context->log = options->log;
    context->log_user = options->log_user;
    context->threads = options->threads ? options->threads : processors();
    pthread_mutex_init(&context->turn, NULL);
    const int rc = dpi_pool_open(&context->pool, &context->memory, context->threads, error);
    if (rc) {
        dpi_context_drop(context);
        return rc;
    }
    *out = context;
    return DP_OK;
}

dp_context *dpi_context_keep(dp_context *context)
{
    atomic_fetch_add(&context->references, 1);
    return context;
}

void dpi_context_drop(dp_context *context)
{
    if (!context || atomic_fetch_sub(&context->references, 1) != 1)
        return;
    if (context->device_close)
        context->device_close(context->device);
    dpi_pool_close(context->pool);
    pthread_mutex_destroy(&context->turn);
    dpi_memory memory;
    dpi_memory_init(&memory, &context->memory.allocator, 0);
    dpi_free(&memory, context);
}

void dp_context_free(dp_context *context)
{
    dpi_context_drop(context);
}

void dpi_context_begin(dp_context *context, dpi_watch *watch)
{
    pthread_mutex_lock(&context->turn);
    dpi_pool_watch(context->pool, watch);
}

void dpi_context_end(dp_context *context)
{
    dpi_pool_watch(context->pool, NULL);
    pthread_mutex_unlock(&context->turn);
}

void dpi_log(dp_context *context, int32_t level, const char *format, ...)
{
    char text[1024], line[1024];
    va_list args;

    if (!context->log)
        return;
    va_start(args, format);
    dpi_vformat(text, sizeof text, format, args);
    va_end(args);
    dpi_clean_text(line, sizeof line, text);
    context->log(context->log_user, level, line);
}
