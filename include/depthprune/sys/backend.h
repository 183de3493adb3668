/**
 * @file backend.h
 * The contract between the core and a backend: one table of operations.
 *
 * Not part of the stable interface: core and plugin must be of the same minor version.
 * Formula, shapes, element types and tolerance of every operation: docs/ops.md.
 *
 * Rules for a backend:
 * - Operations on one stream happen in the order of the calls; any may be asynchronous until `sync`.
 * - Arguments were checked by the core: shapes agree, element types are in the operation's list, no
 *   operand is empty.  An operand whose `data` is NULL is absent, where the args struct allows it.
 * - Results do not depend on the number of threads.
 * - Scratch memory belongs to the stream and is reused between calls.
 */
#ifndef DEPTHPRUNE_SYS_BACKEND_H
#define DEPTHPRUNE_SYS_BACKEND_H

#include <depthprune/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { DP_BACKEND_ABI = 1 };

/** A matrix on the device: `rows` rows, `stride` elements from one row to the next (also for block types). */
typedef struct dp_mat {
    void *data;
    int64_t rows, cols, stride;
    int32_t type;     /**< DP_F32 .. */
    int32_t reserved; /**< zero */
} dp_mat;

typedef struct dp_stream dp_stream; /**< one ordered queue of a backend; made by open */

/** What the core lends a backend for as long as a stream is open. */
typedef struct dp_host {
    uint32_t size;
    int32_t threads;    /**< threads that `parallel` uses; worker numbers are 0 .. threads-1 */
    int32_t gemm;       /**< DP_GEMM_* asked for */
    int32_t kernels;    /**< DP_KERNELS_* asked for */
    void *user;         /**< handed to every function below */
    void *(*alloc)(void *user, uint64_t size);  /**< 64-byte aligned, or NULL */
    void (*free)(void *user, void *memory);
    /**
     * Run fn(arg, begin, end, worker) over 0 .. count-1 in chunks of `grain`; returns DP_OK, or
     * DP_E_CANCELLED when the host asked to stop (then some chunks did not run).
     */
    int (*parallel)(void *user, int64_t count, int64_t grain,
                    void (*fn)(void *arg, int64_t begin, int64_t end, int32_t worker), void *arg);
    void (*log)(void *user, int32_t level, const char *line);
} dp_host;

enum { DP_GEMM_AUTO = 0, DP_GEMM_NATIVE = 1, DP_GEMM_OPENBLAS = 2 };
enum { DP_KERNELS_AUTO = 0, DP_KERNELS_PORTABLE = 1, DP_KERNELS_AVX2 = 2, DP_KERNELS_AVX512 = 3 };

enum {
    DP_BACKEND_HOST_MEMORY = 1, /**< host pointers may be used as device pointers */
    DP_BACKEND_TRAINS = 2       /**< the gradient slots are filled */
};

/** What an open stream is; strings live as long as the stream. */
typedef struct dp_backend_info {
    uint32_t size;
    uint32_t flags;        /**< DP_BACKEND_* */
    const char *name;      /**< "cpu", "ref", "cuda" */
    const char *device;    /**< processor or board */
    const char *kernels;   /**< kernel set in use */
    const char *libraries; /**< such as "OpenBLAS 0.3.21 SkylakeX" */
} dp_backend_info;

/** c = alpha * op(a) op(b) + beta * c (+ bias as a row), `batch` times; a step of 0 shares the operand.
 *  The usual case of a linear layer, y = x W^T, is a = x, b = W, transpose_b = 1. */
typedef struct dp_gemm_args {
    dp_mat a, b, c, bias;
    int64_t batch, a_step, b_step, c_step; /**< elements from one matrix of a batch to the next */
    float alpha, beta;
    int32_t transpose_a, transpose_b;
} dp_gemm_args;

/** y[r] = table[ids[r]] as f32. */
typedef struct dp_embed_args {
    dp_mat table, y;
    const int32_t *ids; /**< y.rows of them, on the host */
} dp_embed_args;

/** table_grad[ids[r]] += y_grad[r], in the order of r. */
typedef struct dp_embed_grad_args {
    dp_mat y_grad, table_grad;
    const int32_t *ids;
} dp_embed_grad_args;

/** y = x * rstd * weight, rstd = 1 / sqrt(mean(x^2) + epsilon).  rstd may be absent. */
typedef struct dp_rmsnorm_args {
    dp_mat x, weight, y, rstd;
    float epsilon;
    int32_t reserved;
} dp_rmsnorm_args;

