// A Hugging Face directory out: config.json, model.safetensors, tokenizer, carried files, depthprune.json.
#include <depthprune/version.h>
#include <string.h>

#include "base/error.h"
#include "io/safetensors.h"
#include "model/save.h"
#include "text/export.h"

static int write_text(dpi_stage *stage, const char *name, const char *text, size_t size, dp_error *error)
{
    dpi_writer *writer;
    int rc = dpi_stage_file(stage, name, &writer, error);

    if (rc)
        return rc;
    rc = dpi_writer_add(writer, text, size, error);
    if (rc) {
        dpi_writer_abandon(writer);
        return rc;
    }
    return dpi_writer_end(writer, error);
}

static int write_config(const dpi_save *save, dpi_stage *stage, dp_error *error)
{
    dpi_text text = {.memory = &save->model->context->memory};
    int rc = save->model->source->config_text ? dpi_config_patch(save, &text, error)
                                              : dpi_config_write(save, &text, error);

    if (!rc)
        rc = write_text(stage, "config.json", text.data, text.size, error);
    dpi_text_clear(&text);
    return rc;
}

// The removed blocks as "[1,4]".
static int write_removed(const dpi_save *save, dpi_text *text, dp_error *error)
{
    dpi_memory *memory = &save->model->context->memory;
    int32_t *removed = dpi_alloc(memory, (size_t)save->model->source->config.blocks, sizeof *removed, error);
    int rc = removed ? dpi_text_add(text, "[", 1, error) : DP_E_MEMORY;
    const int32_t count = removed ? dpi_save_removed(save, removed) : 0;

    for (int32_t i = 0; !rc && i < count; i++)
        rc = dpi_text_format(text, error, "%s%d", i ? "," : "", (int)removed[i]);
    dpi_free(memory, removed);
    return rc ? rc : dpi_text_add(text, "]", 1, error);
}

static int write_tensors(const dpi_save *save, dpi_writer *writer, dp_error *error)
{
    dpi_text removed = {.memory = &save->model->context->memory};
    dpi_pair pairs[3] = {{"depthprune.version", dp_version_text()}};
    size_t count = 1;
    int rc = save->pruned ? write_removed(save, &removed, error) : DP_OK;

    if (save->pruned)
        pairs[count++] = (dpi_pair){"depthprune.removed", removed.data};
    if (save->model->parent[0])
        pairs[count++] = (dpi_pair){"depthprune.parent", save->model->parent};
    if (!rc)
        rc = dpi_safetensors_header(writer, removed.memory, save->tensors, save->count, pairs, count, NULL, error);
    dpi_text_clear(&removed);
    for (size_t i = 0; !rc && i < save->count; i++)
        rc = dpi_part_write(save, i, writer, error);
    return rc;
}

static int write_weights(const dpi_save *save, dpi_stage *stage, dp_error *error)
{
    dpi_writer *writer;
    int rc = dpi_stage_file(stage, "model.safetensors", &writer, error);

    if (rc)
        return rc;
    rc = write_tensors(save, writer, error);
    if (rc) {
        dpi_writer_abandon(writer);
        return rc;
    }
    return dpi_writer_end(writer, error);
}

int dpi_save_hf(const dpi_save *save, dpi_stage *stage, dp_error *error)
{
    dpi_text plan = {.memory = &save->model->context->memory};
    int rc = write_config(save, stage, error);

    if (!rc && save->tokenizer)
        rc = dpi_tokenizer_to_hf(save->tokenizer, stage, error);
    if (!rc)
        rc = write_weights(save, stage, error);
    if (!rc)
        rc = dpi_carry_write(save, stage, error);
    if (!rc)
        rc = dpi_save_plan_text(save, &plan, error);
    if (!rc && plan.size)
        rc = write_text(stage, "depthprune.json", plan.data, plan.size, error);
    dpi_text_clear(&plan);
    return rc;
}
