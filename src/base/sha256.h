// SHA-256, with the processor's instructions where it has them.
#ifndef DPI_BASE_SHA256_H
#define DPI_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct dpi_sha256 {
    uint32_t state[8];
    uint64_t bytes;
    unsigned char block[64];
    int32_t instructions; // 1: use the processor's, 0: do not, -1: ask when much is added at once
} dpi_sha256;

void dpi_sha256_begin(dpi_sha256 *hash);
void dpi_sha256_add(dpi_sha256 *hash, const void *bytes, size_t size);
void dpi_sha256_end(dpi_sha256 *hash, char text[65]); // 64 hexadecimal digits and the terminator

#endif
