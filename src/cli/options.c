// Reading the command line by the table: --name value, --name=value, -o value; '-' and '_' in names are alike.
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    const cli_arguments *arguments;
    cli_settings *settings;
    cli_complaint *complaint;
    const char *command; // NULL until the first operand
    unsigned bit;
    int at;
    int ended; // "--" was seen
} reader;

void cli_settings_init(cli_settings *settings)
{
    *settings = (cli_settings){
        .load = CLI_UNSET,
        .seed = UINT64_MAX,
        .unit = CLI_UNSET,
        .norm_power = CLI_UNSET,
        .weight_reduction = CLI_UNSET,
        .block_reduction = CLI_UNSET,
        .protect = {CLI_UNSET, CLI_UNSET},
        .rows = CLI_UNSET,
        .to = CLI_UNSET,
        .dtype = CLI_UNSET,
        .mode = CLI_UNSET,
    };
}

void cli_settings_free(cli_settings *settings)
{
    free(settings->operands.items);
    free(settings->perplexity.items);
    free(settings->perplexity_tokens.items);
    free(settings->remove.items);
    cli_settings_init(settings);
}

static int same_name(const char *name, const char *text, size_t length)
{
    if (strlen(name) != length)
        return 0;
    for (size_t i = 0; i < length; i++)
        if (name[i] != (text[i] == '_' ? '-' : text[i]))
            return 0;
    return 1;
}

static const cli_option *find(const char *name, size_t length)
{
    for (size_t i = 0; i < cli_option_count; i++)
        if (same_name(cli_options[i].name, name, length))
            return &cli_options[i];
    return NULL;
}

static const cli_option *find_letter(char letter)
{
    for (size_t i = 0; letter && i < cli_option_count; i++)
        if (cli_options[i].letter == letter)
            return &cli_options[i];
    return NULL;
}

// How many single letters to insert, remove or change to make `text` of `name`, counted up to 31 letters.
static size_t distance(const char *name, const char *text, size_t length)
{
    size_t row[32];
    const size_t width = strlen(name);

    if (width > 31 || length > 31)
        return 32;
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; i <= length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            const size_t change = diagonal + (text[i - 1] != name[j - 1]);
            const size_t skip = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < skip ? change : skip;
        }
    }
    return row[width];
}

static int unknown(reader *r, const char *name, size_t length)
{
    const cli_option *nearest = NULL;
    size_t least = 3;

    for (size_t i = 0; i < cli_option_count; i++) {
        const size_t d = distance(cli_options[i].name, name, length);
        if (d < least && (r->bit == 0 || (cli_options[i].commands & r->bit))) {
            least = d;
            nearest = &cli_options[i];
        }
    }
    if (nearest)
        return cli_complain(r->complaint, "unknown option '--%.*s'; did you mean --%s?", (int)length, name,
                            nearest->name);
    return cli_complain(r->complaint, "unknown option '--%.*s'", (int)length, name);
}

static int misplaced(reader *r, const cli_option *option)
{
    const unsigned first = option->commands & ~(option->commands - 1);
    const char *where = r->arguments->command_name(first);

    if (r->command == NULL)
        return cli_complain(r->complaint, "--%s stands after the command's name, such as '%s'", option->name,
                            where);
    return cli_complain(r->complaint, "--%s is an option of '%s', not of '%s'", option->name, where, r->command);
}

static int take(reader *r, const cli_option *option, const char *value)
{
    if (option->commands != CLI_EVERYWHERE && !(option->commands & r->bit))
        return misplaced(r, option);
    if (option->argument == NULL && value)
        return cli_complain(r->complaint, "--%s takes no value", option->name);
    if (option->argument && value == NULL) {
        if (r->at + 1 >= r->arguments->count)
            return cli_complain(r->complaint, "--%s needs a value: %s", option->name, option->argument);
        value = r->arguments->items[++r->at];
    }
    if (option->argument && value[0] == 0)
        return cli_complain(r->complaint, "--%s wants %s, not ''", option->name, option->argument);
    return cli_value_set(option, value, r->settings, r->complaint);
}

static int read_long(reader *r, const char *text)
{
    const size_t length = strcspn(text, "=");
    const cli_option *option = find(text, length);

    if (option == NULL)
        return unknown(r, text, length);
    return take(r, option, text[length] ? text + length + 1 : NULL);
}

static int read_short(reader *r, const char *text)
{
    const cli_option *option = find_letter(text[0]);

    if (option == NULL || (text[1] && option->argument == NULL))
        return cli_complain(r->complaint, "unknown option '-%s'", text);
    return take(r, option, text[1] ? text + 1 : NULL);
}

static int read_operand(reader *r, const char *text)
{
    cli_list *operands = &r->settings->operands;

    if (r->command == NULL) {
        r->command = text;
        r->bit = r->arguments->command_bit(text);
        return r->bit ? 0 : cli_complain(r->complaint, "there is no command '%s'", text);
    }
    if (text[0] == 0)
        return cli_complain(r->complaint, "%s takes no empty name", r->command);
    const char **items = realloc(operands->items, (operands->count + 1) * sizeof *items);
    if (items == NULL)
        return cli_complain_memory(r->complaint);
    items[operands->count++] = text;
    operands->items = items;
    return 0;
}

int cli_options_parse(const cli_arguments *arguments, cli_settings *settings, const char **command,
                      cli_complaint *complaint)
{
    reader r = {.arguments = arguments, .settings = settings, .complaint = complaint};
    int failed = 0;

    for (r.at = 1; r.at < arguments->count && !failed; r.at++) {
        const char *text = arguments->items[r.at];
        if (r.ended || text[0] != '-' || text[1] == 0)
            failed = read_operand(&r, text);
        else if (strcmp(text, "--") == 0)
            r.ended = 1;
        else
            failed = text[1] == '-' ? read_long(&r, text + 2) : read_short(&r, text + 1);
    }
    *command = r.command;
    return failed;
}
