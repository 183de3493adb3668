// jansson ignores that the buffer of the token it reads cannot grow and drops the character.  So a string as long as
// the longest token goes first, where the loss is seen, and the buffer never grows after it.  And what jansson calls
// wrong syntax may be memory that it did not get: a text that is refused is checked without it.
#include "io/json_load.h"

#include <string.h>

typedef struct part {
    const char *bytes; // NULL: as many letters
    size_t size;
} part;

typedef struct feed {
    part parts[5];
    int now;
    size_t done; // bytes of part `now`
} feed;

static size_t give(void *buffer, size_t room, void *user)
{
    feed *f = user;

    while (f->now < 5 && f->done == f->parts[f->now].size) {
        f->now++;
        f->done = 0;
    }
    if (f->now == 5)
        return 0;
    const part *p = &f->parts[f->now];
    const size_t size = p->size - f->done < room ? p->size - f->done : room;
    if (p->bytes)
        memcpy(buffer, p->bytes + f->done, size);
    else
        memset(buffer, 'x', size);
    f->done += size;
    return size;
}

// The text as the second element of an array whose first element is the long string; NULL: not there, or damaged.
static json_t *load_behind_filler(const char *bytes, size_t size, size_t filler)
{
    feed f = {.parts = {{"[\"", 2}, {NULL, filler}, {"\",\n", 3}, {bytes, size}, {"]", 1}}};
    json_t *pair = json_load_callback(give, &f, JSON_REJECT_DUPLICATES, NULL);
    json_t *value = NULL;

    if (json_array_size(pair) == 2 && json_string_length(json_array_get(pair, 0)) == filler)
        value = json_incref(json_array_get(pair, 1));
    json_decref(pair);
    if (json_is_object(value) || json_is_array(value))
        return value;
    json_decref(value);
    return NULL;
}

static int blames_the_text(const json_error_t *found)
{
    switch (json_error_code(found)) {
    case json_error_duplicate_key:
    case json_error_numeric_overflow:
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return 1;
    default:
        return 0;
    }
}

json_t *dpi_json_load(const char *bytes, size_t size, size_t longest, json_error_t *found)
{
    json_t *value = load_behind_filler(bytes, size, longest + 2);

    if (value)
        return value;
    value = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, found); // for the place in the text alone
    if (value || (!blames_the_text(found) && dpi_json_check(bytes, size)))
        found->text[JSON_ERROR_TEXT_LENGTH - 1] = json_error_out_of_memory;
    json_decref(value);
    return NULL;
}
