// Saving: decide everything, then stage, write, read back, and put in place.
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "io/file.h"
#include "model/save.h"

static const dpi_option save_options[] = {
    {.name = "format",
     .help = "0 Hugging Face directory, 1 GGUF file, -1 the source's",
     .offset = offsetof(dp_save_options, format),
     .kind = DPI_INT32,
     .least = -1,
     .most = DP_FORMAT_GGUF,
     .value = -1},
    {.name = "type",
     .help = "element type of every matrix, -1 as stored",
     .offset = offsetof(dp_save_options, type),
     .kind = DPI_INT32,
     .least = -1,
     .most = DP_BF16,
     .value = -1},
    {.name = "overwrite",
     .help = "1 replaces an existing target",
     .offset = offsetof(dp_save_options, overwrite),
     .kind = DPI_INT32,
     .least = 0,
     .most = 1,
     .value = 0},
    {.name = "max_shard_bytes",
     .help = "most bytes of tensors in a file of a Hugging Face directory, 0 all in one",
     .offset = offsetof(dp_save_options, max_shard_bytes),
     .kind = DPI_UINT64,
     .value = 0},
};

static const dpi_schema save_schema = {"dp_save_options", sizeof(dp_save_options), 4, save_options};

void dp_save_options_init(dp_save_options *options, size_t size)
{
    dpi_options_init(&save_schema, options, size);
}

static int says(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && memcmp(text, word, size) == 0;
}

static int has_tokenizer(const dpi_source *source, int *there, dp_error *error)
{
    static const char *const files[] = {"tokenizer.json", "tokenizer.model"};
    const char *kind = "none";
    size_t size = 4;

    if (source->gguf) {
        const int rc = dpi_gguf_string(source->gguf, "tokenizer.ggml.model", 0, &kind, &size, error);
        *there = !says(kind, size, "none") && !says(kind, size, "no_vocab");
        return rc;
    }
    *there = 0;
    for (int i = 0; i < 2 && source->place && !*there; i++) {
        char *path = dpi_path_join(source->memory, source->place, files[i], error);
        if (!path)
            return DP_E_MEMORY;
        *there = dpi_path_exists(path);
        dpi_free(source->memory, path);
    }
    return DP_OK;
}

int32_t dpi_save_removed(const dpi_save *save, int32_t *out)
{
    const dp_model *model = save->model;
    int32_t kept = 0, count = 0;

    for (int32_t block = 0; block < model->source->config.blocks; block++) {
        if (kept < model->config.blocks && model->blocks[kept].origin == block)
            kept++;
        else
            out[count++] = block;
    }
    return count;
}

// Opened before anything is written: a tokenizer that cannot be read or said in the other format is found out
// early.
static int open_tokenizer(dpi_save *save, dp_error *error)
{
    const dpi_source *source = save->model->source;
    int there = 0, rc = has_tokenizer(source, &there, error);

    if (!rc && !there)
        dpi_log(save->model->context, DP_LOG_WARNING, "%s has no tokenizer: the model is saved without one",
                source->place ? source->path : "the model from memory");
    if (rc || !there || source->format == save->format)
        return rc;
    return dp_tokenizer_open(save->model->context, source->place, &save->tokenizer, error);
}

// config.json, README.md, the weights and their index, the plan and the files of a tokenizer: tokenizer_config.json,
// tokenizer.json and, of SentencePiece, tokenizer.model.
static int count_files(dpi_save *save, dp_error *error)
{
    dp_tokenizer_info info = {.size = sizeof info, .kind = ""};
    int rc = DP_OK;

    save->own_files = 1;
    if (save->format == DP_FORMAT_GGUF)
        return DP_OK;
    if (save->tokenizer)
        rc = dp_tokenizer_describe(save->tokenizer, &info, error);
    const int32_t weights = (int32_t)dpi_save_shards(save);
    save->own_files = 2 + weights + (weights > 1) + dpi_save_writes_plan(save) + (save->tokenizer ? 2 : 0) +
                      (strncmp(info.kind, "sentence", 8) == 0);
    return rc;
}

int dpi_save_plan(dpi_save *save, dp_error *error)
{
    const dp_model *model = save->model;
    int rc;

    save->pruned = model->config.blocks < model->source->config.blocks;
    rc = dpi_save_list(save, error);
    if (!rc)
        rc = dpi_carry_find(save, error);
    if (!rc)
        rc = dpi_save_read_plan(save, error);
    if (!rc)
        rc = dpi_parentage_read(model->source, model->context, &save->parentage, error);
    if (!rc)
        rc = dpi_save_target(save, error);
    if (!rc)
        rc = open_tokenizer(save, error);
    return rc ? rc : count_files(save, error);
}