/** Gradients of rmsnorm; weight_grad is added to, and may be absent. */
typedef struct dp_rmsnorm_grad_args {
    dp_mat x, weight, rstd, y_grad, x_grad, weight_grad;
} dp_rmsnorm_grad_args;

enum { DP_ROPE_HALF = 0, DP_ROPE_INTERLEAVED = 1 };

/** Rotate each head of each row in place by position * inverse_frequency.  x.cols = heads * head_dim. */
typedef struct dp_rope_args {
    dp_mat x;
    const int32_t *positions;         /**< x.rows of them, on the host */
    const float *inverse_frequencies; /**< head_dim / 2 of them, on the host */
    int32_t head_dim;
    int32_t pairing;                  /**< DP_ROPE_HALF: (i, i + head_dim/2); INTERLEAVED: (2i, 2i+1) */
    int32_t inverse;                  /**< 1: rotate back (the gradient) */
    int32_t reserved;
} dp_rope_args;

/** Row softmax of scale * x; with `causal`, row r of a block of `queries` rows sees columns
 *  0 .. cols - queries + (r mod queries).  In place when y is x. */
typedef struct dp_softmax_args {
    dp_mat x, y;
    int64_t queries;
    float scale;
    int32_t causal;
} dp_softmax_args;

typedef struct dp_softmax_grad_args {
    dp_mat y, y_grad, x_grad;
    float scale;
    int32_t reserved;
} dp_softmax_grad_args;

enum { DP_GATE_SILU = 0, DP_GATE_GELU_TANH = 1 };

/** y = gate(a) * b, element by element. */
typedef struct dp_glu_args {
    dp_mat a, b, y;
    int32_t gate;
    int32_t reserved;
} dp_glu_args;

typedef struct dp_glu_grad_args {
    dp_mat a, b, y_grad, a_grad, b_grad;
    int32_t gate;
    int32_t reserved;
} dp_glu_grad_args;

enum { DP_IGNORE = -100 };

/** loss[r] = logsumexp(x[r]) - x[r][labels[r]], 0 where the label is DP_IGNORE;
 *  x_grad, when present, = scale * (softmax(x) - onehot), 0 where ignored. */
typedef struct dp_xent_args {
    dp_mat x, loss, x_grad;
    const int32_t *labels; /**< x.rows of them, on the host */
    float scale;
    int32_t reserved;
} dp_xent_args;

/** y = alpha * x + beta * y. */
typedef struct dp_axpby_args {
    dp_mat x, y;
    float alpha, beta;
} dp_axpby_args;

/** y = x in another element type (also out of block types). */
typedef struct dp_cast_args {
    dp_mat x, y;
} dp_cast_args;

enum {
    DP_REDUCTION_SUM = 0,    /**< sum x */
    DP_REDUCTION_ABS = 1,    /**< sum |x| */
    DP_REDUCTION_SQUARE = 2, /**< sum x^2 */
    DP_REDUCTION_MAX = 3,    /**< max x */
    DP_REDUCTION_DOT = 4,    /**< sum x y */
    DP_REDUCTION_ABSDOT = 5  /**< sum |x y| */
};

/** result[r] over the columns of row r; accumulated in double, result is f64 x.rows × 1. */
typedef struct dp_reduce_args {
    dp_mat x, y, result;
    int32_t kind;
    int32_t reserved;
} dp_reduce_args;

/** y = x * keep / (1 - rate), keep from a counter: equal on all backends. */
typedef struct dp_dropout_args {
    dp_mat x, y;
    uint64_t seed, counter;
    float rate;
    int32_t reserved;
} dp_dropout_args;

/** One AdamW step, as PyTorch's: all f32, `step` from 1. */
typedef struct dp_adamw_args {
    dp_mat weight, grad, first, second;
    int64_t step;
    float rate, beta1, beta2, epsilon, decay, grad_scale;
} dp_adamw_args;

/* Optional, fused.  backend/compose.c builds each from the required ones where a slot is NULL. */

/** x += delta (when present), then rmsnorm into y. */
typedef struct dp_add_rmsnorm_args {
    dp_mat x, delta, weight, y, rstd;
    float epsilon;
    int32_t reserved;
} dp_add_rmsnorm_args;

typedef struct dp_add_rmsnorm_grad_args {
    dp_mat x, weight, rstd, y_grad, delta_grad, x_grad, weight_grad;
} dp_add_rmsnorm_grad_args;

/** q = rope(x wq^T + bq), k = rope(x wk^T + bk), v = x wv^T + bv; biases may be absent; k and v may be
 *  rows of a key-value cache. */
