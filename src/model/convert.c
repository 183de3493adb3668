// The bytes of one output tensor: copied, or row by row with another type or another order of rows.
// Hugging Face keeps the two halves of a head's rope pairs apart, GGUF keeps pairs together: within a head of d
// rows row 2j + s of GGUF is row s d/2 + j of Hugging Face.
#include <math.h>

#include "base/error.h"
#include "model/save.h"
#include "tensor/dtype.h"

enum { ELEMENTS = 1 << 16, COPY_CHUNK = 1 << 20 };

typedef struct converter {
    const dpi_save *save;
    const dpi_tensor *from, *to;
    dpi_writer *writer;
    float *numbers; // ELEMENTS of them, when types differ
    void *packed;
} converter;

static int cannot_hold(const converter *c, int64_t element, float value, dp_error *error)
{
    const dpi_place place = dpi_source_place(c->save->model->source, c->from, 0);

    return dpi_fail_at(error, DP_E_NUMERIC, &place, "element %lld is %g, which %s cannot hold", (long long)element,
                       (double)value, dp_type_name(c->to->type));
}

// The least magnitude that rounds to infinity.
static float limit_of(int32_t type)
{
    return type == DP_F16 ? 65520.0f : type == DP_BF16 ? 0x1.ffp127f : INFINITY;
}

// `count` elements from `start` on, of another type.
static int convert(const converter *c, int64_t start, int64_t count, dp_error *error)
{
    const dpi_dtype *type = dpi_dtype_of(c->from->type);
    const float limit = limit_of(c->to->type);
    int rc = DP_OK;

    for (int64_t done = 0; !rc && done < count; done += ELEMENTS) {
        const int64_t size = count - done < ELEMENTS ? count - done : ELEMENTS;
        const unsigned char *bytes = c->from->data + (start + done) / type->block * type->block_bytes;
        uint64_t packed = 0;
        dpi_to_f32(c->from->type, bytes, size, c->numbers);
        for (int64_t i = 0; i < size; i++)
            if (!(fabsf(c->numbers[i]) < limit))
                return cannot_hold(c, start + done + i, c->numbers[i], error);
        dpi_from_f32(c->to->type, c->numbers, size, c->packed);
        if (dpi_row_bytes(c->to->type, size, &packed))
            return dpi_fail(error, DP_E_INTERNAL, "a chunk of %lld elements has no size", (long long)size);
        rc = dpi_writer_add(c->writer, c->packed, packed, error);
        if (!rc)
            rc = dpi_watch_advance(c->save->watch, packed, error);
    }
    return rc;
}

static int copy(const converter *c, const unsigned char *bytes, uint64_t count, dp_error *error)
{
    int rc = DP_OK;

    for (uint64_t at = 0; !rc && at < count; at += COPY_CHUNK) {
        const uint64_t size = count - at < COPY_CHUNK ? count - at : COPY_CHUNK;
        rc = dpi_writer_add(c->writer, bytes + at, size, error);
        if (!rc)
            rc = dpi_watch_advance(c->save->watch, size, error);
    }
    return rc;
}

// `rows` rows of `columns` elements from row `first` on.
static int write_rows(const converter *c, int64_t first, int64_t rows, int64_t columns, dp_error *error)
{
    uint64_t row_bytes;

    if (c->from->type != c->to->type)
        return convert(c, first * columns, rows * columns, error);
    if (dpi_row_bytes(c->from->type, columns, &row_bytes))
        return dpi_fail(error, DP_E_INTERNAL, "a row of %lld columns has no size", (long long)columns);
    return copy(c, c->from->data + (uint64_t)first * row_bytes, (uint64_t)rows * row_bytes, error);
}

// The source's row that becomes row `row` of a tensor with pairs together (GGUF) or apart.
static int64_t row_before(int64_t row, int64_t dim, int together)
{
    const int64_t head = row / dim * dim, inside = row % dim, half = dim / 2;

    return head + (together ? inside % 2 * half + inside / 2 : inside % half * 2 + inside / half);
}

static int write_permuted(const converter *c, int32_t heads, dp_error *error)
{
    const int64_t rows = c->from->shape[0]; // a bias is a column of numbers: its rows are its elements
    const int64_t columns = dpi_tensor_count(c->from) / rows;
    const int together = c->save->format == DP_FORMAT_GGUF;
    int rc = DP_OK;

    for (int64_t row = 0; !rc && row < rows; row++)
        rc = write_rows(c, row_before(row, rows / heads, together), 1, columns, error);
    return rc;
}

int dpi_part_write(const dpi_save *save, size_t index, dpi_writer *writer, dp_error *error)
{
    const dpi_part *part = &save->parts[index];
    dpi_memory *memory = &save->model->context->memory;
    converter c = {.save = save, .from = part->from, .to = &save->tensors[index], .writer = writer};
    int rc;

    if (!part->from)
        return dpi_writer_add(writer, part->made, c.to->bytes, error);
    rc = dpi_model_check_file(part->from, error);
    if (rc)
        return rc;
    if (c.from->type != c.to->type) {
        c.numbers = dpi_alloc_raw(memory, ELEMENTS, sizeof *c.numbers, error);
        c.packed = c.numbers ? dpi_alloc_raw(memory, ELEMENTS, sizeof *c.numbers, error) : NULL;
    }
    if (c.from->type != c.to->type && !c.packed)
        rc = DP_E_MEMORY;
    else if (part->heads > 0)
        rc = write_permuted(&c, part->heads, error);
    else
        rc = write_rows(&c, 0, dpi_tensor_rows(c.from), dpi_tensor_columns(c.from), error);
    dpi_free(memory, c.numbers);
    dpi_free(memory, c.packed);
    return rc;
}
