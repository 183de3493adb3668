// q = rope(x wq^T + bq), k = rope(x wk^T + bk), v = x wv^T + bv: one product with three b, whose rows are rotated
// while they are in cache.
#include "backend/cpu/product.h"
#include "backend/cpu/rotation.h"

typedef struct projection {
    const dp_qkv_rope_args *args;
    dpi_cpu_rotation rotation;
} projection;

static void rotate_rows(void *arg, int64_t row, int64_t rows)
{
    const projection *p = arg;
    const dp_qkv_rope_args *args = p->args;

    for (int64_t r = row; r < row + rows; r++) {
        dpi_cpu_rotate(&p->rotation, dpi_cpu_f32(&args->q, r), r, args->q.cols / args->head_dim);
        dpi_cpu_rotate(&p->rotation, dpi_cpu_f32(&args->k, r), r, args->k.cols / args->head_dim);
    }
}

// A bias as f32: in place, or widened into *space, which moves on; NULL when absent.
static const float *bias_of(const dp_stream *stream, const dp_mat *bias, float **space)
{
    float *const own = *space;

    if (!bias->data || bias->type == DP_F32)
        return bias->data;
    stream->kernels->widen(bias->type, bias->data, bias->cols, own);
    *space += bias->cols;
    return own;
}

static dp_rope_args rope_of(const dp_qkv_rope_args *args, const dp_mat *x)
{
    return (dp_rope_args){.x = *x,
                          .positions = args->positions,
                          .inverse_frequencies = args->inverse_frequencies,
                          .head_dim = args->head_dim,
                          .pairing = args->pairing};
}

static int project_native(dp_stream *stream, const dp_qkv_rope_args *args, dp_error *error)
{
    const dp_rope_args rope = rope_of(args, &args->q);
    projection p = {.args = args};
    dpi_cpu_product product = {.a = args->x,
                               .m = args->x.rows,
                               .k = args->x.cols,
                               .parts = 3,
                               .transpose_b = 1,
                               .alpha = 1,
                               .finish = rotate_rows,
                               .arg = &p};
    const dp_mat *const weights[] = {&args->wq, &args->wk, &args->wv}, *const results[] = {&args->q, &args->k,
                                                                                           &args->v};
    const dp_mat *const biases[] = {&args->bq, &args->bk, &args->bv};
    void *memory;
    int rc = dpi_cpu_scratch_get(stream, DPI_SCRATCH_HELD,
                                 (uint64_t)(args->q.cols + 2 * args->k.cols) * sizeof(float), &memory, error);

    if (!rc)
        rc = dpi_cpu_rotation_make(stream, &rope, &p.rotation, error);
    if (rc)
        return rc;
    float *space = memory;
    for (int i = 0; i < 3; i++)
        product.part[i] = (dpi_cpu_part){.b = *weights[i],
                                         .c = results[i]->data,
                                         .c_stride = results[i]->stride,
                                         .n = results[i]->cols,
                                         .bias = bias_of(stream, biases[i], &space)};
    return dpi_cpu_product_run(stream, &product, error);
}

static int project_openblas(dp_stream *stream, const dp_qkv_rope_args *args, dp_error *error)
{
    const dp_rope_args rope_q = rope_of(args, &args->q), rope_k = rope_of(args, &args->k);
    int rc = dpi_cpu_linear(stream, &args->x, &args->wq, &args->bq, &args->q, error);

    if (!rc)
        rc = dpi_cpu_linear(stream, &args->x, &args->wk, &args->bk, &args->k, error);
    if (!rc)
        rc = dpi_cpu_linear(stream, &args->x, &args->wv, &args->bv, &args->v, error);
    if (!rc)
        rc = dpi_cpu_rope(stream, &rope_q, error);
    return rc ? rc : dpi_cpu_rope(stream, &rope_k, error);
}

int dpi_cpu_qkv_rope(dp_stream *stream, const dp_qkv_rope_args *args, dp_error *error)
{
    const dp_mat *const activations[] = {&args->x, &args->q, &args->k, &args->v};
    const int rc = dpi_cpu_want_f32("qkv_rope", activations, 4, error);

    if (rc)
        return rc;
    return stream->openblas ? project_openblas(stream, args, error) : project_native(stream, args, error);
}
