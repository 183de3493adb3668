// score[n] = reduce over the weights of block n of (reduce over the rows of a weight of sum_j |w_ij|^p), p = 1
// or 2. A norm vector is a column: each element is a row.  Biases do not count.
#include <math.h>

#include "base/error.h"
#include "nn/network.h"
#include "prune/criteria.h"

static const struct {
    const char *name;
    int32_t kind;
    int32_t norm;
} counted[] = {
    {"q projection", DPI_Q, 0},       {"k projection", DPI_K, 0},       {"v projection", DPI_V, 0},
    {"o projection", DPI_O, 0},       {"gate projection", DPI_GATE, 0}, {"up projection", DPI_UP, 0},
    {"down projection", DPI_DOWN, 0}, {"first norm", DPI_NORM_1, 1},    {"second norm", DPI_NORM_2, 1},
};
enum { COUNTED = sizeof counted / sizeof *counted };

typedef struct magnitude {
    dpi_scoring *scoring;
    dpi_device *device;
    dpi_weights *weights;
    void *sums;   // device memory: f64 a row
    double *rows; // the same on the host
} magnitude;

static double reduced(int32_t reduction, const double *values, int64_t count)
{
    double result = reduction == DP_REDUCE_PROD ? 1 : 0; // no value is negative

    for (int64_t i = 0; i < count; i++) {
        if (reduction == DP_REDUCE_PROD)
            result *= values[i];
        else if (reduction == DP_REDUCE_MAX)
            result = values[i] > result || isnan(values[i]) ? values[i] : result;
        else
            result += values[i];
    }
    return reduction == DP_REDUCE_MEAN ? result / (double)count : result;
}

static const char *reduction_name(int32_t reduction)
{
    static const char *const names[] = {"sum", "mean", "maximum", "product"};

    return names[reduction];
}

static int weight_score(magnitude *run, dp_mat weight, int norm, double *out, dp_error *error)
{
    const int32_t kind = run->scoring->options->norm_power == 2 ? DP_REDUCTION_SQUARE : DP_REDUCTION_ABS;

    if (norm)
        weight = (dp_mat){.data = weight.data, .rows = weight.cols, .cols = 1, .stride = 1, .type = weight.type};
    const dp_reduce_args args = {
        .x = weight,
        .kind = kind,
        .result = {.data = run->sums, .rows = weight.rows, .cols = 1, .stride = 1, .type = DP_F64}};
    int rc = dpi_op_reduce(run->device, &args, error);
    if (!rc)
        rc = dpi_fetch(run->device, run->rows, run->sums, (uint64_t)weight.rows * sizeof *run->rows, error);
    if (!rc)
        *out = reduced(run->scoring->options->weight_reduction, run->rows, weight.rows);
    return rc;
}

// A sum of finite magnitudes is finite: a weight is not, and is named, unless it may be so, or a product
// overflowed.
static int not_finite(const magnitude *run, int32_t block, const char *weight, dp_error *error)
{
    const int rc = dpi_model_begin_block(run->scoring->model, block, run->scoring->context->pool, error);

    if (rc)
        return rc;
    return dpi_fail(error, DP_E_NUMERIC, "the %s over the rows of the %s of block %d is not finite",
                    reduction_name(run->scoring->options->weight_reduction), weight, block);
}

static int block_score(magnitude *run, int32_t block, double *out, dp_error *error)
{
    const dp_scorer_options *options = run->scoring->options;
    dp_mat mats[DPI_BLOCK_WEIGHTS];
    double scores[COUNTED];
    int64_t count = 0;
    int rc = dpi_weights_block_unseen(run->weights, block, mats, error);

    for (size_t i = 0; i < COUNTED && !rc; i++) {
        if (counted[i].norm && options->projections_only)
            continue;
        rc = weight_score(run, mats[counted[i].kind], counted[i].norm, &scores[count], error);
        if (!rc && !isfinite(scores[count]))
            return not_finite(run, block, counted[i].name, error);
        count++;
        if (!rc)
            rc = dpi_watch_advance(run->scoring->watch, 1, error);
    }
    if (rc)
        return rc;
    *out = reduced(options->block_reduction, scores, count);
    if (!isfinite(*out))
        return dpi_fail(error, DP_E_NUMERIC, "the %s over the weights of block %d is not finite",
                        reduction_name(options->block_reduction), block);
    return DP_OK;
}

static int64_t most_rows(const dpi_config *config)
{
    const int64_t query = (int64_t)config->heads * config->head_dim;
    const int64_t most = query > config->hidden ? query : config->hidden;

    return most > config->ffn ? most : config->ffn;
}

static int open_run(magnitude *run, dp_error *error)
{
    const uint64_t rows = (uint64_t)most_rows(&run->scoring->model->config);
    int rc = dpi_weights_open(&run->weights, run->device, run->scoring->model, error);

    if (!rc)
        rc = dpi_op_alloc(run->device, rows * sizeof(double), &run->sums, error);
    if (rc)
        return rc;
    run->rows = dpi_alloc(&run->scoring->context->memory, rows, sizeof *run->rows, error);
    return run->rows ? DP_OK : DP_E_MEMORY;
}

int dpi_score_magnitude(dpi_scoring *scoring, dp_error *error)
{
    const int32_t blocks = scoring->model->config.blocks;
    const uint64_t weights = scoring->options->projections_only ? COUNTED - 2 : COUNTED;
    magnitude run = {.scoring = scoring, .device = dpi_device_of(scoring->context)};
    int rc = open_run(&run, error);

    dpi_watch_begin(scoring->watch, "score", (uint64_t)blocks * weights);
    for (int32_t block = 0; block < blocks && !rc; block++)
        rc = block_score(&run, block, &scoring->scores[block], error);
    dpi_free(&scoring->context->memory, run.rows);
    dpi_op_free(run.device, run.sums);
    dpi_weights_close(run.weights);
    return rc;
}
