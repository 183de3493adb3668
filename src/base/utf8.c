// UTF-8 as Unicode defines it: shortest forms only, no surrogates, nothing above U+10FFFF.
#include "base/text.h"

size_t dpi_utf8_decode(const char *bytes, size_t size, uint32_t *point)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *const byte = (const unsigned char *)bytes;
    const size_t length = byte[0] < 0x80             ? 1
                          : (byte[0] & 0xE0) == 0xC0 ? 2
                          : (byte[0] & 0xF0) == 0xE0 ? 3
                          : (byte[0] & 0xF8) == 0xF0 ? 4
                                                     : 0;

    if (!length || length > size)
        return 0;
    if (length == 1) {
        *point = byte[0];
        return 1;
    }
    uint32_t value = byte[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (byte[i] & 0x3Fu);
    }
    if (value < least[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *point = value;
    return length;
}

size_t dpi_utf8_encode(uint32_t point, char out[4])
{
    static const unsigned char mark[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    const size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

    if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return 0;
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    out[0] = (char)(mark[length] | point);
    return length;
}
