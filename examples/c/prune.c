// Drop six blocks by perplexity and save the shorter model.   usage: prune MODEL TEXT OUT
#include <depthprune/depthprune.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    dp_context *context = NULL;
    dp_model *model = NULL, *shorter = NULL;
    dp_tokenizer *tokenizer = NULL;
    dp_calib *calib = NULL;
    dp_scorer *scorer = NULL;
    dp_scores *scores = NULL;
    dp_pruner *pruner = NULL;
    dp_plan *plan = NULL;
    dp_pruner_options options;
    dp_error error;

    if (argc != 4) {
        fprintf(stderr, "usage: %s MODEL TEXT OUT\n", argv[0]);
        return 2;
    }
    dp_pruner_options_init(&options, sizeof options);
    options.blocks = 6;
    const int failed = dp_context_new(NULL, &context, &error) ||
                       dp_model_open(context, argv[1], NULL, NULL, &model, &error) ||
                       dp_tokenizer_open(context, argv[1], &tokenizer, &error) ||
                       dp_calib_open(context, tokenizer, argv[2], NULL, NULL, &calib, &error) ||
                       dp_scorer_new(context, NULL, &scorer, &error) ||
                       dp_scorer_run(scorer, model, calib, NULL, &scores, &error) ||
                       dp_pruner_new(context, &options, &pruner, &error) ||
                       dp_pruner_plan(pruner, model, scores, &plan, &error) ||
                       dp_pruner_run(pruner, model, plan, &shorter, &error) ||
                       dp_model_save(shorter, argv[3], NULL, NULL, NULL, &error);
    if (failed)
        fprintf(stderr, "%s: %s: %s\n", error.file, error.item, error.message);
    dp_context_free(context); // any order: a handle keeps alive what it needs
    dp_model_free(model);
    dp_model_free(shorter);
    dp_tokenizer_free(tokenizer);
    dp_calib_free(calib);
    dp_scorer_free(scorer);
    dp_scores_free(scores);
    dp_pruner_free(pruner);
    dp_plan_free(plan);
    return failed;
}
