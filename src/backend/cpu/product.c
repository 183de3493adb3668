// c = alpha * a b + beta * c + bias on packed operands (after Goto and van de Geijn): b in panels of tile_cols
// columns, a in tiles of at most 112 rows, both as k × width, the sum over k in blocks that stay in cache.
#include "backend/cpu/few.h"

#include <string.h>

#include "tensor/dtype.h"

enum {
    PACKED_BYTES = 16 << 20, // of b, at once
    TASKS = 6,               // a worker should have about as many, so that all end together
    LONE_TASKS = 64,         // tasks for products of one row tile
    SINK_PANELS = 32,        // at most, that a worker holds for a sink
    SLACK = 64               // floats between parts of a worker's memory: pack writes past the end
};

typedef struct worker {
    float *a, *b, *rows, *c;
    int64_t tile;  // the row tile that is packed in a, or -1
    int64_t first; // panel of the chunk, whose product is at c
} worker;

typedef struct job {
    const dpi_cpu_kernels *kernels;
    const dpi_cpu_product *product;
    dpi_cpu_rows a, b[DPI_PRODUCT_PARTS];
    float *packed; // NULL: each task packs the panels it needs
    worker *workers;
    int64_t k_block;
    int64_t strips, tiles; // register tiles of rows; row tiles, of 8 strips or so
    int64_t panels, group; // of all parts; in a piece
    int64_t first, count;  // panels of this round
    int64_t span, chunk;   // panels of a task; of it, that are multiplied before the next block of k
    int32_t whole_rows;    // 1: a task makes whole rows of c
} job;

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

static int64_t panels_of(const job *j, int part)
{
    return over(j->product->part[part].n, j->kernels->tile_cols);
}

