// Parts of the exports.
#ifndef DPI_TEXT_EXPORT_PARTS_H
#define DPI_TEXT_EXPORT_PARTS_H

#include "io/json.h"
#include "text/tokenizer.h"

// Rules that merge as the scores of a SentencePiece model do.  *same = 0 when there are none: two pieces score
// alike, or the model does something besides that rules cannot say.
int dpi_export_rules(const dp_tokenizer *tokenizer, dpi_merges *rules, int *same, dp_error *error);
// The whole of tokenizer.json.
int dpi_export_json(const dp_tokenizer *tokenizer, const dpi_merges *rules, dpi_text *out, dp_error *error);
// tokenizer_config.json.
int dpi_export_config(const dp_tokenizer *tokenizer, int has_json, dpi_text *out, dp_error *error);
// tokenizer.model as bytes.
int dpi_export_spm(const dp_tokenizer *tokenizer, dpi_text *out, dp_error *error);

// JSON text as it is written: the first failure stays, what follows it does nothing.
typedef struct dpi_page {
    dpi_text *out;
    dp_error *error;
    int rc;
} dpi_page;

void dpi_page_put(dpi_page *page, const char *json);
void dpi_page_quote(dpi_page *page, const char *text, size_t size);
void dpi_page_token(dpi_page *page, const dp_tokenizer *tokenizer, int32_t id); // its text, quoted
void dpi_page_number(dpi_page *page, int32_t number);
void dpi_page_flag(dpi_page *page, int flag);

#endif
