// JSON written piece by piece.
#include <string.h>

#include "text/export_parts.h"

void dpi_page_put(dpi_page *page, const char *json)
{
    if (!page->rc)
        page->rc = dpi_text_add(page->out, json, strlen(json), page->error);
}

void dpi_page_quote(dpi_page *page, const char *text, size_t size)
{
    if (!page->rc)
        page->rc = dpi_json_quote(page->out, text, size, page->error);
}

void dpi_page_token(dpi_page *page, const dp_tokenizer *tokenizer, int32_t id)
{
    dpi_page_quote(page, dpi_vocab_text(&tokenizer->vocab, id), tokenizer->vocab.tokens[id].size);
}

void dpi_page_number(dpi_page *page, int32_t number)
{
    char digits[12];
    size_t at = sizeof digits;
    uint32_t rest = number < 0 ? 0u - (uint32_t)number : (uint32_t)number;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0)
        digits[--at] = '-';
    if (!page->rc)
        page->rc = dpi_text_add(page->out, digits + at, sizeof digits - at, page->error);
}

void dpi_page_flag(dpi_page *page, int flag)
{
    dpi_page_put(page, flag ? "true" : "false");
}
