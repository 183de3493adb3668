// JSON out: two-space indentation, order kept, reals as the shortest text that reads back the same (jansson's own
// writer prints 1e-05 with seventeen digits).
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "io/json.h"

enum { MOST_NESTING = 64 };

// A container being written: its next member.
typedef struct level {
    const json_t *value;
    void *at; // object iterator
    size_t index;
} level;

int dpi_json_quote(dpi_text *text, const char *string, size_t size, dp_error *error)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    int rc = dpi_text_add(text, "\"", 1, error);
    size_t plain = 0; // start of the bytes not yet added

    for (size_t i = 0; !rc && i < size; i++) {
        const char *known = string[i] ? strchr(from, string[i]) : NULL;
        if (!known && (unsigned char)string[i] >= 0x20)
            continue;
        rc = dpi_text_add(text, string + plain, i - plain, error);
        plain = i + 1;
        if (!rc && known)
            rc = dpi_text_format(text, error, "\\%c", to[known - from]);
        else if (!rc)
            rc = dpi_text_format(text, error, "\\u%04x", (unsigned)string[i]);
    }
    if (!rc)
        rc = dpi_text_add(text, string + plain, size - plain, error);
    return rc ? rc : dpi_text_add(text, "\"", 1, error);
}

static int add_real(dpi_text *text, double value, dp_error *error)
{
    char digits[40];

    dpi_format_double(value, digits);
    if (!strpbrk(digits, ".eE"))
        return dpi_text_format(text, error, "%s.0", digits); // stays a real when read again
    return dpi_text_format(text, error, "%s", digits);
}

static int add_scalar(dpi_text *text, const json_t *value, dp_error *error)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return dpi_json_quote(text, json_string_value(value), json_string_length(value), error);
    case JSON_INTEGER:
        return dpi_text_format(text, error, "%lld", (long long)json_integer_value(value));
    case JSON_REAL:
        return add_real(text, json_real_value(value), error);
    case JSON_TRUE:
        return dpi_text_add(text, "true", 4, error);
    case JSON_FALSE:
        return dpi_text_add(text, "false", 5, error);
    default:
        return dpi_text_add(text, "null", 4, error);
    }
}

static int new_line(dpi_text *text, size_t depth, dp_error *error)
{
    return dpi_text_format(text, error, "\n%*s", (int)(2 * depth), "");
}

// The next member of the container, its key written; NULL at the end.
static const json_t *next_member(dpi_text *text, level *here, size_t depth, int *rc, dp_error *error)
{
    const int object = json_is_object(here->value);

    if (object ? !here->at : here->index >= json_array_size(here->value))
        return NULL;
    if (here->index++ > 0)
        *rc = dpi_text_add(text, ",", 1, error);
    if (!*rc)
        *rc = new_line(text, depth, error);
    if (!object)
        return json_array_get(here->value, here->index - 1);
    const json_t *value = json_object_iter_value(here->at);
    const char *key = json_object_iter_key(here->at);
    if (!*rc)
        *rc = dpi_json_quote(text, key, json_object_iter_key_len(here->at), error);
    if (!*rc)
        *rc = dpi_text_add(text, ": ", 2, error);
    here->at = json_object_iter_next((json_t *)(uintptr_t)here->value, here->at);
    return value;
}

static int close_level(dpi_text *text, const level *here, size_t depth, dp_error *error)
{
    int rc = here->index > 0 ? new_line(text, depth, error) : DP_OK;

    if (!rc)
        rc = dpi_text_add(text, json_is_object(here->value) ? "}" : "]", 1, error);
    return rc;
}

static int open_level(dpi_text *text, level *here, const json_t *value, dp_error *error)
{
    *here = (level){.value = value};
    if (json_is_object(value))
        here->at = json_object_iter((json_t *)(uintptr_t)value);
    return dpi_text_add(text, json_is_object(value) ? "{" : "[", 1, error);
}

static int is_container(const json_t *value)
{
    return json_is_object(value) || json_is_array(value);
}

static int write_value(dpi_text *text, const json_t *value, dp_error *error)
{
    level levels[MOST_NESTING];
    size_t depth = 0;
    int rc = DP_OK;

    do {
        if (!is_container(value)) {
            rc = add_scalar(text, value, error);
        } else if (depth == MOST_NESTING) {
            rc = dpi_fail(error, DP_E_ARGUMENT, "json nests deeper than %d levels", MOST_NESTING);
        } else {
            rc = open_level(text, &levels[depth++], value, error);
        }
        value = NULL;
        while (!rc && depth > 0 && !value) {
            value = next_member(text, &levels[depth - 1], depth, &rc, error);
            if (!value && !rc) {
                depth--;
                rc = close_level(text, &levels[depth], depth, error);
            }
        }
    } while (!rc && value);
    return rc;
}

int dpi_json_text(const json_t *value, dpi_memory *memory, char **text, size_t *size, dp_error *error)
{
    dpi_text out = {.memory = memory};
    int rc = write_value(&out, value, error);

    if (!rc)
        rc = dpi_text_add(&out, "\n", 1, error);
    if (rc) {
        dpi_text_clear(&out);
        return rc;
    }
    *text = out.data;
    *size = out.size;
    return DP_OK;
}
