// The pool: every index once, the same chunks at any number of threads, cancel, nesting, fork and signals.
#include "base/pool.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "test/run.h"

enum { COUNT = 1000, THREADS = 4 };

static dpi_memory memory;

static dpi_pool *opened(int32_t threads)
{
    dpi_pool *pool = NULL;

    dpi_memory_init(&memory, NULL, 0);
    ck_assert_int_eq(dpi_pool_open(&pool, &memory, threads, NULL), DP_OK);
    ck_assert_int_eq(dpi_pool_threads(pool), threads);
    return pool;
}

static void closed(dpi_pool *pool)
{
    dpi_pool_close(pool);
    ck_assert_uint_eq(atomic_load(&memory.used), 0);
}

static void nap(long microseconds)
{
    const struct timespec time = {0, microseconds * 1000};

    nanosleep(&time, NULL);
}

typedef struct tally {
    _Atomic int32_t times[COUNT];
    _Atomic int32_t wrong;
    _Atomic int64_t chunks, by_caller;
    int64_t grain, count;
    pthread_t caller;
    long pause;
} tally;

static void count_up(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    tally *const t = arg;
    const int64_t most = t->count - begin < t->grain ? t->count - begin : t->grain;
    const int on_caller = pthread_equal(t->caller, pthread_self()) != 0;

    if (begin % t->grain || end - begin != most || worker < 0 || worker >= THREADS || on_caller != (worker == 0))
        atomic_fetch_add(&t->wrong, 1);
    for (int64_t i = begin; i < end; i++)
        atomic_fetch_add(&t->times[i], 1);
    atomic_fetch_add(&t->chunks, 1);
    atomic_fetch_add(&t->by_caller, on_caller);
    if (t->pause)
        nap(t->pause);
}

static void check_all_once(const tally *t)
{
    ck_assert_int_eq(t->wrong, 0);
    ck_assert_int_eq(t->chunks, t->count / t->grain + (t->count % t->grain != 0));
    for (int64_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(t->times[i], i < t->count);
}

START_TEST(does_each_index_once_in_fixed_chunks)
{
    static const int64_t counts[] = {0, 1, 7, 8, 9, 100, COUNT}, grains[] = {1, 8, 33, COUNT + 1, INT64_MAX};
    dpi_pool *const pool = opened(THREADS);

    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t g = 0; g < sizeof grains / sizeof *grains; g++) {
            tally t = {.grain = grains[g], .count = counts[c], .caller = pthread_self()};
            ck_assert_int_eq(dpi_pool_run(pool, t.count, t.grain, count_up, &t), DP_OK);
            check_all_once(&t);
        }
    closed(pool);
}
END_TEST

START_TEST(lets_the_other_threads_work)
{
    dpi_pool *const pool = opened(THREADS);
    tally t = {.grain = 10, .count = COUNT, .caller = pthread_self(), .pause = 500};

    ck_assert_int_eq(dpi_pool_run(pool, t.count, t.grain, count_up, &t), DP_OK);
    check_all_once(&t);
    ck_assert_int_lt(t.by_caller, t.chunks);
    ck_assert_int_gt(t.by_caller, 0);
    nap(20000); // now they sleep
    t = (tally){.grain = 10, .count = COUNT, .caller = pthread_self(), .pause = 500};
    ck_assert_int_eq(dpi_pool_run(pool, t.count, t.grain, count_up, &t), DP_OK);
    check_all_once(&t);
    ck_assert_int_lt(t.by_caller, t.chunks);
    closed(pool);
}
END_TEST

// Many short runs, some after the workers fell asleep.
START_TEST(loses_no_run_and_no_waking)
{
    dpi_pool *const pool = opened(THREADS);
    static tally t;

    for (int run = 0; run < 3000; run++) {
        memset(&t, 0, sizeof t);
        t.grain = 3;
        t.count = 1 + run % 40;
        t.caller = pthread_self();
        ck_assert_int_eq(dpi_pool_run(pool, t.count, t.grain, count_up, &t), DP_OK);
        check_all_once(&t);
        if (run % 100 == 0)
            nap(300);
    }
    closed(pool);
}
END_TEST

