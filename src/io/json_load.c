// jansson ignores that the buffer of the token it reads cannot grow and drops the character; where that is a quote or
// follows a backslash it reads on outside the buffer or aborts.  So memory for a token is tried before, and a string as
// long as the longest token goes first, where a loss is harmless and seen: the buffer never grows after it.  And what
// jansson calls wrong syntax may be memory that it did not get: a text that is refused is checked without it.
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

// Letters of the first string: not so many that its closing quote is the character for which the buffer grows, which
// is the 16th, 32nd, 64th and so on.
static size_t filler_of(size_t longest)
{
    const size_t whole = longest + 4; // with both quotes

    return whole - 2 + ((whole & (whole - 1)) == 0 ? 1 : 0);
}

// Is there memory for the buffer's growth: the old one, and one twice as large?
static int has_room(const char *bytes, size_t longest)
{
    json_t *held[4];
    int have = 0;

    while (have < 4 && (held[have] = json_stringn_nocheck(bytes, longest)) != NULL)
        have++;
    for (int i = 0; i < have; i++)
        json_decref(held[i]);
    return have == 4;
}

// The text as the second element of an array whose first element is the long string; NULL: not there, or damaged.
static json_t *load_behind_filler(const char *bytes, size_t size, size_t filler, json_error_t *found)
{
    feed f = {.parts = {{"[\"", 2}, {NULL, filler}, {"\",\n", 3}, {bytes, size}, {"]", 1}}};
    json_t *pair = json_load_callback(give, &f, JSON_REJECT_DUPLICATES, found);
    json_t *value = NULL;

    if (json_array_size(pair) == 2 && json_string_length(json_array_get(pair, 0)) == filler)
        value = json_incref(json_array_get(pair, 1));
    json_decref(pair);
    if (json_is_object(value) || json_is_array(value))
        return value;
    json_decref(value);
    found->line -= 1;
    found->position -= (int)(filler + 5);
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

static json_t *no_memory(json_error_t *found)
{
    found->line = found->column = 1;
    found->position = 0;
    found->text[JSON_ERROR_TEXT_LENGTH - 1] = json_error_out_of_memory;
    return NULL;
}

json_t *dpi_json_load(const char *bytes, size_t size, size_t longest, json_error_t *found)
{
    if (!has_room(bytes, longest))
        return no_memory(found);
    json_t *value = load_behind_filler(bytes, size, filler_of(longest), found);
    if (value)
        return value;
    if (dpi_json_check(bytes, size))
        return blames_the_text(found) ? NULL : no_memory(found);
    if (!has_room(bytes, longest))
        return no_memory(found);
    value = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, found); // for its words about the text alone
    json_decref(value);
    return value ? no_memory(found) : NULL;
}
