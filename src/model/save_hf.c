// A Hugging Face directory out: config.json, weights, tokenizer, carried files, README.md, depthprune.json.
#include "model/save.h"
#include "text/export.h"

int dpi_save_text(dpi_stage *stage, const char *name, const char *text, size_t size, dp_error *error)
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
        rc = dpi_save_text(stage, "config.json", text.data, text.size, error);
    dpi_text_clear(&text);
    return rc;
}

static int write_card(const dpi_save *save, dpi_stage *stage, dp_error *error)
{
    dpi_text text = {.memory = &save->model->context->memory};
    int rc = dpi_save_card(save, &text, error);

    if (!rc)
        rc = dpi_save_text(stage, "README.md", text.data, text.size, error);
    dpi_text_clear(&text);
    return rc;
}

int dpi_save_hf(const dpi_save *save, dpi_stage *stage, dp_error *error)
{
    int rc = write_config(save, stage, error);

    if (!rc && save->tokenizer)
        rc = dpi_tokenizer_to_hf(save->tokenizer, stage, error);
    if (!rc)
        rc = dpi_save_weights(save, stage, error);
    if (!rc)
        rc = dpi_carry_write(save, stage, error);
    if (!rc)
        rc = write_card(save, stage, error);
    if (!rc && dpi_save_writes_plan(save))
        rc = dpi_save_text(stage, "depthprune.json", save->plan.data, save->plan.size, error);
    return rc;
}
