// dp_pruner: scores to a plan, a plan to a model that shares its parent's weights.
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "model/model.h"
#include "prune/plan.h"
#include "prune/scores.h"
#include "prune/select.h"

struct dp_pruner {
    dp_context *context; // one reference
    dp_pruner_options options;
};

#define AT(field) .name = #field, .offset = offsetof(dp_pruner_options, field)

static const dpi_option options[] = {
    {AT(blocks), .kind = DPI_INT32, .least = 0, .most = INT32_MAX, .help = "number of blocks to remove"},
    {AT(ratio), .kind = DPI_DOUBLE, .least = 0, .most = 1, .help = "share of the blocks to remove"},
    {AT(parameters), .kind = DPI_UINT64, .help = "most parameters that may stay"},
    {AT(protect_first), .kind = DPI_INT32, .least = -1, .most = INT32_MAX, .value = -1,
     .help = "leading blocks never removed; -1: what the scores say"},
    {AT(protect_last), .kind = DPI_INT32, .least = -1, .most = INT32_MAX, .value = -1,
     .help = "trailing blocks never removed; -1: what the scores say"},
};
static const dpi_schema schema = {"dp_pruner_options", sizeof(dp_pruner_options), sizeof options / sizeof *options,
                                  options};

void dp_pruner_options_init(dp_pruner_options *out, size_t size)
{
    dpi_options_init(&schema, out, size);
}

static int amounts_set(const dp_pruner_options *given)
{
    return (given->blocks != 0) + (given->ratio != 0) + (given->parameters != 0);
}

static int check_options(const dp_pruner_options *given, dp_error *error)
{
    dpi_place place = DPI_NOWHERE;

    place.item = "ratio";
    if (isnan(given->ratio) || given->ratio >= 1)
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "ratio %g is not between 0 and 1", given->ratio);
    if (amounts_set(given) > 1)
        return dpi_fail(error, DP_E_ARGUMENT, "blocks, ratio and parameters: only one may be set, %d are",
                        amounts_set(given));
    return DP_OK;
}

int dp_pruner_new(dp_context *context, const dp_pruner_options *given, dp_pruner **out, dp_error *error)
{
    dp_pruner_options read;

    if (!context || !out)
        return dpi_fail(error, DP_E_ARGUMENT, "dp_pruner_new needs a context and a place for the pruner");
    int rc = dpi_options_read(&schema, given, &read, error);
    if (!rc)
        rc = check_options(&read, error);
    if (rc)
        return rc;
    dp_pruner *pruner = dpi_alloc(&context->memory, 1, sizeof *pruner, error);
    if (!pruner)
        return DP_E_MEMORY;
    pruner->context = dpi_context_keep(context);
    pruner->options = read;
    *out = pruner;
    return DP_OK;
}

void dp_pruner_free(dp_pruner *pruner)
{
    if (!pruner)
        return;
    dp_context *context = pruner->context;
    dpi_free(&context->memory, pruner);
    dpi_context_drop(context);
}

// Digests are compared where both are known; computing one would read every weight.
static int check_parent(const dp_model *model, int32_t blocks, const char *digest, const char *what,
                        dp_error *error)
{
    dpi_place place = {.item = "blocks", .offset = -1};
    char known[65];

    if (blocks != model->config.blocks)
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "the %s for a model of %d blocks, this one has %d", what,
                           blocks, model->config.blocks);
    place.item = "digest";
    dpi_plan_known_digest(model, known);
    if (digest && digest[0] && known[0] && strcmp(digest, known) != 0)
        return dpi_fail_at(error, DP_E_ARGUMENT, &place,
                           "the %s for a model with digest %.12s.., this one has %.12s..", what, digest, known);
    return DP_OK;
}

static int count_for_parameters(const dp_pruner *pruner, const dp_model *model, const dp_scores *scores,
                                dpi_select *select, dp_error *error)
{
    dpi_memory *memory = &pruner->context->memory;
    dp_model_info info = {.size = sizeof info};
    int rc = dp_model_describe(model, &info, error);

    if (rc)
        return rc;
    uint64_t *parameters = dpi_alloc(memory, select->n_blocks, sizeof *parameters, error);
    if (!parameters)
        return DP_E_MEMORY;
    for (int32_t block = 0; block < model->config.blocks; block++)
        parameters[block] = dpi_model_block_parameters(model, block);
    const dpi_target target = {
        .total = info.parameters, .target = pruner->options.parameters, .block_parameters = parameters};
    rc = dpi_select_parameters(select, scores->order, &target, &select->remove, error);
    dpi_free(memory, parameters);
    return rc;
}

