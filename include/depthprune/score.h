/**
 * @file score.h
 * How important each Transformer block is.
 *
 * Criteria, by name:
 * - "mag"  sum of |w|^p over the block's weights; no data needed (paper, section 3.2).
 * - "mag+" the same with the first 4 and last 2 blocks protected.
 * - "ppl"  perplexity on the calibration set with the block left out (paper, section 3.2).
 * - "bi"   Block Influence: 1 - mean cosine of the residual stream before and after (ShortGPT).
 * Lower is less important.  "taylor" and "taylor+" come with the training rooms.
 */
#ifndef DEPTHPRUNE_SCORE_H
#define DEPTHPRUNE_SCORE_H

#include <depthprune/calib.h>
#include <depthprune/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dp_scorer dp_scorer;
typedef struct dp_scores dp_scores;

/** How element scores become one number: over a weight's rows, then over a block's weights. */
enum { DP_REDUCE_SUM = 0, DP_REDUCE_MEAN = 1, DP_REDUCE_MAX = 2, DP_REDUCE_PROD = 3 };

/** Fill with dp_scorer_options_init(), then change what you need. */
typedef struct dp_scorer_options {
    uint32_t size;            /**< bytes the caller knows of; set by the initializer */
    int32_t norm_power;       /**< mag: p, 1 (default) or 2 */
    const char *criterion;    /**< "ppl" (default), or another name above; copied */
    int32_t weight_reduction; /**< mag: DP_REDUCE_* over row sums; default DP_REDUCE_SUM */
    int32_t block_reduction;  /**< mag: DP_REDUCE_* over weights; default DP_REDUCE_SUM */
    int32_t projections_only; /**< mag: 1 leaves the two norm vectors out; default 0 */
    int32_t protect_first;    /**< leading blocks never removed; -1 (default): the criterion's own */
    int32_t protect_last;     /**< trailing blocks never removed; -1 (default): the criterion's own */
    int32_t group_samples;    /**< ppl, bi: samples that walk the depth together; 0 (default): what memory allows */
    int32_t resume;           /**< 1: go on from `journal` where that is; default 0: start anew */
    int32_t reserved;         /**< zero */
    const char *journal;      /**< ppl, bi: a file that holds what is finished, replaced after each group of samples; it
                                   stays when the run ends or fails, and is the host's to delete; copied; default
                                   NULL: none */
} dp_scorer_options;

/** Set every option to this library's default.  @param size sizeof(dp_scorer_options) */
DP_API void dp_scorer_options_init(dp_scorer_options *options, size_t size);

/**
 * Make a scorer.
 * @param context kept
 * @param options copied; NULL for defaults
 * @return DP_OK, DP_E_ARGUMENT (unknown criterion: the known ones are named) or DP_E_MEMORY
 */
DP_API int dp_scorer_new(dp_context *context, const dp_scorer_options *options, dp_scorer **out,
                         dp_error *error);

/**
 * Score every block of a model.
 * @param calib needed by "ppl" and "bi"; NULL for "mag"
 * @param[out] out new
 * @return DP_OK, DP_E_ARGUMENT (no calibration set; an id outside the vocabulary; fewer blocks than are
 *         protected), DP_E_NUMERIC (a score is not finite), DP_E_MEMORY (the bytes that are missing) or
 *         DP_E_CANCELLED; with a journal also DP_E_IO, DP_E_FORMAT (the file is no journal; it stays as it is) and
 *         DP_E_ARGUMENT (to resume: it belongs to another run)
 *
 * A resumed run gives the same bits as one that was never stopped, when the memory limit is the same.
 */
DP_API int dp_scorer_run(dp_scorer *scorer, const dp_model *model, const dp_calib *calib,
                         const dp_monitor *monitor, dp_scores **out, dp_error *error);

/** Free a scorer; NULL is allowed. */
DP_API void dp_scorer_free(dp_scorer *scorer);

/** What scores are.  Set `size` before the call.  Pointers are borrowed until the scores are freed. */
typedef struct dp_scores_info {
    uint32_t size;
    int32_t blocks;           /**< number of scores */
    const char *criterion;
    const double *scores;     /**< by block */
    const int32_t *order;     /**< all blocks, least important first; ties: lower index first */
    double dense;             /**< the criterion on the whole model; NaN where it has none */
    int32_t protect_first;
    int32_t protect_last;
} dp_scores_info;

/** Describe scores. */
DP_API int dp_scores_describe(const dp_scores *scores, dp_scores_info *info, dp_error *error);

/**
 * Scores as the JSON document "depthprune.scores/1", protocol fingerprint included.
 * @param[out] text at most `capacity` bytes, terminated when capacity > 0; may be NULL when capacity is 0
 * @param[out] needed bytes of the whole text with its terminator; may be NULL
 */
DP_API int dp_scores_write(const dp_scores *scores, char *text, size_t capacity, size_t *needed,
                           dp_error *error);

/**
 * Read what dp_scores_write wrote.
 * @param name for errors: the file the text came from; may be NULL
 * @return DP_OK, DP_E_FORMAT (line and column), DP_E_NUMERIC or DP_E_MEMORY
 */
DP_API int dp_scores_read(dp_context *context, const char *text, size_t bytes, const char *name,
                          dp_scores **out, dp_error *error);

/** Free scores; NULL is allowed. */
DP_API void dp_scores_free(dp_scores *scores);

#ifdef __cplusplus
}
#endif

#endif
