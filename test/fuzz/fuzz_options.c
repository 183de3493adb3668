// The program's command line: arguments with NUL between them.
#include "cli/command.h"
#include "cli/options.h"
#include "test/fuzz/fuzz.h"

enum { MOST_ARGUMENTS = 64 };

static unsigned bit_of(const char *name)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(cli_commands[i].name, name) == 0)
            return cli_commands[i].bit;
    return 0;
}

static const char *name_of(unsigned bit)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (cli_commands[i].bit == bit)
            return cli_commands[i].name;
    return "";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[] = "depthprune", *items[MOST_ARGUMENTS + 1] = {name};
    char *const text = malloc(size + 1);
    cli_arguments arguments = {.count = 1, .items = items, .command_bit = bit_of, .command_name = name_of};
    cli_settings settings;
    cli_complaint complaint = {.memory = 0};
    const char *command = NULL;

    require(text != NULL);
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    for (size_t at = 0; at < size && arguments.count < MOST_ARGUMENTS; at += strlen(text + at) + 1)
        items[arguments.count++] = text + at;
    cli_settings_init(&settings);
    const int rc = cli_options_parse(&arguments, &settings, &command, &complaint);
    require(rc == 0 ? complaint.text[0] == 0 : complaint.text[0] != 0);
    require(!complaint.memory);
    require(memchr(complaint.text, 0, sizeof complaint.text) != NULL);
    if (rc == 0) {
        require(settings.ratio >= 0 && settings.ratio < 1 && settings.operands.count < MOST_ARGUMENTS);
        for (size_t i = 0; i < settings.remove.count; i++)
            require(settings.remove.items[i] >= 0 && settings.remove.items[i] < 1 << 20);
    }
    cli_settings_free(&settings);
    free(text);
    return 0;
}
