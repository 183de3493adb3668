// Progress on standard error: a bar with the time left on a terminal, else a line now and then.
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <depthprune/context.h>

typedef struct cli_progress {
    double last; // clock of the last plain line
    int quiet;
    int terminal; // standard error is one
    int colour;
    int drawn; // a bar stands on the current line
} cli_progress;

void cli_progress_init(cli_progress *progress, int quiet);
int32_t cli_progress_show(void *progress, const dp_progress *now); // for dp_monitor
void cli_progress_clear(cli_progress *progress);                   // before anything else is printed

// Seconds as a person says them: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min".
typedef struct cli_words {
    char text[48];
} cli_words;
cli_words cli_words_seconds(double seconds);
cli_words cli_words_bytes(double bytes); // "98.4 MB", powers of 1000
cli_words cli_words_count(double count); // "134.5 M", "6.74 B"

#endif
