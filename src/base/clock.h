// Monotonic seconds.
#ifndef DPI_BASE_CLOCK_H
#define DPI_BASE_CLOCK_H

double dpi_now(void);

#endif
