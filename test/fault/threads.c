// Eight threads with a model each; eight contexts over one model; models opened and freed by all at once; and all
// that while another thread stops calls.  Results have the bits of the serial run, and no thread is left.
//   threads MODEL ROUNDS [GEMM]
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "test/fault/hosted.h"

enum { THREADS = 8 };

#define LINKED(name) .name = name,
static const hosted_calls call = {HOSTED_CALLS(LINKED)};
static const char *path;
static int rounds;
static uint64_t serial;
static double serial_seconds;
static dp_model *shared;
static _Atomic int stopped, finished, done;
static int32_t flags[THREADS];

static dp_model *opened(dp_context *context)
{
    dp_model *model = NULL;
    dp_error error;

    hosted_must(dp_model_open(context, path, NULL, NULL, &model, &error), &error, "open");
    return model;
}

static dp_context *made(int32_t threads)
{
    dp_context *context = NULL;
    dp_error error;

    hosted_must(hosted_context(&call, threads, &context, &error), &error, "context");
    return context;
}

static void *own_model(void *arg)
{
    dp_context *context = made(2);
    dp_model *model = opened(context);
    uint64_t sum;
    dp_error error;

    (void)arg;
    for (int i = 0; i < rounds; i++) {
        hosted_must(hosted_all(&call, context, model, NULL, &sum, &error), &error, "a model of its own");
        hosted_same(sum, serial, "a model of its own");
    }
    dp_model_free(model);
    dp_context_free(context);
    return NULL;
}

static void *own_context(void *arg)
{
    dp_context *context = made(2);
    uint64_t sum;
    dp_error error;

    (void)arg;
    for (int i = 0; i < rounds; i++) {
        hosted_must(hosted_all(&call, context, shared, NULL, &sum, &error), &error, "one model");
        hosted_same(sum, serial, "one model");
    }
    dp_context_free(context);
    return NULL;
}

// Also a plan and a pruned model of the shared one, which outlives its context here.
static void *storm(void *arg)
{
    const int32_t last = 3;
    dp_error error;

    (void)arg;
    for (int i = 0; i < rounds * 10; i++) {
        dp_context *context = made(1 + i % 2);
        dp_model *model = opened(context), *shorter = NULL;
        dp_plan *plan = NULL;
        dp_pruner *pruner = NULL;
        uint64_t sum = 1;
        char digest[65];
        hosted_must(dp_plan_from_list(context, shared, &last, 1, &plan, &error), &error, "plan");
        hosted_must(dp_pruner_new(context, NULL, &pruner, &error), &error, "pruner");
        hosted_must(dp_pruner_run(pruner, i % 3 ? shared : model, plan, &shorter, &error), &error, "prune");
        if (i % 5 == 0)
            hosted_must(hosted_score(&call, context, shorter, "mag", NULL, &sum, &error), &error, "score");
        dp_model_free(model);
        dp_context_free(context);
        hosted_must(dp_model_digest(shorter, NULL, digest, &error), &error, "digest");
        dp_plan_free(plan);
        dp_pruner_free(pruner);
        dp_model_free(shorter);
    }
    return NULL;
}

// Either stopped, or whole and the same.
static void *interrupted(void *arg)
{
    const int index = (int)(intptr_t)arg;
    const dp_monitor monitor = {.size = sizeof monitor, .cancel = &flags[index]};
    dp_context *context = made(2);
    dp_model *own = index % 2 ? opened(context) : NULL;
    uint64_t sum;
    dp_error error;

    for (int i = 0; i < rounds * 4; i++) {
        __atomic_store_n(&flags[index], 0, __ATOMIC_RELAXED);
        const int rc = hosted_all(&call, context, own ? own : shared, &monitor, &sum, &error);
        if (rc == DP_E_CANCELLED)
            stopped++;
        else
            hosted_must(rc, &error, "with cancelling");
        if (!rc) {
            hosted_same(sum, serial, "with cancelling");
            finished++;
        }
    }
    dp_model_free(own);
    dp_context_free(context);
    return NULL;
}

static void *canceller(void *arg)
{
    uint32_t random = 1;

    (void)arg;
    while (!done) {
        random = random * 1664525u + 1013904223u;
        const double seconds = (double)random / 4294967296.0 * 2 * serial_seconds; // each thread at every eighth
        const struct timespec wait = {.tv_sec = (time_t)seconds, .tv_nsec = (long)(fmod(seconds, 1) * 1e9)};
        nanosleep(&wait, NULL);
        __atomic_store_n(&flags[random >> 29], 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void run(const char *what, void *(*each)(void *))
{
    pthread_t threads[THREADS];
    const int before = hosted_tasks();

    for (intptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, each, (void *)i))
            exit(1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int tries = 0; hosted_tasks() > before && tries < 100; tries++)
        usleep(10000); // a joined thread's entry goes a moment later
    if (hosted_tasks() != before) {
        fprintf(stderr, "%s: %d threads before, %d after\n", what, before, hosted_tasks());
        exit(1);
    }
}

int main(int argc, char **argv)
{
    struct timespec began, ended;
    pthread_t stopper;
    dp_error error;

    if (argc < 3)
        return 2;
    if (argc > 3)
        hosted_gemm = argv[3];
    path = argv[1];
    rounds = atoi(argv[2]);
    dp_context *context = made(1);
    shared = opened(context);
    clock_gettime(CLOCK_MONOTONIC, &began);
    hosted_must(hosted_all(&call, context, shared, NULL, &serial, &error), &error, "serial");
    clock_gettime(CLOCK_MONOTONIC, &ended);
    serial_seconds = (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) * 1e-9;
    dp_model_free(shared);
    shared = opened(context); // nothing of it was read yet
    run("a model for each", own_model);
    run("one model for all", own_context);
    run("opened and freed", storm);
    if (pthread_create(&stopper, NULL, canceller, NULL))
        return 1;
    run("with cancelling", interrupted);
    done = 1;
    pthread_join(stopper, NULL);
    dp_model_free(shared);
    dp_context_free(context);
    printf("8 threads, %d rounds: %d runs stopped, %d went through\n", rounds, stopped, finished);
    return 0;
}
