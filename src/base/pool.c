// Threads of a context.  One atomic word says which run is open and how many threads are inside it:
//     state = generation << 32 | OPEN | threads inside
// A thread enters only while the run is open, so that a late one never touches the next run's work; the caller
// closes the run when the chunks are gone and waits until nobody is inside.  Threads look at the word for a
// moment before they sleep.  Sleepers are counted before they look once more, and the word is changed before
// the count is read, so that no waking is lost.
#include "base/pool.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

#if defined(__x86_64__)
#define BREATHE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define BREATHE() __asm__ volatile("yield")
#else
#define BREATHE() ((void)0)
#endif

enum { STACK_BYTES = 1 << 20, LOOK_MS = 20, SPINS = 64 };
static const double SPIN_SECONDS = 40e-6;
static const uint64_t OPEN = 1u << 31, INSIDE = (1u << 31) - 1;

typedef struct job {
    dpi_pool_function fn;
    void *arg;
    int64_t count, grain, chunks;
} job;

typedef struct seat {
    dpi_pool *pool;
    pthread_t id;
    int32_t worker;
} seat;

struct dpi_pool {
    dpi_memory *memory;
    dpi_watch *watch;
    double looked; // when the watch was last looked at
    int32_t threads, started;
    pid_t process; // that the threads live in; 0: not started yet
    seat *seats;   // of workers 1 .. started
    job job;
    pthread_mutex_t lock;
    pthread_cond_t wake, quiet;
    _Atomic int32_t busy, closing, sleepers, waiting, stop;
    _Alignas(64) _Atomic uint64_t state;
    _Alignas(64) _Atomic int64_t next; // chunk to hand out
};

static void do_chunk(const job *work, int64_t index, int32_t worker)
{
    const int64_t begin = index * work->grain;
    const int64_t end = work->count - begin > work->grain ? begin + work->grain : work->count;

    work->fn(work->arg, begin, end, worker);
}

// Only on the calling thread.  Nonzero: stop.
static int look(dpi_pool *pool)
{
    if (!pool->watch)
        return 0;
    const double now = dpi_now();
    if (now - pool->looked < LOOK_MS * 1e-3)
        return pool->watch->stopped;
    pool->looked = now;
    return dpi_watch_advance(pool->watch, 0, NULL) != DP_OK;
}

static void take_chunks(dpi_pool *pool, int32_t worker)
{
    while (!atomic_load_explicit(&pool->stop, memory_order_relaxed)) {
        const int64_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (index >= pool->job.chunks)
            return;
        do_chunk(&pool->job, index, worker);
        if (worker == 0 && look(pool))
            atomic_store(&pool->stop, 1);
    }
}

static int is_news(dpi_pool *pool, uint64_t seen)
{
    const uint64_t state = atomic_load(&pool->state);

    return ((state & OPEN) && state >> 32 != seen) || atomic_load(&pool->closing);
}

// Until a run is open that is not `seen`, or the pool closes.
static void await_news(dpi_pool *pool, uint64_t seen)
{
    const double until = dpi_now() + SPIN_SECONDS;

    do {
        for (int i = 0; i < SPINS; i++) {
            if (is_news(pool, seen))
                return;
            BREATHE();
        }
    } while (dpi_now() < until);
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1);
    while (!is_news(pool, seen))
        pthread_cond_wait(&pool->wake, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
}

static void leave(dpi_pool *pool)
{
    const uint64_t after = atomic_fetch_sub(&pool->state, 1) - 1;

    if ((after & (OPEN | INSIDE)) || !atomic_load(&pool->waiting))
        return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_signal(&pool->quiet);
    pthread_mutex_unlock(&pool->lock);
}

static void *work(void *arg)
{
    const seat *const self = arg;
    dpi_pool *const pool = self->pool;
    uint64_t seen = 0;

    for (;;) {
        await_news(pool, seen);
        if (atomic_load(&pool->closing))
            return NULL;
        uint64_t state = atomic_load(&pool->state);
        if (!(state & OPEN) || state >> 32 == seen ||
            !atomic_compare_exchange_weak(&pool->state, &state, state + 1))
            continue;
        seen = state >> 32;
        take_chunks(pool, self->worker);
        leave(pool);
    }
}

