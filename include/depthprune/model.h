/**
 * @file model.h
 * A model: an ordered list of Transformer blocks over shared, usually memory-mapped weights.
 *
 * A model is immutable; any number of threads may read one.  Weights of a mapped file are read from the
 * file when they are used: another program that cuts the file short meanwhile can stop this process
 * (SIGBUS).  Sizes are looked at again before each block is read, which leaves a moment; `load = DP_LOAD_READ` copies
 * instead and has no such risk.
 */
#ifndef DEPTHPRUNE_MODEL_H
#define DEPTHPRUNE_MODEL_H

#include <depthprune/context.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dp_model dp_model;

enum {
    DP_LOAD_MAP = 0,   /**< mapped: read from the file when they are used; what does not fit the address space can
                            be described, and whatever needs its weights is DP_E_MEMORY */
    DP_LOAD_READ = 1,  /**< copied into memory */
    DP_LOAD_SHAPES = 2 /**< not at all: a directory may hold config.json alone.  The model can be described, planned by
                            count and its save estimated; what needs weights fails with DP_E_STATE, and
                            dp_weight.data is NULL for a directory */
};
enum { DP_FORMAT_HF = 0, DP_FORMAT_GGUF = 1 };

/** Fill with dp_model_options_init(), then change what you need. */
typedef struct dp_model_options {
    uint32_t size; /**< bytes the caller knows of; set by the initializer */
    int32_t load;  /**< DP_LOAD_*; default DP_LOAD_MAP */
    int32_t allow_nonfinite; /**< 1: compute with weights that hold NaN or infinity; default 0: a run that comes to
                                  one fails with DP_E_NUMERIC, its tensor and index.  Asked once a weight, when its
                                  block is first read; models pruned from this one share the answer */
} dp_model_options;

/** What a model is.  Set `size` to sizeof(dp_model_info) before the call.  Strings are borrowed. */
typedef struct dp_model_info {
    uint32_t size;
    int32_t format;            /**< DP_FORMAT_* of the source */
    const char *architecture;  /**< such as "llama" */
    const char *path;          /**< as given to dp_model_open; "" when made otherwise */
    int32_t type;              /**< element type of most weights of the blocks, DP_F32 .. */
    int32_t blocks;
    int32_t hidden_size;       /**< width of the residual stream */
    int32_t heads;             /**< query heads */
    int32_t kv_heads;          /**< key and value heads */
    int32_t head_dim;
    int32_t ffn_size;          /**< inner width of the MLP */
    int32_t vocab_size;
    int32_t context;           /**< longest sequence the model was made for, in tokens */
    int32_t tied_head;         /**< 1 when the head is the embedding */
    double norm_epsilon;
    double rope_base;
    uint64_t parameters;       /**< elements of all weights; a tied head counts once */
    uint64_t block_parameters; /**< elements of block 0 */
    uint64_t bytes;            /**< bytes of all weights as stored */
} dp_model_info;

/** One weight, readable in place.  Set `size` to sizeof(dp_weight) before the call. */
typedef struct dp_weight {
    uint32_t size;
    int32_t type;        /**< element type */
    const char *name;    /**< name in this model's own format; borrowed */
    const void *data;    /**< rows of `columns` elements as stored; borrowed; NULL without weights */
    uint64_t bytes;
    int64_t rows;        /**< output width; 1 for a vector */
    int64_t columns;     /**< input width */
    int32_t block;       /**< block index, or -1 */
    int32_t reserved;    /**< zero */
} dp_weight;

/** Set every option to this library's default.  @param size sizeof(dp_model_options) */
DP_API void dp_model_options_init(dp_model_options *options, size_t size);