typedef struct sums {
    double part[64];
    const float *values;
} sums;

static void add_up(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    sums *const s = arg;
    double sum = 0;

    (void)worker;
    for (int64_t i = begin; i < end; i++)
        sum += s->values[i];
    s->part[begin / 16] = sum;
}

START_TEST(gives_the_same_bits_at_any_number_of_threads)
{
    static float values[1000];
    sums first = {.values = values};

    for (int i = 0; i < 1000; i++)
        values[i] = 1.0f / (float)(i + 1);
    for (int32_t threads = 1; threads <= 5; threads++) {
        dpi_pool *const pool = opened(threads);
        sums s = {.values = values};
        dpi_pool_run(pool, 1000, 16, add_up, &s);
        if (threads == 1)
            first = s;
        ck_assert_mem_eq(&s, &first, sizeof s);
        closed(pool);
    }
}
END_TEST

static void *cancel_soon(void *flag)
{
    nap(30000);
    __atomic_store_n((int32_t *)flag, 1, __ATOMIC_RELAXED);
    return NULL;
}

START_TEST(stops_soon_when_the_host_cancels)
{
    for (int32_t threads = 1; threads <= THREADS; threads += THREADS - 1) {
        int32_t cancel = 0;
        const dp_monitor monitor = {.size = sizeof monitor, .cancel = &cancel};
        dpi_pool *const pool = opened(threads);
        tally t = {.grain = 1, .count = COUNT, .caller = pthread_self(), .pause = 5000};
        dpi_watch watch;
        pthread_t other;

        dpi_watch_open(&watch, &monitor, NULL);
        dpi_pool_watch(pool, &watch);
        const double began = dpi_now();
        pthread_create(&other, NULL, cancel_soon, &cancel);
        ck_assert_int_eq(dpi_pool_run(pool, t.count, t.grain, count_up, &t), DP_E_CANCELLED);
        ck_assert(dpi_now() - began < 0.5);
        ck_assert_int_lt(t.chunks, COUNT);
        pthread_join(other, NULL);
        const int64_t chunks = t.chunks;
        ck_assert_int_eq(dpi_pool_run(pool, t.count, t.grain, count_up, &t), DP_E_CANCELLED);
        ck_assert_int_eq(t.chunks, chunks);
        t = (tally){.grain = 100, .count = COUNT, .caller = pthread_self()};
        dpi_pool_watch(pool, NULL);
        ck_assert_int_eq(dpi_pool_run(pool, t.count, t.grain, count_up, &t), DP_OK);
        check_all_once(&t);
        closed(pool);
    }
}
END_TEST

typedef struct reports {
    pthread_t caller;
    int32_t calls, elsewhere;
} reports;

static int32_t report(void *user, const dp_progress *now)
{
    reports *const r = user;

    (void)now;
    r->calls++;
    r->elsewhere += !pthread_equal(r->caller, pthread_self());
    return 0;
}

static void slow_elsewhere(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    (void)begin;
    (void)end;
    (void)arg;
    nap(worker == 0 ? 20000 : 150000);
}

START_TEST(reports_on_the_calling_thread_also_while_it_waits)
{
    reports r = {.caller = pthread_self()};
    const dp_monitor monitor = {.size = sizeof monitor, .interval_ms = 1, .progress = report, .user = &r};
    dpi_pool *const pool = opened(2);
    dpi_watch watch;

    dpi_watch_open(&watch, &monitor, NULL);
    dpi_pool_watch(pool, &watch);
    ck_assert_int_eq(dpi_pool_run(pool, 2, 1, slow_elsewhere, NULL), DP_OK);
    ck_assert_int_eq(r.elsewhere, 0);
    ck_assert_int_ge(r.calls, 4);
    closed(pool);
}
END_TEST

