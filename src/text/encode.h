// Encoding for the rooms above: ids in memory of the tokenizer's context, and a watch that can stop it.
#ifndef DPI_TEXT_ENCODE_H
#define DPI_TEXT_ENCODE_H

#include <depthprune/tokenizer.h>

#include "base/monitor.h"

// As dp_tokenizer_encode.  *ids is new, never NULL, and has *count ids; dpi_tokenizer_drop_ids frees it.
// `watch` (NULL allowed) is looked at while it works; its units are not advanced.
int dpi_tokenizer_ids(const dp_tokenizer *tokenizer, const char *text, size_t bytes, uint32_t flags,
                      dpi_watch *watch, int32_t **ids, size_t *count, dp_error *error);
void dpi_tokenizer_drop_ids(const dp_tokenizer *tokenizer, int32_t *ids);

#endif
