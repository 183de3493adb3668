// dp_context: options read, memory and threads made by base, the device opened by name, and what it runs on as JSON.
#include <string.h>

#include "backend/registry.h"
#include "base/error.h"
#include "base/text.h"

int dp_context_new(const dp_context_options *options, dp_context **out, dp_error *error)
{
    dp_context_options read;
    dp_context *context;
    int rc;

    if (!out)
        return dpi_fail(error, DP_E_ARGUMENT, "'out' is NULL");
    rc = dpi_options_read(&dpi_context_schema, options, &read, error);
    if (!rc)
        rc = dpi_context_make(&read, &context, error);
    if (rc)
        return rc;
    rc = dpi_registry_open(context, &read, error);
    if (rc) {
        dpi_context_drop(context);
        return rc;
    }
    *out = context;
    return DP_OK;
}

// "text" as a JSON string.  What a driver says is not to be trusted: bytes that are not UTF-8 become '?'.
static int quote(dpi_text *json, const char *text, dp_error *error)
{
    const size_t size = strlen(text);
    int rc = dpi_text_add(json, "\"", 1, error);

    for (size_t i = 0; i < size && !rc;) {
        uint32_t point;
        const size_t length = dpi_utf8_decode(text + i, size - i, &point);

        if (length == 0)
            rc = dpi_text_add(json, "?", 1, error);
        else if (point < ' ')
            rc = dpi_text_format(json, error, "\\u%04x", point);
        else if (point == '"' || point == '\\')
            rc = dpi_text_format(json, error, "\\%c", (int)point);
        else
            rc = dpi_text_add(json, text + i, length, error);
        i += length ? length : 1;
    }
    return rc ? rc : dpi_text_add(json, "\"", 1, error);
}

static int describe(dp_context *context, dpi_text *json, dp_error *error)
{
    const dp_backend_info *info = &dpi_device_of(context)->info;
    const struct {
        const char *key, *value;
    } texts[] = {{"{\"backend\":", info->name},
                 {",\"device\":", info->device},
                 {",\"kernels\":", info->kernels},
                 {",\"libraries\":", info->libraries}};
    int rc = DP_OK;

    for (size_t i = 0; i < sizeof texts / sizeof *texts && !rc; i++) {
        rc = dpi_text_add(json, texts[i].key, strlen(texts[i].key), error);
        if (!rc)
            rc = quote(json, texts[i].value, error);
    }
    if (!rc)
        rc = dpi_text_format(json, error, ",\"threads\":%d,\"memory_limit\":%llu}", context->threads,
                             (unsigned long long)context->memory.limit);
    return rc;
}

int dp_context_describe(dp_context *context, char *text, size_t capacity, size_t *needed, dp_error *error)
{
    dpi_text json = {0};
    int rc;

    if (!context)
        return dpi_fail(error, DP_E_ARGUMENT, "'context' is NULL");
    if (!text && capacity > 0)
        return dpi_fail(error, DP_E_ARGUMENT, "'text' is NULL, but 'capacity' is %zu", capacity);
    json.memory = &context->memory;
    rc = describe(context, &json, error);
    if (!rc)
        rc = dpi_give_text(json.data, json.size, text, capacity, needed);
    dpi_text_clear(&json);
    return rc;
}
