// What the hosts of test/fault that use threads, forks and reloading all compute: scores, perplexity and a digest
// of the tiny model, as one number of all their bits.
#ifndef TEST_FAULT_HOSTED_H
#define TEST_FAULT_HOSTED_H

#include <depthprune/depthprune.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOSTED_ROWS = 4, HOSTED_LENGTH = 48, HOSTED_IDS = HOSTED_ROWS * HOSTED_LENGTH };

// The calls by name, so that a host may take them from a library that it opens itself.
#define HOSTED_CALLS(CALL)                                                                                         \
    CALL(dp_context_options_init)                                                                                  \
    CALL(dp_context_new)                                                                                           \
    CALL(dp_context_free)                                                                                          \
    CALL(dp_model_open)                                                                                            \
    CALL(dp_model_digest)                                                                                          \
    CALL(dp_model_free)                                                                                            \
    CALL(dp_calib_from_ids)                                                                                        \
    CALL(dp_calib_free)                                                                                            \
    CALL(dp_scorer_options_init)                                                                                   \
    CALL(dp_scorer_new)                                                                                            \
    CALL(dp_scorer_run)                                                                                            \
    CALL(dp_scorer_free)                                                                                           \
    CALL(dp_scores_describe)                                                                                       \
    CALL(dp_scores_free)                                                                                           \
    CALL(dp_evaluator_options_init)                                                                                \
    CALL(dp_evaluator_new)                                                                                         \
    CALL(dp_evaluator_perplexity_ids)                                                                              \
    CALL(dp_evaluator_free)
#define HOSTED_FIELD(name) __typeof__(&name) name;
typedef struct hosted_calls {
    HOSTED_CALLS(HOSTED_FIELD)
} hosted_calls;

static inline uint64_t hosted_add(uint64_t sum, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    return sum;
}

static inline void hosted_ids(int32_t *ids)
{
    for (int32_t i = 0; i < HOSTED_IDS; i++)
        ids[i] = (i * 37 + i / 5) % 288;
}

static const char *hosted_gemm = "auto";

static inline int hosted_context(const hosted_calls *call, int32_t threads, dp_context **out, dp_error *error)
{
    dp_context_options options;

    call->dp_context_options_init(&options, sizeof options);
    options.threads = threads;
    options.gemm = hosted_gemm;
    return call->dp_context_new(&options, out, error);
}

static inline int hosted_score(const hosted_calls *call, dp_context *context, const dp_model *model,
                               const char *criterion, const dp_monitor *monitor, uint64_t *sum, dp_error *error)
{
    dp_scorer_options options;
    dp_calib *calib = NULL;
    dp_scorer *scorer = NULL;
    dp_scores *scores = NULL;
    dp_scores_info info = {.size = sizeof info};
    int32_t ids[HOSTED_IDS];

    hosted_ids(ids);
    call->dp_scorer_options_init(&options, sizeof options);
    options.criterion = criterion;
    int rc = call->dp_calib_from_ids(context, ids, HOSTED_ROWS, HOSTED_LENGTH, &calib, error);
    if (!rc)
        rc = call->dp_scorer_new(context, &options, &scorer, error);
    if (!rc)
        rc = call->dp_scorer_run(scorer, model, calib, monitor, &scores, error);
    if (!rc)
        rc = call->dp_scores_describe(scores, &info, error);
    if (!rc)
        *sum = hosted_add(*sum, info.scores, (size_t)info.blocks * sizeof *info.scores);
    call->dp_scores_free(scores);
    call->dp_scorer_free(scorer);
    call->dp_calib_free(calib);
    return rc;
}

static inline int hosted_eval(const hosted_calls *call, dp_context *context, const dp_model *model,
                              const dp_monitor *monitor, uint64_t *sum, dp_error *error)
{
    dp_evaluator_options options;
    dp_evaluator *evaluator = NULL;
    dp_perplexity result = {.size = sizeof result};
    int32_t ids[HOSTED_IDS];

    hosted_ids(ids);
    call->dp_evaluator_options_init(&options, sizeof options);
    options.window = 16;
    options.bos = -1;
    int rc = call->dp_evaluator_new(context, &options, &evaluator, error);
    if (!rc)
        rc = call->dp_evaluator_perplexity_ids(evaluator, model, ids, HOSTED_IDS, monitor, &result, error);
    if (!rc)
        *sum = hosted_add(*sum, &result.nll, sizeof result.nll);
    call->dp_evaluator_free(evaluator);
    return rc;
}

// Everything with one model; *sum begins anew.
static inline int hosted_all(const hosted_calls *call, dp_context *context, dp_model *model,
                             const dp_monitor *monitor, uint64_t *sum, dp_error *error)
{
    static const char *const criteria[] = {"ppl", "bi", "mag"};
    char digest[65];
    int rc = DP_OK;

    *sum = 1;
    for (int i = 0; i < 3 && !rc; i++)
        rc = hosted_score(call, context, model, criteria[i], monitor, sum, error);
    if (!rc)
        rc = hosted_eval(call, context, model, monitor, sum, error);
    if (!rc)
        rc = call->dp_model_digest(model, monitor, digest, error);
    if (!rc)
        *sum = hosted_add(*sum, digest, sizeof digest);
    return rc;
}

// Threads of this process.
static inline int hosted_tasks(void)
{
    DIR *folder = opendir("/proc/self/task");
    int count = 0;

    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count - 2;
}

static inline void hosted_must(int rc, const dp_error *error, const char *what)
{
    if (!rc)
        return;
    fprintf(stderr, "%s: %d: %s: %s: %s\n", what, rc, error->file, error->item, error->message);
    exit(1);
}

static inline void hosted_same(uint64_t sum, uint64_t wanted, const char *what)
{
    if (sum == wanted)
        return;
    fprintf(stderr, "%s: the bits are not those of the serial run\n", what);
    exit(1);
}

#endif