typedef struct dp_qkv_rope_args {
    dp_mat x, wq, wk, wv, bq, bk, bv, q, k, v;
    const int32_t *positions;
    const float *inverse_frequencies;
    int32_t head_dim, pairing;
} dp_qkv_rope_args;

/** Causal attention of `sequences` sequences laid one after another: q, y have sequences * queries rows of
 *  heads * head_dim; k, v have sequences * keys rows of kv_heads * head_dim; query i of a sequence sees
 *  keys 0 .. keys - queries + i.  `lse` (rows × heads, f32), when present, gets log-sum-exp. */
typedef struct dp_attention_args {
    dp_mat q, k, v, y, lse;
    int64_t sequences, queries, keys;
    int32_t heads, kv_heads, head_dim;
    float scale;
} dp_attention_args;

typedef struct dp_attention_grad_args {
    dp_mat q, k, v, y, lse, y_grad, q_grad, k_grad, v_grad;
    int64_t sequences, queries, keys;
    int32_t heads, kv_heads, head_dim;
    float scale;
} dp_attention_grad_args;

/** One query a sequence against a cache: k and v hold `capacity` rows a sequence, `lengths[s]` in use. */
typedef struct dp_attention_decode_args {
    dp_mat q, k, v, y;
    const int32_t *lengths;
    int64_t sequences, capacity;
    int32_t heads, kv_heads, head_dim;
    float scale;
} dp_attention_decode_args;

/** loss as in xent of x weight^T, never holding more than a chunk of the logits. */
typedef struct dp_linear_xent_args {
    dp_mat x, weight, loss;
    const int32_t *labels;
} dp_linear_xent_args;

/** The same with gradients: x_grad (set) and weight_grad (added to; may be absent), times scale. */
typedef struct dp_linear_xent_grad_args {
    dp_mat x, weight, loss, x_grad, weight_grad;
    const int32_t *labels;
    float scale;
    int32_t reserved;
} dp_linear_xent_grad_args;

/** y = gate(x gate_weight^T) * (x up_weight^T). */
typedef struct dp_swiglu_args {
    dp_mat x, gate_weight, up_weight, y;
    int32_t gate;
    int32_t reserved;
} dp_swiglu_args;

/** AdamW over many tensors with the global gradient norm clipped; norm, on the host, gets it unclipped. */
typedef struct dp_adamw_multi_args {
    const dp_adamw_args *items;
    int64_t count;
    double *norm;
    float clip;
    int32_t reserved;
} dp_adamw_multi_args;

/** ids[r] drawn from softmax(x[r] / temperature) after top-k and top-p; temperature 0: the largest. */
typedef struct dp_sample_args {
    dp_mat x;
    int32_t *ids;
    uint64_t seed, counter;
    float temperature, top_p;
    int32_t top_k, reserved;
} dp_sample_args;

typedef struct dp_event dp_event; /**< a point in a stream */
typedef struct dp_graph dp_graph; /**< a captured run of operations */
typedef struct dp_comm dp_comm;   /**< several devices or ranks */

/** data of `count` f32 elements, combined over all ranks. */
typedef struct dp_comm_args {
    dp_comm *comm;
    void *send, *receive;
    int64_t count;
    int32_t root, reserved;
} dp_comm_args;

