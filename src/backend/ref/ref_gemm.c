// c = alpha * op(a) op(b) + beta * c + bias, batch times; sums in double.
#include "backend/ref/ref_rows.h"
#include "tensor/dtype.h"

enum { LEFT_DOUBLES = 1 << 21, LEAST_COLUMNS = 32 };

typedef struct product {
    const dp_gemm_args *args;
    dp_mat b, c;
    const double *left;     // op(a) from row `row`, rows × depth
    int64_t row, rows, depth, columns; // columns: of one task, whole blocks of b
} product;

static dp_mat moved(const dp_mat *mat, int64_t elements)
{
    const dpi_dtype *type = dpi_dtype_of(mat->type);
    dp_mat to = *mat;

    to.data = (char *)mat->data + elements / type->block * type->block_bytes;
    return to;
}

// Rows row .. row+rows-1 of op(a), as doubles.
static void load_left(const dp_gemm_args *args, const dp_mat *a, const product *part, double *left)
{
    if (!args->transpose_a) {
        for (int64_t i = 0; i < part->rows; i++)
            dpi_ref_load(a, part->row + i, 0, part->depth, left + i * part->depth);
        return;
    }
    for (int64_t p = 0; p < part->depth; p++)
        for (int64_t i = 0; i < part->rows; i++)
            left[i * part->depth + p] = dpi_ref_get(a, p, part->row + i);
}

// Columns column .. column+count-1 of op(b), each a run of `depth` doubles.
static void load_right(const product *part, int64_t column, int64_t count, double *right, double *line)
{
    if (part->args->transpose_b) {
        for (int64_t j = 0; j < count; j++)
            dpi_ref_load(&part->b, column + j, 0, part->depth, right + j * part->depth);
        return;
    }
    for (int64_t p = 0; p < part->depth; p++) {
        dpi_ref_load(&part->b, p, column, count, line);
        for (int64_t j = 0; j < count; j++)
            right[j * part->depth + p] = line[j];
    }
}

// Four running sums, added in a fixed order.
static double dot(const double *x, const double *y, int64_t count)
{
    double sum[4] = {0};
    int64_t i = 0;

    for (; i + 4 <= count; i += 4)
        for (int64_t lane = 0; lane < 4; lane++)
            sum[lane] += x[i + lane] * y[i + lane];
    for (; i < count; i++)
        sum[0] += x[i] * y[i];
    return sum[0] + sum[1] + (sum[2] + sum[3]);
}

static void finish(const product *part, int64_t row, int64_t column, double sum)
{
    const dp_gemm_args *args = part->args;
    double value = (double)args->alpha * sum;

    if (args->beta != 0) // c is not read otherwise: it may hold anything
        value += (double)args->beta * dpi_ref_get(&part->c, row, column);
    if (args->bias.data)
        value += dpi_ref_get(&args->bias, 0, column);
    dpi_ref_put(&part->c, row, column, value);
}

static void column_groups(const void *args, int64_t begin, int64_t end, double *scratch)
{
    const product *part = args;
    double *right = scratch, *line = scratch + part->columns * part->depth;

    for (int64_t group = begin; group < end; group++) {
        const int64_t column = group * part->columns, left = part->c.cols - column;
        const int64_t count = left < part->columns ? left : part->columns;

        load_right(part, column, count, right, line);
        for (int64_t j = 0; j < count; j++)
            for (int64_t i = 0; i < part->rows; i++)
                finish(part, part->row + i, column + j,
                       dot(part->left + i * part->depth, right + j * part->depth, part->depth));
    }
}

static int one_matrix(dp_stream *stream, const dp_mat *a, product *part, double *left, dp_error *error)
{
    const int64_t step = part->rows;
    const dpi_ref_job job = {column_groups, part, (part->c.cols + part->columns - 1) / part->columns, 1,
                             part->columns * (part->depth + 1)};

    for (part->row = 0; part->row < part->c.rows; part->row += step) {
        part->rows = part->c.rows - part->row < step ? part->c.rows - part->row : step;
        load_left(part->args, a, part, left);
        const int rc = dpi_ref_run(stream, "gemm", &job, error);
        if (rc)
            return rc;
    }
    part->rows = step;
    return DP_OK;
}

int dpi_ref_gemm(dp_stream *stream, const dp_gemm_args *args, dp_error *error)
{
    const int64_t depth = args->transpose_a ? args->a.rows : args->a.cols;
    const int64_t most = LEFT_DOUBLES / depth + 1;
    const int32_t block = dpi_dtype_of(args->b.type)->block;
    product part = {.args = args, .depth = depth};
    int rc = DP_OK;

    part.rows = args->c.rows < most ? args->c.rows : most;
    part.columns = block > LEAST_COLUMNS ? block : LEAST_COLUMNS;
    double *left = dpi_ref_alloc(stream, "gemm", part.rows * depth, error);
    if (!left)
        return DP_E_MEMORY;
    part.left = left;
    for (int64_t i = 0; i < args->batch && !rc; i++) {
        const dp_mat a = moved(&args->a, i * args->a_step);

        part.b = moved(&args->b, i * args->b_step);
        part.c = moved(&args->c, i * args->c_step);
        rc = one_matrix(stream, &a, &part, left, error);
    }
    dpi_ref_free(stream, left);
    return rc;
}
