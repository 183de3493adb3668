// The grammar of JSON by a loop and a bit for every open bracket: yes or no, without memory.
#include "base/text.h"
#include "io/json_load.h"

#include <string.h>

enum { MOST_NESTING = 64 };

typedef struct cursor {
    const char *at, *end;
    uint64_t objects; // bit d: the bracket at depth d is of an object
    int depth;
} cursor;

static int next_is(cursor *c, char byte)
{
    const int is = c->at < c->end && *c->at == byte;

    c->at += is;
    return is;
}

static void skip_blanks(cursor *c)
{
    while (c->at < c->end && *c->at && strchr(" \t\r\n", *c->at))
        c->at++;
}

static int digits(cursor *c)
{
    const char *begin = c->at;

    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return c->at > begin;
}

static int number(cursor *c)
{
    next_is(c, '-');
    if (!next_is(c, '0') && !digits(c))
        return 0;
    if (next_is(c, '.') && !digits(c))
        return 0;
    if (!next_is(c, 'e') && !next_is(c, 'E'))
        return 1;
    if (!next_is(c, '+'))
        next_is(c, '-');
    return digits(c);
}

static int hexadecimal(cursor *c, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, c->at++) {
        static const char letters[] = "0123456789abcdef";
        const char *found = c->at < c->end && *c->at ? strchr(letters, *c->at | 0x20) : NULL;
        if (!found || (*c->at < '0'))
            return 0;
        *unit = *unit << 4 | (uint32_t)(found - letters);
    }
    return 1;
}

// What follows a backslash.
static int escape(cursor *c)
{
    uint32_t unit, low;

    if (!next_is(c, 'u')) {
        const int known = c->at < c->end && *c->at && strchr("\"\\/bfnrt", *c->at);
        c->at += known;
        return known;
    }
    if (!hexadecimal(c, &unit))
        return 0;
    if (unit < 0xD800 || unit > 0xDFFF)
        return unit != 0;
    return unit < 0xDC00 && next_is(c, '\\') && next_is(c, 'u') && hexadecimal(c, &low) && low >= 0xDC00 &&
           low <= 0xDFFF;
}

static int string(cursor *c)
{
    int fine = next_is(c, '"');

    while (fine && c->at < c->end && *c->at != '"') {
        uint32_t point;
        const size_t length = dpi_utf8_decode(c->at, (size_t)(c->end - c->at), &point);
        fine = length && point >= 0x20;
        c->at += length;
        if (fine && point == '\\')
            fine = escape(c);
    }
    return fine && next_is(c, '"');
}

static int word(cursor *c, const char *text)
{
    const size_t size = strlen(text);
    const int is = (size_t)(c->end - c->at) >= size && memcmp(c->at, text, size) == 0;

    c->at += is ? size : 0;
    return is;
}

static int in_object(const cursor *c)
{
    return (int)(c->objects >> (c->depth - 1) & 1);
}

static int key(cursor *c)
{
    skip_blanks(c);
    if (!string(c))
        return 0;
    skip_blanks(c);
    return next_is(c, ':');
}

static int scalar(cursor *c, char first)
{
    switch (first) {
    case '"':
        return string(c);
    case 't':
        return word(c, "true");
    case 'f':
        return word(c, "false");
    case 'n':
        return word(c, "null");
    default:
        return number(c);
    }
}

// A value that is whole, or the bracket that opens one; *whole says which.
static int begin_value(cursor *c, int *whole)
{
    const char first = c->at < c->end ? *c->at : 0;

    *whole = 1;
    if (first != '{' && first != '[')
        return c->depth > 0 && scalar(c, first);
    if (c->depth == MOST_NESTING)
        return 0;
    c->objects &= ~((uint64_t)1 << c->depth);
    c->objects |= (uint64_t)(first == '{') << c->depth;
    c->depth++;
    c->at++;
    skip_blanks(c);
    if (next_is(c, first == '{' ? '}' : ']')) {
        c->depth--;
        return 1;
    }
    *whole = 0;
    return first == '[' || key(c);
}

// After a whole value: brackets that close, then a comma or the end; *more: another value follows.
static int end_value(cursor *c, int *more)
{
    *more = 0;
    skip_blanks(c);
    while (c->depth > 0 && next_is(c, in_object(c) ? '}' : ']')) {
        c->depth--;
        skip_blanks(c);
    }
    if (c->depth == 0)
        return c->at == c->end;
    *more = 1;
    return next_is(c, ',') && (!in_object(c) || key(c));
}

int dpi_json_check(const char *bytes, size_t size)
{
    cursor c = {.at = bytes, .end = bytes + size};
    int more = 1;

    while (more) {
        int whole;
        skip_blanks(&c);
        if (!begin_value(&c, &whole) || (whole && !end_value(&c, &more)))
            return 0;
    }
    return 1;
}