// The rows of a row tile: strips are dealt out evenly.
static int64_t tile_begin(const job *j, int64_t tile)
{
    return smaller(tile * j->strips / j->tiles * j->kernels->tile_rows, j->product->m);
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
    j->kernels->pack_columns(dpi_cpu_at(from, k0, col), from->row_bytes / (int64_t)sizeof(float), k, cols, to,
                             width);
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
    const int64_t first = tile_begin(j, tile), rows = tile_begin(j, tile + 1) - first;
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

// Where the product of a panel goes: to c, or to the worker's memory by the panel's place in its chunk.
static dpi_cpu_tile place_panel(const job *j, const worker *w, int64_t panel, int64_t k0)
{
    const dpi_cpu_product *p = j->product;
    const int64_t width = j->kernels->tile_cols, place = panel - w->first;
    int64_t col;
    const dpi_cpu_part *part = &p->part[find_panel(j, panel, &col)];
    dpi_cpu_tile out = {.bias = k0 == 0 && part->bias ? part->bias + col : NULL,
                        .cols = (int32_t)smaller(width, part->n - col),
                        .alpha = p->alpha,
                        .beta = k0 == 0 ? p->beta : 1};

    if (!p->sink) {
        out.stride = part->c_stride;
        out.c = part->c + tile_begin(j, w->tile) * part->c_stride + col;
        return out;
    }
    out.stride = j->chunk * width;
    out.c = w->c + place * width;
    if (p->interleaved) // in each group the panels of part 0, then those of part 1
        out.c = w->c + (place - place % j->group + place % 2 * (j->group / 2) + place % j->group / 2) * width;
    return out;
}

// One panel against all rows of the worker's tile, for the block of k that begins at k0; `next` is used after it.
static void multiply_panel(const job *j, const worker *w, int64_t panel, int64_t k0, const float *b,
                           const float *next)
{
    const int64_t rows = tile_begin(j, w->tile + 1) - tile_begin(j, w->tile);
    const int64_t height = j->kernels->tile_rows, depth = smaller(j->k_block, j->product->k - k0);
    const float *a = w->a + k0 * over(rows, height) * height;
    dpi_cpu_tile out = place_panel(j, w, panel, k0);

    out.ahead = next;
    for (int64_t r = 0; r < rows; r += height) {
        out.rows = (int32_t)smaller(height, rows - r);
        j->kernels->tile(a, b, depth, &out);
        out.c += height * out.stride;
        out.ahead += depth * DPI_AHEAD;
        a += depth * height;
    }
}

// Pieces of a finished chunk, a group each.
static void hand_over(const job *j, const worker *w, int64_t first, int64_t end)
{
    const dpi_cpu_product *p = j->product;
    const int64_t row = tile_begin(j, w->tile), width = j->kernels->tile_cols, parts = p->interleaved ? 2 : 1;

    for (int64_t panel = first; panel < end; panel += j->group) {
        const int64_t col = panel / parts * width, panels = smaller(j->group, end - panel);
        const dpi_cpu_piece piece = {.values = w->c + (panel - first) * width,
                                     .stride = j->chunk * width,
                                     .half = j->group / 2 * width,
                                     .row = row,
                                     .rows = tile_begin(j, w->tile + 1) - row,
                                     .col = col,
                                     .cols = smaller(panels / parts * width, p->part[0].n - col)};

        p->sink(p->arg, &piece);
    }
}

// The packed panels first .. end - 1 against the worker's tile.
static void multiply_packed(const job *j, const worker *w, int64_t first, int64_t end)
{
    const int64_t k = j->product->k, width = j->kernels->tile_cols, panel_floats = k * width;
    const float *chunk = j->packed + (first - j->first) * panel_floats;

    for (int64_t k0 = 0; k0 < k; k0 += j->k_block)
        for (int64_t panel = first; panel < end; panel++) {
            const float *b = chunk + (panel - first) * panel_floats + k0 * width;
            const float *next = panel + 1 < end ? b + panel_floats : chunk + (k0 + j->k_block) * width;

            multiply_panel(j, w, panel, k0, b, next);
        }
}

// The same where no other task needs the panels: each is packed when its turn comes.
static void multiply_loose(const job *j, const worker *w, int64_t first, int64_t end)
{
    const int64_t width = j->kernels->tile_cols;

    for (int64_t panel = first; panel < end; panel++) {
        pack_panel(j, panel, w->rows, w->b);
        for (int64_t k0 = 0; k0 < j->product->k; k0 += j->k_block)
            multiply_panel(j, w, panel, k0, w->b + k0 * width, w->b + (k0 + j->k_block) * width);
    }
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
    const int64_t row = tile_begin(j, tile);

    j->product->finish(j->product->arg, row, tile_begin(j, tile + 1) - row);
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
        for (int64_t panel = from; panel < to; panel += j->chunk) {
            const int64_t last = smaller(panel + j->chunk, to);

            w->first = panel;
            if (j->packed)
                multiply_packed(j, w, panel, last);
            else
                multiply_loose(j, w, panel, last);
            if (j->product->sink)
                hand_over(j, w, panel, last);
        }
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
    const int64_t k = j->product->k, threads = stream->host.threads, width = j->kernels->tile_cols;
    const int64_t rows = over(j->strips, j->tiles) * j->kernels->tile_rows;
    const int64_t a = padded(rows * k), b = j->packed ? 0 : padded(k * width), space = padded(j->k_block * width);
    const int64_t c = j->product->sink ? padded(rows * j->chunk * width) : 0;
    const int64_t table = padded((int64_t)sizeof(worker) * threads / (int64_t)sizeof(float));
    void *memory;

    const int rc =
        dpi_cpu_scratch_get(stream, DPI_SCRATCH_WORKERS,
                            (uint64_t)(table + threads * (a + b + space + c)) * sizeof(float), &memory, error);
    if (rc)
        return rc;
    j->workers = memory;
    for (int64_t t = 0; t < threads; t++) {
        float *own = (float *)memory + table + t * (a + b + space + c);

        j->workers[t] = (worker){.a = own, .b = own + a, .rows = own + a + b, .c = own + a + b + space, .tile = -1};
    }
    return DP_OK;
}

static void cut_rows(job *j, int32_t threads)
{
    const int64_t height = j->kernels->tile_rows;

    j->strips = over(j->product->m, height);
    j->tiles = over(j->strips, DPI_TILE_ROWS / height);
    if (j->tiles > 1) // the same number for each worker
        j->tiles = smaller(over(j->tiles, threads) * threads, j->strips);
}

// Panels of a round, a task and a chunk.  Rounds and spans are whole groups, so that pieces begin at multiples of
// the group's columns.  How work is cut changes no sum, so the number of threads may play a part.
static int64_t cut_columns(job *j, int32_t threads)
{
    const int64_t k = j->product->k, panel_bytes = k * j->kernels->tile_cols * (int64_t)sizeof(float);
    const int64_t groups = PACKED_BYTES / panel_bytes / j->group;
    const int64_t round = j->tiles == 1 ? j->panels : smaller(j->panels, (groups < 1 ? 1 : groups) * j->group);
    const int64_t spans = j->tiles == 1 ? LONE_TASKS : over((int64_t)TASKS * threads, j->tiles);
    const int64_t unit = j->product->sink ? j->group : 1;

    j->span = over(over(round, spans), unit) * unit;
    j->whole_rows = j->span >= j->panels;
    j->chunk = j->span;
    if (j->product->sink)
        j->chunk = k <= j->k_block ? j->group : smaller(over(SINK_PANELS, j->group) * j->group, j->span);
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

// Blocks of k as equal as may be, so that the last is not a small rest.
static int64_t block_of(int64_t k, int64_t most)
{
    const int64_t blocks = over(k, most), unit = 256;

    return blocks == 1 ? k : over(over(k, blocks), unit) * unit;
}

int dpi_cpu_product_run(dp_stream *stream, const dpi_cpu_product *product, dp_error *error)
{
    const dpi_cpu_kernels *kernels = stream->kernels;
    job j = {.kernels = kernels,
             .product = product,
             .a = dpi_cpu_rows_of(&product->a),
             .k_block = block_of(product->k, kernels->k_block),
             .group = DPI_GROUP_COLS / kernels->tile_cols};
    void *packed = NULL;
    int rc = DP_OK;

    if (dpi_cpu_few_fits(product))
        return dpi_cpu_few_run(stream, product, error);
    for (int i = 0; i < product->parts; i++) {
        j.b[i] = dpi_cpu_rows_of(&product->part[i].b);
        j.panels += panels_of(&j, i);
    }
    cut_rows(&j, stream->host.threads);
    const int64_t round = cut_columns(&j, stream->host.threads);
    if (j.tiles > 1)
        rc = dpi_cpu_scratch_get(stream, DPI_SCRATCH_PACKED,
                                 (uint64_t)(padded(round * product->k * kernels->tile_cols)) * sizeof(float),
                                 &packed, error);
    j.packed = packed;
    if (!rc)
        rc = give_workers(&j, stream, error);
    return rc ? rc : run_rounds(&j, stream, round, error);
}
