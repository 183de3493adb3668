// The library's side of dp_monitor.  Time left = elapsed * (total - done) / done.
#include "base/monitor.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"

enum { INTERVAL_MS = 100 };
static const double NEVER = -1e9; // a time before any: the first look of a call reports

static int tail_is_zero(const dp_monitor *monitor)
{
    const unsigned char *const bytes = (const unsigned char *)monitor;

    for (size_t i = sizeof *monitor; i < monitor->size; i++)
        if (bytes[i])
            return 0;
    return 1;
}

int dpi_watch_open(dpi_watch *watch, const dp_monitor *monitor, dp_error *error)
{
    const dpi_place place = {.item = "monitor", .offset = -1};
    dpi_watch fresh = {.phase = "", .reported = NEVER};

    if (monitor) {
        if (monitor->size == 0)
            return dpi_fail_at(error, DP_E_ARGUMENT, &place, "dp_monitor.size is 0; set it to sizeof(dp_monitor)");
        if (monitor->size < sizeof *monitor || !tail_is_zero(monitor))
            return dpi_fail_at(error, DP_E_VERSION, &place,
                               "dp_monitor of %u bytes is not known here; this one has %zu", monitor->size,
                               sizeof *monitor);
        fresh.monitor = *monitor;
    }
    if (fresh.monitor.interval_ms == 0)
        fresh.monitor.interval_ms = INTERVAL_MS;
    fresh.began = dpi_now();
    *watch = fresh;
    return DP_OK;
}

void dpi_watch_begin(dpi_watch *watch, const char *phase, uint64_t total)
{
    if (!watch)
        return;
    watch->phase = phase;
    watch->done = 0;
    watch->total = total;
    watch->began = dpi_now();
}

static double time_left(const dpi_watch *watch, double elapsed)
{
    if (watch->total == 0 || watch->done == 0)
        return -1;
    if (watch->done >= watch->total)
        return 0;
    return elapsed * (double)(watch->total - watch->done) / (double)watch->done;
}

// Returns nonzero when the host asks to stop.
static int report(dpi_watch *watch, int last)
{
    const dp_monitor *const monitor = &watch->monitor;

    if (!monitor->progress)
        return 0;
    const double now = dpi_now();
    if (!last && now - watch->reported < monitor->interval_ms * 1e-3)
        return 0;
    watch->reported = now;
    const double elapsed = now - watch->began;
    const dp_progress progress = {.size = sizeof progress,
                                  .phase = watch->phase,
                                  .done = watch->done,
                                  .total = watch->total,
                                  .elapsed = elapsed,
                                  .left = time_left(watch, elapsed)};
    return monitor->progress(monitor->user, &progress) != 0;
}

int dpi_watch_advance(dpi_watch *watch, uint64_t units, dp_error *error)
{
    if (!watch)
        return DP_OK;
    const uint64_t before = watch->done;
    if (__builtin_add_overflow(before, units, &watch->done))
        watch->done = UINT64_MAX;
    const int32_t *const cancel = watch->monitor.cancel;
    if (cancel && __atomic_load_n(cancel, __ATOMIC_RELAXED))
        watch->stopped = 1;
    if (!watch->stopped) {
        const int last = before < watch->total && watch->done >= watch->total;
        watch->stopped = report(watch, last);
    }
    return watch->stopped ? dpi_fail(error, DP_E_CANCELLED, "cancelled by the host") : DP_OK;
}
