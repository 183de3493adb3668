// tokenizer.json as Hugging Face's tokenizers read it.
#include <string.h>

#include "text/export_parts.h"

static void put_added(dpi_page *page, const dp_tokenizer *tokenizer)
{
    const char *comma = "\n";

    dpi_page_put(page, "  \"added_tokens\": [");
    for (int32_t id = 0; id < tokenizer->vocab.count; id++) {
        const dpi_added_token *const token = dpi_tokenizer_added(tokenizer, id);
        if (!token)
            continue;
        dpi_page_put(page, comma);
        dpi_page_put(page, "    {\"id\": ");
        dpi_page_number(page, id);
        dpi_page_put(page, ", \"content\": ");
        dpi_page_token(page, tokenizer, id);
        dpi_page_put(page, ", \"single_word\": ");
        dpi_page_flag(page, (token->flags & DPI_ADDED_WORD) != 0);
        dpi_page_put(page, ", \"lstrip\": ");
        dpi_page_flag(page, (token->flags & DPI_ADDED_LSTRIP) != 0);
        dpi_page_put(page, ", \"rstrip\": ");
        dpi_page_flag(page, (token->flags & DPI_ADDED_RSTRIP) != 0);
        dpi_page_put(page, ", \"normalized\": ");
        dpi_page_flag(page, token->normalized);
        dpi_page_put(page, ", \"special\": ");
        dpi_page_flag(page, (token->flags & DPI_ADDED_SPECIAL) != 0);
        dpi_page_put(page, "}");
        comma = ",\n";
    }
    dpi_page_put(page, "\n  ],\n");
}

static void put_normalizer(dpi_page *page, const dp_tokenizer *tokenizer)
{
    static const char replace[] =
        "{\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"" DPI_SPACE "\"}";

    dpi_page_put(page, "  \"normalizer\": ");
    if (tokenizer->composes) {
        dpi_page_put(page, "{\"type\": \"NFC\"}");
    } else if (tokenizer->kind == DPI_BYTE_LEVEL || tokenizer->late) {
        dpi_page_put(page, "null");
    } else if (tokenizer->prefix == DPI_PREFIX_ALWAYS) {
        dpi_page_put(page,
                     "{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Prepend\", \"prepend\": \"" DPI_SPACE
                     "\"}, ");
        dpi_page_put(page, replace);
        dpi_page_put(page, "]}");
    } else {
        dpi_page_put(page, replace);
    }
    dpi_page_put(page, ",\n");
}

static void put_step(dpi_page *page, const dpi_step *step)
{
    if (step->kind == DPI_STEP_DIGIT || step->kind == DPI_STEP_DIGITS) {
        dpi_page_put(page, "{\"type\": \"Digits\", \"individual_digits\": ");
        dpi_page_flag(page, step->kind == DPI_STEP_DIGIT);
        dpi_page_put(page, "}, ");
        return;
    }
    dpi_page_put(page, "{\"type\": \"Split\", \"pattern\": {");
    dpi_page_put(page, step->kind == DPI_STEP_REGEX ? "\"Regex\": " : "\"String\": ");
    dpi_page_quote(page, step->pattern, strlen(step->pattern));
    dpi_page_put(page, "}, \"behavior\": \"Isolated\", \"invert\": false}, ");
}

static void put_metaspace(dpi_page *page, const dp_tokenizer *tokenizer)
{
    static const char *const schemes[] = {[DPI_PREFIX_NEVER] = "never",
                                          [DPI_PREFIX_ALWAYS] = "always",
                                          [DPI_PREFIX_MISSING] = "always",
                                          [DPI_PREFIX_FIRST] = "first"};

    if (!tokenizer->late) {
        dpi_page_put(page, "null,\n");
        return;
    }
    dpi_page_put(page, "{\"type\": \"Metaspace\", \"replacement\": \"" DPI_SPACE "\", \"prepend_scheme\": \"");
    dpi_page_put(page, schemes[tokenizer->prefix]);
    dpi_page_put(page, "\", \"split\": false},\n");
}

