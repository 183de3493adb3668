/**
 * @file eval.h
 * What a model predicts: perplexity of a text, log-likelihoods and logits of given ids.
 */
#ifndef DEPTHPRUNE_EVAL_H
#define DEPTHPRUNE_EVAL_H

#include <depthprune/model.h>
#include <depthprune/tokenizer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dp_evaluator dp_evaluator;

/** Where the beginning-of-sequence id stands. */
enum {
    DP_PPL_MODE_A = 0, /**< once, before the whole text; a window scores window-1 tokens (the paper's) */
    DP_PPL_MODE_B = 1  /**< before each window; a window scores all its tokens */
};

/** Fill with dp_evaluator_options_init(), then change what you need. */
typedef struct dp_evaluator_options {
    uint32_t size;    /**< bytes the caller knows of; set by the initializer */
    int32_t window;   /**< tokens a window; default 128, at least 2 */
    int32_t mode;     /**< DP_PPL_MODE_A (default) or DP_PPL_MODE_B */
    int32_t bos;      /**< the id to use; -1 (default): the tokenizer's, -2: none (mode A only) */
    uint32_t encode;  /**< DP_ENCODE_* for text; default DP_ENCODE_SPECIAL */
    int32_t batch;    /**< windows computed together; 0 (default): what memory allows */
    int64_t limit;    /**< windows at most; 0 (default): all */
} dp_evaluator_options;

/** The result.  Set `size` before the call. */
typedef struct dp_perplexity {
    uint32_t size;
    int32_t window;
    int32_t mode;
    int32_t bos;         /**< the id that was used, or -1 */
    int64_t windows;
    int64_t tokens;      /**< tokens that were predicted */
    double nll;          /**< mean negative log-likelihood, natural logarithm */
    double perplexity;   /**< exp(nll) */
    char digest[72];     /**< SHA-256 of the text or ids, 64 hexadecimal digits */
} dp_perplexity;

/** Set every option to this library's default.  @param size sizeof(dp_evaluator_options) */
DP_API void dp_evaluator_options_init(dp_evaluator_options *options, size_t size);

/** Make an evaluator.  @param context kept  @param options copied; NULL for defaults */
DP_API int dp_evaluator_new(dp_context *context, const dp_evaluator_options *options, dp_evaluator **out,
                            dp_error *error);

/**
 * Perplexity of a UTF-8 text file (paper, section 4.1; windows do not overlap, the rest is dropped).
 * @return DP_OK, DP_E_ARGUMENT (window longer than the model's context; vocabulary too small for the
 *         tokenizer; mode B without a BOS id), DP_E_FORMAT (less text than one window), DP_E_IO,
 *         DP_E_NUMERIC, DP_E_MEMORY or DP_E_CANCELLED
 */
DP_API int dp_evaluator_perplexity(dp_evaluator *evaluator, const dp_model *model,
                                   const dp_tokenizer *tokenizer, const char *path,
                                   const dp_monitor *monitor, dp_perplexity *result, dp_error *error);

/** The same for ids from the host; options.bos = -1 then means no BOS. */
DP_API int dp_evaluator_perplexity_ids(dp_evaluator *evaluator, const dp_model *model, const int32_t *ids,
                                       size_t count, const dp_monitor *monitor, dp_perplexity *result,
                                       dp_error *error);

/**
 * Logits after each of the last `rows` positions of one sequence.
 * @param count ids, at least 1, at most the model's context
 * @param rows  1 .. count
 * @param[out] logits rows × vocab_size, float, row-major
 */
DP_API int dp_evaluator_logits(dp_evaluator *evaluator, const dp_model *model, const int32_t *ids,
                               size_t count, size_t rows, const dp_monitor *monitor, float *logits,
                               dp_error *error);

/**
 * The residual stream before block `block` (0 .. blocks; `blocks`: after the last, before the final norm).
 * @param[out] hidden count × hidden_size, float, row-major
 */
DP_API int dp_evaluator_hidden(dp_evaluator *evaluator, const dp_model *model, const int32_t *ids,
                               size_t count, int32_t block, const dp_monitor *monitor, float *hidden,
                               dp_error *error);

/** Free an evaluator; NULL is allowed. */
DP_API void dp_evaluator_free(dp_evaluator *evaluator);

#ifdef __cplusplus
}
#endif

#endif
