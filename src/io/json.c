// JSON in: a scan that bounds size, nesting and number of values, then jansson, which refuses duplicate keys,
// broken UTF-8, NUL and trailing bytes; then typed readers of members.
#include "io/json.h"

#include <string.h>

#include "base/error.h"
#include "io/json_load.h"

enum {
    MOST_BYTES = 256 << 20,
    MOST_VALUES = 4 << 20, // an object takes some 400 bytes of memory
    MOST_NESTING = 64
};

typedef struct scan {
    int32_t line, column;
    int32_t depth;
    int64_t values;
    int in_string, escaped;
    size_t token, longest; // bytes since one that ended a token, and the most there were
} scan;

static void scan_byte(scan *s, char byte)
{
    s->token++;
    if (s->token > s->longest)
        s->longest = s->token;
    if (s->in_string) {
        if (!s->escaped && byte == '"')
            s->in_string = 0;
        s->escaped = !s->escaped && byte == '\\';
    } else if (byte == '"') {
        s->in_string = 1;
    } else if (byte == '[' || byte == '{') {
        s->depth++;
        s->values++;
        s->token = 0;
    } else if (byte == ']' || byte == '}') {
        s->depth--;
    } else if (byte == ',' || byte == ' ' || byte == '\n') {
        s->values += byte == ',';
        s->token = 0;
    }
}

// A parser that recurses is safe only on text that nests little.
static int check_bounds(const char *bytes, size_t size, const char *name, size_t *longest, dp_error *error)
{
    scan s = {.line = 1};

    for (size_t i = 0; i < size; i++) {
        s.column++;
        scan_byte(&s, bytes[i]);
        if (s.depth > MOST_NESTING || s.values > MOST_VALUES) {
            const dpi_place place = {.file = name, .offset = (int64_t)i, .line = s.line, .column = s.column};
            if (s.depth > MOST_NESTING)
                return dpi_fail_at(error, DP_E_FORMAT, &place, "nests deeper than %d levels", MOST_NESTING);
            return dpi_fail_at(error, DP_E_FORMAT, &place, "holds more than %d values", MOST_VALUES);
        }
        if (bytes[i] == '\n') {
            s.line++;
            s.column = 0;
        }
    }
    *longest = s.longest;
    return DP_OK;
}

// The raw text of the string whose closing quote is the last before `end`, cut to its room.
static void copy_key(const char *bytes, size_t end, char *key, size_t room)
{
    while (end > 0 && bytes[end - 1] != '"')
        end--;
    size_t begin = end > 0 ? end - 1 : 0; // of the closing quote
    const size_t last = begin;
    while (begin > 0 && (bytes[begin - 1] != '"' || (begin > 1 && bytes[begin - 2] == '\\')))
        begin--;
    const size_t size = last - begin < room - 1 ? last - begin : room - 1;
    memcpy(key, bytes + begin, size);
    key[size] = 0;
}

static int not_json(const char *bytes, size_t size, const char *name, const json_error_t *found, dp_error *error)
{
    char key[128] = "";
    const size_t at = found->position > 0 && (size_t)found->position < size ? (size_t)found->position : 0;
    const dpi_place place = {.file = name,
                             .item = key,
                             .offset = found->position,
                             .line = found->line,
                             .column = found->column > 0 ? found->column : 1};

    if (!found->text[0] || json_error_code(found) == json_error_out_of_memory) // jansson may find no words for it
        return dpi_fail_at(error, DP_E_MEMORY, &place, "no memory for %zu bytes of json", size);
    if (strncmp(found->text, "duplicate object key", 20) == 0)
        copy_key(bytes, at, key, sizeof key);
    return dpi_fail_at(error, DP_E_FORMAT, &place, "not json: %s", found->text);
}

int dpi_json_parse(json_t **out, const char *bytes, size_t size, const char *name, dp_error *error)
{
    const dpi_place start = {.file = name, .offset = 0, .line = 1, .column = 1};
    json_error_t found;
    size_t longest = 0;

    if (size > MOST_BYTES)
        return dpi_fail_at(error, DP_E_FORMAT, &start, "is %zu bytes of json, at most %d are read", size,
                           MOST_BYTES);
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        return dpi_fail_at(error, DP_E_FORMAT, &start, "begins with a byte order mark, not with json");
    const int rc = check_bounds(bytes, size, name, &longest, error);
    if (rc)
        return rc;
    json_t *value = dpi_json_load(bytes, size, longest, &found);
    if (!value)
        return not_json(bytes, size, name, &found, error);
    *out = value;
    return DP_OK;
}

static const char *kind(const json_t *value)
{
    static const char *const names[] = {"an object", "an array", "a string", "an integer",
                                        "a real",    "true",     "false",    "null"};
    return names[json_typeof(value)];
}

// The member, or NULL with *rc telling whether that is a failure.
static const json_t *member(const json_t *object, const char *key, int required, const dpi_place *place, int *rc,
                            dp_error *error)
{
    const json_t *value = json_object_get(object, key);

    *rc = DP_OK;
    if (value && !json_is_null(value))
        return value;
    if (required)
        *rc = dpi_fail_at(error, DP_E_FORMAT, place, "\"%s\" is %s", key, value ? "null" : "missing");
    return NULL;
}

static int wrong(const json_t *value, const char *key, const char *wanted, const dpi_place *place, dp_error *error)
{
    return dpi_fail_at(error, DP_E_FORMAT, place, "\"%s\" is %s, expected %s", key, kind(value), wanted);
}

int dpi_json_int(const json_t *object, const char *key, int required, int64_t least, int64_t most, int64_t *out,
                 const char *name, dp_error *error)
{
    const dpi_place place = {.file = name, .item = key, .offset = -1};
    int rc;
    const json_t *value = member(object, key, required, &place, &rc, error);

    if (!value)
        return rc;
    if (!json_is_integer(value))
        return wrong(value, key, "an integer", &place, error);
    const int64_t number = json_integer_value(value);
    if (number < least || number > most)
        return dpi_fail_at(error, DP_E_FORMAT, &place, "\"%s\" is %lld, expected %lld to %lld", key,
                           (long long)number, (long long)least, (long long)most);
    *out = number;
    return DP_OK;
}

int dpi_json_real(const json_t *object, const char *key, int required, double *out, const char *name,
                  dp_error *error)
{
    const dpi_place place = {.file = name, .item = key, .offset = -1};
    int rc;
    const json_t *value = member(object, key, required, &place, &rc, error);

    if (!value)
        return rc;
    if (!json_is_number(value))
        return wrong(value, key, "a number", &place, error);
    *out = json_number_value(value); // jansson holds no number that is not finite
    return DP_OK;
}

int dpi_json_bool(const json_t *object, const char *key, int required, int *out, const char *name, dp_error *error)
{
    const dpi_place place = {.file = name, .item = key, .offset = -1};
    int rc;
    const json_t *value = member(object, key, required, &place, &rc, error);

    if (!value)
        return rc;
    if (!json_is_boolean(value))
        return wrong(value, key, "true or false", &place, error);
    *out = json_is_true(value);
    return DP_OK;
}

int dpi_json_string(const json_t *object, const char *key, int required, const char **out, const char *name,
                    dp_error *error)
{
    const dpi_place place = {.file = name, .item = key, .offset = -1};
    int rc;
    const json_t *value = member(object, key, required, &place, &rc, error);

    if (!value)
        return rc;
    if (!json_is_string(value))
        return wrong(value, key, "a string", &place, error);
    *out = json_string_value(value);
    return DP_OK;
}