/** The table.  `size` and `abi` never move; slots are only appended. */
typedef struct dp_backend {
    uint32_t size;
    uint32_t abi; /**< DP_BACKEND_ABI */

    /* life */
    int (*open)(const dp_host *host, int32_t device, dp_stream **out, dp_error *error);
    void (*close)(dp_stream *stream);
    int (*describe)(dp_stream *stream, dp_backend_info *info, dp_error *error);
    int (*sync)(dp_stream *stream, dp_error *error);
    /* memory */
    int (*alloc)(dp_stream *stream, uint64_t bytes, void **out, dp_error *error);
    void (*free)(dp_stream *stream, void *memory);
    int (*upload)(dp_stream *stream, void *to, const void *from, uint64_t bytes, dp_error *error);
    int (*download)(dp_stream *stream, void *to, const void *from, uint64_t bytes, dp_error *error);
    int (*copy2d)(dp_stream *stream, const dp_mat *from, const dp_mat *to, dp_error *error);
    int (*fill)(dp_stream *stream, const dp_mat *x, float value, dp_error *error);
    /* required */
    int (*gemm)(dp_stream *stream, const dp_gemm_args *args, dp_error *error);
    int (*embed)(dp_stream *stream, const dp_embed_args *args, dp_error *error);
    int (*rmsnorm)(dp_stream *stream, const dp_rmsnorm_args *args, dp_error *error);
    int (*rope)(dp_stream *stream, const dp_rope_args *args, dp_error *error);
    int (*softmax)(dp_stream *stream, const dp_softmax_args *args, dp_error *error);
    int (*glu)(dp_stream *stream, const dp_glu_args *args, dp_error *error);
    int (*xent)(dp_stream *stream, const dp_xent_args *args, dp_error *error);
    int (*axpby)(dp_stream *stream, const dp_axpby_args *args, dp_error *error);
    int (*cast)(dp_stream *stream, const dp_cast_args *args, dp_error *error);
    int (*reduce)(dp_stream *stream, const dp_reduce_args *args, dp_error *error);
    /* required of a backend that trains */
    int (*embed_grad)(dp_stream *stream, const dp_embed_grad_args *args, dp_error *error);
    int (*rmsnorm_grad)(dp_stream *stream, const dp_rmsnorm_grad_args *args, dp_error *error);
    int (*softmax_grad)(dp_stream *stream, const dp_softmax_grad_args *args, dp_error *error);
    int (*glu_grad)(dp_stream *stream, const dp_glu_grad_args *args, dp_error *error);
    int (*dropout)(dp_stream *stream, const dp_dropout_args *args, dp_error *error);
    int (*adamw)(dp_stream *stream, const dp_adamw_args *args, dp_error *error);
    /* optional, composed where NULL */
    int (*add_rmsnorm)(dp_stream *stream, const dp_add_rmsnorm_args *args, dp_error *error);
    int (*add_rmsnorm_grad)(dp_stream *stream, const dp_add_rmsnorm_grad_args *args, dp_error *error);
    int (*qkv_rope)(dp_stream *stream, const dp_qkv_rope_args *args, dp_error *error);
    int (*attention)(dp_stream *stream, const dp_attention_args *args, dp_error *error);
    int (*attention_grad)(dp_stream *stream, const dp_attention_grad_args *args, dp_error *error);
    int (*attention_decode)(dp_stream *stream, const dp_attention_decode_args *args, dp_error *error);
    int (*linear_xent)(dp_stream *stream, const dp_linear_xent_args *args, dp_error *error);
    int (*linear_xent_grad)(dp_stream *stream, const dp_linear_xent_grad_args *args, dp_error *error);
    int (*swiglu)(dp_stream *stream, const dp_swiglu_args *args, dp_error *error);
    int (*adamw_multi)(dp_stream *stream, const dp_adamw_multi_args *args, dp_error *error);
    int (*sample)(dp_stream *stream, const dp_sample_args *args, dp_error *error);
    /* optional, absent where NULL */
    int (*upload_async)(dp_stream *stream, void *to, const void *from, uint64_t bytes, dp_event **done,
                        dp_error *error);
    int (*wait)(dp_stream *stream, dp_event *event, dp_error *error);
    int (*memory_info)(dp_stream *stream, uint64_t *free_bytes, uint64_t *total_bytes, uint64_t *peak_bytes,
                       dp_error *error);
    int (*mark)(dp_stream *stream, dp_event **out, dp_error *error);
    int (*elapsed)(dp_stream *stream, dp_event *from, dp_event *to, double *seconds, dp_error *error);
    void (*event_free)(dp_stream *stream, dp_event *event);
    int (*capture_begin)(dp_stream *stream, dp_error *error);
    int (*capture_end)(dp_stream *stream, dp_graph **out, dp_error *error);
    int (*replay)(dp_stream *stream, dp_graph *graph, dp_error *error);
    void (*graph_free)(dp_stream *stream, dp_graph *graph);
    int (*comm_open)(dp_stream *stream, int32_t rank, int32_t ranks, const void *id, dp_comm **out,
                     dp_error *error);
    void (*comm_close)(dp_comm *comm);
    int (*all_reduce)(dp_stream *stream, const dp_comm_args *args, dp_error *error);
    int (*reduce_scatter)(dp_stream *stream, const dp_comm_args *args, dp_error *error);
    int (*all_gather)(dp_stream *stream, const dp_comm_args *args, dp_error *error);
    int (*broadcast)(dp_stream *stream, const dp_comm_args *args, dp_error *error);
} dp_backend;

/** What a plugin exports, as "dp_backend_entry". */
typedef const dp_backend *(*dp_backend_entry_function)(void);

#ifdef __cplusplus
}
#endif

#endif
