// What the reference operations share: the stream, rows as doubles, and a run over rows.
#ifndef DPI_BACKEND_REF_ROWS_H
#define DPI_BACKEND_REF_ROWS_H

#include "backend/ref/ref.h"

struct dp_stream {
    dp_host host;
};

// `count` elements of row `row` from column `column` (whole blocks) as doubles, and back, rounded once.
void dpi_ref_load(const dp_mat *mat, int64_t row, int64_t column, int64_t count, double *to);
void dpi_ref_store(const dp_mat *mat, int64_t row, int64_t column, int64_t count, const double *from);
double dpi_ref_get(const dp_mat *mat, int64_t row, int64_t column);
void dpi_ref_put(const dp_mat *mat, int64_t row, int64_t column, double value);

typedef void (*dpi_ref_function)(const void *args, int64_t begin, int64_t end, double *scratch);

typedef struct dpi_ref_job {
    dpi_ref_function run; // items begin .. end-1
    const void *args;
    int64_t count, grain;
    int64_t doubles;      // scratch of one worker
} dpi_ref_job;

// The job on the host's threads; DP_E_MEMORY or DP_E_CANCELLED with the operation's name as item.
int dpi_ref_run(dp_stream *stream, const char *operation, const dpi_ref_job *job, dp_error *error);
double *dpi_ref_alloc(dp_stream *stream, const char *operation, int64_t count, dp_error *error);
void dpi_ref_free(dp_stream *stream, double *memory);

int dpi_ref_gemm(dp_stream *stream, const dp_gemm_args *args, dp_error *error);
int dpi_ref_embed(dp_stream *stream, const dp_embed_args *args, dp_error *error);
int dpi_ref_rmsnorm(dp_stream *stream, const dp_rmsnorm_args *args, dp_error *error);
int dpi_ref_rope(dp_stream *stream, const dp_rope_args *args, dp_error *error);
int dpi_ref_softmax(dp_stream *stream, const dp_softmax_args *args, dp_error *error);
int dpi_ref_glu(dp_stream *stream, const dp_glu_args *args, dp_error *error);
int dpi_ref_xent(dp_stream *stream, const dp_xent_args *args, dp_error *error);
int dpi_ref_axpby(dp_stream *stream, const dp_axpby_args *args, dp_error *error);
int dpi_ref_cast(dp_stream *stream, const dp_cast_args *args, dp_error *error);
int dpi_ref_reduce(dp_stream *stream, const dp_reduce_args *args, dp_error *error);

#endif
