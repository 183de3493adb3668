// One option's value from text into the settings: whole text or nothing, in range, said in the option's words.
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/options.h"

enum { MOST_BLOCKS = 1 << 20 };

int cli_complain(cli_complaint *complaint, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(complaint->text, sizeof complaint->text, format, arguments);
    va_end(arguments);
    return -1;
}

int cli_complain_memory(cli_complaint *complaint)
{
    complaint->memory = 1;
    return cli_complain(complaint, "out of memory");
}

static int reject(const cli_option *option, const char *text, const char *wanted, cli_complaint *complaint)
{
    return cli_complain(complaint, "--%s wants %s, not '%s'", option->name, wanted, text);
}

// A decimal number without sign; *end is the first byte behind it.
static int whole(const char *text, uint64_t *out, const char **end)
{
    char *stop = NULL;

    if (text[0] < '0' || text[0] > '9')
        return -1;
    errno = 0;
    *out = strtoull(text, &stop, 10);
    *end = stop;
    return errno == 0 ? 0 : -1;
}

static int set_count(const cli_option *option, const char *text, int32_t *out, cli_complaint *complaint)
{
    const char *end = NULL;
    char wanted[64];
    uint64_t value = 0;

    if (whole(text, &value, &end) || *end || value > (uint64_t)option->most || value < (uint64_t)option->least) {
        snprintf(wanted, sizeof wanted, "a whole number from %d to %d", option->least, option->most);
        return reject(option, text, wanted, complaint);
    }
    *out = (int32_t)value;
    return 0;
}

static int set_seed(const cli_option *option, const char *text, uint64_t *out, cli_complaint *complaint)
{
    const char *end = NULL;

    if (whole(text, out, &end) || *end || *out == UINT64_MAX)
        return reject(option, text, "a whole number below 2^64 - 1", complaint);
    return 0;
}

// A number with a unit letter of `units`, each `step` times the one before; a last 'B' after K, M, G, T is allowed.
static int scaled(const char *text, const char *units, double step, uint64_t *out)
{
    char *end = NULL;
    double factor = 1;

    if (text[0] < '0' || text[0] > '9')
        return -1;
    const double value = strtod(text, &end);
    if (*end) {
        const char *unit = strchr(units, *end >= 'a' && *end <= 'z' ? *end - 'a' + 'A' : *end);
        if (unit == NULL)
            return -1;
        factor = pow(step, (double)(unit - units) + 1);
        end++;
        if (step > 1000 && *end && strcasecmp(end, "B") != 0 && strcasecmp(end, "iB") != 0)
            return -1;
        if (step <= 1000 && *end)
            return -1;
    }
    if (!(value * factor >= 1 && value * factor < 9e18))
        return -1;
    *out = (uint64_t)llround(value * factor);
    return 0;
}

static int set_ratio(const cli_option *option, const char *text, double *out, cli_complaint *complaint)
{
    char *end = NULL;
    const double value = strtod(text, &end);

    if (end == text || *end || !(value > 0 && value < 1))
        return reject(option, text, "a number above 0 and below 1", complaint);
    *out = value;
    return 0;
}

// The index of the word of "a|b|c" that `text` is, or begins when no other begins so.
static int32_t word_index(const char *words, const char *text, const char **word, size_t *length)
{
    const size_t size = strlen(text);
    int32_t found = CLI_UNSET;

    for (int32_t index = 0; size > 0; index++, words++) {
        const size_t span = strcspn(words, "|");
        if (size <= span && strncasecmp(words, text, size) == 0) {
            if (found >= 0 && size < span)
                return CLI_UNSET;
            found = index;
            *word = words;
            *length = span;
            if (size == span)
                return found;
        }
        words += span;
        if (*words == 0)
            break;
    }
    return found;
}

static int set_choice(const cli_option *option, const char *text, int32_t *out, cli_complaint *complaint)
{
    const char *word = NULL;
    size_t length = 0;
    const int32_t index = word_index(option->argument, text, &word, &length);

    if (index < 0)
        return reject(option, text, option->argument, complaint);
    *out = index;
    return 0;
}

static int set_word(const cli_option *option, const char *text, const char **out, cli_complaint *complaint)
{
    const char *word = NULL;
    size_t length = 0;

    if (word_index(option->argument, text, &word, &length) < 0 || strlen(text) != length)
        return reject(option, text, option->argument, complaint);
    *out = text;
    return 0;
}

static int add_file(const char *text, cli_list *list, cli_complaint *complaint)
{
    const char **items = realloc(list->items, (list->count + 1) * sizeof *items);

    if (items == NULL)
        return cli_complain_memory(complaint);
    items[list->count++] = text;
    list->items = items;
    return 0;
}

static int add_blocks(cli_blocks *blocks, uint64_t first, uint64_t last, cli_complaint *complaint)
{
    const size_t more = (size_t)(last - first) + 1;
    int32_t *items = realloc(blocks->items, (blocks->count + more) * sizeof *items);

    if (items == NULL)
        return cli_complain_memory(complaint);
    for (size_t i = 0; i < more; i++)
        items[blocks->count + i] = (int32_t)(first + i);
    blocks->items = items;
    blocks->count += more;
    return 0;
}

static int set_blocks(const cli_option *option, const char *text, cli_blocks *blocks, cli_complaint *complaint)
{
    const char *at = text;
    uint64_t first = 0, last = 0;

    while (1) {
        if (whole(at, &first, &at))
            break;
        last = first;
        if (*at == '-' && whole(at + 1, &last, &at))
            break;
        if (last < first || last >= MOST_BLOCKS || blocks->count > MOST_BLOCKS)
            break;
        if (add_blocks(blocks, first, last, complaint))
            return -1;
        if (*at == 0)
            return 0;
        if (*at++ != ',')
            break;
    }
    return reject(option, text, "blocks such as 3,7 or 3-7", complaint);
}

static int set_protect(const cli_option *option, const char *text, int32_t *out, cli_complaint *complaint)
{
    const char *at = text;
    uint64_t first = 0, last = 0;

    if (whole(at, &first, &at) || *at != '+' || whole(at + 1, &last, &at) || *at || first > MOST_BLOCKS ||
        last > MOST_BLOCKS)
        return reject(option, text, "FIRST+LAST such as 4+2", complaint);
    out[0] = (int32_t)first;
    out[1] = (int32_t)last;
    return 0;
}

int cli_value_set(const cli_option *option, const char *text, cli_settings *settings, cli_complaint *complaint)
{
    void *field = (char *)settings + option->offset;

    switch (option->kind) {
    case CLI_FLAG:
        *(int32_t *)field = 1;
        return 0;
    case CLI_CHOICE:
        return set_choice(option, text, field, complaint);
    case CLI_WORD:
        return set_word(option, text, field, complaint);
    case CLI_COUNT:
        return set_count(option, text, field, complaint);
    case CLI_SEED:
        return set_seed(option, text, field, complaint);
    case CLI_BYTES:
        return scaled(text, "KMGT", 1024, field) ? reject(option, text, "bytes such as 512M or 2G", complaint) : 0;
    case CLI_PARAMETERS:
        return scaled(text, "KMBT", 1000, field) ? reject(option, text, "a number such as 5.5B or 100M", complaint)
                                                 : 0;
    case CLI_RATIO:
        return set_ratio(option, text, field, complaint);
    case CLI_FILES:
        return add_file(text, field, complaint);
    case CLI_BLOCK_LIST:
        return set_blocks(option, text, field, complaint);
    case CLI_PROTECT:
        return set_protect(option, text, field, complaint);
    default:
        *(const char **)field = text;
        return 0;
    }
}
