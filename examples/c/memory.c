// Score a model whose weights are this program's own arrays: no file is opened, no weight is copied.
// usage: memory MODEL      (a Hugging Face directory, from which the arrays are filled first)
#include <depthprune/depthprune.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 4, LENGTH = 32, MOST_CONFIG = 1 << 16 };

// What an engine has in memory: the text of its configuration, and arrays with names.
typedef struct array {
    dp_weight weight;
    char name[128];
    float *numbers; // or of another type: weight.type says which
} array;

typedef struct engine {
    array *arrays;
    size_t count, released;
    char config[MOST_CONFIG];
    size_t config_size;
} engine;

// Called once for each array, when the last model over it is gone: only then may its memory go.
static void release(void *user, const void *data, uint64_t bytes)
{
    (void)data;
    (void)bytes;
    ++*(size_t *)user;
}

static int fill(engine *e, dp_context *context, const char *path, dp_error *error)
{
    char name[4096];
    dp_model *model = NULL;
    int rc = dp_model_open(context, path, NULL, NULL, &model, error);
    FILE *file;

    if (rc)
        return rc;
    snprintf(name, sizeof name, "%s/config.json", path);
    file = fopen(name, "rb");
    e->config_size = file ? fread(e->config, 1, MOST_CONFIG, file) : 0;
    if (file)
        fclose(file);
    e->count = dp_model_weight_count(model);
    e->arrays = calloc(e->count, sizeof *e->arrays);
    for (size_t i = 0; e->arrays && rc == DP_OK && i < e->count; i++) {
        array *a = &e->arrays[i];
        a->weight.size = sizeof a->weight;
        rc = dp_model_weight(model, i, &a->weight, error);
        if (rc != DP_OK || !(a->numbers = malloc(a->weight.bytes)))
            continue;
        memcpy(a->numbers, a->weight.data, a->weight.bytes);
        snprintf(a->name, sizeof a->name, "%s", a->weight.name);
        a->weight.name = a->name;
        a->weight.data = a->numbers;
    }
    dp_model_free(model);
    return rc;
}

static int build(engine *e, dp_context *context, dp_model **model, dp_error *error)
{
    dp_model_builder *builder = NULL;
    int rc = dp_model_builder_new(context, e->config, e->config_size, NULL, &builder, error);

    for (size_t i = 0; rc == DP_OK && i < e->count; i++)
        rc = dp_model_builder_add(builder, &e->arrays[i].weight, release, &e->released, error);
    if (rc == DP_OK)
        rc = dp_model_builder_finish(builder, model, error);
    dp_model_builder_free(builder);
    return rc;
}

static int score(dp_context *context, const dp_model *model, dp_error *error)
{
    dp_calib *calib = NULL;
    dp_scorer *scorer = NULL;
    dp_scores *scores = NULL;
    dp_model_info info = {.size = sizeof info};
    dp_scores_info found = {.size = sizeof found};
    int32_t ids[SAMPLES * LENGTH];
    int rc = dp_model_describe(model, &info, error);

    for (int32_t i = 0; rc == DP_OK && i < SAMPLES * LENGTH; i++)
        ids[i] = (i * 7 + 3) % info.vocab_size;
    if (rc == DP_OK)
        rc = dp_calib_from_ids(context, ids, SAMPLES, LENGTH, &calib, error);
    if (rc == DP_OK)
        rc = dp_scorer_new(context, NULL, &scorer, error);
    if (rc == DP_OK)
        rc = dp_scorer_run(scorer, model, calib, NULL, &scores, error);
    if (rc == DP_OK)
        rc = dp_scores_describe(scores, &found, error);
    for (int32_t block = 0; rc == DP_OK && block < found.blocks; block++)
        printf("%d %.17g\n", block, found.scores[block]);
    dp_calib_free(calib);
    dp_scorer_free(scorer);
    dp_scores_free(scores);
    return rc;
}

int main(int argc, char **argv)
{
    static engine e;
    dp_context *context = NULL;
    dp_model *model = NULL;
    dp_error error;

    if (argc != 2) {
        fprintf(stderr, "usage: %s MODEL\n", argv[0]);
        return 2;
    }
    const int failed = dp_context_new(NULL, &context, &error) || fill(&e, context, argv[1], &error) ||
                       build(&e, context, &model, &error) || score(context, model, &error);
    if (failed)
        fprintf(stderr, "%s: %s: %s\n", error.file, error.item, error.message);
    dp_model_free(model);
    dp_context_free(context);
    fprintf(stderr, "%zu of %zu arrays released\n", e.released, e.count);
    for (size_t i = 0; i < e.count; i++)
        free(e.arrays[i].numbers);
    free(e.arrays);
    return failed;
}
