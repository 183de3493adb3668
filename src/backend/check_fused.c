// The arguments of the fused operations against docs/ops.md.
#include "backend/check.h"
#include "base/size.h"

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

int dpi_check_add_rmsnorm(const dp_add_rmsnorm_args *a, dp_error *error)
{
    const dp_rmsnorm_args norm = {a->x, a->weight, a->y, a->rstd, a->epsilon, 0};
    const dpi_operand delta[] = {{"delta", &a->delta, DPI_PLAIN, a->x.rows, a->x.cols}};
    const int rc = a->delta.data ? dpi_check_operands("add_rmsnorm", delta, 1, error) : DP_OK;

    return rc ? rc : dpi_check_rmsnorm(&norm, error);
}

// y = x weight^T + bias, y rows beside x rows.
static int projection(const char *operation, const dp_mat *x, const dpi_operand *weight, const dpi_operand *bias,
                      const dpi_operand *y, dp_error *error)
{
    const dpi_operand operands[] = {
        {weight->name, weight->mat, DPI_WEIGHT, -1, x->cols},
        {y->name, y->mat, DPI_PLAIN, x->rows, weight->mat->rows},
        {bias->name, bias->mat, DPI_PLAIN, 1, weight->mat->rows},
    };

    return dpi_check_operands(operation, operands, bias->mat->data ? 3 : 2, error);
}

int dpi_check_qkv_rope(const dp_qkv_rope_args *a, dp_error *error)
{
    const char *const op = "qkv_rope";
    const dpi_operand x[] = {{"x", &a->x, DPI_PLAIN, -1, -1}};
    const dpi_operand weights[3] = {{"wq", &a->wq, 0, 0, 0}, {"wk", &a->wk, 0, 0, 0}, {"wv", &a->wv, 0, 0, 0}};
    const dpi_operand biases[3] = {{"bq", &a->bq, 0, 0, 0}, {"bk", &a->bk, 0, 0, 0}, {"bv", &a->bv, 0, 0, 0}};
    const dpi_operand results[3] = {{"q", &a->q, 0, 0, 0}, {"k", &a->k, 0, 0, 0}, {"v", &a->v, 0, 0, 0}};
    const dp_rope_args rope_q = {a->q, a->positions, a->inverse_frequencies, a->head_dim, a->pairing, 0, 0};
    const dp_rope_args rope_k = {a->k, a->positions, a->inverse_frequencies, a->head_dim, a->pairing, 0, 0};
    int rc = dpi_check_operands(op, x, COUNT(x), error);

    for (int i = 0; i < 3 && !rc; i++)
        rc = projection(op, &a->x, &weights[i], &biases[i], &results[i], error);
    if (!rc)
        rc = dpi_check_range(op, "rows of wv", a->wv.rows, a->wk.rows, a->wk.rows, error);
    if (!rc)
        rc = dpi_check_rope(&rope_q, error);
    return rc ? rc : dpi_check_rope(&rope_k, error);
}

int dpi_check_attention(const dp_attention_args *a, dp_error *error)
{
    const char *const op = "attention";
    int64_t rows, keys;
    int rc = dpi_check_range(op, "heads", a->heads, 1, INT32_MAX, error);

    if (!rc)
        rc = dpi_check_range(op, "kv_heads", a->kv_heads, 1, a->heads, error);
    if (!rc)
        rc = dpi_check_range(op, "heads mod kv_heads", a->heads % a->kv_heads, 0, 0, error);
    if (!rc)
        rc = dpi_check_range(op, "head_dim", a->head_dim, 1, 1 << 16, error);
    if (!rc)
        rc = dpi_check_range(op, "sequences", a->sequences, 1, INT32_MAX, error);
    if (!rc)
        rc = dpi_check_range(op, "keys", a->keys, 1, INT32_MAX, error);
    if (!rc)
        rc = dpi_check_range(op, "queries", a->queries, 1, a->keys, error);
    if (!rc)
        rc = dpi_check_finite(op, "scale", a->scale, error);
    if (rc)
        return rc;
    rows = a->sequences * a->queries;
    keys = a->sequences * a->keys;
    const int64_t wide = (int64_t)a->heads * a->head_dim, narrow = (int64_t)a->kv_heads * a->head_dim;
    const dpi_operand operands[] = {
        {"q", &a->q, DPI_PLAIN, rows, wide},   {"k", &a->k, DPI_PLAIN, keys, narrow},
        {"v", &a->v, DPI_PLAIN, keys, narrow}, {"y", &a->y, DPI_PLAIN, rows, wide},
        {"lse", &a->lse, DPI_SUM, rows, a->heads},
    };
    return dpi_check_operands(op, operands, a->lse.data ? 5 : 4, error);
}

int dpi_check_linear_xent(const dp_linear_xent_args *a, dp_error *error)
{
    const dpi_operand operands[] = {
        {"x", &a->x, DPI_PLAIN, -1, -1},
        {"weight", &a->weight, DPI_WEIGHT, -1, a->x.cols},
        {"loss", &a->loss, DPI_SUM, a->x.rows, 1},
    };
    const int rc = dpi_check_operands("linear_xent", operands, COUNT(operands), error);

    return rc ? rc : dpi_check_ids("linear_xent", a->labels, a->x.rows, a->weight.rows, 1, error);
}

int dpi_check_swiglu(const dp_swiglu_args *a, dp_error *error)
{
    const dpi_operand operands[] = {
        {"x", &a->x, DPI_PLAIN, a->y.rows, -1},
        {"gate_weight", &a->gate_weight, DPI_WEIGHT, a->y.cols, a->x.cols},
        {"up_weight", &a->up_weight, DPI_WEIGHT, a->y.cols, a->x.cols},
        {"y", &a->y, DPI_PLAIN, -1, -1},
    };
    const int rc = dpi_check_operands("swiglu", operands, COUNT(operands), error);

    return rc ? rc : dpi_check_range("swiglu", "gate", a->gate, DP_GATE_SILU, DP_GATE_GELU_TANH, error);
}
