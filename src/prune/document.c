// Values of the room's JSON documents, out and in.
#include "prune/document.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/error.h"

// The bytes that are valid UTF-8 from here on.
static size_t valid_bytes(const char *string, size_t size)
{
    size_t at = 0;

    while (at < size) {
        uint32_t point;
        const size_t bytes = dpi_utf8_decode(string + at, size - at, &point);
        if (!bytes)
            break;
        at += bytes;
    }
    return at;
}

int dpi_document_string(dpi_text *text, const char *string, dp_error *error)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    dpi_text clean = {.memory = text->memory};
    size_t left = strlen(string);
    int rc = dpi_text_add(&clean, "", 0, error);

    while (!rc && left > 0) {
        const size_t good = valid_bytes(string, left), skip = good < left ? good + 1 : good;
        rc = dpi_text_add(&clean, string, good, error);
        if (!rc && good < left)
            rc = dpi_text_add(&clean, replacement, sizeof replacement - 1, error);
        string += skip;
        left -= skip;
    }
    if (!rc)
        rc = dpi_json_quote(text, clean.data ? clean.data : "", clean.size, error);
    dpi_text_clear(&clean);
    return rc;
}

int dpi_document_real(dpi_text *text, double value, dp_error *error)
{
    char digits[32];

    if (!isfinite(value))
        return dpi_text_format(text, error, "null");
    dpi_format_double(value, digits);
    return dpi_text_format(text, error, "%s", digits);
}

int dpi_document_blocks(dpi_text *text, const int32_t *blocks, size_t count, dp_error *error)
{
    int rc = dpi_text_add(text, "[", 1, error);

    for (size_t i = 0; i < count && !rc; i++)
        rc = dpi_text_format(text, error, "%s%d", i ? ", " : "", blocks[i]);
    return rc ? rc : dpi_text_add(text, "]", 1, error);
}

int dpi_document_seed(dpi_text *text, uint64_t seed, dp_error *error)
{
    const char *quote = seed > INT64_MAX ? "\"" : "";

    return dpi_text_format(text, error, "%s%llu%s", quote, (unsigned long long)seed, quote);
}

int dpi_document_value(dpi_text *text, const json_t *value, int indent, dp_error *error)
{
    char *lines = NULL;
    size_t size = 0;
    int rc = dpi_json_text(value, text->memory, &lines, &size, error);
    const char *line = lines;

    while (!rc && line) {
        const char *end = strchr(line, '\n');
        const size_t bytes = end ? (size_t)(end - line) : strlen(line);

        rc = dpi_text_add(text, line, bytes, error);
        line = end && end[1] ? end + 1 : NULL;
        if (!rc && line)
            rc = dpi_text_format(text, error, "\n%*s", indent, "");
    }
    dpi_free(text->memory, lines);
    return rc;
}

// After a quote: the end of the string.
static size_t string_end(const char *text, size_t size, size_t at)
{
    while (at < size && text[at] != '"')
        at += text[at] == '\\' ? 2 : 1;
    return at;
}

static int is_key(const char *text, size_t size, size_t after)
{
    while (after < size && strchr(" \t\r\n", text[after]) && text[after])
        after++;
    return after < size && text[after] == ':';
}

// The line of the first top-level key `key`; 0 when there is none.
static int32_t line_of(const char *text, size_t size, const char *key)
{
    const size_t length = strlen(key);
    int32_t line = 1, depth = 0;

    for (size_t at = 0; at < size; at++) {
        const char c = text[at];
        if (c == '\n')
            line++;
        else if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        if (c != '"')
            continue;
        const size_t end = string_end(text, size, at + 1);
        if (depth == 1 && end < size && end - at - 1 == length && !memcmp(text + at + 1, key, length) &&
            is_key(text, size, end + 1))
            return line;
        at = end;
    }
    return 0;
}

int dpi_document_fail(const dpi_document *document, int32_t code, const char *key, dp_error *error,
                      const char *format, ...)
{
    dpi_place place = DPI_NOWHERE;
    char message[320];
    va_list arguments;

    place.file = document->name;
    place.item = key;
    place.line = line_of(document->text, document->size, key);
    va_start(arguments, format);
    dpi_vformat(message, sizeof message, format, arguments);
    va_end(arguments);
    return dpi_fail_at(error, code, &place, "%s", message);
}

int dpi_document_open(dpi_document *document, const char *schema, int demanded, dp_error *error)
{
    const char *found = NULL;
    int rc = dpi_json_parse(&document->root, document->text, document->size, document->name, error);

    if (rc)
        return rc;
    if (!json_is_object(document->root))
        rc = dpi_fail_at(error, DP_E_FORMAT, &(dpi_place){.file = document->name, .offset = -1, .line = 1},
                         "a document of schema %s is an object", schema);
    if (!rc)
        rc = dpi_json_string(document->root, "schema", demanded, &found, document->name, error);
    if (!rc && found && strcmp(found, schema) != 0)
        rc = dpi_document_fail(document, DP_E_FORMAT, "schema", error, "schema is '%s', expected '%s'", found,
                               schema);
    if (rc)
        dpi_document_close(document);
    return rc;
}

void dpi_document_close(dpi_document *document)
{
    json_decref(document->root);
    document->root = NULL;
}

static int read_blocks(const dpi_document *document, const char *key, int64_t blocks, const json_t *list,
                       int32_t *out, dp_error *error)
{
    const size_t count = json_array_size(list);
    uint8_t *seen = dpi_alloc(&document->context->memory, (size_t)blocks, 1, error);
    int rc = seen ? DP_OK : DP_E_MEMORY;

    for (size_t i = 0; i < count && !rc; i++) {
        const json_t *item = json_array_get(list, i);
        const long long block = json_integer_value(item);

        if (!json_is_integer(item))
            rc = dpi_document_fail(document, DP_E_FORMAT, key, error, "entry %zu is not a block index", i);
        else if (block < 0 || block >= blocks)
            rc = dpi_document_fail(document, DP_E_FORMAT, key, error, "block %lld is not one of 0 .. %lld", block,
                                   (long long)blocks - 1);
        else if (seen[block]++)
            rc = dpi_document_fail(document, DP_E_FORMAT, key, error, "block %lld is listed twice", block);
        else
            out[i] = (int32_t)block;
    }
    dpi_free(&document->context->memory, seen);
    return rc;
}

int dpi_document_list(const dpi_document *document, const char *key, int64_t blocks, int32_t **out, size_t *count,
                      dp_error *error)
{
    const json_t *list = json_object_get(document->root, key);
    int32_t *found;

    if (!list || json_is_null(list)) {
        *out = NULL;
        *count = 0;
        return DP_OK;
    }
    if (!json_is_array(list))
        return dpi_document_fail(document, DP_E_FORMAT, key, error, "%s is not a list of blocks", key);
    if (json_array_size(list) > (size_t)blocks)
        return dpi_document_fail(document, DP_E_FORMAT, key, error, "%zu blocks are listed, there are %lld",
                                 json_array_size(list), (long long)blocks);
    found = dpi_alloc(&document->context->memory, json_array_size(list), sizeof *found, error);
    if (!found)
        return DP_E_MEMORY;
    const int rc = read_blocks(document, key, blocks, list, found, error);
    if (rc) {
        dpi_free(&document->context->memory, found);
        return rc;
    }
    *out = found;
    *count = json_array_size(list);
    return DP_OK;
}
