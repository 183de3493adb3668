// Every long call of the library on a thread with a stack of 256 KiB, in the locale of the environment; prints the
// decimal point and the scores.  small_stack WORK
#include <depthprune/depthprune.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>

static const char *work;
static dp_context *context;
static dp_error error;

static const char *under(const char *name)
{
    static char paths[4][1024];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", work, name);
    return path;
}

static int score(const dp_model *model, const dp_calib *calib, const char *criterion)
{
    dp_scorer_options options;
    dp_scorer *scorer = NULL;
    dp_scores *scores = NULL;
    char text[8192];

    dp_scorer_options_init(&options, sizeof options);
    options.criterion = criterion;
    int rc = dp_scorer_new(context, &options, &scorer, &error);
    if (!rc)
        rc = dp_scorer_run(scorer, model, calib, NULL, &scores, &error);
    if (!rc)
        rc = dp_scores_write(scores, text, sizeof text, NULL, &error);
    if (!rc)
        printf("%s", text);
    dp_scores_free(scores);
    dp_scorer_free(scorer);
    return rc;
}

static int save(const dp_model *model, const char *name, int32_t format)
{
    dp_save_options options;

    dp_save_options_init(&options, sizeof options);
    options.format = format;
    return dp_model_save(model, under(name), &options, NULL, NULL, &error);
}

static int use(const char *name, const char *other, int32_t format)
{
    static const char *const criteria[] = {"mag", "ppl", "bi"};
    dp_calib_options drawing;
    dp_model *model = NULL;
    dp_tokenizer *tokenizer = NULL;
    dp_calib *calib = NULL;
    dp_evaluator *evaluator = NULL;
    dp_perplexity found = {.size = sizeof found};
    char digest[65];

    dp_calib_options_init(&drawing, sizeof drawing);
    drawing.length = 16;
    int rc = dp_model_open(context, under(name), NULL, NULL, &model, &error);
    if (!rc)
        rc = dp_model_digest(model, NULL, digest, &error);
    if (!rc)
        rc = dp_tokenizer_open(context, under(name), &tokenizer, &error);
    if (!rc)
        rc = dp_calib_open(context, tokenizer, under("corpus.jsonl"), &drawing, NULL, &calib, &error);
    for (int i = 0; !rc && i < 3; i++)
        rc = score(model, calib, criteria[i]);
    if (!rc)
        rc = dp_evaluator_new(context, NULL, &evaluator, &error);
    if (!rc)
        rc = dp_evaluator_perplexity_ids(evaluator, model, dp_calib_ids(calib), 0, NULL, &found, NULL) == DP_OK;
    if (!rc)
        rc = save(model, other, format);
    dp_evaluator_free(evaluator);
    dp_calib_free(calib);
    dp_tokenizer_free(tokenizer);
    dp_model_free(model);
    return rc;
}

static void *run(void *result)
{
    int rc = dp_context_new(NULL, &context, &error);

    if (!rc)
        rc = use("pieces", "small.gguf", DP_FORMAT_GGUF);
    if (!rc)
        rc = use("parts", "small-parts.gguf", DP_FORMAT_GGUF);
    if (!rc)
        rc = use("bytes.gguf", "small", DP_FORMAT_HF);
    dp_context_free(context);
    *(int *)result = rc;
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_attr_t small;
    pthread_t thread;
    int rc = 1;

    work = argc > 1 ? argv[1] : ".";
    setlocale(LC_ALL, "");
    printf("decimal point %s\n", localeconv()->decimal_point);
    pthread_attr_init(&small);
    if (pthread_attr_setstacksize(&small, 256 << 10) || pthread_create(&thread, &small, run, &rc))
        return 1;
    pthread_join(thread, NULL);
    if (rc)
        printf("FAILED: %s: %s\n", error.file, error.message);
    return rc != 0;
}