void dpi_save_clear(dpi_save *save)
{
    dpi_memory *memory = &save->model->context->memory;

    for (size_t i = 0; i < save->carried.count; i++)
        dpi_free(memory, save->carried.names[i]);
    dp_tokenizer_free(save->tokenizer);
    dpi_text_clear(&save->plan);
    dpi_free(memory, save->carried.names);
    dpi_free(memory, save->divisors);
    dpi_free(memory, save->names);
    dpi_free(memory, save->parts);
    dpi_free(memory, save->tensors);
}

// Arguments of both calls; `save` is filled up to what dpi_save_plan reads.
static int begin(dpi_save *save, const dp_save_options *options, const dp_save_report *report, dp_error *error)
{
    dpi_place place = {.item = "type", .offset = -1};
    dp_save_options read;

    if (!save->model || !save->path)
        return dpi_fail(error, DP_E_ARGUMENT, "model and path must not be NULL");
    const int rc = dpi_options_read(&save_schema, options, &read, error);
    if (rc)
        return rc;
    if (read.type > DP_F16 && read.type != DP_BF16)
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "type is %d, expected -1, %d (f32), %d (f16) or %d (bf16)",
                           read.type, DP_F32, DP_F16, DP_BF16);
    place.item = "report";
    if (report && report->size < sizeof report->size)
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "dp_save_report.size is %u; set it to its sizeof",
                           report->size);
    place.item = "max_shard_bytes";
    if (read.max_shard_bytes && (read.format < 0 ? save->model->source->format : read.format) != DP_FORMAT_HF)
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "max_shard_bytes is %llu, but a GGUF model is one file",
                           (unsigned long long)read.max_shard_bytes);
    save->shard_bytes = read.max_shard_bytes;
    save->format = read.format < 0 ? save->model->source->format : read.format;
    save->type = read.type;
    save->overwrite = read.overwrite;
    return DP_OK;
}

static int stage_all(const dpi_save *save, dpi_stage *stage, dp_error *error)
{
    int rc = save->format == DP_FORMAT_HF ? dpi_save_hf(save, stage, error) : dpi_save_gguf(save, stage, error);

    if (!rc)
        rc = dpi_save_verify(save, stage, error);
    return rc;
}

static int give(const dpi_save *save, int32_t files, uint64_t bytes, dp_save_report *report, dp_error *error)
{
    const dp_save_report known = {.files = files, .bytes = bytes, .parameters = save->parameters};

    return report ? dpi_info_give(&known, sizeof known, report, error) : DP_OK;
}

static int run(dpi_save *save, dp_save_report *report, dp_error *error)
{
    dpi_stage *stage;
    int rc = dpi_stage_open(&stage, save->model->context, save->path, save->format == DP_FORMAT_HF, save->overwrite,
                            error);

    if (rc)
        return rc;
    dpi_watch_begin(save->watch, "save", save->bytes);
    rc = stage_all(save, stage, error);
    if (rc) {
        dpi_stage_abandon(stage);
        return rc;
    }
    const uint64_t bytes = dpi_stage_bytes(stage);
    const int32_t files = dpi_stage_files(stage);
    rc = dpi_stage_commit(stage, error);
    return rc ? rc : give(save, files, bytes, report, error);
}

int dp_model_save(const dp_model *model, const char *path, const dp_save_options *options,
                  const dp_monitor *monitor, dp_save_report *report, dp_error *error)
{
    dpi_watch watch;
    dpi_save save = {.model = model, .path = path, .watch = &watch};
    int rc = begin(&save, options, report, error);

    if (!rc)
        rc = dpi_model_needs_weights(model, error);
    if (!rc)
        rc = dpi_watch_open(&watch, monitor, error);
    if (rc)
        return rc;
    rc = dpi_save_plan(&save, error);
    if (!rc)
        rc = run(&save, report, error);
    dpi_save_clear(&save);
    return rc;
}

int dp_model_save_estimate(const dp_model *model, const char *path, const dp_save_options *options,
                           dp_save_report *report, dp_error *error)
{
    dpi_save save = {.model = model, .path = path};
    int rc = begin(&save, options, report, error);

    if (rc)
        return rc;
    rc = dpi_save_plan(&save, error);
    if (!rc)
        rc = give(&save, save.own_files + (int32_t)save.carried.count, save.bytes, report, error);
    dpi_save_clear(&save);
    return rc;
}
