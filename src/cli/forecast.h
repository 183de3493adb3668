// What a run would read and write, how long and how much memory it may take: --dry-run.
#ifndef CLI_FORECAST_H
#define CLI_FORECAST_H

#include "cli/session.h"

typedef struct cli_forecast {
    json_t *reads, *writes; // [{"path": ..., "bytes": ...}]
    double seconds, memory; // beside the mapped weights
    const char *unread;     // the first file that cannot be read, and why
    int32_t reason;
} cli_forecast;

// `bytes` negative: the size of the file as it is.  `path` NULL is passed over.
void cli_forecast_read(cli_forecast *forecast, const char *path, double bytes);
void cli_forecast_write(cli_forecast *forecast, const char *path, double bytes);
void cli_forecast_files(cli_forecast *forecast, int32_t files); // of the last write, a model
void cli_forecast_scoring(cli_forecast *forecast, const cli_session *session);
void cli_forecast_windows(cli_forecast *forecast, const cli_session *session, double windows, double length);
void cli_forecast_copy(cli_forecast *forecast, double bytes);        // reading and writing so many
int cli_forecast_emit(cli_session *session, cli_forecast *forecast); // frees it

#endif
