// The CPU backend's inside: the stream, its scratch memory, and how operands are read.
#ifndef DPI_BACKEND_CPU_STREAM_H
#define DPI_BACKEND_CPU_STREAM_H

#include <depthprune/sys/backend.h>

#include "backend/cpu/kernels.h"
#include "base/error.h"

// Scratch of a stream by use; an operation holds each at most once.
enum {
    DPI_SCRATCH_PACKED,  // b, packed; read by all workers
    DPI_SCRATCH_WORKERS, // a part for each worker
    DPI_SCRATCH_ROWS,    // a vector as f32; state of rows
    DPI_SCRATCH_POSITIONS,
    DPI_SCRATCH_ANGLES, // cosines and sines
    DPI_SCRATCH_FIRST,  // a as f32
    DPI_SCRATCH_SECOND, // b as f32
    DPI_SCRATCH_HELD,   // what a fused operation hands from one part to the next
    DPI_SCRATCH_COUNT
};

typedef struct dpi_cpu_scratch {
    void *memory; // as the host gave it
    uint64_t bytes;
} dpi_cpu_scratch;

struct dp_stream {
    dp_host host;
    const dpi_cpu_kernels *kernels;
    int32_t openblas; // 1: matrix products by OpenBLAS
    int32_t reserved;
    dpi_cpu_scratch scratch[DPI_SCRATCH_COUNT];
    char device[64];
    char libraries[320];
};

// At least `bytes` of scratch, page-aligned, not cleared; what was in it is lost.
int dpi_cpu_scratch_get(dp_stream *stream, int use, uint64_t bytes, void **out, dp_error *error);
void dpi_cpu_scratch_free(dp_stream *stream);

typedef void (*dpi_cpu_function)(void *arg, int64_t begin, int64_t end, int32_t worker);
// The host's parallel; DP_E_CANCELLED with its words when the host asked to stop.
int dpi_cpu_parallel(dp_stream *stream, int64_t count, int64_t grain, dpi_cpu_function fn, void *arg,
                     dp_error *error);
// Rows a chunk, for rows of `cols` elements: fixed by the shape, about 32 thousand elements.
int64_t dpi_cpu_grain(int64_t cols);

dpi_cpu_rows dpi_cpu_rows_of(const dp_mat *matrix);

static inline float *dpi_cpu_f32(const dp_mat *matrix, int64_t row)
{
    return (float *)matrix->data + row * matrix->stride;
}

// A whole row as f32: in place, or widened into `space`.
const float *dpi_cpu_row_f32(const dp_stream *stream, const dpi_cpu_rows *rows, int64_t row, int64_t cols,
                             float *space);
// The only row of `matrix` as f32, widened into DPI_SCRATCH_ROWS when it has another type; NULL when absent.
int dpi_cpu_vector(dp_stream *stream, const dp_mat *matrix, const float **out, dp_error *error);

// DP_E_UNSUPPORTED unless every operand that is present is f32.
int dpi_cpu_want_f32(const char *operation, const dp_mat *const *operands, int count, dp_error *error);

// Operations (the table's slots).
int dpi_cpu_copy2d(dp_stream *stream, const dp_mat *from, const dp_mat *to, dp_error *error);
int dpi_cpu_fill(dp_stream *stream, const dp_mat *x, float value, dp_error *error);
int dpi_cpu_gemm(dp_stream *stream, const dp_gemm_args *args, dp_error *error);
int dpi_cpu_embed(dp_stream *stream, const dp_embed_args *args, dp_error *error);
int dpi_cpu_rmsnorm(dp_stream *stream, const dp_rmsnorm_args *args, dp_error *error);
int dpi_cpu_add_rmsnorm(dp_stream *stream, const dp_add_rmsnorm_args *args, dp_error *error);
int dpi_cpu_rope(dp_stream *stream, const dp_rope_args *args, dp_error *error);
int dpi_cpu_softmax(dp_stream *stream, const dp_softmax_args *args, dp_error *error);
int dpi_cpu_glu(dp_stream *stream, const dp_glu_args *args, dp_error *error);
int dpi_cpu_xent(dp_stream *stream, const dp_xent_args *args, dp_error *error);
int dpi_cpu_axpby(dp_stream *stream, const dp_axpby_args *args, dp_error *error);
int dpi_cpu_cast(dp_stream *stream, const dp_cast_args *args, dp_error *error);
int dpi_cpu_reduce(dp_stream *stream, const dp_reduce_args *args, dp_error *error);
int dpi_cpu_qkv_rope(dp_stream *stream, const dp_qkv_rope_args *args, dp_error *error);
int dpi_cpu_attention(dp_stream *stream, const dp_attention_args *args, dp_error *error);
int dpi_cpu_linear_xent(dp_stream *stream, const dp_linear_xent_args *args, dp_error *error);
int dpi_cpu_swiglu(dp_stream *stream, const dp_swiglu_args *args, dp_error *error);

#endif
