// c = alpha * a b + beta * c + bias on packed operands (after Goto and van de Geijn): b in panels of tile_cols
// columns, a in tiles of at most 112 rows, both as k × width, the sum over k in blocks that stay in cache.
#include "backend/cpu/product.h"

#include <string.h>

#include "tensor/dtype.h"

enum {
    WHOLE_K = 768,             // a k up to this is one block
    K_BLOCK = 512,             // else blocks of this; a multiple of every type's block
    PACKED_BYTES = 32 << 20,   // of b, at once
    TASKS = 32,                // a parallel section is cut into about as many
    SLACK = 64                 // floats between parts of a worker's memory: pack writes past the end
};

typedef struct worker {
    float *a, *b, *rows, *c;
    int64_t tile; // the row tile that is packed in a, or -1
} worker;

typedef struct job {
    const dp_stream *stream;
    const dpi_cpu_kernels *kernels;
    const dpi_cpu_product *product;
    dpi_cpu_rows a, b[DPI_PRODUCT_PARTS];
    float *packed;                 // NULL: each task packs the panels it needs
    float *memory;                 // of the workers
    worker *workers;
    int64_t worker_floats;
    int64_t k_block, tile_rows;    // tile_rows: of a task
    int64_t panels, group;         // of all parts; in a piece
    int64_t first, count;          // panels of this round
    int64_t span;                  // panels of a task
    int64_t tiles;
    int32_t whole_rows;            // 1: a task makes whole rows of c
} job;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t over(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t padded(int64_t floats) { return over(floats, SLACK) * SLACK + SLACK; }

static int64_t panels_of(const job *j, int part)
{
    return over(j->product->part[part].n, j->kernels->tile_cols);
}

// Which part and column a panel is.
static int find_panel(const job *j, int64_t panel, int64_t *col)
{
    int part = 0;

    if (j->product->interleaved) {
        *col = panel / 2 * j->kernels->tile_cols;
        return (int)(panel % 2);
    }
    while (panel >= panels_of(j, part))
        panel -= panels_of(j, part++);
    *col = panel * j->kernels->tile_cols;
    return part;
}

// `rows` rows of k columns, from (row, col), as k × width.
static void pack_rows(const job *j, const dpi_cpu_rows *from, int64_t row, int64_t rows, int64_t col, int64_t k,
                      int64_t width, float *space, float *to)
{
    if (from->type == DP_F32) {
        j->kernels->pack(dpi_cpu_at(from, row, col), from->row_bytes / (int64_t)sizeof(float), rows, k, to, width);
        return;
    }
    for (int64_t r = 0; r < rows; r++)
        j->kernels->widen(from->type, dpi_cpu_at(from, row + r, col), k, space + r * j->k_block);
    j->kernels->pack(space, j->k_block, rows, k, to, width);
}

// The same from the transposed matrix, f32: k rows, from (k0, col), of `cols` columns.
static void pack_columns(const job *j, const dpi_cpu_rows *from, int64_t k0, int64_t k, int64_t col, int64_t cols,
                         int64_t width, float *to)
{
    j->kernels->pack_columns(dpi_cpu_at(from, k0, col), from->row_bytes / (int64_t)sizeof(float), k, cols, to, width);
}

static void pack_panel(const job *j, int64_t panel, float *space, float *to)
{
    const int64_t width = j->kernels->tile_cols, k = j->product->k;
    int64_t col;
    const int part = find_panel(j, panel, &col);
    const int64_t cols = smaller(width, j->product->part[part].n - col);

    for (int64_t k0 = 0; k0 < k; k0 += j->k_block) {
        const int64_t depth = smaller(j->k_block, k - k0);

        if (j->product->transpose_b)
            pack_rows(j, &j->b[part], col, cols, k0, depth, width, space, to + k0 * width);
        else
            pack_columns(j, &j->b[part], k0, depth, col, cols, width, to + k0 * width);
    }
}

static void pack_tile(const job *j, worker *w, int64_t tile)
{
    const dpi_cpu_product *p = j->product;
    const int64_t first = tile * j->tile_rows, rows = smaller(j->tile_rows, p->m - first);
    const int64_t width = j->kernels->tile_rows;
    float *to = w->a;

    for (int64_t k0 = 0; k0 < p->k; k0 += j->k_block) {
        const int64_t depth = smaller(j->k_block, p->k - k0);

        for (int64_t r = 0; r < rows; r += width, to += depth * width) {
            const int64_t live = smaller(width, rows - r);

            if (p->transpose_a)
                pack_columns(j, &j->a, k0, depth, first + r, live, width, to);
            else
                pack_rows(j, &j->a, first + r, live, k0, depth, width, w->rows, to);
        }
    }
    w->tile = tile;
}

// One panel against all rows of the worker's tile, for the block of k that begins at k0.
static void multiply_panel(const job *j, const worker *w, int64_t panel, int64_t k0, const float *b)
{
    const dpi_cpu_product *p = j->product;
    const int64_t first = w->tile * j->tile_rows, rows = smaller(j->tile_rows, p->m - first);
    const int64_t height = j->kernels->tile_rows, depth = smaller(j->k_block, p->k - k0);
    int64_t col;
    const int number = find_panel(j, panel, &col);
    const dpi_cpu_part *part = &p->part[number];
    const float *a = w->a + k0 * over(rows, height) * height;
    dpi_cpu_tile out = {.stride = part->c_stride,
                        .bias = k0 == 0 && part->bias ? part->bias + col : NULL,
                        .cols = (int32_t)smaller(j->kernels->tile_cols, part->n - col),
                        .alpha = p->alpha,
                        .beta = k0 == 0 ? p->beta : 1};
    float *c = part->c + first * part->c_stride + col;

    if (p->sink) {
        const int64_t place = panel % j->group;

        out.stride = DPI_GROUP_COLS;
        c = w->c + (p->interleaved ? place % 2 * (DPI_GROUP_COLS / 2) + place / 2 * j->kernels->tile_cols
                                   : place * j->kernels->tile_cols);
    }
    for (int64_t r = 0; r < rows; r += height, a += depth * height) {
        out.c = c + r * out.stride;
        out.rows = (int32_t)smaller(height, rows - r);
        j->kernels->tile(a, b + k0 * j->kernels->tile_cols, depth, &out);
    }
}

static void hand_over(const job *j, const worker *w, int64_t first, int64_t end)
{
    const dpi_cpu_product *p = j->product;
    const int64_t row = w->tile * j->tile_rows, width = j->kernels->tile_cols;
    const int64_t col = first * width / (p->interleaved ? 2 : 1);
    const int64_t most = (end - first) * width / (p->interleaved ? 2 : 1);
    const dpi_cpu_piece piece = {.values = w->c,
                                 .stride = DPI_GROUP_COLS,
                                 .half = DPI_GROUP_COLS / 2,
                                 .row = row,
                                 .rows = smaller(j->tile_rows, p->m - row),
                                 .col = col,
                                 .cols = smaller(most, p->part[0].n - col)};

    p->sink(p->arg, &piece);
}

// The panels first .. end-1, at most a group, against the worker's tile.
static void multiply_group(const job *j, worker *w, int64_t first, int64_t end)
{
    const int64_t k = j->product->k, panel_floats = k * j->kernels->tile_cols;

    if (j->packed) {
        for (int64_t k0 = 0; k0 < k; k0 += j->k_block)
            for (int64_t panel = first; panel < end; panel++)
                multiply_panel(j, w, panel, k0, j->packed + (panel - j->first) * panel_floats);
    } else {
        for (int64_t panel = first; panel < end; panel++) {
            pack_panel(j, panel, w->rows, w->b);
            for (int64_t k0 = 0; k0 < k; k0 += j->k_block)
                multiply_panel(j, w, panel, k0, w->b);
        }
    }
    if (j->product->sink)
        hand_over(j, w, first, end);
}

static void pack_task(void *arg, int64_t begin, int64_t end, int32_t number)
{
    const job *j = arg;
    const int64_t panel_floats = j->product->k * j->kernels->tile_cols;

    for (int64_t i = begin; i < end; i++)
        pack_panel(j, j->first + i, j->workers[number].rows, j->packed + i * panel_floats);
}

static void finish_tile(const job *j, int64_t tile)
{
    const int64_t row = tile * j->tile_rows;

    j->product->finish(j->product->arg, row, smaller(j->tile_rows, j->product->m - row));
}

static void multiply_task(void *arg, int64_t begin, int64_t end, int32_t number)
{
    const job *j = arg;
    const int64_t spans = over(j->count, j->span);
    worker *w = &j->workers[number];

    for (int64_t task = begin; task < end; task++) {
        const int64_t from = j->first + task % spans * j->span;
        const int64_t to = smaller(from + j->span, j->first + j->count);

        if (w->tile != task / spans)
            pack_tile(j, w, task / spans);
        for (int64_t panel = from; panel < to; panel += j->group)
            multiply_group(j, w, panel, smaller(panel + j->group, to));
        if (j->whole_rows && j->product->finish)
            finish_tile(j, w->tile);
    }
}

static void finish_task(void *arg, int64_t begin, int64_t end, int32_t number)
{
    (void)number;
    for (int64_t tile = begin; tile < end; tile++)
        finish_tile(arg, tile);
}

static int give_workers(job *j, dp_stream *stream, dp_error *error)
{
    const int64_t k = j->product->k, threads = stream->host.threads;
    const int64_t rows = over(smaller(j->tile_rows, j->product->m), j->kernels->tile_rows) * j->kernels->tile_rows;
    const int64_t a = padded(rows * k), b = j->packed ? 0 : padded(k * j->kernels->tile_cols);
    const int64_t space = padded(j->k_block * j->kernels->tile_cols);
    const int64_t c = j->product->sink ? padded(rows * DPI_GROUP_COLS) : 0;
    const int64_t table = padded((int64_t)sizeof(worker) * threads / (int64_t)sizeof(float));
    void *memory;

    const int rc = dpi_cpu_scratch_get(stream, DPI_SCRATCH_WORKERS,
                                       (uint64_t)(table + threads * (a + b + space + c)) * sizeof(float), &memory,
                                       error);
    if (rc)
        return rc;
    j->workers = memory;
    for (int64_t t = 0; t < threads; t++) {
        float *own = (float *)memory + table + t * (a + b + space + c);

        j->workers[t] = (worker){.a = own, .b = own + a, .rows = own + a + b, .c = own + a + b + space, .tile = -1};
    }
    return DP_OK;
}

// Panels of a round and of a task, by the shape alone.  Rounds and spans are whole groups, so that pieces
// begin at multiples of the group's columns.  Rows are kept whole for `finish` where there are tiles enough.
static int64_t cut(job *j)
{
    const int64_t panel_bytes = j->product->k * j->kernels->tile_cols * (int64_t)sizeof(float);
    const int64_t groups = PACKED_BYTES / panel_bytes / j->group;
    const int64_t round = j->tiles == 1 ? j->panels : smaller(j->panels, (groups < 1 ? 1 : groups) * j->group);
    const int64_t spans = j->product->finish && j->tiles >= TASKS / 4 ? 1 : over(TASKS, j->tiles);
    const int64_t unit = j->product->sink ? j->group : 1;

    j->span = over(over(round, spans), unit) * unit;
    j->whole_rows = j->span >= j->panels;
    return round;
}

static int run_rounds(job *j, dp_stream *stream, int64_t round, dp_error *error)
{
    int rc = DP_OK;

    for (j->first = 0; j->first < j->panels && !rc; j->first += j->count) {
        j->count = smaller(round, j->panels - j->first);
        if (j->packed)
            rc = dpi_cpu_parallel(stream, j->count, 1, pack_task, j, error);
        if (!rc)
            rc = dpi_cpu_parallel(stream, j->tiles * over(j->count, j->span), 1, multiply_task, j, error);
    }
    if (!rc && j->product->finish && !j->whole_rows)
        rc = dpi_cpu_parallel(stream, j->tiles, 1, finish_task, j, error);
    return rc;
}

int dpi_cpu_product_run(dp_stream *stream, const dpi_cpu_product *product, dp_error *error)
{
    const dpi_cpu_kernels *kernels = stream->kernels;
    job j = {.stream = stream, .kernels = kernels, .product = product, .a = dpi_cpu_rows_of(&product->a)};
    void *packed = NULL;
    int rc = DP_OK;

    j.k_block = product->k <= WHOLE_K ? product->k : K_BLOCK;
    j.tile_rows = DPI_TILE_ROWS / kernels->tile_rows * kernels->tile_rows;
    j.group = DPI_GROUP_COLS / kernels->tile_cols;
    for (int i = 0; i < product->parts; i++) {
        j.b[i] = dpi_cpu_rows_of(&product->part[i].b);
        j.panels += panels_of(&j, i);
    }
    j.tiles = over(product->m, j.tile_rows);
    const int64_t round = cut(&j);
    if (j.tiles > 1)
        rc = dpi_cpu_scratch_get(stream, DPI_SCRATCH_PACKED,
                                 (uint64_t)(padded(round * product->k * kernels->tile_cols)) * sizeof(float), &packed,
                                 error);
    j.packed = packed;
    if (!rc)
        rc = give_workers(&j, stream, error);
    return rc ? rc : run_rounds(&j, stream, round, error);
}
