// depthprune: reads the command line, runs one command, and turns how it ended into a line and an exit status.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/json_memory.h"
#include "cli/signals.h"

static unsigned bit_of(const char *name)
{
    const cli_command *command = cli_command_find(name);

    return command ? command->bit : 0;
}

static const char *name_of(unsigned bit)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (cli_commands[i].bit == bit)
            return cli_commands[i].name;
    return "";
}

// A file opened while 0, 1 or 2 is closed would become standard output.
static void fill_standard_files(void)
{
    int fd = 0;

    while (fd >= 0 && fd <= 2)
        fd = open("/dev/null", O_RDWR);
    if (fd > 2)
        close(fd);
}

static int wrong_usage(const char *command, const cli_complaint *complaint)
{
    if (complaint->memory) {
        fprintf(stderr, "depthprune: %s\n", complaint->text);
        return 1;
    }
    fprintf(stderr, "depthprune: %s; see 'depthprune%s%s --help'\n", complaint->text, command ? " " : "",
            command ? command : "");
    return 2;
}

static int check_operands(const cli_command *command, const cli_settings *settings, cli_complaint *complaint)
{
    const size_t count = settings->operands.count;

    if (count < (size_t)command->least)
        return cli_complain(complaint, "%s needs %s", command->name, command->operands);
    if (count > (size_t)command->most)
        return cli_complain(complaint, "%s does not take '%s'", command->name,
                            settings->operands.items[command->most]);
    return 0;
}

static int run(const cli_command *command, const cli_settings *settings)
{
    cli_session session;

    cli_session_init(&session, settings, command);
    int rc = command->run(&session);
    if (rc == DP_OK && (fflush(stdout) || ferror(stdout)))
        rc = cli_fail(&session, DP_E_IO, (cli_place){.file = "standard output", .system_error = errno},
                      "cannot be written");
    if (rc == DP_OK && cli_json_memory_was_short())
        rc = cli_fail(&session, DP_E_MEMORY, (cli_place){.file = "standard output"}, "is not whole: out of memory");
    const int status = cli_session_conclude(&session, rc);
    cli_session_free(&session);
    return status;
}

static int flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    fprintf(stderr, "depthprune: standard output: cannot be written: %s\n", strerror(errno));
    return 1;
}

static int start(int count, char **items, cli_settings *settings)
{
    const cli_arguments arguments = {count, items, bit_of, name_of};
    const char *name = NULL;
    cli_complaint complaint = {.memory = 0};
    const int failed = cli_options_parse(&arguments, settings, &name, &complaint);
    const cli_command *command = name ? cli_command_find(name) : NULL;

    if (failed)
        return wrong_usage(command ? name : NULL, &complaint);
    if (settings->version)
        printf("depthprune %s\n", dp_version_text());
    else if (settings->help && command)
        cli_help_command(command);
    else if (settings->help)
        cli_help_program(stdout);
    if (settings->version || settings->help)
        return flush();
    if (command == NULL) {
        cli_help_program(stderr);
        return 2;
    }
    if (check_operands(command, settings, &complaint))
        return wrong_usage(name, &complaint);
    return run(command, settings);
}

int main(int argc, char **argv)
{
    cli_settings settings;

    fill_standard_files();
    cli_signals_install();
    cli_json_memory_install();
    cli_settings_init(&settings);
    const int status = start(argc, argv, &settings);
    cli_settings_free(&settings);
    return status;
}