static void put_pre_tokenizer(dpi_page *page, const dp_tokenizer *tokenizer)
{
    const dpi_splitter *const splitter = &tokenizer->splitter;
    int regex = 0;

    dpi_page_put(page, "  \"pre_tokenizer\": ");
    if (tokenizer->kind == DPI_SENTENCEPIECE) {
        put_metaspace(page, tokenizer);
        return;
    }
    dpi_page_put(page, "{\"type\": \"Sequence\", \"pretokenizers\": [");
    for (size_t i = 0; i < splitter->count; i++) {
        if (splitter->steps[i].kind == DPI_STEP_GPT2)
            regex = 1; // said by ByteLevel, the last one
        else
            put_step(page, &splitter->steps[i]);
    }
    dpi_page_put(page,
                 "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": ");
    dpi_page_flag(page, regex);
    dpi_page_put(page, "}]},\n");
}

// BOS in front of a text, where the model's convention has it.
static void put_post_processor(dpi_page *page, const dp_tokenizer *tokenizer)
{
    static const char *const parts[] = {"\"single\": [",
                                        "0}}, {\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}], \"pair\": [",
                                        "0}}, {\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}, ",
                                        "1}}, {\"Sequence\": {\"id\": \"B\", \"type_id\": 1}}], "};

    dpi_page_put(page, "  \"post_processor\": ");
    if (!tokenizer->adds_bos) {
        dpi_page_put(page, "null,\n");
        return;
    }
    dpi_page_put(page, "{\"type\": \"TemplateProcessing\", ");
    for (int i = 0; i < 3; i++) {
        dpi_page_put(page, parts[i]);
        dpi_page_put(page, "{\"SpecialToken\": {\"id\": ");
        dpi_page_token(page, tokenizer, tokenizer->bos);
        dpi_page_put(page, ", \"type_id\": ");
    }
    dpi_page_put(page, parts[3]);
    dpi_page_put(page, "\"special_tokens\": {");
    dpi_page_token(page, tokenizer, tokenizer->bos);
    dpi_page_put(page, ": {\"id\": ");
    dpi_page_token(page, tokenizer, tokenizer->bos);
    dpi_page_put(page, ", \"ids\": [");
    dpi_page_number(page, tokenizer->bos);
    dpi_page_put(page, "], \"tokens\": [");
    dpi_page_token(page, tokenizer, tokenizer->bos);
    dpi_page_put(page, "]}}},\n");
}

static void put_decoder(dpi_page *page, const dp_tokenizer *tokenizer)
{
    dpi_page_put(page, "  \"decoder\": ");
    if (tokenizer->kind == DPI_BYTE_LEVEL) {
        dpi_page_put(page, "{\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true, "
                           "\"use_regex\": true},\n");
        return;
    }
    dpi_page_put(
        page,
        "{\"type\": \"Sequence\", \"decoders\": [{\"type\": \"Replace\", \"pattern\": {\"String\": \"" DPI_SPACE
        "\"}, \"content\": \" \"}, {\"type\": \"ByteFallback\"}, {\"type\": \"Fuse\"}");
    if (tokenizer->strips)
        dpi_page_put(page, ", {\"type\": \"Strip\", \"content\": \" \", \"start\": 1, \"stop\": 0}");
    dpi_page_put(page, "]},\n");
}

static void put_vocab(dpi_page *page, const dp_tokenizer *tokenizer)
{
    const char *comma = "\n";

    dpi_page_put(page, "    \"vocab\": {");
    for (int32_t id = 0; id < tokenizer->vocab.count && !page->rc; id++) {
        if (tokenizer->vocab.tokens[id].kind == DPI_TOKEN_NONE)
            continue;
        dpi_page_put(page, comma);
        dpi_page_put(page, "      ");
        dpi_page_token(page, tokenizer, id);
        dpi_page_put(page, ": ");
        dpi_page_number(page, id);
        comma = ",\n";
    }
    dpi_page_put(page, "\n    },\n");
}

static void put_model(dpi_page *page, const dp_tokenizer *tokenizer, const dpi_merges *rules)
{
    dpi_page_put(page, "  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": ");
    if (tokenizer->unknown >= 0)
        dpi_page_token(page, tokenizer, tokenizer->unknown);
    else
        dpi_page_put(page, "null");
    dpi_page_put(
        page, ",\n    \"continuing_subword_prefix\": null,\n    \"end_of_word_suffix\": null,\n    \"fuse_unk\": ");
    dpi_page_flag(page, tokenizer->fuse_unknown);
    dpi_page_put(page, ",\n    \"byte_fallback\": ");
    dpi_page_flag(page, tokenizer->byte_fallback);
    dpi_page_put(page, ",\n    \"ignore_merges\": ");
    dpi_page_flag(page, tokenizer->ignore_merges);
    dpi_page_put(page, ",\n");
    put_vocab(page, tokenizer);
    dpi_page_put(page, "    \"merges\": [");
    for (size_t i = 0; i < rules->count && !page->rc; i++) {
        dpi_page_put(page, i ? ",\n      [" : "\n      [");
        dpi_page_token(page, tokenizer, rules->rules[i].left);
        dpi_page_put(page, ", ");
        dpi_page_token(page, tokenizer, rules->rules[i].right);
        dpi_page_put(page, "]");
    }
    dpi_page_put(page, "\n    ]\n  }\n");
}

int dpi_export_json(const dp_tokenizer *tokenizer, const dpi_merges *rules, dpi_text *out, dp_error *error)
{
    dpi_page page = {.out = out, .error = error};

    dpi_page_put(&page, "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n");
    put_added(&page, tokenizer);
    put_normalizer(&page, tokenizer);
    put_pre_tokenizer(&page, tokenizer);
    put_post_processor(&page, tokenizer);
    put_decoder(&page, tokenizer);
    put_model(&page, tokenizer, rules);
    dpi_page_put(&page, "}\n");
    return page.rc;
}
