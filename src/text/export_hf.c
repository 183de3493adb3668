// The tokenizer's files of a Hugging Face directory.
#include "text/export.h"

#include <string.h>

#include "base/error.h"
#include "text/export_parts.h"

static void put_member(dpi_page *page, const dp_tokenizer *tokenizer, const char *key, int32_t id)
{
    dpi_page_put(page, ",\n  \"");
    dpi_page_put(page, key);
    dpi_page_put(page, "\": ");
    if (id < 0)
        dpi_page_put(page, "null");
    else
        dpi_page_token(page, tokenizer, id);
}

int dpi_export_config(const dp_tokenizer *tokenizer, int has_json, dpi_text *out, dp_error *error)
{
    dpi_page page = {.out = out, .error = error};

    dpi_page_put(&page, "{\n  \"add_bos_token\": ");
    dpi_page_flag(&page, tokenizer->adds_bos);
    dpi_page_put(&page, ",\n  \"add_eos_token\": false");
    put_member(&page, tokenizer, "bos_token", tokenizer->bos);
    put_member(&page, tokenizer, "eos_token", tokenizer->eos);
    put_member(&page, tokenizer, "unk_token", tokenizer->unk);
    put_member(&page, tokenizer, "pad_token", tokenizer->pad);
    dpi_page_put(&page, ",\n  \"clean_up_tokenization_spaces\": false,\n  \"tokenizer_class\": ");
    dpi_page_put(&page, has_json ? "\"PreTrainedTokenizerFast\"" : "\"LlamaTokenizer\",\n  \"legacy\": true");
    if (tokenizer->chat_template) {
        dpi_page_put(&page, ",\n  \"chat_template\": ");
        dpi_page_quote(&page, tokenizer->chat_template, strlen(tokenizer->chat_template));
    }
    dpi_page_put(&page, "\n}\n");
    return page.rc;
}

static int write_file(dpi_stage *stage, const char *name, const dpi_text *text, dp_error *error)
{
    dpi_writer *writer = NULL;
    int rc = dpi_stage_file(stage, name, &writer, error);

    if (rc)
        return rc;
    rc = dpi_writer_add(writer, text->data, text->size, error);
    if (rc) {
        dpi_writer_abandon(writer);
        return rc;
    }
    return dpi_writer_end(writer, error);
}

static int write_json(const dp_tokenizer *tokenizer, const dpi_merges *rules, dpi_stage *stage, dp_error *error)
{
    dpi_text text = {.memory = tokenizer->memory};
    int rc = dpi_export_json(tokenizer, rules, &text, error);

    if (!rc)
        rc = write_file(stage, "tokenizer.json", &text, error);
    dpi_text_clear(&text);
    return rc;
}

// A SentencePiece model with scores: rules where they say the same, and the model itself.
static int write_scored(const dp_tokenizer *tokenizer, dpi_stage *stage, int *has_json, dp_error *error)
{
    dpi_text text = {.memory = tokenizer->memory};
    dpi_merges rules = {0};
    int rc = dpi_export_rules(tokenizer, &rules, has_json, error);

    if (!rc && *has_json)
        rc = write_json(tokenizer, &rules, stage, error);
    dpi_merges_close(&rules);
    if (!rc)
        rc = dpi_export_spm(tokenizer, &text, error);
    if (!rc)
        rc = write_file(stage, "tokenizer.model", &text, error);
    dpi_text_clear(&text);
    return rc;
}

int dpi_tokenizer_to_hf(const dp_tokenizer *tokenizer, dpi_stage *stage, dp_error *error)
{
    dpi_text text = {.memory = tokenizer->memory};
    int has_json = 1;
    int rc = tokenizer->merges.memory ? write_json(tokenizer, &tokenizer->merges, stage, error)
                                      : write_scored(tokenizer, stage, &has_json, error);

    if (!rc)
        rc = dpi_export_config(tokenizer, has_json, &text, error);
    if (!rc)
        rc = write_file(stage, "tokenizer_config.json", &text, error);
    dpi_text_clear(&text);
    return rc;
}
