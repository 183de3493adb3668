// Passes over memory without arithmetic to speak of: copy2d, fill, cast, embed, axpby.
#include <string.h>

#include "backend/cpu/stream.h"
#include "tensor/dtype.h"

enum { PIECE = 1024 }; // elements converted at a time; whole blocks of every type

typedef struct pass {
    const dp_stream *stream;
    dpi_cpu_rows from, to;
    unsigned char *out; // to.data, writable
    const int32_t *ids; // rows of `from`, or NULL: the same rows
    int64_t cols, bytes;
} pass;

static void copy_rows(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const pass *p = arg;

    (void)worker;
    for (int64_t r = begin; r < end; r++)
        memcpy(p->out + r * p->to.row_bytes, dpi_cpu_at(&p->from, r, 0), (size_t)p->bytes);
}

int dpi_cpu_copy2d(dp_stream *stream, const dp_mat *from, const dp_mat *to, dp_error *error)
{
    pass p = {.stream = stream, .from = dpi_cpu_rows_of(from), .to = dpi_cpu_rows_of(to), .out = to->data};

    p.bytes = to->cols / p.to.block * p.to.block_bytes;
    return dpi_cpu_parallel(stream, to->rows, dpi_cpu_grain(to->cols), copy_rows, &p, error);
}

int dpi_cpu_fill(dp_stream *stream, const dp_mat *x, float value, dp_error *error)
{
    const dpi_cpu_rows rows = dpi_cpu_rows_of(x);
    unsigned char element[8];

    (void)stream;
    (void)error;
    dpi_from_f32(x->type, &value, 1, element);
    for (int64_t r = 0; r < x->rows; r++) {
        unsigned char *to = (unsigned char *)x->data + r * rows.row_bytes;

        for (int64_t c = 0; c < x->cols; c++, to += rows.block_bytes)
            memcpy(to, element, (size_t)rows.block_bytes);
    }
    return DP_OK;
}

// One row of stored elements into another type, by way of f32.
static void convert_row(const pass *p, int64_t from_row, int64_t to_row)
{
    float space[PIECE];

    for (int64_t c = 0; c < p->cols; c += PIECE) {
        const int64_t count = p->cols - c < PIECE ? p->cols - c : PIECE;
        const void *from = dpi_cpu_at(&p->from, from_row, c);
        unsigned char *to = p->out + to_row * p->to.row_bytes + c * p->to.block_bytes;

        if (p->to.type == DP_F32) {
            p->stream->kernels->widen(p->from.type, from, count, (float *)(void *)to);
        } else {
            p->stream->kernels->widen(p->from.type, from, count, space);
            dpi_from_f32(p->to.type, space, count, to);
        }
    }
}

static void convert_rows(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const pass *p = arg;

    (void)worker;
    for (int64_t r = begin; r < end; r++)
        convert_row(p, p->ids ? p->ids[r] : r, r);
}

int dpi_cpu_cast(dp_stream *stream, const dp_cast_args *args, dp_error *error)
{
    pass p = {.stream = stream,
              .from = dpi_cpu_rows_of(&args->x),
              .to = dpi_cpu_rows_of(&args->y),
              .out = args->y.data,
              .cols = args->y.cols};

    if (args->x.type == args->y.type)
        return dpi_cpu_copy2d(stream, &args->x, &args->y, error);
    if (args->x.type == DP_F64 && args->y.type != DP_F32)
        return dpi_fail(error, DP_E_UNSUPPORTED, "cpu cast rounds f64 to f32 only, not to %s",
                        dp_type_name(args->y.type));
    return dpi_cpu_parallel(stream, args->y.rows, dpi_cpu_grain(args->y.cols), convert_rows, &p, error);
}

int dpi_cpu_embed(dp_stream *stream, const dp_embed_args *args, dp_error *error)
{
    pass p = {.stream = stream,
              .from = dpi_cpu_rows_of(&args->table),
              .to = dpi_cpu_rows_of(&args->y),
              .out = args->y.data,
              .ids = args->ids,
              .cols = args->y.cols};
    const dp_mat *const activations[] = {&args->y};
    const int rc = dpi_cpu_want_f32("embed", activations, 1, error);

    return rc ? rc : dpi_cpu_parallel(stream, args->y.rows, dpi_cpu_grain(args->y.cols), convert_rows, &p, error);
}

typedef struct combination {
    const dp_stream *stream;
    const dp_axpby_args *args;
} combination;

static void combine_rows(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const combination *c = arg;

    (void)worker;
    for (int64_t r = begin; r < end; r++)
        c->stream->kernels->axpby(dpi_cpu_f32(&c->args->x, r), dpi_cpu_f32(&c->args->y, r), c->args->y.cols,
                                  c->args->alpha, c->args->beta);
}

int dpi_cpu_axpby(dp_stream *stream, const dp_axpby_args *args, dp_error *error)
{
    combination c = {.stream = stream, .args = args};
    const dp_mat *const activations[] = {&args->x, &args->y};
    const int rc = dpi_cpu_want_f32("axpby", activations, 2, error);

    return rc ? rc : dpi_cpu_parallel(stream, args->y.rows, dpi_cpu_grain(args->y.cols), combine_rows, &c, error);
}
