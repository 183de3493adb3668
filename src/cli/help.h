// Help and usage, from the tables of commands and options.
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

void cli_help_program(FILE *stream);
void cli_help_command(const cli_command *command);

#endif
