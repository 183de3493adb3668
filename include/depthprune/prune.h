/**
 * @file prune.h
 * Choose blocks (a plan) and remove them (a new model over the same weights).
 */
#ifndef DEPTHPRUNE_PRUNE_H
#define DEPTHPRUNE_PRUNE_H

#include <depthprune/score.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dp_pruner dp_pruner;
typedef struct dp_plan dp_plan;

/**
 * How much to remove: exactly one of `blocks`, `ratio` and `parameters` is set.
 * Fill with dp_pruner_options_init(), then change what you need.
 */
typedef struct dp_pruner_options {
    uint32_t size;         /**< bytes the caller knows of; set by the initializer */
    int32_t blocks;        /**< number of blocks; 0 (default): not set */
    double ratio;          /**< share of the blocks, 0 < ratio < 1, rounded to the nearest count; 0: not set */
    uint64_t parameters;   /**< most parameters that may stay; the fewest blocks that reach it; 0: not set */
    int32_t protect_first; /**< leading blocks never removed; -1 (default): what the scores say */
    int32_t protect_last;  /**< trailing blocks never removed; -1 (default): what the scores say */
} dp_pruner_options;

/** Set every option to this library's default.  @param size sizeof(dp_pruner_options) */
DP_API void dp_pruner_options_init(dp_pruner_options *options, size_t size);

/** Make a pruner.  @param context kept  @param options copied; NULL for defaults */
DP_API int dp_pruner_new(dp_context *context, const dp_pruner_options *options, dp_pruner **out,
                         dp_error *error);

/**
 * Choose the least important unprotected blocks.
 * @param[out] out new
 * @return DP_OK, DP_E_ARGUMENT (scores of another model; more blocks than are unprotected; all blocks;
 *         nothing to remove), DP_E_NUMERIC or DP_E_MEMORY
 */
DP_API int dp_pruner_plan(dp_pruner *pruner, const dp_model *model, const dp_scores *scores, dp_plan **out,
                          dp_error *error);

/**
 * Remove the plan's blocks.  Kept weights are shared, not copied; `model` stays usable.
 * The plan's parent digest is compared only where the model's is known already (after dp_model_digest or
 * scoring): computing it would read every weight.
 * @param[out] out new
 * @return DP_OK, DP_E_ARGUMENT (the plan is for another model: number of blocks or digest) or DP_E_MEMORY
 */
DP_API int dp_pruner_run(dp_pruner *pruner, const dp_model *model, const dp_plan *plan, dp_model **out,
                         dp_error *error);

/** Free a pruner; NULL is allowed, and models it made stay valid. */
DP_API void dp_pruner_free(dp_pruner *pruner);

/**
 * A plan that removes the blocks listed, in any order.
 * @return DP_OK or DP_E_ARGUMENT (a block out of range or listed twice; all blocks; none)
 */
DP_API int dp_plan_from_list(dp_context *context, const dp_model *model, const int32_t *remove, size_t count,
                             dp_plan **out, dp_error *error);

/** What a plan says.  Set `size` before the call.  Pointers are borrowed until the plan is freed. */
typedef struct dp_plan_info {
    uint32_t size;
    int32_t blocks;          /**< blocks of the model it was made for */
    const int32_t *removed;  /**< ascending */
    const int32_t *kept;     /**< ascending */
    int32_t n_removed;
    int32_t n_kept;
} dp_plan_info;

/** Describe a plan. */
DP_API int dp_plan_describe(const dp_plan *plan, dp_plan_info *info, dp_error *error);

/**
 * The plan as the JSON document "depthprune.plan/1", to be read, edited and given back: removed and kept
 * blocks, scores, parent digest, data digest, seed, version.
 * Buffer arguments as in dp_scores_write.
 */
DP_API int dp_plan_write(const dp_plan *plan, char *text, size_t capacity, size_t *needed, dp_error *error);

/**
 * Read a plan; only "blocks" and "removed" are needed, "kept" must agree when given.
 * @param name for errors: the file the text came from; may be NULL
 */
DP_API int dp_plan_read(dp_context *context, const char *text, size_t bytes, const char *name, dp_plan **out,
                        dp_error *error);

/** Free a plan; NULL is allowed. */
DP_API void dp_plan_free(dp_plan *plan);

#ifdef __cplusplus
}
#endif

#endif
