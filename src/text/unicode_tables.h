// Unicode's tables of canonical composition, and what is part of a word.
#ifndef DPI_TEXT_UNICODE_TABLES_H
#define DPI_TEXT_UNICODE_TABLES_H

#include <stdint.h>

enum { DPI_NFC_PAIRS = 1026, DPI_NFC_ORDER = 941, DPI_NFC_SINGLES = 1035, DPI_NFC_CLASSES = 382, DPI_WORD_RANGES = 759 };

extern const uint32_t dpi_nfc_pairs[DPI_NFC_PAIRS * 3];     // a code point and the two it is taken apart into
extern const uint16_t dpi_nfc_order[DPI_NFC_ORDER];         // pairs that compose, by their two parts
extern const uint32_t dpi_nfc_singles[DPI_NFC_SINGLES * 2]; // a code point and the one it stands for
extern const uint32_t dpi_nfc_classes[DPI_NFC_CLASSES * 3]; // first, last, combining class
extern const uint32_t dpi_word_ranges[DPI_WORD_RANGES * 2]; // first, last

#endif
