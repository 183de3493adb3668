// The public functions of tokenizer.h.
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "text/encode.h"
#include "text/tokenizer.h"

int dp_tokenizer_describe(const dp_tokenizer *tokenizer, dp_tokenizer_info *info, dp_error *error)
{
    if (!tokenizer || !info)
        return dpi_fail(error, DP_E_ARGUMENT, "tokenizer and info must not be NULL");
    const dp_tokenizer_info known = {
        .tokens = tokenizer->vocab.count,
        .bos = tokenizer->bos,
        .eos = tokenizer->eos,
        .unk = tokenizer->unk,
        .pad = tokenizer->pad,
        .adds_bos = tokenizer->adds_bos,
        .kind = tokenizer->kind == DPI_BYTE_LEVEL ? "byte-level-bpe" : "sentencepiece-bpe",
        .digest = tokenizer->digest,
    };
    return dpi_info_give(&known, sizeof known, info, error);
}

static int check_encode(const dp_tokenizer *tokenizer, const char *text, size_t bytes, uint32_t flags,
                        dp_error *error)
{
    if (!tokenizer || (!text && bytes))
        return dpi_fail(error, DP_E_ARGUMENT, "tokenizer and text must not be NULL");
    if (flags & ~(uint32_t)(DP_ENCODE_SPECIAL | DP_ENCODE_BOS))
        return dpi_fail(error, DP_E_ARGUMENT, "unknown encode flags 0x%x", (unsigned)flags);
    if (flags & DP_ENCODE_BOS && tokenizer->bos < 0)
        return dpi_fail(error, DP_E_ARGUMENT, "this tokenizer has no beginning-of-sequence id");
    return DP_OK;
}

static int encode(dpi_encoder *encoder, const char *text, size_t bytes, uint32_t flags, dp_error *error)
{
    const dp_tokenizer *const tokenizer = encoder->tokenizer;
    int rc = DP_OK;

    if (tokenizer->has_unused) {
        encoder->merger.splits =
            dpi_alloc(tokenizer->memory, (size_t)tokenizer->vocab.count, sizeof *encoder->merger.splits, error);
        rc = encoder->merger.splits ? DP_OK : DP_E_MEMORY;
    }
    if (!rc && flags & DP_ENCODE_BOS)
        rc = dpi_ids_add(tokenizer->memory, &encoder->ids, tokenizer->bos, error);
    if (!rc)
        rc = dpi_encode_text(encoder, text, bytes, error);
    dpi_cutter_close(&encoder->cutter);
    dpi_merger_close(&encoder->merger);
    dpi_free(tokenizer->memory, encoder->merger.splits);
    dpi_text_clear(&encoder->composed);
    dpi_text_clear(&encoder->normal);
    return rc;
}

int dpi_tokenizer_ids(const dp_tokenizer *tokenizer, const char *text, size_t bytes, uint32_t flags,
                      dpi_watch *watch, int32_t **ids, size_t *count, dp_error *error)
{
    int rc = check_encode(tokenizer, text, bytes, flags, error);

    if (rc)
        return rc;
    dpi_encoder encoder = {.tokenizer = tokenizer,
                           .watch = watch,
                           .literal = !(flags & DP_ENCODE_SPECIAL),
                           .composed = {.memory = tokenizer->memory},
                           .normal = {.memory = tokenizer->memory},
                           .merger = {.memory = tokenizer->memory,
                                      .vocab = &tokenizer->vocab,
                                      .watch = watch,
                                      .merges = tokenizer->merges.memory ? &tokenizer->merges : NULL}};
    rc = encode(&encoder, text ? text : "", bytes, flags, error);
    if (!rc && !encoder.ids.data)
        encoder.ids.data = dpi_alloc(tokenizer->memory, 1, sizeof *encoder.ids.data, error);
    if (!rc && !encoder.ids.data)
        rc = DP_E_MEMORY;
    if (rc) {
        dpi_free(tokenizer->memory, encoder.ids.data);
        return dpi_tokenizer_blame(rc, tokenizer->name, error);
    }
    *ids = encoder.ids.data;
    *count = encoder.ids.count;
    return DP_OK;
}

void dpi_tokenizer_drop_ids(const dp_tokenizer *tokenizer, int32_t *ids)
{
    dpi_free(tokenizer->memory, ids);
}

int dp_tokenizer_encode(const dp_tokenizer *tokenizer, const char *text, size_t bytes, uint32_t flags, int32_t *ids,
                        size_t capacity, size_t *needed, dp_error *error)
{
    int32_t *all = NULL;
    size_t count = 0;

    if (!ids && capacity)
        return dpi_fail(error, DP_E_ARGUMENT, "ids must not be NULL when capacity is %zu", capacity);
    const int rc = dpi_tokenizer_ids(tokenizer, text, bytes, flags, NULL, &all, &count, error);
    if (rc)
        return rc;
    if (count && capacity)
        memcpy(ids, all, (count < capacity ? count : capacity) * sizeof *ids);
    if (needed)
        *needed = count;
    dpi_free(tokenizer->memory, all);
    return DP_OK;
}

int dp_tokenizer_decode(const dp_tokenizer *tokenizer, const int32_t *ids, size_t count, uint32_t flags, char *text,
                        size_t capacity, size_t *needed, dp_error *error)
{
    if (!tokenizer || (!ids && count) || (!text && capacity))
        return dpi_fail(error, DP_E_ARGUMENT, "tokenizer, ids and text must not be NULL");
    if (flags & ~(uint32_t)DP_DECODE_SPECIAL)
        return dpi_fail(error, DP_E_ARGUMENT, "unknown decode flags 0x%x", (unsigned)flags);
    dpi_text out = {.memory = tokenizer->memory};
    const int rc = dpi_decode_ids(tokenizer, ids, count, (flags & DP_DECODE_SPECIAL) != 0, &out, error);
    if (!rc) {
        const size_t size = out.size < capacity ? out.size : capacity;
        if (size)
            memcpy(text, out.data, size);
        if (needed)
            *needed = out.size;
    }
    dpi_text_clear(&out);
    return rc;
}

void dp_tokenizer_free(dp_tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    dp_context *const context = tokenizer->context;
    dpi_memory *const memory = tokenizer->memory;
    dpi_vocab_close(&tokenizer->vocab);
    dpi_merges_close(&tokenizer->merges);
    if (tokenizer->splitter.memory)
        dpi_splitter_close(&tokenizer->splitter);
    dpi_free(memory, tokenizer->added_list);
    dpi_added_close(&tokenizer->added);
    dpi_added_close(&tokenizer->normalized);
    dpi_added_close(&tokenizer->pieces);
    dpi_free(memory, tokenizer->chat_template);
    dpi_free(memory, tokenizer->name);
    dpi_free(memory, tokenizer);
    dpi_context_drop(context);
}
