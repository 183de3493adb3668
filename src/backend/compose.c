// The fused operations from required ones: each the plain sequence of its formula, cut into row pieces so that
// scratch stays small.
#include "backend/compose.h"

#include "base/error.h"
#include "base/size.h"
#include "tensor/dtype.h"

enum { SCRATCH_BYTES = 32 << 20 };

int dpi_compose_scratch(dpi_device *device, const dp_mat *like, int64_t rows, int64_t cols, dp_mat *out,
                        dp_error *error)
{
    const dpi_place place = {.item = "scratch", .offset = -1};
    const int32_t type = like->type == DP_F64 ? DP_F64 : DP_F32;
    uint64_t row, bytes;
    void *memory;

    if (dpi_row_bytes(type, cols, &row) || dpi_mul_u64(row, (uint64_t)rows, &bytes))
        return dpi_fail_at(error, DP_E_MEMORY, &place, "%lld x %lld elements do not fit", (long long)rows,
                           (long long)cols);
    if (bytes > device->scratch_bytes) {
        const int rc = device->table->alloc(device->stream, bytes, &memory, error);
        if (rc)
            return rc;
        if (device->scratch)
            device->table->free(device->stream, device->scratch);
        device->scratch = memory;
        device->scratch_bytes = bytes;
    }
    *out = (dp_mat){device->scratch, rows, cols, cols, type, 0};
    return DP_OK;
}

int64_t dpi_compose_piece(int64_t rows, int64_t elements)
{
    const int64_t most = SCRATCH_BYTES / (int64_t)sizeof(float) / elements;

    return most < 1 ? 1 : most < rows ? most : rows;
}

dp_mat dpi_compose_part(const dp_mat *mat, int64_t row, int64_t col, int64_t rows, int64_t cols)
{
    dp_mat out = *mat;

    if (mat->data)
        out.data = (char *)mat->data + (row * mat->stride + col) * dpi_dtype_of(mat->type)->block_bytes;
    out.rows = rows;
    out.cols = cols;
    return out;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int linear(dpi_device *device, const dp_mat *x, const dp_mat *weight, const dp_mat *bias, const dp_mat *y,
                  dp_error *error)
{
    dp_gemm_args args = {.a = *x, .b = *weight, .c = *y, .batch = 1, .alpha = 1, .transpose_b = 1};

    if (bias)
        args.bias = *bias;
    return device->table->gemm(device->stream, &args, error);
}

int dpi_compose_add_rmsnorm(dpi_device *device, const dp_add_rmsnorm_args *a, dp_error *error)
{
    const dp_axpby_args add = {a->delta, a->x, 1, 1};
    const dp_rmsnorm_args norm = {a->x, a->weight, a->y, a->rstd, a->epsilon, 0};
    const int rc = a->delta.data ? device->table->axpby(device->stream, &add, error) : DP_OK;

    return rc ? rc : device->table->rmsnorm(device->stream, &norm, error);
}

int dpi_compose_qkv_rope(dpi_device *device, const dp_qkv_rope_args *a, dp_error *error)
{
    const dp_rope_args turn_q = {a->q, a->positions, a->inverse_frequencies, a->head_dim, a->pairing, 0, 0};
    const dp_rope_args turn_k = {a->k, a->positions, a->inverse_frequencies, a->head_dim, a->pairing, 0, 0};
    int rc = linear(device, &a->x, &a->wq, &a->bq, &a->q, error);

    if (!rc)
        rc = linear(device, &a->x, &a->wk, &a->bk, &a->k, error);
    if (!rc)
        rc = linear(device, &a->x, &a->wv, &a->bv, &a->v, error);
    if (!rc)
        rc = device->table->rope(device->stream, &turn_q, error);
    return rc ? rc : device->table->rope(device->stream, &turn_k, error);
}

int dpi_compose_linear_xent(dpi_device *device, const dp_linear_xent_args *a, dp_error *error)
{
    const int64_t vocab = a->weight.rows, most = dpi_compose_piece(a->x.rows, vocab);
    dp_mat logits;
    int rc = dpi_compose_scratch(device, &a->x, most, vocab, &logits, error);

    for (int64_t row = 0; row < a->x.rows && !rc; row += most) {
        const dp_mat x = dpi_compose_part(&a->x, row, 0, least(most, a->x.rows - row), a->x.cols);
        const dp_xent_args loss = {.x = dpi_compose_part(&logits, 0, 0, x.rows, vocab),
                                   .loss = dpi_compose_part(&a->loss, row, 0, x.rows, 1),
                                   .labels = a->labels + row,
                                   .scale = 1};

        rc = linear(device, &x, &a->weight, NULL, &loss.x, error);
        if (!rc)
            rc = device->table->xent(device->stream, &loss, error);
    }
    return rc;
}

int dpi_compose_swiglu(dpi_device *device, const dp_swiglu_args *a, dp_error *error)
{
    const int64_t cols = a->y.cols, most = dpi_compose_piece(a->y.rows, 2 * cols);
    dp_mat both;
    int rc = dpi_compose_scratch(device, &a->y, 2 * most, cols, &both, error);

    for (int64_t row = 0; row < a->y.rows && !rc; row += most) {
        const int64_t rows = least(most, a->y.rows - row);
        const dp_mat x = dpi_compose_part(&a->x, row, 0, rows, a->x.cols);
        const dp_glu_args glu = {dpi_compose_part(&both, 0, 0, rows, cols), dpi_compose_part(&both, most, 0, rows, cols),
                                 dpi_compose_part(&a->y, row, 0, rows, cols), a->gate, 0};

        rc = linear(device, &x, &a->gate_weight, NULL, &glu.a, error);
        if (!rc)
            rc = linear(device, &x, &a->up_weight, NULL, &glu.b, error);
        if (!rc)
            rc = device->table->glu(device->stream, &glu, error);
    }
    return rc;
}
