// Unicode normalization form C, which Qwen2's tokenizer begins with.
#ifndef DPI_TEXT_NFC_H
#define DPI_TEXT_NFC_H

#include "base/monitor.h"
#include "base/text.h"

// 1 when a look at the bytes is enough to know that nothing would change.
int dpi_nfc_plain(const char *text, size_t size);
// Append valid UTF-8 in form C.  `watch` (NULL allowed) is looked at.
int dpi_nfc_add(const char *text, size_t size, dpi_text *out, dpi_watch *watch, dp_error *error);

#endif
