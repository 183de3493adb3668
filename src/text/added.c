// A byte trie over the added tokens, walked from each position: leftmost-longest as Hugging Face's tokenizers do.
#include "text/added.h"

#include <string.h>

#include "base/error.h"
#include "text/unicode_tables.h"

static const dpi_place PLACE = {.item = "added_tokens", .offset = -1};

static int32_t find_child(const dpi_added *set, int32_t parent, unsigned char byte)
{
    int32_t child = parent ? set->nodes[parent].child : set->first[byte];

    while (parent && child && set->nodes[child].byte != byte)
        child = set->nodes[child].sibling;
    return child;
}

static int reserve(dpi_added *set, size_t more, dp_error *error)
{
    const size_t need = set->count + more + 1;
    void *nodes = set->nodes;

    if (need <= set->capacity)
        return DP_OK;
    if (need > INT32_MAX / 2)
        return dpi_fail_at(error, DP_E_FORMAT, &PLACE, "the added tokens' texts are too long together");
    if (dpi_grow(set->memory, &nodes, set->capacity, need * 2, sizeof *set->nodes, error))
        return DP_E_MEMORY;
    set->nodes = nodes;
    set->capacity = need * 2;
    if (!set->count)
        set->nodes[set->count++] = (dpi_added_node){.id = -1};
    return DP_OK;
}

static int32_t add_child(dpi_added *set, int32_t parent, unsigned char byte)
{
    const int32_t child = (int32_t)set->count++;

    set->nodes[child] = (dpi_added_node){.id = -1, .byte = byte};
    if (!parent) {
        set->first[byte] = child;
        return child;
    }
    set->nodes[child].sibling = set->nodes[parent].child;
    set->nodes[parent].child = child;
    return child;
}

int dpi_added_put(dpi_added *set, const char *text, size_t size, int32_t id, unsigned flags, dp_error *error)
{
    int32_t node = 0;

    if (!size)
        return DP_OK;
    if (size > DPI_ADDED_LONGEST)
        return dpi_fail_at(error, DP_E_UNSUPPORTED, &PLACE, "added token %d has %zu bytes, more than %d", id, size,
                           DPI_ADDED_LONGEST);
    const int rc = reserve(set, size, error);
    if (rc)
        return rc;
    for (size_t i = 0; i < size; i++) {
        const unsigned char byte = (unsigned char)text[i];
        const int32_t child = find_child(set, node, byte);
        node = child ? child : add_child(set, node, byte);
    }
    set->nodes[node].id = id;
    set->nodes[node].flags = (unsigned char)flags;
    return DP_OK;
}

void dpi_added_close(dpi_added *set)
{
    if (set->memory)
        dpi_free(set->memory, set->nodes);
}

int dpi_added_at(const dpi_added *set, const char *text, size_t size, size_t at, dpi_match *match, unsigned *flags)
{
    int32_t node = 0;
    int found = 0;

    for (size_t i = at; i < size; i++) {
        node = find_child(set, node, (unsigned char)text[i]);
        if (!node)
            break;
        if (set->nodes[node].id < 0)
            continue;
        *match = (dpi_match){at, i + 1, i + 1, set->nodes[node].id};
        *flags = set->nodes[node].flags;
        found = 1;
    }
    return found;
}

// Unicode's White_Space.
static int is_space(uint32_t point)
{
    static const uint32_t others[] = {0x20, 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (point == others[i])
            return 1;
    return (point >= 9 && point <= 13) || (point >= 0x2000 && point <= 0x200a);
}

static size_t past_spaces(const char *text, size_t size, size_t at)
{
    uint32_t point = 0;

    while (at < size) {
        const size_t length = dpi_utf8_decode(text + at, size - at, &point);
        if (!length || !is_space(point))
            break;
        at += length;
    }
    return at;
}

static size_t before_spaces(const char *text, size_t from, size_t at)
{
    uint32_t point = 0;

    while (at > from) {
        size_t start = at - 1;
        while (start > from && ((unsigned char)text[start] & 0xc0) == 0x80)
            start--;
        if (!dpi_utf8_decode(text + start, at - start, &point) || !is_space(point))
            break;
        at = start;
    }
    return at;
}

// What regular expressions call \w: letters, marks, digits, connectors and joiners.
static int is_word(uint32_t point)
{
    size_t low = 0, high = DPI_WORD_RANGES;

    while (low < high) {
        const size_t middle = (low + high) / 2;
        const uint32_t *const range = dpi_word_ranges + middle * 2;
        if (point >= range[0] && point <= range[1])
            return 1;
        if (range[1] < point)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

// Nothing that is part of a word stands before or after.
static int stands_alone(const char *text, size_t size, size_t begin, size_t end)
{
    size_t before = begin;
    uint32_t point = 0;

    if (end < size && dpi_utf8_decode(text + end, size - end, &point) && is_word(point))
        return 0;
    while (before > 0 && (before == begin || ((unsigned char)text[before] & 0xc0) == 0x80))
        before--;
    return before == begin || !dpi_utf8_decode(text + before, begin - before, &point) || !is_word(point);
}

int dpi_added_next(const dpi_added *set, const char *text, size_t size, int literal, dpi_match *match)
{
    const size_t from = match->end;
    unsigned flags = 0;

    if (!set->count)
        return 0;
    for (size_t at = match->next; at < size;) {
        if (!set->first[(unsigned char)text[at]] || !dpi_added_at(set, text, size, at, match, &flags)) {
            at++;
            continue;
        }
        at = match->next;
        if ((literal && flags & DPI_ADDED_SPECIAL) ||
            (flags & DPI_ADDED_WORD && !stands_alone(text, size, match->begin, match->end)))
            continue;
        if (flags & DPI_ADDED_LSTRIP)
            match->begin = before_spaces(text, from, match->begin);
        if (flags & DPI_ADDED_RSTRIP)
            match->end = past_spaces(text, size, match->end);
        return 1;
    }
    return 0;
}
