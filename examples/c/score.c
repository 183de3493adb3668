// Score the blocks of a model by perplexity.   usage: score MODEL [TEXT]
// Without a text the calibration ids are made up, so that a model without a tokenizer can be scored too.
// Then the same run is cancelled, and a model that does not exist is opened, to show how both look to a host.
#include <depthprune/depthprune.h>
#include <stdio.h>

enum { SAMPLES = 4, LENGTH = 32 };

static int32_t show(void *user, const dp_progress *now)
{
    (void)user;
    fprintf(stderr, "\r%s %3.0f %%", now->phase, now->total ? 100.0 * (double)now->done / (double)now->total : 0);
    return 0;
}

static int32_t stop(void *user, const dp_progress *now)
{
    (void)user;
    (void)now;
    return 1;
}

static int make_calibration(dp_context *context, const dp_model *model, const char *path, const char *text,
                            dp_calib **calib, dp_error *error)
{
    dp_calib_options options;
    dp_model_info info = {.size = sizeof info};
    dp_tokenizer *tokenizer = NULL;
    int32_t ids[SAMPLES * LENGTH];
    int rc = dp_model_describe(model, &info, error);

    if (rc)
        return rc;
    for (int32_t i = 0; i < SAMPLES * LENGTH; i++)
        ids[i] = (i * 7 + 3) % info.vocab_size;
    if (!text)
        return dp_calib_from_ids(context, ids, SAMPLES, LENGTH, calib, error);
    dp_calib_options_init(&options, sizeof options);
    rc = dp_tokenizer_open(context, path, &tokenizer, error);
    if (rc == DP_OK)
        rc = dp_calib_open(context, tokenizer, text, &options, NULL, calib, error);
    dp_tokenizer_free(tokenizer);
    return rc;
}

static int print_scores(const dp_scores *scores, dp_error *error)
{
    dp_scores_info info = {.size = sizeof info};
    const int rc = dp_scores_describe(scores, &info, error);

    for (int32_t block = 0; rc == DP_OK && block < info.blocks; block++)
        printf("%d %.17g\n", block, info.scores[block]);
    return rc;
}

int main(int argc, char **argv)
{
    dp_context *context = NULL;
    dp_model *model = NULL, *missing = NULL;
    dp_calib *calib = NULL;
    dp_scorer *scorer = NULL;
    dp_scores *scores = NULL;
    dp_monitor watching = {.size = sizeof watching, .progress = show};
    const dp_monitor stopping = {.size = sizeof stopping, .progress = stop};
    dp_error error;

    if (argc < 2) {
        fprintf(stderr, "usage: %s MODEL [TEXT]\n", argv[0]);
        return 2;
    }
    const int failed = dp_context_new(NULL, &context, &error) ||
                       dp_model_open(context, argv[1], NULL, NULL, &model, &error) ||
                       make_calibration(context, model, argv[1], argc > 2 ? argv[2] : NULL, &calib, &error) ||
                       dp_scorer_new(context, NULL, &scorer, &error) ||
                       dp_scorer_run(scorer, model, calib, &watching, &scores, &error) ||
                       print_scores(scores, &error);
    fprintf(stderr, "\n");
    if (failed) {
        fprintf(stderr, "%s: %s: %s\n", error.file, error.item, error.message);
    } else {
        dp_scores *none = NULL;
        printf("cancelled: %s\n", dp_code_name(dp_scorer_run(scorer, model, calib, &stopping, &none, &error)));
        dp_model_open(context, "no-such-model", NULL, NULL, &missing, &error);
        printf("failed: %s: %s: %s\n", dp_code_name(error.code), error.file, error.message);
    }
    dp_context_free(context); // any order: a handle keeps alive what it needs
    dp_model_free(model);
    dp_calib_free(calib);
    dp_scorer_free(scorer);
    dp_scores_free(scores);
    return failed;
}
