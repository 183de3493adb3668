/**
 * @file model_build.h
 * A model from the host's own memory: the text of a config.json and one array a weight, used where they lie.
 *
 * A model made so is like one that was opened: it is described, scored, pruned, evaluated, digested (as the same
 * model in a file is) and saved in both formats.  It has no tokenizer: feed ids, and save one beside it yourself.
 */
#ifndef DEPTHPRUNE_MODEL_BUILD_H
#define DEPTHPRUNE_MODEL_BUILD_H

#include <depthprune/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dp_model_builder dp_model_builder;

/**
 * The library is done with an array that it was given.  Called once for each array that was taken: when the last
 * model over it is freed, or the builder without a model, or already while it is added when the library had to
 * copy it.  Called on the thread that makes that call, under no lock; must not throw.
 * @param user what the host gave with the array
 */
typedef void (*dp_release_function)(void *user, const void *data, uint64_t bytes);

/**
 * Begin a model.
 * @param context kept
 * @param config the text of a Hugging Face config.json, not terminated; copied
 * @param bytes of the text, at most 4 MiB
 * @param options copied; NULL for defaults.  `load = DP_LOAD_READ` copies every array, which is then released at once
 * @param[out] out new
 * @return DP_OK, DP_E_ARGUMENT, DP_E_FORMAT (key and line), DP_E_UNSUPPORTED (another family, named) or DP_E_MEMORY
 */
DP_API int dp_model_builder_new(dp_context *context, const char *config, size_t bytes,
                                const dp_model_options *options, dp_model_builder **out, dp_error *error);

/**
 * Give one weight.  `size`, `type`, `name`, `data`, `bytes`, `rows` and `columns` are read; `name` is the Hugging
 * Face name, such as "model.layers.0.mlp.up_proj.weight", and is copied; `rows` is 1 for a vector.  Matrices may be
 * of every computed type, vectors of DP_F32, DP_F16 and DP_BF16.  `data` must not change until it is released.
 * When it is not aligned to its element (4 bytes for DP_F32, 2 for the other types) it is copied and released here.
 * Succeeds: the array is the library's until released.  Fails: nothing was taken, `release` is not called.
 * @param release may be NULL: then the array must outlive every model over it
 * @return DP_OK, DP_E_ARGUMENT, DP_E_FORMAT (a name that the configuration has no place for, given twice, or of
 *         another shape or size), DP_E_UNSUPPORTED (a type that is not computed), DP_E_MEMORY or DP_E_STATE
 *         (finished); item is the name
 */
DP_API int dp_model_builder_add(dp_model_builder *builder, const dp_weight *weight, dp_release_function release,
                                void *user, dp_error *error);

/**
 * Make the model.  On success the arrays are its own and the builder is empty, to be freed; on failure the builder
 * is as it was, and what is missing may be added.
 * @return DP_OK, DP_E_ARGUMENT, DP_E_FORMAT (item is a weight that is missing, or a head that is not the embedding
 *         to which the configuration ties it), DP_E_MEMORY or DP_E_STATE (finished)
 */
DP_API int dp_model_builder_finish(dp_model_builder *builder, dp_model **out, dp_error *error);

/** Free a builder; NULL is allowed.  What it took for no model is released. */
DP_API void dp_model_builder_free(dp_model_builder *builder);

#ifdef __cplusplus
}
#endif

#endif
