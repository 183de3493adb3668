// Files in and out: whole documents, written beside the target and renamed.
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/session.h"

// A file that is being written; the target appears with cli_output_commit.
typedef struct cli_output {
    const char *path;
    char *partial;
    int fd;
} cli_output;

// May `path` be written?  Refused: an existing file without --force, what is no plain file, a place in the model, a
// folder that is missing or not ours.  NULL is fine.
int cli_output_check(cli_session *session, const char *path);
// May something be made in the folder that `path` lies in?
int cli_output_folder_check(cli_session *session, const char *path);
int cli_output_open(cli_session *session, const char *path, cli_output *output);
int cli_output_commit(cli_session *session, cli_output *output); // frees it, even on failure
void cli_output_abandon(cli_output *output);

// New memory, terminated; free() it.
int cli_file_read(cli_session *session, const char *path, char **text, size_t *size);
int cli_json_read(cli_session *session, const char *path, json_t **out);
int cli_json_parse(cli_session *session, const char *text, size_t size, const char *name, json_t **out);

// A path as JSON text; bytes that are not UTF-8 become '?'.
json_t *cli_json_path(const char *path);
// {"schema": "depthprune.NAME/1"}; NULL when memory is short.
json_t *cli_document_new(const char *name);
// Add the protocol, print it for --json, write it to `path` unless NULL.  Takes `document`, which may be NULL:
// then memory was short.
int cli_document_emit(cli_session *session, json_t *document, const char *path);

#endif
