// A context without a device: its options, references, memory, log and turn.
#include "base/context.h"

#include <stdlib.h>
#include <string.h>

#include "test/run.h"

typedef struct host {
    int blocks, left, closed;
    int32_t level;
    char line[1024];
} host;

static void *host_alloc(void *user, uint64_t size, uint64_t align)
{
    host *const h = user;

    if (h->left-- <= 0)
        return NULL;
    h->blocks++;
    return aligned_alloc((size_t)align, ((size_t)size + 63) / 64 * 64);
}

static void host_free(void *user, void *memory, uint64_t size)
{
    (void)size;
    ((host *)user)->blocks--;
    free(memory);
}

static void hear(void *user, int32_t level, const char *line)
{
    host *const h = user;

    h->level = level;
    strncpy(h->line, line, sizeof h->line - 1);
}

static void close_device(void *device)
{
    ((host *)device)->closed++;
}

START_TEST(has_these_defaults)
{
    dp_context_options options;

    memset(&options, 0xAA, sizeof options);
    dp_context_options_init(&options, sizeof options);
    ck_assert_uint_eq(options.size, sizeof options);
    ck_assert_int_eq(options.threads, 0);
    ck_assert_uint_eq(options.memory_limit, 0);
    ck_assert_str_eq(options.backend, "auto");
    ck_assert_str_eq(options.gemm, "auto");
    ck_assert_str_eq(options.kernels, "auto");
    ck_assert_ptr_null(options.plugin);
    ck_assert_ptr_null(options.allocator);
    ck_assert(!options.log && !options.log_user);
    options.threads = DPI_THREADS_MOST + 1;
    ck_assert_int_eq(dpi_options_read(&dpi_context_schema, &options, &options, NULL), DP_E_ARGUMENT);
}
END_TEST

START_TEST(lives_until_the_last_reference)
{
    host h = {.left = 100};
    const dp_allocator allocator = {host_alloc, host_free, &h};
    dp_context_options options;
    dp_context *context = NULL;

    dp_context_options_init(&options, sizeof options);
    options.allocator = &allocator;
    options.threads = 3;
    ck_assert_int_eq(dpi_context_make(&options, &context, NULL), DP_OK);
    ck_assert_int_eq(context->threads, 3);
    ck_assert_int_eq(dpi_pool_threads(context->pool), 3);
    ck_assert_uint_gt(atomic_load(&context->memory.used), sizeof *context);
    context->device = &h;
    context->device_close = close_device;
    ck_assert_ptr_eq(dpi_context_keep(context), context);
    dp_context_free(context);
    ck_assert_int_eq(h.closed, 0);
    dpi_context_drop(context);
    ck_assert_int_eq(h.closed, 1);
    ck_assert_int_eq(h.blocks, 0);
    dp_context_free(NULL);
}
END_TEST

START_TEST(fails_clean_at_each_allocation)
{
    host h = {0};
    const dp_allocator allocator = {host_alloc, host_free, &h};
    dp_context_options options;
    dp_context *context = NULL;
    dp_error error;
    int failures = 0;

    dp_context_options_init(&options, sizeof options);
    options.allocator = &allocator;
    while (h.left = failures, dpi_context_make(&options, &context, &error) != DP_OK) {
        ck_assert_int_eq(error.code, DP_E_MEMORY);
        ck_assert_ptr_null(context);
        ck_assert_int_eq(h.blocks, 0);
        ck_assert_int_lt(failures++, 10);
    }
    ck_assert_int_gt(failures, 1);
    dp_context_free(context);
    ck_assert_int_eq(h.blocks, 0);
}
END_TEST

START_TEST(refuses_half_an_allocator)
{
    const dp_allocator allocator = {host_alloc, NULL, NULL};
    dp_context_options options;
    dp_context *context = NULL;
    dp_error error;

    dp_context_options_init(&options, sizeof options);
    options.allocator = &allocator;
    ck_assert_int_eq(dpi_context_make(&options, &context, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.item, "allocator");
}
END_TEST

START_TEST(logs_whole_clean_lines)
{
    host h = {0};
    dp_context_options options;
    dp_context *context = NULL;

    dp_context_options_init(&options, sizeof options);
    options.threads = 1;
    ck_assert_int_eq(dpi_context_make(&options, &context, NULL), DP_OK);
    dpi_log(context, DP_LOG_NOTE, "nobody hears");
    dp_context_free(context);
    options.log = hear;
    options.log_user = &h;
    ck_assert_int_eq(dpi_context_make(&options, &context, NULL), DP_OK);
    dpi_log(context, DP_LOG_WARNING, "tensor %s\nignored", "x");
    ck_assert_int_eq(h.level, DP_LOG_WARNING);
    ck_assert_str_eq(h.line, "tensor x?ignored");
    dp_context_free(context);
}
END_TEST

static void once(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    (void)worker;
    *(int64_t *)arg += end - begin;
}

START_TEST(gives_the_turn_with_a_watch)
{
    int32_t cancel = 1;
    const dp_monitor monitor = {.size = sizeof monitor, .cancel = &cancel};
    dp_context_options options;
    dp_context *context = NULL;
    dpi_watch watch;
    int64_t done = 0;

    dp_context_options_init(&options, sizeof options);
    options.threads = 1;
    ck_assert_int_eq(dpi_context_make(&options, &context, NULL), DP_OK);
    dpi_watch_open(&watch, &monitor, NULL);
    dpi_context_begin(context, &watch);
    ck_assert_int_eq(pthread_mutex_trylock(&context->turn) != 0, 1);
    ck_assert_int_eq(dpi_pool_run(context->pool, 5, 1, once, &done), DP_E_CANCELLED);
    dpi_context_end(context);
    ck_assert_int_eq(done, 1);
    ck_assert_int_eq(dpi_pool_run(context->pool, 5, 1, once, &done), DP_OK);
    ck_assert_int_eq(done, 6);
    dp_context_free(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        has_these_defaults,        lives_until_the_last_reference, fails_clean_at_each_allocation,
        refuses_half_an_allocator, logs_whole_clean_lines,         gives_the_turn_with_a_watch};
    return dpt_run("base/context", tests, sizeof tests / sizeof *tests);
}
