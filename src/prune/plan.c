// Plans: made from a list of blocks, described, written, freed.
#include "prune/plan.h"

#include <string.h>

#include <depthprune/version.h>

#include "base/error.h"
#include "base/options.h"
#include "model/model.h"

int dpi_plan_new(dp_plan **out, dp_context *context, const uint8_t *drop, int32_t blocks, dp_error *error)
{
    dpi_memory *memory = &context->memory;
    dp_plan *plan = dpi_alloc(memory, 1, sizeof *plan, error);

    if (!plan)
        return DP_E_MEMORY;
    plan->context = dpi_context_keep(context);
    plan->blocks = blocks;
    plan->protect_first = plan->protect_last = -1;
    strncpy(plan->version, dp_version_text(), sizeof plan->version - 1);
    plan->removed = dpi_alloc(memory, (size_t)blocks, sizeof *plan->removed, error);
    plan->kept = plan->removed ? dpi_alloc(memory, (size_t)blocks, sizeof *plan->kept, error) : NULL;
    if (!plan->kept) {
        dp_plan_free(plan);
        return DP_E_MEMORY;
    }
    for (int32_t block = 0; block < blocks; block++)
        if (drop[block])
            plan->removed[plan->n_removed++] = block;
        else
            plan->kept[plan->n_kept++] = block;
    *out = plan;
    return DP_OK;
}

void dp_plan_free(dp_plan *plan)
{
    if (!plan)
        return;
    dp_context *context = plan->context;
    dpi_memory *memory = &context->memory;
    json_decref(plan->calibration);
    dpi_free(memory, plan->removed);
    dpi_free(memory, plan->kept);
    dpi_free(memory, plan->scores);
    dpi_free(memory, plan->criterion);
    dpi_free(memory, plan->path);
    dpi_free(memory, plan);
    dpi_context_drop(context);
}

void dpi_plan_known_digest(const dp_model *model, char text[65])
{
    dp_model *own = dpi_model_retain(model);

    text[0] = 0;
    if (!pthread_mutex_trylock(&own->digest_turn)) { // held: being computed by another thread, so not known yet
        memcpy(text, own->digest, sizeof own->digest);
        pthread_mutex_unlock(&own->digest_turn);
    }
    dp_model_free(own);
}

static int mark_blocks(const int32_t *remove, size_t count, int32_t blocks, uint8_t *drop, dp_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (remove[i] < 0 || remove[i] >= blocks)
            return dpi_fail(error, DP_E_ARGUMENT, "block %d is not one of 0 .. %d", remove[i], blocks - 1);
        if (drop[remove[i]]++)
            return dpi_fail(error, DP_E_ARGUMENT, "block %d is listed twice", remove[i]);
    }
    if (count >= (size_t)blocks)
        return dpi_fail(error, DP_E_ARGUMENT, "cannot remove all %d blocks: one must stay", blocks);
    return DP_OK;
}

int dp_plan_from_list(dp_context *context, const dp_model *model, const int32_t *remove, size_t count,
                      dp_plan **out, dp_error *error)
{
    if (!context || !model || !remove || !out)
        return dpi_fail(error, DP_E_ARGUMENT,
                        "dp_plan_from_list needs a context, a model, a list and a place for the plan");
    if (count == 0)
        return dpi_fail(error, DP_E_ARGUMENT, "the list of blocks to remove is empty");
    const int32_t blocks = model->config.blocks;
    dp_model_info info = {.size = sizeof info};
    dp_plan *plan = NULL;
    uint8_t *drop = dpi_alloc(&context->memory, (size_t)blocks, 1, error);
    if (!drop)
        return DP_E_MEMORY;
    int rc = mark_blocks(remove, count, blocks, drop, error);
    if (!rc)
        rc = dpi_plan_new(&plan, context, drop, blocks, error);
    dpi_free(&context->memory, drop);
    if (!rc)
        rc = dp_model_describe(model, &info, error);
    if (!rc) {
        plan->path = dpi_copy_text(&context->memory, info.path, error);
        rc = plan->path ? DP_OK : DP_E_MEMORY;
    }
    if (rc) {
        dp_plan_free(plan);
        return rc;
    }
    dpi_plan_known_digest(model, plan->digest);
    *out = plan;
    return DP_OK;
}

int dp_plan_describe(const dp_plan *plan, dp_plan_info *info, dp_error *error)
{
    if (!plan || !info)
        return dpi_fail(error, DP_E_ARGUMENT, "dp_plan_describe needs a plan and an info");
    const dp_plan_info known = {.size = sizeof known,
                                .blocks = plan->blocks,
                                .removed = plan->removed,
                                .kept = plan->kept,
                                .n_removed = plan->n_removed,
                                .n_kept = plan->n_kept};

    return dpi_info_give(&known, sizeof known, info, error);
}

int dp_plan_write(const dp_plan *plan, char *text, size_t capacity, size_t *needed, dp_error *error)
{
    if (!plan || (!text && capacity > 0))
        return dpi_fail(error, DP_E_ARGUMENT,
                        "dp_plan_write needs a plan, and a buffer when its capacity is not 0");
    dpi_text whole = {.memory = &plan->context->memory};
    int rc = dpi_plan_text(plan, &whole, error);
    if (!rc)
        rc = dpi_give_text(whole.data, whole.size, text, capacity, needed);
    dpi_text_clear(&whole);
    return rc;
}
