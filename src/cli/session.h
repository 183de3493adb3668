// One run of the program: its settings, the library's handles, opened on first use, and how it failed.
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <jansson.h>

#include <depthprune/depthprune.h>

#include "cli/options.h"
#include "cli/progress.h"

typedef struct cli_command cli_command;

typedef struct cli_session {
    const cli_settings *settings;
    const cli_command *command;
    dp_context *context;
    dp_model *model;
    dp_model_info info; // of `model`
    dp_tokenizer *tokenizer;
    dp_monitor monitor;
    cli_progress progress;
    json_t *protocol; // the fingerprint of the run, filled as it goes (protocol.c)
    dp_error error;
    const char *advice; // what to do when the file in hand is bad
    int opened_nothing; // there is no tokenizer
    int muted;          // the library repeats itself: its notes are not shown
    const char *kept;   // what an interruption leaves
    char *journal;      // where a scoring run keeps what is finished, or NULL
    double started;     // clock of cli_clock()
} cli_session;

double cli_clock(void); // seconds, monotonic

void cli_session_init(cli_session *session, const cli_settings *settings, const cli_command *command);
void cli_session_free(cli_session *session);

// Each opens once and returns DP_OK, a code of the library with session->error filled, or CLI_USAGE.
int cli_session_context(cli_session *session);
int cli_session_model(cli_session *session); // the first operand, with its context
int cli_session_tokenizer(cli_session *session);

// Fill session->error and return `code`; `file` and `item` may be NULL.
typedef struct cli_place {
    const char *file, *item;
    int32_t line, column, system_error;
} cli_place;
int cli_fail(cli_session *session, int code, cli_place place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// The failure is of what `path` holds, where the library was given its content and could name no file.
void cli_blame(cli_session *session, const char *path);
int cli_usage(cli_session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Print the failure as one line on standard error and return the exit status of `code`.
int cli_session_conclude(cli_session *session, int code);
// A note on standard error, unless --quiet.
void cli_note(cli_session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
