// A stream's scratch memory, its parallel sections and how it reads stored rows.
#include "backend/cpu/stream.h"

#include "tensor/dtype.h"

enum { PAGE = 4096, ELEMENTS_PER_CHUNK = 32768 };

int dpi_cpu_scratch_get(dp_stream *stream, int use, uint64_t bytes, void **out, dp_error *error)
{
    dpi_cpu_scratch *scratch = &stream->scratch[use];

    if (scratch->bytes < bytes) {
        if (scratch->memory)
            stream->host.free(stream->host.user, scratch->memory);
        scratch->bytes = 0;
        scratch->memory = stream->host.alloc(stream->host.user, bytes + PAGE);
        if (!scratch->memory)
            return dpi_fail(error, DP_E_MEMORY, "no memory for %llu bytes of working space",
                            (unsigned long long)bytes);
        scratch->bytes = bytes;
    }
    *out = (void *)(((uintptr_t)scratch->memory + PAGE - 1) / PAGE * PAGE);
    return DP_OK;
}

void dpi_cpu_scratch_free(dp_stream *stream)
{
    for (int use = 0; use < DPI_SCRATCH_COUNT; use++)
        if (stream->scratch[use].memory)
            stream->host.free(stream->host.user, stream->scratch[use].memory);
}

int dpi_cpu_parallel(dp_stream *stream, int64_t count, int64_t grain, dpi_cpu_function fn, void *arg,
                     dp_error *error)
{
    const int rc = stream->host.parallel(stream->host.user, count, grain, fn, arg);

    return rc ? dpi_fail(error, rc, "cancelled by the host") : DP_OK;
}

int64_t dpi_cpu_grain(int64_t cols)
{
    return cols >= ELEMENTS_PER_CHUNK ? 1 : ELEMENTS_PER_CHUNK / cols;
}

dpi_cpu_rows dpi_cpu_rows_of(const dp_mat *matrix)
{
    const dpi_dtype *dtype = dpi_dtype_of(matrix->type);

    return (dpi_cpu_rows){.data = matrix->data,
                          .row_bytes = matrix->stride / dtype->block * dtype->block_bytes,
                          .type = matrix->type,
                          .block = dtype->block,
                          .block_bytes = dtype->block_bytes};
}

const float *dpi_cpu_row_f32(const dp_stream *stream, const dpi_cpu_rows *rows, int64_t row, int64_t cols,
                             float *space)
{
    const void *from = dpi_cpu_at(rows, row, 0);

    if (rows->type == DP_F32)
        return from;
    stream->kernels->widen(rows->type, from, cols, space);
    return space;
}

int dpi_cpu_vector(dp_stream *stream, const dp_mat *matrix, const float **out, dp_error *error)
{
    void *space;

    *out = matrix->data;
    if (!matrix->data || matrix->type == DP_F32)
        return DP_OK;
    const int rc =
        dpi_cpu_scratch_get(stream, DPI_SCRATCH_ROWS, (uint64_t)matrix->cols * sizeof(float), &space, error);
    if (rc)
        return rc;
    stream->kernels->widen(matrix->type, matrix->data, matrix->cols, space);
    *out = space;
    return DP_OK;
}

int dpi_cpu_want_f32(const char *operation, const dp_mat *const *operands, int count, dp_error *error)
{
    for (int i = 0; i < count; i++)
        if (operands[i]->data && operands[i]->type != DP_F32)
            return dpi_fail(error, DP_E_UNSUPPORTED, "cpu %s computes in f32, not in %s", operation,
                            dp_type_name(operands[i]->type));
    return DP_OK;
}
