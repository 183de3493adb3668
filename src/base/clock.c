// Monotonic seconds, for watches and timings; never the wall clock.
#include "base/clock.h"

#include <time.h>

double dpi_now(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
