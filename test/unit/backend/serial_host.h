// A dp_host for tests of one table: the C library's memory, one thread.
#ifndef TEST_SERIAL_HOST_H
#define TEST_SERIAL_HOST_H

#include <depthprune/sys/backend.h>
#include <stdlib.h>

static inline void *serial_alloc(void *user, uint64_t size)
{
    (void)user;
    return aligned_alloc(64, (size_t)(size + 63) / 64 * 64);
}

static inline void serial_free(void *user, void *memory)
{
    (void)user;
    free(memory);
}

static inline int serial_parallel(void *user, int64_t count, int64_t grain,
                                  void (*run)(void *arg, int64_t begin, int64_t end, int32_t worker), void *arg)
{
    if (user)
        return DP_E_CANCELLED;
    for (int64_t begin = 0; begin < count; begin += grain)
        run(arg, begin, count - begin < grain ? count : begin + grain, 0);
    return DP_OK;
}

static inline void serial_log(void *user, int32_t level, const char *line)
{
    (void)user, (void)level, (void)line;
}

// `user` not NULL: every parallel run says that the host asked to stop.
static inline dp_host serial_host(void *user)
{
    return (dp_host){.size = sizeof(dp_host), .threads = 1, .user = user, .alloc = serial_alloc,
                     .free = serial_free, .parallel = serial_parallel, .log = serial_log};
}

#endif
