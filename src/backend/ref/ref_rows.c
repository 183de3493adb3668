// Rows as doubles: every stored type widens exactly, and a result is rounded once to its type.
#include "backend/ref/ref_rows.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/size.h"
#include "tensor/dtype.h"
#include "tensor/half.h"

enum { PIECE = 256 }; // elements converted at a time: whole blocks of every type

static char *at(const dp_mat *mat, int64_t row, int64_t column)
{
    const dpi_dtype *type = dpi_dtype_of(mat->type);

    return (char *)mat->data + (row * mat->stride + column) / type->block * type->block_bytes;
}

void dpi_ref_load(const dp_mat *mat, int64_t row, int64_t column, int64_t count, double *to)
{
    const dpi_dtype *type = dpi_dtype_of(mat->type);
    const char *from = at(mat, row, column);
    float piece[PIECE];

    if (mat->type == DP_F64) {
        memcpy(to, from, (size_t)count * sizeof *to);
        return;
    }
    for (int64_t done = 0; done < count; done += PIECE) {
        const int64_t size = count - done < PIECE ? count - done : PIECE;

        dpi_to_f32(mat->type, from + done / type->block * type->block_bytes, size, piece);
        for (int64_t i = 0; i < size; i++)
            to[done + i] = (double)piece[i];
    }
}

// To f32 toward zero with the last bit set when inexact, so that a second rounding to 16 bits is the only one.
static float round_to_odd(double value)
{
    float narrow = (float)value;
    uint32_t bits;

    if (isnan(value) || (double)narrow == value)
        return narrow;
    if (fabs((double)narrow) > fabs(value))
        narrow = nextafterf(narrow, 0);
    memcpy(&bits, &narrow, sizeof bits);
    bits |= 1;
    memcpy(&narrow, &bits, sizeof bits);
    return narrow;
}

static void store_half(int32_t type, char *to, double value)
{
    const float odd = round_to_odd(value);
    const uint16_t half = type == DP_F16 ? dpi_f32_to_f16(odd) : dpi_f32_to_bf16(odd);

    memcpy(to, &half, sizeof half);
}

void dpi_ref_store(const dp_mat *mat, int64_t row, int64_t column, int64_t count, const double *from)
{
    char *to = at(mat, row, column);

    if (mat->type == DP_F64) {
        memcpy(to, from, (size_t)count * sizeof *from);
    } else if (mat->type == DP_F32) {
        for (int64_t i = 0; i < count; i++)
            ((float *)(void *)to)[i] = (float)from[i];
    } else {
        for (int64_t i = 0; i < count; i++)
            store_half(mat->type, to + 2 * i, from[i]);
    }
}

double dpi_ref_get(const dp_mat *mat, int64_t row, int64_t column)
{
    double value;

    dpi_ref_load(mat, row, column, 1, &value);
    return value;
}

void dpi_ref_put(const dp_mat *mat, int64_t row, int64_t column, double value)
{
    dpi_ref_store(mat, row, column, 1, &value);
}

double *dpi_ref_alloc(dp_stream *stream, const char *operation, int64_t count, dp_error *error)
{
    const dpi_place place = {.item = operation, .offset = -1};
    double *memory = NULL;
    uint64_t bytes;

    if (!dpi_mul_u64((uint64_t)count, sizeof *memory, &bytes))
        memory = stream->host.alloc(stream->host.user, bytes ? bytes : 1);
    if (!memory)
        dpi_fail_at(error, DP_E_MEMORY, &place, "no memory for %lld doubles of scratch", (long long)count);
    return memory;
}

void dpi_ref_free(dp_stream *stream, double *memory)
{
    stream->host.free(stream->host.user, memory);
}

typedef struct run {
    const dpi_ref_job *job;
    double *scratch;
} run;

static void one_chunk(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const run *all = arg;

    all->job->run(all->job->args, begin, end, all->scratch + worker * all->job->doubles);
}

int dpi_ref_run(dp_stream *stream, const char *operation, const dpi_ref_job *job, dp_error *error)
{
    const dpi_place place = {.item = operation, .offset = -1};
    run all = {job, NULL};
    int64_t doubles;

    if (dpi_mul_i64(job->doubles, stream->host.threads, &doubles))
        return dpi_fail_at(error, DP_E_MEMORY, &place, "%lld doubles of scratch a worker", (long long)job->doubles);
    all.scratch = dpi_ref_alloc(stream, operation, doubles, error);
    if (!all.scratch)
        return DP_E_MEMORY;
    const int rc = stream->host.parallel(stream->host.user, job->count, job->grain, one_chunk, &all);
    dpi_ref_free(stream, all.scratch);
    return rc ? dpi_fail_at(error, rc, &place, "the host asked to stop") : DP_OK;
}
