// What a run asks before it reads weights: their files are as long as they were, and once, every number is finite.
#include "base/error.h"
#include "io/file.h"
#include "model/count.h"
#include "model/names.h"
#include "model/source.h"

// Behind the source's blocks.
enum { EMBEDDING, NORM, HEAD, ENDS };

int dpi_source_expect_reads(dpi_source *source, dp_error *error)
{
    source->seen = dpi_alloc(source->memory, (size_t)source->config.blocks + ENDS, sizeof *source->seen, error);
    return source->seen ? DP_OK : DP_E_MEMORY;
}

int dpi_model_check_file(const dpi_tensor *weight, dp_error *error)
{
    return weight->storage ? dpi_file_intact(weight->storage, error) : DP_OK;
}

int dpi_model_check_files(const dp_model *model, int32_t block, dp_error *error)
{
    const dpi_storage *last = NULL;
    int rc = DP_OK;

    for (int slot = 0; !rc && slot < DPI_BLOCK_WEIGHTS; slot++) {
        const dpi_tensor *weight = model->blocks[block].weights[slot];
        if (weight && weight->storage != last) {
            last = weight->storage;
            rc = dpi_model_check_file(weight, error);
        }
    }
    return rc;
}

int dpi_model_begin_block(const dp_model *model, int32_t block, dpi_pool *pool, dp_error *error)
{
    const dpi_source *source = model->source;
    const dpi_block *from = &model->blocks[block];
    _Atomic unsigned char *flag = &source->seen[from->origin];
    int rc = dpi_model_check_files(model, block, error);

    if (rc || source->allow_nonfinite || atomic_load(flag))
        return rc;
    for (int slot = 0; !rc && slot < DPI_BLOCK_WEIGHTS; slot++)
        if (from->weights[slot])
            rc = dpi_model_scan_weight(model, from->weights[slot], pool, error);
    if (!rc)
        atomic_store(flag, 1);
    return rc;
}

static int begin_end(const dp_model *model, const dpi_tensor *weight, int which, dpi_pool *pool, dp_error *error)
{
    const dpi_source *source = model->source;
    _Atomic unsigned char *flag = &source->seen[source->config.blocks + which];
    int rc = dpi_model_check_file(weight, error);

    if (rc || source->allow_nonfinite || atomic_load(flag))
        return rc;
    rc = dpi_model_scan_weight(model, weight, pool, error);
    if (!rc)
        atomic_store(flag, 1);
    return rc;
}

int dpi_model_begin_embedding(const dp_model *model, dpi_pool *pool, dp_error *error)
{
    return begin_end(model, model->embedding, EMBEDDING, pool, error);
}

int dpi_model_begin_head(const dp_model *model, dpi_pool *pool, dp_error *error)
{
    const int rc = begin_end(model, model->norm, NORM, pool, error);

    return rc ? rc : begin_end(model, model->head, model->head == model->embedding ? EMBEDDING : HEAD, pool, error);
}
