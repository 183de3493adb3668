// Byte-level BPE: each word of the splitter, byte by byte, merged by rule.
#include "base/error.h"
#include "text/bytemap.h"
#include "text/tokenizer.h"

enum { LOOK = 1 << 12 }; // words between two looks at the watch

// The word as the vocabulary writes it.
static int stand_ins(const char *word, size_t size, dpi_text *out, dp_error *error)
{
    char utf8[4];
    int rc = DP_OK;

    out->size = 0;
    for (size_t i = 0; !rc && i < size; i++) {
        const size_t length = dpi_utf8_encode(dpi_byte_point((unsigned char)word[i]), utf8);
        rc = dpi_text_add(out, utf8, length, error);
    }
    return rc;
}

static int whole_word(dpi_encoder *encoder, const char *word, size_t size, int32_t *id, dp_error *error)
{
    const int rc = stand_ins(word, size, &encoder->normal, error);

    *id = rc ? -1 : dpi_vocab_find(&encoder->tokenizer->vocab, encoder->normal.data, encoder->normal.size);
    return rc;
}

static int merged_word(dpi_encoder *encoder, const char *word, size_t size, dp_error *error)
{
    const dp_tokenizer *const tokenizer = encoder->tokenizer;
    dpi_merger *const merger = &encoder->merger;
    int rc = dpi_merger_begin(merger, word, size, error);

    if (rc)
        return rc;
    for (size_t i = 0; i < size; i++) {
        const int32_t id = tokenizer->byte_ids[(unsigned char)word[i]];
        if (id >= 0 || tokenizer->unknown >= 0)
            dpi_merger_add(merger, i, 1, id >= 0 ? id : tokenizer->unknown, 0);
    }
    rc = dpi_merger_run(merger, error);
    for (size_t i = 0; !rc && i < merger->count; i++)
        if (merger->symbols[i].size)
            rc = dpi_ids_add(tokenizer->memory, &encoder->ids, merger->symbols[i].id, error);
    return rc;
}

static int encode_word(dpi_encoder *encoder, const char *word, size_t size, dp_error *error)
{
    int32_t id = -1;

    if (size == 1 && (id = encoder->tokenizer->byte_ids[(unsigned char)*word]) >= 0)
        return dpi_ids_add(encoder->tokenizer->memory, &encoder->ids, id, error);
    if (encoder->tokenizer->ignore_merges) {
        const int rc = whole_word(encoder, word, size, &id, error);
        if (rc || id >= 0)
            return rc ? rc : dpi_ids_add(encoder->tokenizer->memory, &encoder->ids, id, error);
    }
    return merged_word(encoder, word, size, error);
}

int dpi_encode_bytes(dpi_encoder *encoder, const char *text, size_t size, dp_error *error)
{
    dpi_cutter *const cutter = &encoder->cutter;
    int rc =
        cutter->splitter ? DP_OK : dpi_cutter_open(cutter, &encoder->tokenizer->splitter, encoder->watch, error);

    if (!rc)
        rc = dpi_cutter_run(cutter, text, size, error);
    for (size_t i = 0; !rc && i < cutter->spans.count; i++) {
        const dpi_span span = cutter->spans.data[i];
        rc = encode_word(encoder, text + span.begin, span.end - span.begin, error);
        if (!rc && i % LOOK == 0)
            rc = dpi_watch_advance(encoder->watch, 0, error);
    }
    return rc;
}
