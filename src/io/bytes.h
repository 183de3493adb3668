// Little-endian numbers at any address.
#ifndef DPI_IO_BYTES_H
#define DPI_IO_BYTES_H

#include <stdint.h>

static inline uint64_t dpi_le_read(const unsigned char *at, int bytes)
{
    uint64_t value = 0;

    for (int i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static inline void dpi_le_write(unsigned char *at, int bytes, uint64_t value)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

#endif
