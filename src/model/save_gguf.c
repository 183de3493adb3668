// A GGUF file out: keys, then the tensors.
#include "base/error.h"
#include "model/save.h"

enum { ALIGNMENT = 32 };

static int write_file(const dpi_save *save, dpi_gguf_out *out, dpi_writer *writer, dp_error *error)
{
    int rc = dpi_gguf_header(out, writer, save->tensors, save->count, NULL, error);

    for (size_t i = 0; !rc && i < save->count; i++) {
        rc = dpi_part_write(save, i, writer, error);
        if (!rc)
            rc = dpi_gguf_pad(out, writer, error);
    }
    return rc;
}

int dpi_save_gguf(const dpi_save *save, dpi_stage *stage, dp_error *error)
{
    const dpi_gguf *from = save->model->source->gguf;
    dpi_gguf_out *out;
    dpi_writer *writer = NULL;
    int rc = dpi_gguf_out_open(&out, &save->model->context->memory, from ? from->alignment : ALIGNMENT, error);

    if (rc)
        return rc;
    rc = dpi_save_keys(save, out, error);
    if (!rc)
        rc = dpi_stage_file(stage, NULL, &writer, error);
    if (!rc)
        rc = write_file(save, out, writer, error);
    dpi_gguf_out_free(out);
    if (rc) {
        dpi_writer_abandon(writer);
        return rc;
    }
    return dpi_writer_end(writer, error);
}
