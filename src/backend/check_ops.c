// The arguments of each required operation against docs/ops.md.
#include "backend/check.h"
#include "base/error.h"
#include "base/size.h"
#include "tensor/dtype.h"

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

// Steps of a batch: not negative, whole blocks, and the last matrix addressable.
static int steps(const char *name, const dp_mat *mat, int64_t batch, int64_t step, dp_error *error)
{
    const dpi_place place = {.item = "gemm", .offset = -1};
    const int32_t block = dpi_dtype_of(mat->type)->block;
    uint64_t row = 0, bytes;
    int64_t last;

    if (step >= 0 && step % block == 0 && !dpi_mul_i64(batch - 1, step, &last) &&
        !dpi_row_bytes(mat->type, last, &bytes) && !dpi_row_bytes(mat->type, mat->stride, &row) &&
        bytes <= (uint64_t)PTRDIFF_MAX - row * (uint64_t)mat->rows)
        return DP_OK;
    return dpi_fail_at(error, DP_E_INTERNAL, &place, "'%s' has a step of %lld for a batch of %lld", name,
                       (long long)step, (long long)batch);
}

int dpi_check_gemm(const dp_gemm_args *a, dp_error *error)
{
    const int64_t rows = a->transpose_a ? a->a.cols : a->a.rows, depth = a->transpose_a ? a->a.rows : a->a.cols;
    const dpi_operand operands[] = {
        {"a", &a->a, DPI_PLAIN, -1, -1},
        {"b", &a->b, DPI_WEIGHT, a->transpose_b ? -1 : depth, a->transpose_b ? depth : -1},
        {"c", &a->c, DPI_PLAIN, rows, a->transpose_b ? a->b.rows : a->b.cols},
        {"bias", &a->bias, DPI_PLAIN, 1, a->c.cols},
    };
    int rc = dpi_check_operands("gemm", operands, a->bias.data ? 4 : 3, error);

    if (!rc)
        rc = dpi_check_range("gemm", "transpose_a", a->transpose_a, 0, 1, error);
    if (!rc)
        rc = dpi_check_range("gemm", "transpose_b", a->transpose_b, 0, 1, error);
    if (!rc)
        rc = dpi_check_range("gemm", "batch", a->batch, 1, INT32_MAX, error);
    if (!rc)
        rc = dpi_check_finite("gemm", "alpha", a->alpha, error);
    if (!rc)
        rc = dpi_check_finite("gemm", "beta", a->beta, error);
    if (!rc)
        rc = steps("a", &a->a, a->batch, a->a_step, error);
    if (!rc)
        rc = steps("b", &a->b, a->batch, a->b_step, error);
    return rc ? rc : steps("c", &a->c, a->batch, a->c_step, error);
}

int dpi_check_embed(const dp_embed_args *a, dp_error *error)
{
    const dpi_operand operands[] = {
        {"table", &a->table, DPI_WEIGHT, -1, a->y.cols},
        {"y", &a->y, DPI_PLAIN, -1, -1},
    };
    const int rc = dpi_check_operands("embed", operands, COUNT(operands), error);

    return rc ? rc : dpi_check_ids("embed", a->ids, a->y.rows, a->table.rows, 0, error);
}

int dpi_check_rmsnorm(const dp_rmsnorm_args *a, dp_error *error)
{
    const dpi_operand operands[] = {
        {"x", &a->x, DPI_PLAIN, -1, -1},
        {"weight", &a->weight, DPI_PLAIN, 1, a->x.cols},
        {"y", &a->y, DPI_PLAIN, a->x.rows, a->x.cols},
        {"rstd", &a->rstd, DPI_SUM, a->x.rows, 1},
    };
    const int rc = dpi_check_operands("rmsnorm", operands, a->rstd.data ? 4 : 3, error);

    return rc ? rc : dpi_check_finite("rmsnorm", "epsilon", a->epsilon, error);
}

int dpi_check_rope(const dp_rope_args *a, dp_error *error)
{
    const dpi_operand operands[] = {{"x", &a->x, DPI_PLAIN, -1, -1}};
    int rc = dpi_check_operands("rope", operands, COUNT(operands), error);

    if (!rc)
        rc = dpi_check_there("rope", "positions", a->positions, error);
    if (!rc)
        rc = dpi_check_there("rope", "inverse_frequencies", a->inverse_frequencies, error);
    if (!rc)
        rc = dpi_check_range("rope", "head_dim", a->head_dim, 2, a->x.cols, error);
    if (!rc)
        rc = dpi_check_range("rope", "pairing", a->pairing, DP_ROPE_HALF, DP_ROPE_INTERLEAVED, error);
    if (!rc)
        rc = dpi_check_range("rope", "inverse", a->inverse, 0, 1, error);
    if (!rc)
        rc = dpi_check_range("rope", "head_dim mod 2", a->head_dim % 2, 0, 0, error);
    return rc ? rc : dpi_check_range("rope", "columns mod head_dim", a->x.cols % a->head_dim, 0, 0, error);
}

