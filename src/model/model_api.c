// The public face of a model: open, describe, read.
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "model/count.h"
#include "model/names.h"
#include "model/parse.h"
#include "model/source.h"

static const dpi_option load_options[] = {
    {.name = "load",
     .help = "how weights are read: 0 mapped, 1 copied, 2 not at all",
     .offset = offsetof(dp_model_options, load),
     .kind = DPI_INT32,
     .least = DP_LOAD_MAP,
     .most = DP_LOAD_SHAPES,
     .value = DP_LOAD_MAP},
    {.name = "allow_nonfinite",
     .help = "1: compute with weights that are not finite",
     .offset = offsetof(dp_model_options, allow_nonfinite),
     .kind = DPI_INT32,
     .least = 0,
     .most = 1,
     .value = 0},
};

static const dpi_schema load_schema = {"dp_model_options", sizeof(dp_model_options), 2, load_options};

void dp_model_options_init(dp_model_options *options, size_t size)
{
    dpi_options_init(&load_schema, options, size);
}

int dpi_model_options_read(const dp_model_options *options, dp_model_options *out, dp_error *error)
{
    return dpi_options_read(&load_schema, options, out, error);
}

int dp_model_open(dp_context *context, const char *path, const dp_model_options *options, const dp_monitor *monitor,
                  dp_model **out, dp_error *error)
{
    dp_model_options read;
    dpi_watch watch;

    if (!context || !path || !out)
        return dpi_fail(error, DP_E_ARGUMENT, "context, path and out must not be NULL");
    int rc = dpi_model_options_read(options, &read, error);
    if (!rc)
        rc = dpi_watch_open(&watch, monitor, error);
    if (rc)
        return rc;
    dpi_watch_begin(&watch, "open", 0);
    rc = dpi_model_open(context, path, read.load, &watch, out, error);
    if (!rc)
        (*out)->source->allow_nonfinite = read.allow_nonfinite;
    return rc;
}

int dp_model_describe(const dp_model *model, dp_model_info *info, dp_error *error)
{
    if (!model || !info)
        return dpi_fail(error, DP_E_ARGUMENT, "model and info must not be NULL");
    const dpi_config *config = &model->config;
    dp_model_info known = {
        .format = model->source->format,
        .architecture = config->architecture,
        .path = model->source->path,
        .type = dpi_model_type(model),
        .blocks = config->blocks,
        .hidden_size = config->hidden,
        .heads = config->heads,
        .kv_heads = config->kv_heads,
        .head_dim = config->head_dim,
        .ffn_size = config->ffn,
        .vocab_size = config->vocab,
        .context = config->context,
        .tied_head = config->tied,
        .norm_epsilon = config->epsilon,
        .rope_base = config->rope_base,
        .block_parameters = dpi_model_block_parameters(model, 0),
    };
    dpi_model_count(model, &known.parameters, &known.bytes);
    return dpi_info_give(&known, sizeof known, info, error);
}

int dp_model_weight(const dp_model *model, size_t index, dp_weight *weight, dp_error *error)
{
    if (!model || !weight)
        return dpi_fail(error, DP_E_ARGUMENT, "model and weight must not be NULL");
    const size_t count = dp_model_weight_count(model);
    if (index >= count)
        return dpi_fail(error, DP_E_ARGUMENT, "weight %zu is out of range: the model has %zu", index, count);
    int32_t slot, block;
    const dpi_tensor *tensor = dpi_model_weight_at(model, index, &slot, &block);
    // The source's block of the same number lends its name: a model has no more blocks than its source.
    const dpi_tensor *named = block < 0 ? tensor : model->source->blocks[block].weights[slot];
    const dp_weight known = {
        .type = tensor->type,
        .name = named->name,
        .data = tensor->data,
        .bytes = tensor->bytes,
        .rows = dpi_tensor_rows(tensor),
        .columns = dpi_tensor_columns(tensor),
        .block = block,
    };
    return dpi_info_give(&known, sizeof known, weight, error);
}

int32_t dp_model_origin(const dp_model *model, int32_t block)
{
    return model && block >= 0 && block < model->config.blocks ? model->blocks[block].origin : -1;
}

void dpi_model_inverse_frequencies(const dp_model *model, float *out)
{
    dpi_rope_frequencies(&model->config, out);
}
