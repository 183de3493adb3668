// What the targets of tokenizers share: a tokenizer that opened must encode, decode, and stand in the other format.
#ifndef TEST_FUZZ_TOKENIZERS_H
#define TEST_FUZZ_TOKENIZERS_H

#include "io/gguf.h"
#include "test/fuzz/fuzz.h"
#include "text/export.h"
#include "text/export_parts.h"

// A text with letters, spaces, digits, breaks, a character of three bytes, and broken UTF-8.
static const char FUZZ_TEXT[] = "Hello  world's 12\n\n<s> \xe2\x96\x81 ab\xff\xc3\xa9 </s><pad>\t ";

// Ids of the text are ids of the vocabulary; *ids is freed with free().  None where a split pattern of the file
// takes too many steps.
static inline size_t fuzz_encode(const dp_tokenizer *tokenizer, const char *text, size_t size, uint32_t flags,
                                 int32_t **ids)
{
    size_t count = 0, again = 0;

    const int rc = dp_tokenizer_encode(tokenizer, text, size, flags, NULL, 0, &count, NULL);
    require(rc == DP_OK || (rc == DP_E_FORMAT && tokenizer->splitter.count > 0));
    *ids = malloc((count + 1) * sizeof **ids);
    require(*ids != NULL);
    require(rc || dp_tokenizer_encode(tokenizer, text, size, flags, *ids, count, &again, NULL) == DP_OK);
    require(again == count);
    for (size_t i = 0; i < count; i++)
        require((*ids)[i] >= 0 && (*ids)[i] < tokenizer->vocab.count);
    return count;
}

// The text of ids; *text is freed with free().
static inline size_t fuzz_decode(const dp_tokenizer *tokenizer, const int32_t *ids, size_t count, uint32_t flags,
                                 char **text)
{
    size_t size = 0, again = 0;

    require(dp_tokenizer_decode(tokenizer, ids, count, flags, NULL, 0, &size, NULL) == DP_OK);
    *text = malloc(size + 1);
    require(*text != NULL);
    require(dp_tokenizer_decode(tokenizer, ids, count, flags, *text, size, &again, NULL) == DP_OK && again == size);
    return size;
}

static inline int fuzz_is_text(const char *bytes, size_t size)
{
    uint32_t point = 0;

    for (size_t at = 0, step; at < size; at += step)
        if (!(step = dpi_utf8_decode(bytes + at, size - at, &point)))
            return 0;
    return 1;
}

static inline void fuzz_export(const dp_tokenizer *tokenizer)
{
    dpi_memory *const memory = &fuzz_context()->memory;
    dpi_text out = {.memory = memory};
    dpi_gguf_out *keys = NULL;
    dp_error error = {.code = DP_OK};
    json_t *root = NULL;

    require(dpi_gguf_out_open(&keys, memory, 32, NULL) == DP_OK);
    const int rc = dpi_tokenizer_to_gguf(tokenizer, tokenizer->vocab.count, keys, &error);
    require(!rc || (rc == error.code && rc != DP_E_MEMORY && error.message[0]));
    dpi_gguf_out_free(keys);
    require(dpi_export_config(tokenizer, 1, &out, NULL) == DP_OK);
    require(dpi_json_parse(&root, out.data, out.size, "fuzz", NULL) == DP_OK);
    json_decref(root);
    dpi_text_clear(&out);
}

static inline void fuzz_use(const dp_tokenizer *tokenizer)
{
    const dp_tokenizer_info wanted = {.size = sizeof wanted};
    dp_tokenizer_info info = wanted;
    int32_t *ids = NULL;
    char *text = NULL;

    require(dp_tokenizer_describe(tokenizer, &info, NULL) == DP_OK && info.tokens == tokenizer->vocab.count);
    require(info.bos < info.tokens && info.eos < info.tokens && info.unk < info.tokens && info.pad < info.tokens);
    for (uint32_t flags = 0; flags <= DP_ENCODE_SPECIAL; flags++) {
        const size_t count = fuzz_encode(tokenizer, FUZZ_TEXT, sizeof FUZZ_TEXT - 1, flags, &ids);
        fuzz_decode(tokenizer, ids, count, flags, &text);
        free(ids);
        free(text);
    }
    fuzz_export(tokenizer);
}

// Open what stands at `path`; the tokenizer, or NULL after a failure that is as it should be.
static inline dp_tokenizer *fuzz_tokenizer(const char *path)
{
    dp_tokenizer *tokenizer = NULL;
    dp_error error = {.code = DP_OK};
    const int rc = dp_tokenizer_open(fuzz_context(), path, &tokenizer, &error);

    if (rc) {
        require(tokenizer == NULL);
        fuzz_failed(rc, &error);
    }
    return tokenizer;
}

#endif
