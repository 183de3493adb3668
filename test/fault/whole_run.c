// One run of everything, for valgrind: a directory and a GGUF file are opened and checked, scored, pruned, saved in
// both formats, opened again and measured.      whole_run FOLDER MODEL...
#include "test/fault/hosted.h"

#define LINKED(name) .name = name,
static const hosted_calls call = {HOSTED_CALLS(LINKED)};

static void save(dp_context *context, const dp_model *model, const char *folder, int32_t format, dp_error *error)
{
    char path[1024];
    dp_save_options options;
    dp_model *again = NULL;
    uint64_t sum = 1;

    dp_save_options_init(&options, sizeof options);
    options.format = format;
    options.overwrite = 1;
    snprintf(path, sizeof path, "%s/%s", folder, format == DP_FORMAT_HF ? "out" : "out.gguf");
    hosted_must(dp_model_save(model, path, &options, NULL, NULL, error), error, "save");
    hosted_must(dp_model_open(context, path, NULL, NULL, &again, error), error, "open what was saved");
    hosted_must(hosted_eval(&call, context, again, NULL, &sum, error), error, "measure what was saved");
    dp_model_free(again);
}

static void prune(dp_context *context, const char *folder, const char *path, dp_error *error)
{
    dp_model *model = NULL, *shorter = NULL;
    dp_tokenizer *tokenizer = NULL;
    dp_plan *plan = NULL;
    dp_pruner *pruner = NULL;
    const int32_t removed[] = {1};
    uint64_t sum;
    int32_t ids[64];
    size_t needed;

    hosted_must(dp_model_open(context, path, NULL, NULL, &model, error), error, "open");
    hosted_must(dp_model_check(model, NULL, error), error, "check");
    hosted_must(dp_tokenizer_open(context, path, &tokenizer, error), error, "tokenizer");
    hosted_must(dp_tokenizer_encode(tokenizer, "the tea", 7, 0, ids, 64, &needed, error), error, "encode");
    hosted_must(hosted_all(&call, context, model, NULL, &sum, error), error, "run");
    hosted_must(dp_plan_from_list(context, model, removed, 1, &plan, error), error, "plan");
    hosted_must(dp_pruner_new(context, NULL, &pruner, error), error, "pruner");
    hosted_must(dp_pruner_run(pruner, model, plan, &shorter, error), error, "prune");
    save(context, shorter, folder, DP_FORMAT_HF, error);
    save(context, shorter, folder, DP_FORMAT_GGUF, error);
    hosted_must(hosted_all(&call, context, shorter, NULL, &sum, error), error, "the shorter one");
    dp_tokenizer_free(tokenizer);
    dp_pruner_free(pruner);
    dp_plan_free(plan);
    dp_model_free(model);
    dp_model_free(shorter);
}

int main(int argc, char **argv)
{
    dp_context *context = NULL;
    dp_error error;

    if (argc < 3)
        return 2;
    hosted_must(hosted_context(&call, 2, &context, &error), &error, "context");
    for (int i = 2; i < argc; i++)
        prune(context, argv[1], argv[i], &error);
    dp_context_free(context);
    return 0;
}
