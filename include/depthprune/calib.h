/**
 * @file calib.h
 * A calibration set: equally long rows of token ids that data-driven criteria read.
 */
#ifndef DEPTHPRUNE_CALIB_H
#define DEPTHPRUNE_CALIB_H

#include <depthprune/tokenizer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dp_calib dp_calib;

/** What a row of a text is. */
enum {
    DP_ROWS_AUTO = 0,      /**< paragraphs (JSON lines: lines) where enough are long enough, else a stream */
    DP_ROWS_PARAGRAPH = 1, /**< text between blank lines */
    DP_ROWS_LINE = 2,      /**< one line */
    DP_ROWS_STREAM = 3,    /**< windows of the token stream of the whole text */
    DP_ROWS_JSONL = 4      /**< JSON lines, field "text" */
};

/** Fill with dp_calib_options_init(), then change what you need. */
typedef struct dp_calib_options {
    uint32_t size;     /**< bytes the caller knows of; set by the initializer */
    int32_t samples;   /**< windows; default 10, at least 1 */
    int32_t length;    /**< tokens a window; default 128, at least 2 */
    int32_t rows;      /**< DP_ROWS_*; default DP_ROWS_AUTO */
    uint64_t seed;     /**< default 1234 */
    int32_t bos_each;  /**< 1: every window begins with the BOS id and drops its last token; default 0 */
    uint32_t encode;   /**< DP_ENCODE_* flags; default DP_ENCODE_SPECIAL */
    int32_t row_bos;   /**< 1 (default): rows are tokenized with BOS where the model's convention adds it */
    int32_t reserved;  /**< zero */
} dp_calib_options;

/** What a calibration set is.  Set `size` before the call.  Strings are borrowed. */
typedef struct dp_calib_info {
    uint32_t size;
    int32_t samples;
    int32_t length;
    int32_t rows;       /**< the DP_ROWS_* that was used; -1 for ids from the host */
    uint64_t seed;
    const char *digest; /**< SHA-256 of the ids (32-bit little-endian, row after row), hexadecimal */
    const char *source; /**< the file, or "" */
} dp_calib_info;

/** Set every option to this library's default.  @param size sizeof(dp_calib_options) */
DP_API void dp_calib_options_init(dp_calib_options *options, size_t size);

/**
 * Draw windows from a text or JSON-lines file (name ends in .jsonl or .json) exactly as the paper's
 * reference code does: Python's generator seeded with `seed`; a row is drawn until one has at least
 * `length` tokens and was not taken before; then a window inside it is drawn.
 * @return DP_OK, DP_E_FORMAT (too little text: how much is there, how much is missing; a bad JSON line:
 *         its number), DP_E_IO, DP_E_ARGUMENT, DP_E_MEMORY or DP_E_CANCELLED
 */
DP_API int dp_calib_open(dp_context *context, const dp_tokenizer *tokenizer, const char *path,
                         const dp_calib_options *options, const dp_monitor *monitor, dp_calib **out,
                         dp_error *error);

/** Take `samples` rows of `length` ids from the host; copied. */
DP_API int dp_calib_from_ids(dp_context *context, const int32_t *ids, int32_t samples, int32_t length,
                             dp_calib **out, dp_error *error);

/** Describe a calibration set. */
DP_API int dp_calib_describe(const dp_calib *calib, dp_calib_info *info, dp_error *error);

/** All ids, row after row: samples × length of them.  Borrowed. */
DP_API const int32_t *dp_calib_ids(const dp_calib *calib);

/** Free a calibration set; NULL is allowed. */
DP_API void dp_calib_free(dp_calib *calib);

#ifdef __cplusplus
}
#endif

#endif
