// Attention from required operations.  For a piece of a sequence's queries and a bundle of heads: scores = scale q k^T,
// causal softmax in place, y = scores v.  The piece's last query bounds the keys, so later ones are not computed.
#include "backend/compose.h"

enum { LABELS = 64 };

typedef struct bundle {
    const dp_attention_args *args;
    int64_t sequence;
    int64_t query, queries;   // the piece
    int64_t keys;             // that its last query sees
    int64_t head, heads;      // query heads whose products are one batch
    int64_t kv_head, kv_step; // the first one's keys; elements from one head's keys to the next's
    dp_mat scores;            // heads * queries rows of `keys`
} bundle;

// lse of `heads` heads for one query: the loss of label 0, to which the score of key 0 is added back.
static int log_sum(dpi_device *device, const bundle *b, int64_t query, int64_t head, int64_t heads, dp_error *error)
{
    static const int32_t first_key[LABELS] = {0};
    const dp_attention_args *a = b->args;
    const int64_t seen = b->keys - b->queries + query + 1;
    const int64_t row = b->sequence * a->queries + b->query + query;
    dp_mat scores = dpi_compose_part(&b->scores, head * b->queries + query, 0, heads, seen);
    dp_mat lse = dpi_compose_part(&a->lse, row, b->head + head, heads, 1);

    scores.stride = b->queries * b->keys;
    lse.stride = 1; // heads lie side by side in a row of lse
    const dp_xent_args loss = {.x = scores, .loss = lse, .labels = first_key, .scale = 1};
    const int rc = device->table->xent(device->stream, &loss, error);
    dp_axpby_args add = {scores, lse, 1, 1};
    add.x.cols = 1;
    return rc ? rc : device->table->axpby(device->stream, &add, error);
}

static int log_sums(dpi_device *device, const bundle *b, dp_error *error)
{
    int rc = DP_OK;

    for (int64_t query = 0; query < b->queries; query++)
        for (int64_t head = 0; head < b->heads && !rc; head += LABELS)
            rc = log_sum(device, b, query, head, b->heads - head < LABELS ? b->heads - head : LABELS, error);
    return rc;
}

static int attend(dpi_device *device, const bundle *b, dp_error *error)
{
    const dp_attention_args *a = b->args;
    const int64_t dim = a->head_dim, row = b->sequence * a->queries + b->query, key = b->sequence * a->keys;
    const dp_mat scores = dpi_compose_part(&b->scores, 0, 0, b->queries, b->keys);
    const dp_softmax_args softmax = {b->scores, b->scores, b->queries, 1, 1};
    const dp_gemm_args products = {.a = dpi_compose_part(&a->q, row, b->head * dim, b->queries, dim),
                                   .b = dpi_compose_part(&a->k, key, b->kv_head * dim, b->keys, dim),
                                   .c = scores,
                                   .batch = b->heads,
                                   .a_step = dim,
                                   .b_step = b->kv_step,
                                   .c_step = b->queries * b->keys,
                                   .alpha = a->scale,
                                   .transpose_b = 1};
    const dp_gemm_args values = {.a = scores,
                                 .b = dpi_compose_part(&a->v, key, b->kv_head * dim, b->keys, dim),
                                 .c = dpi_compose_part(&a->y, row, b->head * dim, b->queries, dim),
                                 .batch = b->heads,
                                 .a_step = b->queries * b->keys,
                                 .b_step = b->kv_step,
                                 .c_step = dim,
                                 .alpha = 1};
    int rc = device->table->gemm(device->stream, &products, error);

    if (!rc && a->lse.data)
        rc = log_sums(device, b, error);
    if (!rc)
        rc = device->table->softmax(device->stream, &softmax, error);
    return rc ? rc : device->table->gemm(device->stream, &values, error);
}

// All bundles of a piece: one of all heads where each has its own keys, else one a key head.
static int all_heads(dpi_device *device, bundle *b, dp_error *error)
{
    const dp_attention_args *a = b->args;
    const int64_t group = a->heads / a->kv_heads;
    int rc = dpi_compose_scratch(device, &a->y, b->heads * b->queries, b->keys, &b->scores, error);

    for (int64_t head = 0; head < a->heads && !rc; head += b->heads) {
        b->head = head;
        b->kv_head = head / group;
        rc = attend(device, b, error);
    }
    return rc;
}

int dpi_compose_attention(dpi_device *device, const dp_attention_args *a, dp_error *error)
{
    const int shared = a->heads != a->kv_heads;
    const int64_t heads = shared ? a->heads / a->kv_heads : a->heads;
    const int64_t most = dpi_compose_piece(a->queries, heads * a->keys);
    bundle b = {.args = a, .heads = heads, .kv_step = shared ? 0 : a->head_dim};
    int rc = DP_OK;

    for (b.sequence = 0; b.sequence < a->sequences; b.sequence++)
        for (b.query = 0; b.query < a->queries && !rc; b.query += most) {
            b.queries = a->queries - b.query < most ? a->queries - b.query : most;
            b.keys = a->keys - a->queries + b.query + b.queries;
            rc = all_heads(device, &b, error);
        }
    return rc;
}
