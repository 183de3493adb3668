// The library's side of dp_monitor: counts work, reports, and says when to stop.
#ifndef DPI_BASE_MONITOR_H
#define DPI_BASE_MONITOR_H

#include <depthprune/context.h>

typedef struct dpi_watch {
    dp_monitor monitor; // all zero when the host gave none
    const char *phase;
    uint64_t done, total;
    double began, reported;
    int stopped;
} dpi_watch;

// Read the host's monitor (NULL allowed); DP_E_ARGUMENT when its size is 0, DP_E_VERSION when it is unknown.
int dpi_watch_open(dpi_watch *watch, const dp_monitor *monitor, dp_error *error);
void dpi_watch_begin(dpi_watch *watch, const char *phase, uint64_t total);
// Count units as done (0 is allowed) and look: DP_OK, or DP_E_CANCELLED (then *error is filled).
// Reports at most every interval; the last unit of a phase is always reported.
// Only on the thread that called the library.  watch may be NULL.
int dpi_watch_advance(dpi_watch *watch, uint64_t units, dp_error *error);

#endif
