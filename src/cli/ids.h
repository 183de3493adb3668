// IDS.json: {"ids": [[...], ...]} or the bare list of lists.
#ifndef CLI_IDS_H
#define CLI_IDS_H

#include "cli/session.h"

typedef struct cli_ids {
    int32_t *ids;    // row after row
    size_t *lengths; // of the rows
    size_t rows, count;
} cli_ids;

int cli_ids_read(cli_session *session, const char *path, cli_ids *out);
void cli_ids_free(cli_ids *ids);

#endif
