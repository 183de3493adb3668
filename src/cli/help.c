// --help: what a command does, its options with their help wrapped, and examples.
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

enum { INDENT = 30, WIDTH = 100 };

// Words of `text` from column INDENT on.
static void wrap(FILE *stream, const char *text)
{
    int column = INDENT;

    while (*text) {
        const int word = (int)strcspn(text, " ");
        if (column > INDENT && column + 1 + word > WIDTH) {
            fprintf(stream, "\n%*s", INDENT, "");
            column = INDENT;
        } else if (column > INDENT) {
            fputc(' ', stream);
            column++;
        }
        fprintf(stream, "%.*s", word, text);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', stream);
}

static void show_option(FILE *stream, const cli_option *option)
{
    char head[96], letter[8] = "    ";

    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(head, sizeof head, "  %s--%s%s%s", letter, option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    if (strlen(head) + 2 > INDENT)
        fprintf(stream, "%s\n%*s", head, INDENT, "");
    else
        fprintf(stream, "%-*s", INDENT, head);
    wrap(stream, option->help);
}

static void show_options(FILE *stream, unsigned bit, int everywhere)
{
    for (size_t i = 0; i < cli_option_count; i++) {
        const cli_option *option = &cli_options[i];
        if ((option->commands == CLI_EVERYWHERE) == everywhere && (option->commands & bit))
            show_option(stream, option);
    }
}

static int has_own_options(unsigned bit)
{
    for (size_t i = 0; i < cli_option_count; i++)
        if (cli_options[i].commands != CLI_EVERYWHERE && (cli_options[i].commands & bit))
            return 1;
    return 0;
}

void cli_help_program(FILE *stream)
{
    fputs("depthprune: make language models shallower\n\nusage: depthprune COMMAND [OPTIONS] ...\n\n", stream);
    for (size_t i = 0; i < cli_command_count; i++) {
        char head[40];
        snprintf(head, sizeof head, "  %s %s", cli_commands[i].name, cli_commands[i].operands);
        fprintf(stream, "%-20s%s\n", head, cli_commands[i].summary);
    }
    fputs("\nMODEL is a Hugging Face directory or a GGUF file.\n\nOptions of every command:\n", stream);
    show_options(stream, CLI_EVERYWHERE, 1);
    fputs("\nExamples:\n"
          "  depthprune score model.gguf --calibration text.txt -o scores.json\n"
          "  depthprune prune model.gguf --scores scores.json --blocks 6 -o smaller.gguf\n"
          "  depthprune eval smaller.gguf --perplexity other.txt\n"
          "\n'depthprune help COMMAND' and depthprune(1) say more.\n"
          "Exit status: 0 done, 1 failed, 2 wrong usage, 3 a demanded gate is not met, 130 or 143 interrupted.\n",
          stream);
}

void cli_help_command(const cli_command *command)
{
    printf("depthprune %s: %s\n\nusage: depthprune %s %s [OPTIONS]\n", command->name, command->summary,
           command->name, command->operands);
    if (*command->text)
        printf("\n%s\n", command->text);
    if (has_own_options(command->bit)) {
        puts("\nOptions:");
        show_options(stdout, command->bit, 0);
    }
    puts("\nOptions of every command:");
    show_options(stdout, command->bit, 1);
    printf("\nExamples:\n%s", command->examples);
}

int cli_cmd_help(cli_session *session)
{
    const cli_list *operands = &session->settings->operands;
    const cli_command *command = operands->count ? cli_command_find(operands->items[0]) : NULL;

    if (operands->count && command == NULL)
        return cli_usage(session, "there is no command '%s'", operands->items[0]);
    if (command)
        cli_help_command(command);
    else
        cli_help_program(stdout);
    return DP_OK;
}
