// safetensors out: the header.  Offsets are the running sum of sizes; spaces bring the data to a multiple of 8.
#include "io/safetensors.h"

#include <string.h>

#include "base/error.h"
#include "base/size.h"
#include "io/bytes.h"
#include "io/json.h"
#include "tensor/dtype.h"

enum { MOST_HEADER = 100000000, PREFIX = 8, ALIGNMENT = 8 };

static const char *type_name(int32_t type)
{
    switch (type) {
    case DP_F32:
        return "F32";
    case DP_F16:
        return "F16";
    case DP_BF16:
        return "BF16";
    case DP_F64:
        return "F64";
    case DP_I32:
        return "I32";
    default:
        return NULL;
    }
}

static int add_metadata(dpi_text *text, const dpi_pair *metadata, size_t pairs, dp_error *error)
{
    int rc = dpi_text_format(text, error, "{\"__metadata__\":{\"format\":\"pt\"");

    for (size_t i = 0; !rc && i < pairs; i++) {
        rc = dpi_text_add(text, ",", 1, error);
        if (!rc)
            rc = dpi_json_quote(text, metadata[i].key, strlen(metadata[i].key), error);
        if (!rc)
            rc = dpi_text_add(text, ":", 1, error);
        if (!rc)
            rc = dpi_json_quote(text, metadata[i].value, strlen(metadata[i].value), error);
    }
    return rc ? rc : dpi_text_add(text, "}", 1, error);
}

static int tensor_bytes(const dpi_tensor *tensor, uint64_t *bytes)
{
    *bytes = (uint64_t)dpi_dtype_of(tensor->type)->block_bytes;
    for (int32_t i = 0; i < tensor->dims; i++)
        if (tensor->shape[i] < 0 || dpi_mul_u64(*bytes, (uint64_t)tensor->shape[i], bytes))
            return 1;
    return 0;
}

static int add_tensor(dpi_text *text, const dpi_tensor *tensor, uint64_t *at, dp_error *error)
{
    const dpi_place place = {.item = tensor->name, .offset = -1};
    const char *type = type_name(tensor->type);
    uint64_t bytes, end;

    if (!type)
        return dpi_fail_at(error, DP_E_UNSUPPORTED, &place, "type %s cannot be written as safetensors",
                           dp_type_name(tensor->type));
    if (tensor_bytes(tensor, &bytes) || dpi_add_u64(*at, bytes, &end))
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "shape is larger than 64 bits can count");
    int rc = dpi_text_add(text, ",", 1, error);
    if (!rc)
        rc = dpi_json_quote(text, tensor->name, strlen(tensor->name), error);
    if (!rc)
        rc = dpi_text_format(text, error, ":{\"dtype\":\"%s\",\"shape\":[", type);
    for (int32_t i = 0; !rc && i < tensor->dims; i++)
        rc = dpi_text_format(text, error, "%s%lld", i ? "," : "", (long long)tensor->shape[i]);
    if (!rc)
        rc = dpi_text_format(text, error, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)*at,
                             (unsigned long long)end);
    *at = end;
    return rc;
}

int dpi_safetensors_header(dpi_writer *writer, dpi_memory *memory, const dpi_tensor *tensors, size_t count,
                           const dpi_pair *metadata, size_t pairs, uint64_t *bytes_out, dp_error *error)
{
    dpi_text text = {.memory = memory};
    unsigned char prefix[PREFIX];
    uint64_t at = 0;
    int rc = add_metadata(&text, metadata, pairs, error);

    for (size_t i = 0; !rc && i < count; i++)
        rc = add_tensor(&text, &tensors[i], &at, error);
    if (!rc)
        rc = dpi_text_add(&text, "}", 1, error);
    while (!rc && (PREFIX + text.size) % ALIGNMENT != 0)
        rc = dpi_text_add(&text, " ", 1, error);
    if (!rc && text.size > MOST_HEADER)
        rc = dpi_fail(error, DP_E_UNSUPPORTED, "safetensors header of %zu bytes, at most %d are allowed", text.size,
                      MOST_HEADER);
    if (!rc) {
        dpi_le_write(prefix, PREFIX, text.size);
        rc = dpi_writer_add(writer, prefix, PREFIX, error);
    }
    if (!rc)
        rc = dpi_writer_add(writer, text.data, text.size, error);
    if (!rc && bytes_out)
        *bytes_out = PREFIX + text.size + at;
    dpi_text_clear(&text);
    return rc;
}
