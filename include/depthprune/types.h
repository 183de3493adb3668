/**
 * @file types.h
 * Export mark, result codes, the error record and element types.
 *
 * Every function that can fail returns DP_OK or one of the negative codes below and takes a `dp_error *`
 * as its last argument.  The record belongs to the caller, may be NULL, is filled only on failure,
 * and needs no free.  On failure every output argument is left untouched.
 */
#ifndef DEPTHPRUNE_TYPES_H
#define DEPTHPRUNE_TYPES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define DP_API __attribute__((visibility("default")))
#else
#define DP_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Result codes, by what a host can do next.  Never renumbered. */
enum {
    DP_OK = 0,
    DP_E_ARGUMENT = -1,    /**< the call is wrong: fix the caller */
    DP_E_MEMORY = -2,      /**< out of memory, or over the context's memory limit */
    DP_E_IO = -3,          /**< the system refused: see dp_error.system_error */
    DP_E_FORMAT = -4,      /**< a file contradicts its format or another file */
    DP_E_UNSUPPORTED = -5, /**< well formed, but not something this library does */
    DP_E_NUMERIC = -6,     /**< a number is not finite where it must be */
    DP_E_CANCELLED = -7,   /**< the monitor asked to stop */
    DP_E_BACKEND = -8,     /**< a device or its driver failed */
    DP_E_VERSION = -9,     /**< caller or plugin was built for another version */
    DP_E_STATE = -10,      /**< the handle is not in a state that allows this */
    DP_E_INTERNAL = -11    /**< a defect of this library */
};

/** Why a call failed, and where.  Strings are UTF-8, one line, always terminated. */
typedef struct dp_error {
    int64_t offset;        /**< byte in `file`, or -1 */
    int32_t code;          /**< what the call returned */
    int32_t system_error;  /**< errno of the failed system call, or 0 */
    int32_t line;          /**< 1-based line in `file`, or 0 */
    int32_t column;        /**< 1-based column in `file`, or 0 */
    char file[512];        /**< the file; its tail when the name is longer; "" when none applies */
    char item[128];        /**< tensor, key or option; "" when none applies */
    char message[320];     /**< the fact and the numbers */
    unsigned char reserved[32]; /**< zero */
} dp_error;

/** Element types.  The numbers are GGUF's. */
enum {
    DP_F32 = 0,
    DP_F16 = 1,
    DP_Q4_0 = 2,
    DP_Q4_1 = 3,
    DP_Q5_0 = 6,
    DP_Q5_1 = 7,
    DP_Q8_0 = 8,
    DP_Q2_K = 10,
    DP_Q3_K = 11,
    DP_Q4_K = 12,
    DP_Q5_K = 13,
    DP_Q6_K = 14,
    DP_I32 = 26,
    DP_F64 = 28,
    DP_BF16 = 30
};

/** The name of a result code, such as "DP_E_FORMAT"; "unknown code" for any other number.  Never NULL. */
DP_API const char *dp_code_name(int32_t code);

/** The name of an element type, such as "bf16" or "q4_1"; "unknown type" for any other number. */
DP_API const char *dp_type_name(int32_t type);

#ifdef __cplusplus
}
#endif

#endif
