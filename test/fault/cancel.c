// Stopping at random moments, by a flag that another thread sets and by the callback: the call returns in time, holds
// no memory, leaves nothing behind, and the context then gives the usual result.
//   cancel WORK TRIALS
#include <depthprune/depthprune.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "test/fault/tree.h"

enum { IDS = 30000, ROWS = 300, LENGTH = 64 };

static _Atomic int64_t held;
static const char *work;
static dp_context *context;
static dp_model *model;
static dp_calib *calib;
static int32_t ids[IDS];
static int broken;

static void *take(void *user, uint64_t size, uint64_t align)
{
    void *block = NULL;

    (void)user;
    if (posix_memalign(&block, align < sizeof(void *) ? sizeof(void *) : align, size ? size : 1))
        return NULL;
    held++;
    return block;
}

static void give(void *user, void *block, uint64_t size)
{
    (void)user, (void)size;
    held--;
    free(block);
}

static const char *under(const char *name)
{
    static char paths[4][1024];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", work, name);
    return path;
}

// ---- what is stopped; *sum gets what came out

static int run_score(const char *criterion, const dp_monitor *monitor, uint64_t *sum)
{
    dp_scorer_options options;
    dp_scorer *scorer = NULL;
    dp_scores *scores = NULL;
    dp_scores_info info = {.size = sizeof info};

    dp_scorer_options_init(&options, sizeof options);
    options.criterion = criterion;
    int rc = dp_scorer_new(context, &options, &scorer, NULL);
    if (!rc)
        rc = dp_scorer_run(scorer, model, calib, monitor, &scores, NULL);
    if (!rc && dp_scores_describe(scores, &info, NULL) == DP_OK)
        *sum = tree_add(1, info.scores, (size_t)info.blocks * sizeof *info.scores);
    dp_scores_free(scores);
    dp_scorer_free(scorer);
    return rc;
}

static int run_perplexity(const dp_monitor *monitor, uint64_t *sum)
{
    return run_score("ppl", monitor, sum);
}

static int run_influence(const dp_monitor *monitor, uint64_t *sum)
{
    return run_score("bi", monitor, sum);
}

static int run_eval(const dp_monitor *monitor, uint64_t *sum)
{
    dp_evaluator_options options;
    dp_evaluator *evaluator = NULL;
    dp_perplexity found = {.size = sizeof found};

    dp_evaluator_options_init(&options, sizeof options);
    options.window = LENGTH;
    int rc = dp_evaluator_new(context, &options, &evaluator, NULL);
    if (!rc)
        rc = dp_evaluator_perplexity_ids(evaluator, model, ids, IDS, monitor, &found, NULL);
    if (!rc)
        *sum = tree_add(1, &found.nll, sizeof found.nll);
    dp_evaluator_free(evaluator);
    return rc;
}

static int run_digest(const dp_monitor *monitor, uint64_t *sum)
{
    dp_model *fresh = NULL;
    char text[65];
    int rc = dp_model_open(context, under("bytes"), NULL, monitor, &fresh, NULL);

    if (!rc)
        rc = dp_model_check(fresh, monitor, NULL);
    if (!rc)
        rc = dp_model_digest(fresh, monitor, text, NULL);
    if (!rc)
        *sum = tree_add(1, text, sizeof text);
    dp_model_free(fresh);
    return rc;
}

static int run_save(int32_t format, uint64_t shard, const dp_monitor *monitor, uint64_t *sum)
{
    dp_save_options options;

    dp_save_options_init(&options, sizeof options);
    options.format = format;
    options.max_shard_bytes = shard;
    const int rc = dp_model_save(model, under("out/model"), &options, monitor, NULL, NULL);
    if (rc && tree_count(under("out")) != 0) {
        printf("FAILED: a save that was stopped leaves something\n");
        broken++;
    }
    if (!rc)
        *sum = tree_sum(under("out/model"));
    tree_remove(under("out/model"));
    return rc;
}

static int run_save_hf(const dp_monitor *monitor, uint64_t *sum)
{
    return run_save(DP_FORMAT_HF, 0, monitor, sum);
}

static int run_save_parts(const dp_monitor *monitor, uint64_t *sum)
{
    return run_save(DP_FORMAT_HF, 9000, monitor, sum);
}

static int run_save_gguf(const dp_monitor *monitor, uint64_t *sum)
{
    return run_save(DP_FORMAT_GGUF, 0, monitor, sum);
}

static struct {
    const char *name;
    int (*run)(const dp_monitor *monitor, uint64_t *sum);
    double seconds; // without a stop
    uint64_t sum;
    int stopped, tried;
} jobs[] = {
    {.name = "score ppl", .run = run_perplexity}, {.name = "score bi", .run = run_influence},
    {.name = "eval", .run = run_eval},            {.name = "open, check, digest", .run = run_digest},
    {.name = "save hf", .run = run_save_hf},      {.name = "save sharded hf", .run = run_save_parts},
    {.name = "save gguf", .run = run_save_gguf},
};

// ---- the stop