/**
 * Open a Hugging Face directory (config.json and model.safetensors or, where that is not,
 * model.safetensors.index.json with the files that it names; where that is not either, pytorch_model.bin or
 * pytorch_model.bin.index.json with its files) or a GGUF file.  Nothing in a PyTorch checkpoint is run.
 * Reads headers only; weights are checked for shape here and for value when first used.
 * @param context kept
 * @param options copied; NULL for defaults
 * @param monitor may be NULL
 * @param[out] out new
 * @return DP_OK, DP_E_IO, DP_E_FORMAT (file, place and item say what contradicts what), DP_E_UNSUPPORTED
 *         (another family, named), DP_E_MEMORY or DP_E_CANCELLED
 */
DP_API int dp_model_open(dp_context *context, const char *path, const dp_model_options *options,
                         const dp_monitor *monitor, dp_model **out, dp_error *error);

/** Describe a model. */
DP_API int dp_model_describe(const dp_model *model, dp_model_info *info, dp_error *error);

/** Number of weights: indices 0 .. count-1 of dp_model_weight. */
DP_API size_t dp_model_weight_count(const dp_model *model);

/** Read weight `index`: the embedding first, then block by block, then the last norm and the head. */
DP_API int dp_model_weight(const dp_model *model, size_t index, dp_weight *weight, dp_error *error);

/**
 * The block of the opened model that block `block` of this one is: equal to `block` before pruning.
 * @return the index, or -1 when `block` is out of range
 */
DP_API int32_t dp_model_origin(const dp_model *model, int32_t block);

/**
 * Content hash: SHA-256 over configuration, names, shapes, types and every weight byte, as 64 hexadecimal
 * digits.  Reads the whole model on the first call (about 1 s a GB), then remembers.
 * @param[out] text 65 bytes
 */
DP_API int dp_model_digest(dp_model *model, const dp_monitor *monitor, char text[65], dp_error *error);

/** Read every weight and fail on the first that is not finite (DP_E_NUMERIC: item, index), allowed or not. */
DP_API int dp_model_check(const dp_model *model, const dp_monitor *monitor, dp_error *error);

/** Fill with dp_save_options_init(), then change what you need. */
typedef struct dp_save_options {
    uint32_t size;      /**< bytes the caller knows of; set by the initializer */
    int32_t format;     /**< DP_FORMAT_*; default -1: the source's */
    int32_t type;       /**< DP_F32, DP_F16 or DP_BF16 for every matrix; default -1: as stored where the
                             format holds it, else DP_F16.  Norm vectors in GGUF are always DP_F32 */
    int32_t overwrite;  /**< 1: replace an existing target; default 0: refuse it */
    uint64_t max_shard_bytes; /**< of a Hugging Face directory: most bytes of tensors in one safetensors file,
                             more go to several with an index; default 0: all in one file */
} dp_save_options;

/** What a save would write, or has written.  Set `size` before the call. */
typedef struct dp_save_report {
    uint32_t size;
    int32_t files;       /**< number of files */
    uint64_t bytes;      /**< bytes of all of them; of a dry run, of the weights */
    uint64_t parameters;
} dp_save_report;

/** Set every option to this library's default.  @param size sizeof(dp_save_options) */
DP_API void dp_save_options_init(dp_save_options *options, size_t size);

/**
 * Save a model as a Hugging Face directory or a GGUF file, tokenizer and configuration with it, blocks
 * renumbered from 0.  The target appears whole or not at all; names and shapes are read back first.
 * @param options copied; NULL for defaults
 * @param[out] report may be NULL
 * @return DP_OK, DP_E_ARGUMENT (target exists, or is the source), DP_E_IO, DP_E_UNSUPPORTED, DP_E_MEMORY
 *         or DP_E_CANCELLED
 */
DP_API int dp_model_save(const dp_model *model, const char *path, const dp_save_options *options,
                         const dp_monitor *monitor, dp_save_report *report, dp_error *error);

/** What dp_model_save would write, and whether it may; writes nothing. */
DP_API int dp_model_save_estimate(const dp_model *model, const char *path, const dp_save_options *options,
                                  dp_save_report *report, dp_error *error);

/** Free a model; NULL is allowed.  Models pruned from it stay valid. */
DP_API void dp_model_free(dp_model *model);

#ifdef __cplusplus
}
#endif

#endif