int dpi_check_softmax(const dp_softmax_args *a, dp_error *error)
{
    const dpi_operand operands[] = {
        {"x", &a->x, DPI_PLAIN, -1, -1},
        {"y", &a->y, DPI_PLAIN, a->x.rows, a->x.cols},
    };
    int rc = dpi_check_operands("softmax", operands, COUNT(operands), error);

    if (!rc)
        rc = dpi_check_finite("softmax", "scale", a->scale, error);
    if (!rc)
        rc = dpi_check_range("softmax", "causal", a->causal, 0, 1, error);
    if (rc || !a->causal)
        return rc;
    rc = dpi_check_range("softmax", "queries", a->queries, 1, a->x.cols, error);
    return rc ? rc : dpi_check_range("softmax", "rows mod queries", a->x.rows % a->queries, 0, 0, error);
}

int dpi_check_glu(const dp_glu_args *a, dp_error *error)
{
    const dpi_operand operands[] = {
        {"a", &a->a, DPI_PLAIN, a->y.rows, a->y.cols},
        {"b", &a->b, DPI_PLAIN, a->y.rows, a->y.cols},
        {"y", &a->y, DPI_PLAIN, -1, -1},
    };
    const int rc = dpi_check_operands("glu", operands, COUNT(operands), error);

    return rc ? rc : dpi_check_range("glu", "gate", a->gate, DP_GATE_SILU, DP_GATE_GELU_TANH, error);
}

int dpi_check_xent(const dp_xent_args *a, dp_error *error)
{
    const dpi_operand operands[] = {
        {"x", &a->x, DPI_PLAIN, -1, -1},
        {"loss", &a->loss, DPI_SUM, a->x.rows, 1},
        {"x_grad", &a->x_grad, DPI_PLAIN, a->x.rows, a->x.cols},
    };
    int rc = dpi_check_operands("xent", operands, a->x_grad.data ? 3 : 2, error);

    if (!rc)
        rc = dpi_check_finite("xent", "scale", a->scale, error);
    return rc ? rc : dpi_check_ids("xent", a->labels, a->x.rows, a->x.cols, 1, error);
}

int dpi_check_axpby(const dp_axpby_args *a, dp_error *error)
{
    const dpi_operand operands[] = {
        {"x", &a->x, DPI_PLAIN, a->y.rows, a->y.cols},
        {"y", &a->y, DPI_PLAIN, -1, -1},
    };
    int rc = dpi_check_operands("axpby", operands, COUNT(operands), error);

    if (!rc)
        rc = dpi_check_finite("axpby", "alpha", a->alpha, error);
    return rc ? rc : dpi_check_finite("axpby", "beta", a->beta, error);
}

int dpi_check_cast(const dp_cast_args *a, dp_error *error)
{
    const dpi_operand operands[] = {
        {"x", &a->x, DPI_WEIGHT, a->y.rows, a->y.cols},
        {"y", &a->y, DPI_PLAIN, -1, -1},
    };

    return dpi_check_operands("cast", operands, COUNT(operands), error);
}

int dpi_check_reduce(const dp_reduce_args *a, dp_error *error)
{
    const int pair = a->kind == DP_REDUCTION_DOT || a->kind == DP_REDUCTION_ABSDOT;
    const dpi_operand operands[] = {
        {"x", &a->x, DPI_WEIGHT, -1, -1},
        {"result", &a->result, DPI_RESULT, a->x.rows, 1},
        {"y", &a->y, DPI_WEIGHT, a->x.rows, a->x.cols},
    };
    int rc = dpi_check_operands("reduce", operands, pair ? 3 : 2, error);

    if (!rc)
        rc = dpi_check_range("reduce", "kind", a->kind, DP_REDUCTION_SUM, DP_REDUCTION_ABSDOT, error);
    return rc ? rc : dpi_check_range("reduce", "y beside a kind of one operand", a->y.data != NULL, pair, pair, error);
}

int dpi_check_copy2d(const dp_mat *from, const dp_mat *to, dp_error *error)
{
    const dpi_operand operands[] = {
        {"from", from, DPI_STORED, to->rows, to->cols},
        {"to", to, DPI_STORED, -1, -1},
    };
    const int rc = dpi_check_operands("copy2d", operands, COUNT(operands), error);

    return rc ? rc : dpi_check_range("copy2d", "type of from", from->type, to->type, to->type, error);
}

int dpi_check_fill(const dp_mat *x, float value, dp_error *error)
{
    const dpi_operand operands[] = {{"x", x, DPI_PLAIN, -1, -1}};

    (void)value; // any, NaN too: tests poison memory with it
    return dpi_check_operands("fill", operands, COUNT(operands), error);
}
