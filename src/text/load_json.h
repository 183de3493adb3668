// tokenizer.json in two parts: what happens around the model, and the model with the added tokens.
#ifndef DPI_TEXT_LOAD_JSON_H
#define DPI_TEXT_LOAD_JSON_H

#include "io/json.h"
#include "text/tokenizer.h"

// normalizer and pre_tokenizer: the kind of the tokenizer, its splitter, its prefix.
int dpi_json_rules(dp_tokenizer *tokenizer, const json_t *root, dp_error *error);
// post_processor: whether a BOS id is put in front, and which (needs nothing but the file).
int dpi_json_template(dp_tokenizer *tokenizer, const json_t *root, dp_error *error);
// A failure at a key of the tokenizer's file.
int dpi_json_refuse(const dp_tokenizer *tokenizer, int code, const char *key, const char *fact, const char *value,
                    dp_error *error);

#endif
