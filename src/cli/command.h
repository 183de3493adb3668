// What a command is: its name, its help, and the function that runs it.
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/options.h"
#include "cli/session.h"

// Returned by a command beside DP_OK and the library's negative codes: wrong usage, exit status 2.
enum { CLI_USAGE = 2 };

typedef struct cli_command {
    const char *name;
    const char *operands; // as help shows them
    const char *summary;  // one line
    const char *text;     // a paragraph: what it does and what it needs
    const char *examples; // lines
    int (*run)(cli_session *session);
    unsigned bit;
    int least, most; // operands
} cli_command;

extern const cli_command cli_commands[];
extern const size_t cli_command_count;

const cli_command *cli_command_find(const char *name); // NULL when there is none

int cli_cmd_inspect(cli_session *session);
int cli_cmd_score(cli_session *session);
int cli_cmd_plan(cli_session *session);
int cli_cmd_prune(cli_session *session);
int cli_cmd_eval(cli_session *session);
int cli_cmd_convert(cli_session *session);
int cli_cmd_report(cli_session *session);
int cli_cmd_doctor(cli_session *session);
int cli_cmd_help(cli_session *session);
int cli_cmd_completion(cli_session *session);

#endif
