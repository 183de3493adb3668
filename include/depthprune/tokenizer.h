/**
 * @file tokenizer.h
 * Text to token ids and back: SentencePiece BPE (LLaMA, Vicuna) and byte-level BPE (SmolLM2).
 *
 * A tokenizer is immutable: any number of threads may use one.
 */
#ifndef DEPTHPRUNE_TOKENIZER_H
#define DEPTHPRUNE_TOKENIZER_H

#include <depthprune/context.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dp_tokenizer dp_tokenizer;

/** How dp_tokenizer_encode reads text; flags may be combined. */
enum {
    DP_ENCODE_SPECIAL = 1, /**< text such as "<unk>" or "<s>" is that token; without it, plain characters */
    DP_ENCODE_BOS = 2      /**< put the model's beginning-of-sequence id in front */
};

/** How dp_tokenizer_decode writes text. */
enum {
    DP_DECODE_SPECIAL = 1 /**< write special tokens as their text; without it they are left out, but for
                               SentencePiece's unknown token, which is written as " ⁇ " as it does */
};

/** What a tokenizer is.  Set `size` to sizeof(dp_tokenizer_info) before the call. */
typedef struct dp_tokenizer_info {
    uint32_t size;
    int32_t tokens;       /**< number of ids: 0 .. tokens-1 */
    int32_t bos;          /**< beginning of sequence, or -1 */
    int32_t eos;          /**< end of sequence, or -1 */
    int32_t unk;          /**< unknown, or -1 */
    int32_t pad;          /**< padding, or -1 */
    int32_t adds_bos;     /**< 1 when the model's own convention puts `bos` in front of a text */
    int32_t reserved;     /**< zero */
    const char *kind;     /**< "sentencepiece-bpe" or "byte-level-bpe"; borrowed */
    const char *digest;   /**< SHA-256 of what was read, 64 hexadecimal digits; borrowed */
} dp_tokenizer_info;

/**
 * Open the tokenizer of a model.
 * @param path a Hugging Face directory (tokenizer.json, else tokenizer.model), one of these two files,
 *             or a GGUF file
 * @param[out] out new
 * @return DP_OK, DP_E_IO, DP_E_FORMAT, DP_E_UNSUPPORTED (another kind of tokenizer, named) or DP_E_MEMORY
 */
DP_API int dp_tokenizer_open(dp_context *context, const char *path, dp_tokenizer **out, dp_error *error);

/** Describe a tokenizer.  Pointers in `info` are borrowed until it is freed. */
DP_API int dp_tokenizer_describe(const dp_tokenizer *tokenizer, dp_tokenizer_info *info, dp_error *error);

/**
 * Encode `bytes` bytes of text; NUL bytes are characters like any other, broken UTF-8 is read as U+FFFD.
 * @param[out] ids at most `capacity` of them; may be NULL when capacity is 0
 * @param[out] needed how many ids the text has; may be NULL
 */
DP_API int dp_tokenizer_encode(const dp_tokenizer *tokenizer, const char *text, size_t bytes, uint32_t flags,
                               int32_t *ids, size_t capacity, size_t *needed, dp_error *error);

/**
 * Decode ids.  The result may hold NUL bytes; it is not terminated.
 * @param[out] text at most `capacity` bytes; may be NULL when capacity is 0
 * @param[out] needed bytes of the whole text; may be NULL
 * @return DP_OK, DP_E_ARGUMENT (an id out of range) or DP_E_MEMORY
 */
DP_API int dp_tokenizer_decode(const dp_tokenizer *tokenizer, const int32_t *ids, size_t count, uint32_t flags,
                               char *text, size_t capacity, size_t *needed, dp_error *error);

/** Free a tokenizer; NULL is allowed. */
DP_API void dp_tokenizer_free(dp_tokenizer *tokenizer);

#ifdef __cplusplus
}
#endif

#endif