typedef struct nest {
    dpi_pool *pool;
    _Atomic int32_t failed;
} nest;

typedef struct nested_call {
    pthread_t thread;
    int32_t worker;
    _Atomic int32_t wrong;
} nested_call;

static void inside(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    nested_call *const call = arg;

    (void)begin;
    (void)end;
    if (!pthread_equal(call->thread, pthread_self()) || worker != call->worker)
        atomic_fetch_add(&call->wrong, 1);
}

static void outside(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    nest *const n = arg;
    nested_call call = {.thread = pthread_self(), .worker = worker};

    (void)begin;
    (void)end;
    nap(1000);
    if (dpi_pool_run(n->pool, 50, 7, inside, &call) != DP_OK || call.wrong)
        atomic_fetch_add(&n->failed, 1);
}

START_TEST(runs_inside_a_run_on_the_same_thread_and_worker)
{
    nest n = {.pool = opened(THREADS)};

    ck_assert_int_eq(dpi_pool_run(n.pool, 40, 1, outside, &n), DP_OK);
    ck_assert_int_eq(n.failed, 0);
    closed(n.pool);
}
END_TEST

START_TEST(works_in_a_forked_child)
{
    dpi_pool *const pool = opened(THREADS);
    tally t = {.grain = 10, .count = COUNT, .caller = pthread_self()};
    int status = -1;

    ck_assert_int_eq(dpi_pool_run(pool, t.count, t.grain, count_up, &t), DP_OK);
    nap(20000);
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);
        t = (tally){.grain = 10, .count = COUNT, .caller = pthread_self()};
        for (int run = 0; run < 100; run++)
            if (dpi_pool_run(pool, t.count, t.grain, count_up, &t) != DP_OK)
                _exit(2);
        dpi_pool_close(pool);
        _exit(t.chunks != 100 * 100 || t.by_caller != t.chunks);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    closed(pool);
}
END_TEST

static void look_at_signals(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    _Atomic int32_t *const open = arg;
    sigset_t blocked;

    (void)begin;
    (void)end;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    if (worker && (!sigismember(&blocked, SIGINT) || !sigismember(&blocked, SIGALRM)))
        atomic_fetch_add(open, 1);
    if (!worker && sigismember(&blocked, SIGINT))
        atomic_fetch_add(open, 1);
    nap(1000);
}

START_TEST(takes_no_signal_of_the_host)
{
    dpi_pool *const pool = opened(THREADS);
    _Atomic int32_t open = 0;

    ck_assert_int_eq(dpi_pool_run(pool, 40, 1, look_at_signals, &open), DP_OK);
    ck_assert_int_eq(open, 0);
    closed(pool);
}
END_TEST

START_TEST(closes_unused_and_fails_clean)
{
    dpi_pool *pool = NULL;
    dp_error error;

    closed(opened(3));
    dpi_pool_close(NULL);
    for (uint64_t limit = 64; limit < 1000; limit += 64) {
        dpi_memory_init(&memory, NULL, limit);
        if (dpi_pool_open(&pool, &memory, 2, &error) == DP_OK)
            dpi_pool_close(pool);
        else
            ck_assert_int_eq(error.code, DP_E_MEMORY);
        ck_assert_uint_eq(atomic_load(&memory.used), 0);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {does_each_index_once_in_fixed_chunks,
                                  lets_the_other_threads_work,
                                  loses_no_run_and_no_waking,
                                  gives_the_same_bits_at_any_number_of_threads,
                                  stops_soon_when_the_host_cancels,
                                  reports_on_the_calling_thread_also_while_it_waits,
                                  runs_inside_a_run_on_the_same_thread_and_worker,
                                  works_in_a_forked_child,
                                  takes_no_signal_of_the_host,
                                  closes_unused_and_fails_clean};
    return dpt_run("base/pool", tests, sizeof tests / sizeof *tests);
}