typedef struct stop {
    int32_t flag;
    double after, wall, processor; // seconds: when, and the clocks at that moment
    pthread_t thread;
} stop;

static double clock_of(clockid_t which)
{
    struct timespec now;

    clock_gettime(which, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void *set_flag(void *user)
{
    stop *s = user;
    const struct timespec wait = {(time_t)s->after, (long)((s->after - (double)(time_t)s->after) * 1e9)};

    nanosleep(&wait, NULL);
    s->wall = clock_of(CLOCK_MONOTONIC);
    s->processor = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    __atomic_store_n(&s->flag, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static int32_t stop_at(void *user, const dp_progress *now)
{
    (void)now;
    return --*(int *)user <= 0;
}

static void expect(size_t job, int rc, int wanted, int64_t before, uint64_t sum)
{
    if (rc != wanted && rc != DP_OK)
        printf("FAILED: %s: %s\n", jobs[job].name, dp_code_name(rc));
    if (rc == DP_OK && sum != jobs[job].sum)
        printf("FAILED: %s: another result\n", jobs[job].name);
    if (held != before)
        printf("FAILED: %s: %lld blocks are held\n", jobs[job].name, (long long)(held - before));
    broken += (rc != wanted && rc != DP_OK) || (rc == DP_OK && sum != jobs[job].sum) || held != before;
}

static double worst_wall, worst_processor;

static void try_flag(size_t job, double share)
{
    stop s = {.after = share * jobs[job].seconds};
    const dp_monitor monitor = {.size = sizeof monitor, .cancel = &s.flag};
    const int64_t before = held;
    uint64_t sum = 0;

    if (pthread_create(&s.thread, NULL, set_flag, &s) != 0)
        exit(1);
    const int rc = jobs[job].run(&monitor, &sum);
    const double wall = clock_of(CLOCK_MONOTONIC), processor = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    pthread_join(s.thread, NULL);
    expect(job, rc, DP_E_CANCELLED, before, sum);
    jobs[job].tried++;
    if (rc == DP_OK)
        return;
    jobs[job].stopped++;
    worst_wall = wall - s.wall > worst_wall ? wall - s.wall : worst_wall;
    worst_processor = processor - s.processor > worst_processor ? processor - s.processor : worst_processor;
}

static void try_callback(size_t job, int reports)
{
    const dp_monitor monitor = {.size = sizeof monitor, .interval_ms = 1, .progress = stop_at, .user = &reports};
    const int64_t before = held;
    uint64_t sum = 0;
    const int rc = jobs[job].run(&monitor, &sum);

    expect(job, rc, DP_E_CANCELLED, before, sum);
    jobs[job].tried++;
    jobs[job].stopped += rc != DP_OK;
}

static int set_up(void)
{
    const dp_allocator allocator = {.alloc = take, .free = give};
    dp_context_options options;

    for (int i = 0; i < IDS; i++)
        ids[i] = (i * 37 + i / 11) % 250 + 3;
    dp_context_options_init(&options, sizeof options);
    options.threads = 2;
    options.allocator = &allocator;
    mkdir(under("out"), 0777);
    return dp_context_new(&options, &context, NULL) || dp_model_open(context, under("bytes"), NULL, NULL, &model, NULL) ||
           dp_calib_from_ids(context, ids, ROWS, LENGTH, &calib, NULL);
}

int main(int argc, char **argv)
{
    const int trials = argc > 2 ? atoi(argv[2]) : 200;
    const size_t count = sizeof jobs / sizeof *jobs;
    uint64_t state = 99;

    work = argv[1];
    if (set_up())
        return 1;
    for (size_t i = 0; i < 2 * count; i++) { // twice: the first makes what is made once
        const double began = clock_of(CLOCK_MONOTONIC);
        if (jobs[i % count].run(NULL, &jobs[i % count].sum) != DP_OK)
            return 1;
        jobs[i % count].seconds = clock_of(CLOCK_MONOTONIC) - began;
    }
    for (int i = 0; i < trials; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        try_flag((size_t)i % count, (double)(state >> 11) / 9007199254740992.0);
    }
    for (int reports = 1; reports <= 6; reports++)
        for (size_t i = 0; i < count; i++)
            try_callback(i, reports);
    for (size_t i = 0; i < count; i++)
        printf("  %-20s %3d of %3d stopped, %.3f s without\n", jobs[i].name, jobs[i].stopped, jobs[i].tried,
               jobs[i].seconds);
    dp_calib_free(calib);
    dp_model_free(model);
    dp_context_free(context);
    if (held != 0 || worst_processor > 0.25 || worst_wall > 2.5) {
        printf("FAILED: %lld blocks held, %.3f s of the processor to stop, %.3f s by the clock\n", (long long)held,
               worst_processor, worst_wall);
        broken++;
    }
    printf("%d random moments: at most %.1f ms to stop by the clock, %.1f ms of the processor; %d bad\n", trials,
           worst_wall * 1000, worst_processor * 1000, broken);
    return broken != 0;
}
