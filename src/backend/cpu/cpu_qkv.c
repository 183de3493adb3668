// q = rope(x wq^T + bq), k = rope(x wk^T + bk), v = x wv^T + bv.
#include "backend/cpu/product.h"

static int rotate(dp_stream *stream, const dp_qkv_rope_args *args, const dp_mat *x, dp_error *error)
{
    const dp_rope_args rope = {.x = *x,
                               .positions = args->positions,
                               .inverse_frequencies = args->inverse_frequencies,
                               .head_dim = args->head_dim,
                               .pairing = args->pairing};

    return dpi_cpu_rope(stream, &rope, error);
}

int dpi_cpu_qkv_rope(dp_stream *stream, const dp_qkv_rope_args *args, dp_error *error)
{
    const dp_mat *const activations[] = {&args->x, &args->q, &args->k, &args->v};
    int rc = dpi_cpu_want_f32("qkv_rope", activations, 4, error);

    if (!rc)
        rc = dpi_cpu_linear(stream, &args->x, &args->wq, &args->bq, &args->q, error);
    if (!rc)
        rc = dpi_cpu_linear(stream, &args->x, &args->wk, &args->bk, &args->k, error);
    if (!rc)
        rc = dpi_cpu_linear(stream, &args->x, &args->wv, &args->bv, &args->v, error);
    if (!rc)
        rc = rotate(stream, args, &args->q, error);
    return rc ? rc : rotate(stream, args, &args->k, error);
}
