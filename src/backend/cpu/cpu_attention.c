// y = softmax(scale q k^T, causal) v by tiles of queries and keys, with a running maximum and sum (after Milakov,
// Dao): a task has the queries of all heads that share a key-value head, so keys and values are packed once.
#include <math.h>
#include <string.h>

#include "backend/cpu/product.h"

enum {
    KEYS = 256,    // of a tile; a multiple of every set's tile_cols
    QUERIES = 140, // of a tile, at most
    SLACK = 64     // floats between parts of a worker's memory: pack writes past the end
};

typedef struct attention {
    const dp_attention_args *args;
    const dpi_cpu_kernels *kernels;
    int64_t group;      // heads that share a key-value head
    int64_t rows;       // queries of a tile
    int64_t tiles;      // of queries, in a sequence
    int64_t value_cols; // head_dim in whole panels
    int64_t worker_floats;
    float *memory;
} attention;

// A worker's memory, and what its task is about.
typedef struct task {
    float *q, *k, *v;                          // packed
    float *scores, *weights;                   // of one register tile of queries: rows × KEYS, and packed
    float *sums;                               // group × rows × value_cols
    float *top;                                // group × rows
    double *total;                             // group × rows
    int64_t sequence, kv_head, query, queries; // first query of the tile and how many
} task;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static int64_t over(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t padded(int64_t floats)
{
    return over(floats, SLACK) * SLACK + SLACK;
}

// The parts of a worker's memory in order: total, top, q, k, v, scores, weights, sums.
static int64_t floats_of_worker(const attention *a)
{
    const int64_t head_dim = a->args->head_dim, states = a->group * a->rows;

    return padded(2 * states) + padded(states) + padded(states * head_dim) + padded(KEYS * head_dim) +
           padded(KEYS * a->value_cols) + 2 * padded(a->kernels->tile_rows * KEYS) + padded(states * a->value_cols);
}

static task task_in(const attention *a, float *memory)
{
    const int64_t head_dim = a->args->head_dim, states = a->group * a->rows;
    task t = {.total = (double *)(void *)memory};

    t.top = memory + padded(2 * states);
    t.q = t.top + padded(states);
    t.k = t.q + padded(states * head_dim);
    t.v = t.k + padded(KEYS * head_dim);
    t.scores = t.v + padded(KEYS * a->value_cols);
    t.weights = t.scores + padded(a->kernels->tile_rows * KEYS);
    t.sums = t.weights + padded(a->kernels->tile_rows * KEYS);
    return t;
}

static void pack_queries(const attention *a, const task *t)
{
    const dp_attention_args *args = a->args;
    const int64_t height = a->kernels->tile_rows;

    for (int64_t h = 0; h < a->group; h++)
        for (int64_t r = 0; r < t->queries; r += height) {
            const int64_t row = t->sequence * args->queries + t->query + r;
            const float *from = dpi_cpu_f32(&args->q, row) + (t->kv_head * a->group + h) * args->head_dim;

            a->kernels->pack(from, args->q.stride, smaller(height, t->queries - r), args->head_dim,
                             t->q + (h * a->rows + r) * args->head_dim, height);
        }
}

static void pack_keys(const attention *a, const task *t, int64_t first, int64_t count)
{
    const dp_attention_args *args = a->args;
    const int64_t width = a->kernels->tile_cols, head = t->kv_head * args->head_dim;
    const int64_t row = t->sequence * args->keys + first;

    for (int64_t i = 0; i < count; i += width)
        a->kernels->pack(dpi_cpu_f32(&args->k, row + i) + head, args->k.stride, smaller(width, count - i),
                         args->head_dim, t->k + i * args->head_dim, width);
    for (int64_t c = 0; c < args->head_dim; c += width)
        a->kernels->pack_columns(dpi_cpu_f32(&args->v, row) + head + c, args->v.stride, count,
                                 smaller(width, args->head_dim - c), t->v + c * KEYS, width);
}

// Scores of one row to weights; what was summed before is brought to the new maximum.
static void weigh_row(const attention *a, float *scores, int64_t seen, float *top, double *total, float *sums)
{
    const float highest = a->kernels->top(scores, seen, a->args->scale);
    const float now = highest > *top ? highest : *top;

    if (*top > -INFINITY && now > *top) {
        const double shrink = exp((double)*top - (double)now);

        *total *= shrink;
        a->kernels->axpby(sums, sums, a->value_cols, (float)shrink, 0);
    }
    *total += a->kernels->exp_store(scores, seen, a->args->scale, now, scores);
    *top = now;
}

// A few queries (one register tile) of one head against the keys first .. first + count - 1.
static void attend_rows(const attention *a, const task *t, int64_t head, int64_t r, int64_t first, int64_t count)
{
    const dp_attention_args *args = a->args;
    const dpi_cpu_kernels *kernels = a->kernels;
    const int64_t rows = smaller(kernels->tile_rows, t->queries - r), state = head * a->rows + r;
    const int64_t seen = args->keys - args->queries + t->query + r + 1 - first; // by the first of the rows
    const int64_t most = smaller(count, seen + rows - 1);
    float *sums = t->sums + state * a->value_cols;
    dpi_cpu_tile out = {
        .ahead = t->k, .stride = KEYS, .rows = (int32_t)rows, .cols = kernels->tile_cols, .alpha = 1};

    if (most <= 0)
        return;
    for (int64_t i = 0; i < most; i += kernels->tile_cols) {
        out.c = t->scores + i;
        kernels->tile(t->q + state * args->head_dim, t->k + i * args->head_dim, args->head_dim, &out);
    }
    for (int64_t i = 0; i < rows; i++) {
        const int64_t own = smaller(most, seen + i < 0 ? 0 : seen + i);
        float *scores = t->scores + i * KEYS;

        if (own > 0)
            weigh_row(a, scores, own, t->top + state + i, t->total + state + i, sums + i * a->value_cols);
        memset(scores + own, 0, (size_t)(most - own) * sizeof *scores);
    }
    kernels->pack(t->scores, KEYS, rows, most, t->weights, kernels->tile_rows);
    out.stride = a->value_cols;
    out.beta = first > 0 ? 1 : 0;
    for (int64_t c = 0; c < a->value_cols; c += kernels->tile_cols) {
        out.c = sums + c;
        kernels->tile(t->weights, t->v + c * KEYS, most, &out);
    }
}

static void store_rows(const attention *a, const task *t)
{
    const dp_attention_args *args = a->args;

    for (int64_t h = 0; h < a->group; h++)
        for (int64_t r = 0; r < t->queries; r++) {
            const int64_t row = t->sequence * args->queries + t->query + r, state = h * a->rows + r;
            const int64_t head = t->kv_head * a->group + h;

            a->kernels->axpby(t->sums + state * a->value_cols, dpi_cpu_f32(&args->y, row) + head * args->head_dim,
                              args->head_dim, (float)(1 / t->total[state]), 0);
            if (args->lse.data)
                dpi_cpu_f32(&args->lse, row)[head] = (float)((double)t->top[state] + log(t->total[state]));
        }
}

static void attend(const attention *a, task *t)
{
    const int64_t visible = a->args->keys - a->args->queries + t->query + t->queries; // to the last query

    for (int64_t i = 0; i < a->group * a->rows; i++) {
        t->top[i] = -INFINITY;
        t->total[i] = 0;
    }
    pack_queries(a, t);
    for (int64_t first = 0; first < visible; first += KEYS) {
        const int64_t count = smaller(KEYS, visible - first);

        pack_keys(a, t, first, count);
        for (int64_t h = 0; h < a->group; h++)
            for (int64_t r = 0; r < t->queries; r += a->kernels->tile_rows)
                attend_rows(a, t, h, r, first, count);
    }
    store_rows(a, t);
}

static void attend_tasks(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const attention *a = arg;
    task t = task_in(a, a->memory + worker * a->worker_floats);

    for (int64_t i = begin; i < end; i++) {
        t.query = i % a->tiles * a->rows;
        t.kv_head = i / a->tiles % a->args->kv_heads;
        t.sequence = i / a->tiles / a->args->kv_heads;
        t.queries = smaller(a->rows, a->args->queries - t.query);
        attend(a, &t);
    }
}

int dpi_cpu_attention(dp_stream *stream, const dp_attention_args *args, dp_error *error)
{
    const dpi_cpu_kernels *kernels = stream->kernels;
    const dp_mat *const activations[] = {&args->q, &args->k, &args->v, &args->y, &args->lse};
    attention a = {.args = args, .kernels = kernels, .group = args->heads / args->kv_heads};
    void *memory;
    int rc = dpi_cpu_want_f32("attention", activations, 5, error);

    if (rc)
        return rc;
    a.tiles = over(args->queries, QUERIES / kernels->tile_rows * kernels->tile_rows);
    a.rows = over(over(args->queries, a.tiles), kernels->tile_rows) * kernels->tile_rows;
    a.tiles = over(args->queries, a.rows);
    a.value_cols = over(args->head_dim, kernels->tile_cols) * kernels->tile_cols;
    a.worker_floats = floats_of_worker(&a);
    rc = dpi_cpu_scratch_get(stream, DPI_SCRATCH_WORKERS,
                             (uint64_t)(stream->host.threads * a.worker_floats) * sizeof(float), &memory, error);
    a.memory = memory;
    return rc ? rc
              : dpi_cpu_parallel(stream, args->sequences * args->kv_heads * a.tiles, 1, attend_tasks, &a, error);
}
