// Products of few rows: each row of b is read once, in its stored type, against all rows of a.
#include "backend/cpu/few.h"

typedef struct few {
    const dpi_cpu_kernels *kernels;
    const dpi_cpu_product *product;
    dpi_cpu_rows b[DPI_PRODUCT_PARTS];
    float *space; // of each worker, where a sink is given: the rows of a piece, part after part
    int64_t width; // columns of a piece, in each part
} few;

// Products of rows begin .. end - 1 of a part's b, element (r, i) at to + r * stride + i.
static void multiply(const few *f, int part, int64_t begin, int64_t end, float *to, int64_t stride)
{
    const dpi_cpu_product *p = f->product;
    const float *a = p->a.data;
    dpi_cpu_rows b = f->b[part];

    b.data += begin * b.row_bytes;
    for (int64_t i = 0; i < end - begin; i++, b.data += b.row_bytes)
        for (int64_t r = 0; r < p->m; r += DPI_DOT_ROWS) {
            const int64_t left = p->m - r;
            float dots[DPI_DOT_ROWS];
            const int32_t rows = (int32_t)(left < DPI_DOT_ROWS ? left : DPI_DOT_ROWS);

            f->kernels->dots(&b, a + r * p->a.stride, p->a.stride, rows, p->k, dots);
            for (int32_t d = 0; d < rows; d++)
                to[(r + d) * stride + i] = dots[d];
        }
}

// To c.  Sixteen columns at a time are computed before c is written.
static void store(const few *f, const dpi_cpu_part *part, int64_t begin, int64_t end)
{
    enum { AT_ONCE = 16 };
    const dpi_cpu_product *p = f->product;
    float values[DPI_FEW_ROWS * AT_ONCE];

    for (int64_t first = begin; first < end; first += AT_ONCE) {
        const int64_t count = end - first < AT_ONCE ? end - first : AT_ONCE;

        multiply(f, (int)(part - p->part), first, first + count, values, AT_ONCE);
        for (int64_t r = 0; r < p->m; r++)
            for (int64_t i = 0; i < count; i++) {
                float *c = part->c + r * part->c_stride + first + i;
                const float value = p->alpha * values[r * AT_ONCE + i] + (part->bias ? part->bias[first + i] : 0);

                *c = p->beta != 0 ? value + p->beta * *c : value;
            }
    }
}

// Columns begin .. end - 1 of all parts, one after the other.
static void store_task(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const few *f = arg;
    int64_t base = 0;

    (void)worker;
    for (int32_t i = 0; i < f->product->parts; i++) {
        const dpi_cpu_part *part = &f->product->part[i];
        const int64_t from = begin > base ? begin - base : 0, to = end - base < part->n ? end - base : part->n;

        if (from < to)
            store(f, part, from, to);
        base += part->n;
    }
}

// Pieces begin .. end - 1, to the sink.
static void sink_task(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const few *f = arg;
    const dpi_cpu_product *p = f->product;
    const int64_t stride = p->parts * f->width, n = p->part[0].n;
    float *space = f->space + worker * p->m * stride;

    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t col = piece * f->width, cols = n - col < f->width ? n - col : f->width;

        for (int32_t i = 0; i < p->parts; i++)
            multiply(f, i, col, col + cols, space + i * f->width, stride);
        p->sink(p->arg, &(dpi_cpu_piece){.values = space,
                                         .stride = stride,
                                         .half = f->width,
                                         .rows = p->m,
                                         .col = col,
                                         .cols = cols});
    }
}

int dpi_cpu_few_fits(const dpi_cpu_product *product)
{
    for (int32_t i = 0; i < product->parts; i++)
        if (product->part[i].b.type == DP_F64)
            return 0;
    return product->m <= DPI_FEW_ROWS && !product->transpose_a && product->transpose_b;
}

int dpi_cpu_few_run(dp_stream *stream, const dpi_cpu_product *product, dp_error *error)
{
    few f = {.kernels = stream->kernels, .product = product, .width = DPI_GROUP_COLS / product->parts};
    int64_t columns = 0;
    void *space = NULL;
    int rc = DP_OK;

    for (int32_t i = 0; i < product->parts; i++) {
        f.b[i] = dpi_cpu_rows_of(&product->part[i].b);
        columns += product->part[i].n;
    }
    if (product->sink) {
        const int64_t floats = stream->host.threads * product->m * product->parts * f.width;

        rc = dpi_cpu_scratch_get(stream, DPI_SCRATCH_WORKERS, (uint64_t)floats * sizeof(float), &space, error);
        f.space = space;
        if (!rc)
            rc = dpi_cpu_parallel(stream, (product->part[0].n + f.width - 1) / f.width, 1, sink_task, &f, error);
    } else {
        rc = dpi_cpu_parallel(stream, columns, dpi_cpu_grain(product->k), store_task, &f, error);
    }
    if (!rc && product->finish)
        product->finish(product->arg, 0, product->m);
    return rc;
}
