// GPT-2's printable stand-in for each byte: 188 bytes stand for themselves, the other 68 follow from U+0100 on.
#ifndef DPI_TEXT_BYTEMAP_H
#define DPI_TEXT_BYTEMAP_H

#include <stdint.h>

static inline uint32_t dpi_byte_point(unsigned char byte)
{
    if (byte <= 0x20)
        return 0x100u + byte;
    if (byte >= 0x7f && byte <= 0xa0)
        return 0x121u + (byte - 0x7fu);
    return byte == 0xad ? 0x143u : byte;
}

// The byte that a code point stands for, or -1.
static inline int dpi_point_byte(uint32_t point)
{
    if (point >= 0x100)
        return point <= 0x120   ? (int)(point - 0x100)
               : point <= 0x142 ? (int)(point - 0x121 + 0x7f)
               : point == 0x143 ? 0xad
                                : -1;
    return point <= 0x20 || (point >= 0x7f && point <= 0xa0) || point == 0xad ? -1 : (int)point;
}

#endif