// Threads that cannot be had are done without.  No signal of the host lands on them.
static void start(dpi_pool *pool)
{
    pthread_attr_t attributes;
    sigset_t all, before;

    pool->process = getpid();
    if (pthread_attr_init(&attributes))
        return;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int32_t i = 1; i < pool->threads; i++) {
        seat *const next = &pool->seats[i - 1];
        *next = (seat){.pool = pool, .worker = i};
        if (pthread_create(&next->id, &attributes, work, next))
            break;
        pool->started = i;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

static void wake_sleepers(dpi_pool *pool, int64_t wanted)
{
    if (!atomic_load(&pool->sleepers))
        return;
    pthread_mutex_lock(&pool->lock);
    if (wanted >= pool->started)
        pthread_cond_broadcast(&pool->wake);
    else
        for (int64_t i = 0; i < wanted; i++)
            pthread_cond_signal(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

static int someone_inside(dpi_pool *pool)
{
    return (atomic_load(&pool->state) & INSIDE) != 0;
}

static void sleep_until_quiet(dpi_pool *pool)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->waiting, 1);
    while (someone_inside(pool) && pthread_cond_timedwait(&pool->quiet, &pool->lock, &until) == 0)
        ;
    atomic_store(&pool->waiting, 0);
    pthread_mutex_unlock(&pool->lock);
}

static void close_run(dpi_pool *pool)
{
    const double until = dpi_now() + SPIN_SECONDS;

    atomic_fetch_and(&pool->state, ~OPEN);
    do {
        for (int i = 0; i < SPINS; i++) {
            if (!someone_inside(pool))
                return;
            BREATHE();
        }
    } while (dpi_now() < until);
    while (someone_inside(pool)) {
        sleep_until_quiet(pool);
        if (look(pool))
            atomic_store(&pool->stop, 1);
    }
}

static int run_together(dpi_pool *pool, const job *work_now)
{
    pool->job = *work_now;
    atomic_store(&pool->next, 0);
    atomic_store(&pool->stop, 0);
    atomic_store(&pool->state, ((atomic_load(&pool->state) >> 32) + 1) << 32 | OPEN);
    wake_sleepers(pool, work_now->chunks - 1);
    take_chunks(pool, 0);
    close_run(pool);
    return atomic_load(&pool->stop) ? DP_E_CANCELLED : DP_OK;
}

static int run_alone(dpi_pool *pool, const job *work_now, int32_t worker)
{
    for (int64_t i = 0; i < work_now->chunks; i++) {
        do_chunk(work_now, i, worker);
        if (worker == 0 && look(pool))
            return DP_E_CANCELLED;
    }
    return DP_OK;
}

static int32_t worker_here(const dpi_pool *pool)
{
    for (int32_t i = 0; i < pool->started; i++)
        if (pthread_equal(pool->seats[i].id, pthread_self()))
            return pool->seats[i].worker;
    return 0;
}

int dpi_pool_run(dpi_pool *pool, int64_t count, int64_t grain, dpi_pool_function fn, void *arg)
{
    const job work_now = {.fn = fn, .arg = arg, .count = count, .grain = grain, .chunks = (count - 1) / grain + 1};

    if (count <= 0)
        return DP_OK;
    if (atomic_exchange(&pool->busy, 1))
        return run_alone(pool, &work_now, worker_here(pool));
    int rc = DP_E_CANCELLED;
    if (!pool->watch || !pool->watch->stopped) {
        const int together = work_now.chunks > 1 && pool->threads > 1;
        if (together && !pool->process)
            start(pool);
        rc = together && pool->started && pool->process == getpid() ? run_together(pool, &work_now)
                                                                    : run_alone(pool, &work_now, 0);
    }
    atomic_store(&pool->busy, 0);
    return rc;
}

int dpi_pool_open(dpi_pool **out, dpi_memory *memory, int32_t threads, dp_error *error)
{
    pthread_condattr_t steady;
    dpi_pool *const pool = dpi_alloc(memory, 1, sizeof *pool, error);

    if (!pool)
        return DP_E_MEMORY;
    pool->memory = memory;
    pool->threads = threads < 1 ? 1 : threads;
    pool->seats = dpi_alloc(memory, (size_t)pool->threads, sizeof *pool->seats, error);
    if (!pool->seats) {
        dpi_free(memory, pool);
        return DP_E_MEMORY;
    }
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->quiet, &steady);
    pthread_condattr_destroy(&steady);
    *out = pool;
    return DP_OK;
}

// In a forked child the threads are not there, and what they slept on cannot be taken down.
static void stop_threads(dpi_pool *pool)
{
    if (pool->process && pool->process != getpid())
        return;
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->closing, 1);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (int32_t i = 0; i < pool->started; i++)
        pthread_join(pool->seats[i].id, NULL);
    pthread_cond_destroy(&pool->quiet);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
}

void dpi_pool_close(dpi_pool *pool)
{
    if (!pool)
        return;
    stop_threads(pool);
    dpi_free(pool->memory, pool->seats);
    dpi_free(pool->memory, pool);
}

int32_t dpi_pool_threads(const dpi_pool *pool)
{
    return pool->threads;
}

void dpi_pool_watch(dpi_pool *pool, dpi_watch *watch)
{
    pool->watch = watch;
}