static int count_blocks(const dp_pruner *pruner, const dp_model *model, const dp_scores *scores, dpi_select *select,
                        dp_error *error)
{
    const dp_pruner_options *given = &pruner->options;

    if (given->parameters)
        return count_for_parameters(pruner, model, scores, select, error);
    if (!given->blocks && given->ratio <= 0)
        return dpi_fail(error, DP_E_ARGUMENT, "nothing to remove: none of blocks, ratio and parameters is set");
    select->remove = given->blocks ? (size_t)given->blocks : dpi_select_ratio(given->ratio, select->n_blocks);
    return DP_OK;
}

// What the plan says beside its blocks.
static int fill_plan(dp_plan *plan, const dp_model *model, const dp_scores *scores, dp_error *error)
{
    dpi_memory *memory = &plan->context->memory;
    const json_t *calibration = json_object_get(json_object_get(scores->root, "protocol"), "calibration");
    dp_model_info info = {.size = sizeof info};
    const int rc = dp_model_describe(model, &info, error);

    if (rc)
        return rc;
    plan->criterion = dpi_copy_text(memory, scores->criterion, error);
    plan->path = plan->criterion ? dpi_copy_text(memory, info.path, error) : NULL;
    plan->scores = plan->path ? dpi_alloc(memory, (size_t)plan->blocks, sizeof *plan->scores, error) : NULL;
    if (!plan->scores)
        return DP_E_MEMORY;
    memcpy(plan->scores, scores->scores, (size_t)plan->blocks * sizeof *plan->scores);
    if (scores->digest)
        memcpy(plan->digest, scores->digest, sizeof plan->digest);
    else
        dpi_plan_known_digest(model, plan->digest);
    if (!json_is_object(calibration))
        return DP_OK;
    plan->calibration = json_deep_copy(calibration);
    return plan->calibration ? DP_OK : dpi_fail(error, DP_E_MEMORY, "no memory for the plan's calibration");
}

static int make_plan(const dp_pruner *pruner, const dp_model *model, const dp_scores *scores, uint8_t *drop,
                     dp_plan **out, dp_error *error)
{
    const dp_pruner_options *given = &pruner->options;
    const int32_t first = given->protect_first < 0 ? scores->protect_first : given->protect_first;
    const int32_t last = given->protect_last < 0 ? scores->protect_last : given->protect_last;
    dpi_select select = {.score = scores->scores,
                         .n_blocks = (size_t)scores->blocks,
                         .protect_first = (size_t)first,
                         .protect_last = (size_t)last};
    dp_plan *plan = NULL;
    int rc = count_blocks(pruner, model, scores, &select, error);

    if (!rc)
        rc = dpi_select_blocks(&select, scores->order, drop, error);
    if (!rc)
        rc = dpi_plan_new(&plan, pruner->context, drop, scores->blocks, error);
    if (!rc)
        rc = fill_plan(plan, model, scores, error);
    if (rc) {
        dp_plan_free(plan);
        return rc;
    }
    plan->protect_first = first;
    plan->protect_last = last;
    *out = plan;
    return DP_OK;
}

int dp_pruner_plan(dp_pruner *pruner, const dp_model *model, const dp_scores *scores, dp_plan **out,
                   dp_error *error)
{
    if (!pruner || !model || !scores || !out)
        return dpi_fail(error, DP_E_ARGUMENT,
                        "dp_pruner_plan needs a pruner, a model, scores and a place for the plan");
    int rc = check_parent(model, scores->blocks, scores->digest, "scores are", error);
    if (rc)
        return rc;
    uint8_t *drop = dpi_alloc(&pruner->context->memory, (size_t)scores->blocks, 1, error);
    if (!drop)
        return DP_E_MEMORY;
    rc = make_plan(pruner, model, scores, drop, out, error);
    dpi_free(&pruner->context->memory, drop);
    return rc;
}

int dp_pruner_run(dp_pruner *pruner, const dp_model *model, const dp_plan *plan, dp_model **out, dp_error *error)
{
    if (!pruner || !model || !plan || !out)
        return dpi_fail(error, DP_E_ARGUMENT,
                        "dp_pruner_run needs a pruner, a model, a plan and a place for the model");
    dpi_text text = {.memory = &pruner->context->memory};
    int rc = check_parent(model, plan->blocks, plan->digest, "plan is", error);
    if (!rc)
        rc = dpi_plan_text(plan, &text, error);
    if (!rc)
        rc = dpi_model_keep(model, plan->kept, plan->n_kept, text.data, out, error);
    dpi_text_clear(&text);
    return rc;
}
