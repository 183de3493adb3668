// What the public calls cost on a real model: opening, pruning, scoring, perplexity.   usage: library MODEL TEXT [RUNS]
// One JSON line a figure: name, unit, median, least, most, runs.  Only public headers.
#include <depthprune/depthprune.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_RUNS = 64 };

typedef struct bench {
    dp_context *context;
    dp_model *model;
    dp_calib *calib;
    dp_tokenizer *tokenizer;
    dp_pruner *pruner;
    dp_plan *plan;
    const char *path, *text;
    int32_t runs;
    dp_error error;
} bench;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

// A line such as "RssAnon:   248 kB" of /proc/self/status, in MiB.
static double memory_now(const char *key)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    double found = -1;

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0)
            found = strtod(line + strlen(key), NULL) / 1024;
    if (file)
        fclose(file);
    return found;
}

static void report(const char *name, const char *unit, double *values, int32_t count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    printf("{\"name\": \"%s\", \"unit\": \"%s\", \"median\": %.6g, \"least\": %.6g, \"most\": %.6g, \"runs\": %d}\n",
           name, unit, values[count / 2], values[0], values[count - 1], (int)count);
    fflush(stdout);
}

static int open_model(bench *b)
{
    dp_model_free(b->model);
    b->model = NULL;
    return dp_model_open(b->context, b->path, NULL, NULL, &b->model, &b->error);
}

static int open_tokenizer(bench *b)
{
    dp_tokenizer_free(b->tokenizer);
    b->tokenizer = NULL;
    return dp_tokenizer_open(b->context, b->path, &b->tokenizer, &b->error);
}

static int prune(bench *b)
{
    static const int32_t removed[] = {1, 2};
    dp_model *shorter = NULL;
    const int failed = (!b->pruner && (dp_pruner_new(b->context, NULL, &b->pruner, &b->error) ||
                                       dp_plan_from_list(b->context, b->model, removed, 2, &b->plan, &b->error))) ||
                       dp_pruner_run(b->pruner, b->model, b->plan, &shorter, &b->error);

    dp_model_free(shorter);
    return failed;
}

static int score(bench *b, const char *criterion)
{
    dp_scorer_options options;
    dp_scorer *scorer = NULL;
    dp_scores *scores = NULL;

    dp_scorer_options_init(&options, sizeof options);
    options.criterion = criterion;
    const int failed = dp_scorer_new(b->context, &options, &scorer, &b->error) ||
                       dp_scorer_run(scorer, b->model, b->calib, NULL, &scores, &b->error);
    dp_scorer_free(scorer);
    dp_scores_free(scores);
    return failed;
}

static int by_magnitude(bench *b) { return score(b, "mag"); }
static int by_influence(bench *b) { return score(b, "bi"); }
static int by_perplexity(bench *b) { return score(b, "ppl"); }

static int perplexity(bench *b)
{
    dp_evaluator_options options;
    dp_evaluator *evaluator = NULL;
    dp_perplexity result = {.size = sizeof result};

    dp_evaluator_options_init(&options, sizeof options);
    options.limit = 40;
    const int failed = dp_evaluator_new(b->context, &options, &evaluator, &b->error) ||
                       dp_evaluator_perplexity(evaluator, b->model, b->tokenizer, b->text, NULL, &result, &b->error);
    dp_evaluator_free(evaluator);
    return failed;
}

// Time `call` and report it in seconds * scale.
static int measure(bench *b, const char *name, const char *unit, double scale, int32_t runs, int (*call)(bench *))
{
    double taken[MOST_RUNS];

    if (call(b)) // not counted: files come into the cache
        return 1;
    for (int32_t run = 0; run < runs; run++) {
        const double began = now();
        if (call(b))
            return 1;
        taken[run] = (now() - began) * scale;
    }
    report(name, unit, taken, runs);
    return 0;
}

static int run(bench *b)
{
    double memory;

    if (dp_context_new(NULL, &b->context, &b->error) ||
        measure(b, "open weights and config", "ms", 1e3, 32, open_model))
        return 1;
    memory = memory_now("RssAnon:");
    report("anonymous memory after opening", "MiB", &memory, 1);
    if (measure(b, "prune without the save", "us", 1e6, 32, prune) ||
        measure(b, "open tokenizer", "ms", 1e3, 8, open_tokenizer) ||
        dp_calib_open(b->context, b->tokenizer, b->text, NULL, NULL, &b->calib, &b->error) ||
        measure(b, "score by mag", "ms", 1e3, b->runs, by_magnitude) ||
        measure(b, "score by bi, 10 x 128 tokens", "s", 1, b->runs, by_influence) ||
        measure(b, "perplexity of 40 x 128 tokens", "s", 1, b->runs, perplexity) ||
        measure(b, "score by ppl, 10 x 128 tokens", "s", 1, b->runs, by_perplexity))
        return 1;
    memory = memory_now("VmHWM:");
    report("largest resident memory, mapped file included", "MiB", &memory, 1);
    return 0;
}

int main(int argc, char **argv)
{
    bench b = {.runs = argc > 3 ? (int32_t)strtol(argv[3], NULL, 10) : 5};

    if (argc < 3 || b.runs < 1 || b.runs > MOST_RUNS) {
        fprintf(stderr, "usage: %s MODEL TEXT [RUNS, 1 to %d]\n", argv[0], (int)MOST_RUNS);
        return 2;
    }
    b.path = argv[1];
    b.text = argv[2];
    if (run(&b)) {
        fprintf(stderr, "%s: %s: %s\n", b.error.file, b.error.item, b.error.message);
        return 1;
    }
    dp_context_free(b.context);
    dp_model_free(b.model);
    dp_calib_free(b.calib);
    dp_tokenizer_free(b.tokenizer);
    dp_pruner_free(b.pruner);
    dp_plan_free(b.plan);
    return 0;
}
