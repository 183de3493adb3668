// The members of a JSON object as ranges of its text.
#include "model/members.h"

#include <string.h>

static int is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static size_t skip_blanks(const char *text, size_t size, size_t at)
{
    while (at < size && is_blank(text[at]))
        at++;
    return at;
}

// Past the string whose quote stands at `at`.
static size_t skip_string(const char *text, size_t size, size_t at)
{
    for (at++; at < size && text[at] != '"'; at++)
        if (text[at] == '\\')
            at++;
    return at < size ? at + 1 : size;
}

// Past the container whose bracket stands at `at`; brackets are counted, not matched, for the text is known to be
// JSON.
static size_t skip_container(const char *text, size_t size, size_t at)
{
    size_t depth = 0;

    while (at < size) {
        const char byte = text[at];
        at = byte == '"' ? skip_string(text, size, at) : at + 1;
        if (byte == '[' || byte == '{')
            depth++;
        if ((byte == ']' || byte == '}') && --depth == 0)
            return at;
    }
    return size;
}

// Past the value that begins at `at`.
static size_t skip_value(const char *text, size_t size, size_t at)
{
    if (at < size && text[at] == '"')
        return skip_string(text, size, at);
    if (at < size && (text[at] == '[' || text[at] == '{'))
        return skip_container(text, size, at);
    while (at < size && !is_blank(text[at]) && text[at] != ',' && text[at] != ']' && text[at] != '}')
        at++;
    return at;
}

int dpi_member_next(const char *text, size_t size, size_t open, size_t *cursor, dpi_member *member)
{
    size_t at = skip_blanks(text, size, *cursor ? *cursor : open + 1);

    if (at < size && text[at] == ',')
        at = skip_blanks(text, size, at + 1);
    *cursor = at;
    if (at >= size || text[at] == '}' || text[at] == ']')
        return 0;
    *member = (dpi_member){.key = NULL};
    if (text[open] == '{') {
        member->key = text + at + 1;
        const size_t end = skip_string(text, size, at);
        member->key_size = end - at - 2;
        at = skip_blanks(text, size, end);
        at = skip_blanks(text, size, at < size ? at + 1 : at); // the colon
    }
    member->begin = at;
    member->end = skip_value(text, size, at);
    *cursor = member->end;
    return 1;
}

int32_t dpi_member_line(const char *text, size_t size, const char *key)
{
    const size_t open = skip_blanks(text, size, 0);
    size_t cursor = 0;
    int32_t line = 1;
    dpi_member member;

    if (open >= size || text[open] != '{')
        return 0;
    while (dpi_member_next(text, size, open, &cursor, &member)) {
        if (member.key_size != strlen(key) || memcmp(member.key, key, member.key_size) != 0)
            continue;
        for (const char *at = text; at < member.key; at++)
            line += *at == '\n';
        return line;
    }
    return 0;
}
