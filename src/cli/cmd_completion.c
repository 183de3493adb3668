// The completion scripts of three shells, written from the tables of commands and options.
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

// The words that an option's value may be, such as "hf gguf"; none for a number or a file.
static void put_words(const cli_option *option)
{
    const char *at = option->argument, *gap = "";

    while (at) {
        const size_t length = strcspn(at, "|"), plain = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789");
        if (length && (plain >= length || at[plain] == '[' || option->kind == CLI_CHOICE)) {
            printf("%s%.*s", gap, (int)(option->kind == CLI_CHOICE ? length : plain), at);
            gap = " ";
        }
        at = at[length] ? at + length + 1 : NULL;
    }
}

static int has_words(const cli_option *option)
{
    return option->kind == CLI_CHOICE || option->kind == CLI_WORD ||
           (option->kind == CLI_TEXT && strncmp(option->argument, "auto|", 5) == 0);
}

static int is_file(const cli_option *option)
{
    return option->kind == CLI_FILES || (option->kind == CLI_TEXT && !has_words(option));
}

// Inside single quotes; before each of the letters in `special` a backslash.
static void put_quoted(const char *text, const char *special)
{
    for (; *text; text++) {
        if (*text == '\'') {
            fputs("'\\''", stdout);
            continue;
        }
        if (strchr(special, *text))
            putchar('\\');
        putchar(*text);
    }
}

static void put_bash_values(const cli_option *option)
{
    if (option->argument == NULL)
        return;
    if (option->letter)
        printf("        -%c|", option->letter);
    else
        fputs("        ", stdout);
    printf("--%s) ", option->name);
    if (has_words(option)) {
        fputs("COMPREPLY=($(compgen -W '", stdout);
        put_words(option);
        puts("' -- \"$word\")) ;;");
    } else {
        puts(is_file(option) ? "COMPREPLY=($(compgen -f -- \"$word\")) ;;" : "COMPREPLY=() ;;");
    }
}

static void put_bash_options(const cli_command *command)
{
    printf("        %s:-*) COMPREPLY=($(compgen -W '", command->name);
    for (size_t i = 0; i < cli_option_count; i++)
        if (cli_options[i].commands & command->bit)
            printf("--%s ", cli_options[i].name);
    puts("' -- \"$word\")) ;;");
}

static void put_bash(void)
{
    puts("_depthprune()\n{\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}\n"
         "    if [ \"$COMP_CWORD\" -gt 1 ]; then\n"
         "        case ${COMP_WORDS[COMP_CWORD - 1]} in");
    for (size_t i = 0; i < cli_option_count; i++)
        put_bash_values(&cli_options[i]);
    puts("        *) false ;;\n"
         "        esac && return\n"
         "    else\n"
         "        command=\n"
         "    fi\n"
         "    case $command:$word in");
    for (size_t i = 0; i < cli_command_count; i++)
        put_bash_options(&cli_commands[i]);
    fputs("        :*) COMPREPLY=($(compgen -W '", stdout);
    for (size_t i = 0; i < cli_command_count; i++)
        printf("%s ", cli_commands[i].name);
    puts("--help --version' -- \"$word\")) ;;\n"
         "        *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
         "    esac\n"
         "}\n"
         "complete -o filenames -F _depthprune depthprune");
}

static void put_zsh_option(const cli_option *option)
{
    printf(" \\\n            '--%s[", option->name);
    put_quoted(option->help, "[]:");
    putchar(']');
    if (option->argument) {
        putchar(':');
        put_quoted(option->argument, "[]:");
        fputs(is_file(option) ? ":_files" : ":", stdout);
        if (has_words(option)) {
            putchar('(');
            put_words(option);
            putchar(')');
        }
    }
    putchar('\'');
}

static void put_zsh(void)
{
    puts("#compdef depthprune\n"
         "local -a commands\n"
         "if (( CURRENT == 2 )); then\n"
         "    commands=(");
    for (size_t i = 0; i < cli_command_count; i++) {
        printf("        '%s:", cli_commands[i].name);
        put_quoted(cli_commands[i].summary, ":");
        puts("'");
    }
    puts("    )\n"
         "    _describe command commands\n"
         "    return\n"
         "fi\n"
         "case $words[2] in");
    for (size_t i = 0; i < cli_command_count; i++) {
        printf("    %s)\n        _arguments '*:file:_files'", cli_commands[i].name);
        for (size_t j = 0; j < cli_option_count; j++)
            if (cli_options[j].commands & cli_commands[i].bit)
                put_zsh_option(&cli_options[j]);
        puts(" ;;");
    }
    puts("esac");
}

static void put_fish_option(const cli_option *option)
{
    fputs("complete -c depthprune -n '__fish_seen_subcommand_from", stdout);
    for (size_t i = 0; i < cli_command_count; i++)
        if (option->commands & cli_commands[i].bit)
            printf(" %s", cli_commands[i].name);
    printf("' -l %s -d '", option->name);
    put_quoted(option->help, "\\");
    putchar('\'');
    if (option->letter)
        printf(" -s %c", option->letter);
    if (option->argument)
        fputs(is_file(option) ? " -r -F" : " -x", stdout);
    if (has_words(option)) {
        fputs(" -a '", stdout);
        put_words(option);
        putchar('\'');
    }
    putchar('\n');
}

static void put_fish(void)
{
    for (size_t i = 0; i < cli_command_count; i++) {
        printf("complete -c depthprune -n __fish_use_subcommand -f -a %s -d '", cli_commands[i].name);
        put_quoted(cli_commands[i].summary, "\\");
        puts("'");
    }
    for (size_t i = 0; i < cli_option_count; i++)
        put_fish_option(&cli_options[i]);
}

int cli_cmd_completion(cli_session *session)
{
    static const struct {
        const char *name;
        void (*put)(void);
    } shells[] = {{"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}};
    const char *wanted = session->settings->operands.items[0];

    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(shells[i].name, wanted) == 0) {
            shells[i].put();
            return DP_OK;
        }
    }
    return cli_usage(session, "completion is written for bash, zsh and fish, not for '%s'", wanted);
}
