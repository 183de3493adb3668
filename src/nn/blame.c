// Where the numbers of a sequence stop being finite: asked when a loss was not, to say more than that.
#include <math.h>
#include <stdio.h>

#include "nn/inside.h"

// -1 when that cannot be found out: no memory, or the run was stopped.
static int is_finite(const dpi_network *network, const dp_mat *x, float *copy)
{
    const int64_t count = x->rows * x->cols;

    if (dpi_fetch(network->device, copy, x->data, (uint64_t)count * sizeof *copy, NULL))
        return -1;
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(copy[i]))
            return 0;
    return 1;
}

static void walk(dpi_network *network, const dpi_suspect *suspect, const dp_mat *x, float *copy, char out[64])
{
    const int32_t blocks = network->model->config.blocks;

    if (dpi_network_embed(network, suspect->ids, suspect->length, x, NULL))
        return;
    for (int32_t block = 0; block < blocks; block++) {
        if (block == suspect->without)
            continue;
        if (dpi_network_block(network, block, x, suspect->length, NULL))
            return;
        const int finite = is_finite(network, x, copy);
        if (finite < 0)
            return;
        if (!finite) {
            snprintf(out, 64, ": block %d gives numbers that are not", (int)block);
            return;
        }
    }
    snprintf(out, 64, ": every block gives finite numbers, the head does not");
}

void dpi_network_blame(dpi_network *network, const dpi_suspect *suspect, float *stream, char out[64])
{
    const dp_mat x = dpi_mat_f32(stream, suspect->length, network->model->config.hidden);
    float *copy = dpi_alloc_raw(&network->context->memory, (size_t)(x.rows * x.cols), sizeof *copy, NULL);

    out[0] = 0;
    if (copy)
        walk(network, suspect, &x, copy, out);
    dpi_free(&network->context->memory, copy);
}
