// Python's generator (MT19937), as random.Random(seed) of CPython draws.
#ifndef DPI_BASE_RANDOM_H
#define DPI_BASE_RANDOM_H

#include <stdint.h>

typedef struct dpi_random {
    uint32_t state[624];
    int next;
} dpi_random;

void dpi_random_seed(dpi_random *random, uint64_t seed);
uint32_t dpi_random_bits(dpi_random *random); // the next 32-bit output
// randint: both ends inclusive, first <= last, and not all 2^64 numbers.
int64_t dpi_random_between(dpi_random *random, int64_t first, int64_t last);

#endif
