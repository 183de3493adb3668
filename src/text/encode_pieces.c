// SentencePiece BPE: spaces become U+2581, characters merge into pieces, what is no piece becomes bytes.
#include <string.h>

#include "base/error.h"
#include "text/tokenizer.h"

enum { LOOK = 1 << 12 }; // words between two looks at the watch

static int begins_with_space(const char *text, size_t size)
{
    return size && (*text == ' ' || (size >= DPI_SPACE_SIZE && !memcmp(text, DPI_SPACE, DPI_SPACE_SIZE)));
}

static int wants_prefix(const dp_tokenizer *tokenizer, const char *text, size_t size, int first)
{
    if (tokenizer->prefix == DPI_PREFIX_ALWAYS)
        return 1;
    return (tokenizer->prefix == DPI_PREFIX_MISSING || (tokenizer->prefix == DPI_PREFIX_FIRST && first)) &&
           !begins_with_space(text, size);
}

// Copy with each space, or with `squeeze` each run of spaces, as one U+2581.
static int copy_spaced(const char *text, size_t size, int squeeze, dpi_text *out, dp_error *error)
{
    int rc = DP_OK;

    for (size_t at = 0; !rc && at < size;) {
        const char *const space = memchr(text + at, ' ', size - at);
        const size_t end = space ? (size_t)(space - text) : size;
        rc = dpi_text_add(out, text + at, end - at, error);
        at = end;
        if (rc || at == size)
            break;
        rc = dpi_text_add(out, DPI_SPACE, DPI_SPACE_SIZE, error);
        for (at++; squeeze && at < size && text[at] == ' ';)
            at++;
    }
    return rc;
}

int dpi_normalise(const dp_tokenizer *tokenizer, const char *text, size_t size, int first, dpi_text *out,
                  dp_error *error)
{
    int rc = DP_OK;

    for (; tokenizer->squeeze && size && *text == ' '; size--)
        text++;
    if (!size)
        return DP_OK;
    if (wants_prefix(tokenizer, text, size, first))
        rc = dpi_text_add(out, DPI_SPACE, DPI_SPACE_SIZE, error);
    if (!rc)
        rc = copy_spaced(text, size, tokenizer->squeeze, out, error);
    while (!rc && tokenizer->squeeze && out->size >= DPI_SPACE_SIZE &&
           !memcmp(out->data + out->size - DPI_SPACE_SIZE, DPI_SPACE, DPI_SPACE_SIZE))
        out->size -= DPI_SPACE_SIZE;
    return rc;
}

static size_t point_size(unsigned char lead)
{
    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static int has_bytes(const dp_tokenizer *tokenizer, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (tokenizer->byte_ids[(unsigned char)text[i]] < 0)
            return 0;
    return tokenizer->byte_fallback;
}

// Symbols for merging by rule carry ids from the start: a character's, its bytes', or the unknown one.
static void add_character(dpi_encoder *encoder, const char *text, size_t at, size_t size)
{
    const dp_tokenizer *const tokenizer = encoder->tokenizer;
    const int32_t id = dpi_vocab_find(&tokenizer->vocab, text + at, size);

    if (id < 0 && has_bytes(tokenizer, text + at, size)) {
        for (size_t i = 0; i < size; i++)
            dpi_merger_add(&encoder->merger, at + i, 1, tokenizer->byte_ids[(unsigned char)text[at + i]], 0);
        return;
    }
    if (id >= 0 || tokenizer->unknown >= 0)
        dpi_merger_add(&encoder->merger, at, size, id >= 0 ? id : tokenizer->unknown, 0);
}

static void add_symbols(dpi_encoder *encoder, const char *text, size_t size)
{
    const dp_tokenizer *const tokenizer = encoder->tokenizer;
    dpi_match match;
    unsigned flags = 0;

    for (size_t at = 0; at < size;) {
        const size_t length = point_size((unsigned char)text[at]);
        if (tokenizer->pieces.count && dpi_added_at(&tokenizer->pieces, text, size, at, &match, &flags)) {
            dpi_merger_add(&encoder->merger, at, match.end - at, match.id, 1);
            at = match.end;
            continue;
        }
        if (tokenizer->merges.memory)
            add_character(encoder, text, at, length);
        else
            dpi_merger_add(&encoder->merger, at, length, -1, 0);
        at += length;
    }
}

static int emit_unknown(dpi_encoder *encoder, const char *text, size_t size, dp_error *error)
{
    const dp_tokenizer *const tokenizer = encoder->tokenizer;
    dpi_ids *const ids = &encoder->ids;
    int rc = DP_OK;

    if (has_bytes(tokenizer, text, size)) {
        for (size_t i = 0; !rc && i < size; i++)
            rc = dpi_ids_add(tokenizer->memory, ids, tokenizer->byte_ids[(unsigned char)text[i]], error);
        return rc;
    }
    if (tokenizer->unknown < 0 || (tokenizer->fuse_unknown && encoder->after_unknown))
        return DP_OK;
    encoder->after_unknown = 1;
    return dpi_ids_add(tokenizer->memory, ids, tokenizer->unknown, error);
}

static int emit_piece(dpi_encoder *encoder, const char *text, size_t size, dp_error *error)
{
    const int32_t id = dpi_vocab_find(&encoder->tokenizer->vocab, text, size);

    if (id < 0 || id == encoder->tokenizer->unknown)
        return emit_unknown(encoder, text, size, error);
    encoder->after_unknown = 0;
    return dpi_ids_add(encoder->tokenizer->memory, &encoder->ids, id, error);
}

// An unused piece is taken apart again into the halves it was last made of, and these in turn.
static int emit_apart(dpi_encoder *encoder, const char *text, size_t size, dp_error *error)
{
    const dp_tokenizer *const tokenizer = encoder->tokenizer;
    dpi_ids ends = {0}; // of what is still to be taken apart, the nearest last
    size_t at = 0;
    int rc = dpi_ids_add(tokenizer->memory, &ends, (int32_t)size, error);

    while (!rc && ends.count) {
        const size_t end = (size_t)ends.data[ends.count - 1];
        const int32_t id = dpi_vocab_find(&tokenizer->vocab, text + at, end - at);
        const int unused = id >= 0 && tokenizer->vocab.tokens[id].kind == DPI_TOKEN_UNUSED;
        const int32_t left = unused ? encoder->merger.splits[id] : 0;
        if (left > 0 && (size_t)left < end - at) {
            rc = dpi_ids_add(tokenizer->memory, &ends, (int32_t)at + left, error);
            continue;
        }
        rc = emit_piece(encoder, text + at, end - at, error);
        at = end;
        ends.count--;
    }
    dpi_free(tokenizer->memory, ends.data);
    return rc;
}

static int emit(dpi_encoder *encoder, const char *text, const dpi_symbol *symbol, dp_error *error)
{
    const dp_tokenizer *const tokenizer = encoder->tokenizer;
    const int32_t id = symbol->id;

    if (id < 0 || id == tokenizer->unknown)
        return id < 0 ? emit_piece(encoder, text + symbol->start, symbol->size, error)
                      : emit_unknown(encoder, text + symbol->start, symbol->size, error);
    if (!tokenizer->merges.memory && tokenizer->vocab.tokens[id].kind == DPI_TOKEN_UNUSED)
        return emit_apart(encoder, text + symbol->start, symbol->size, error);
    encoder->after_unknown = 0;
    return dpi_ids_add(tokenizer->memory, &encoder->ids, id, error);
}

static int encode_word(dpi_encoder *encoder, const char *text, size_t size, dp_error *error)
{
    dpi_merger *const merger = &encoder->merger;
    int rc = dpi_merger_begin(merger, text, size, error);

    if (rc)
        return rc;
    add_symbols(encoder, text, size);
    rc = dpi_merger_run(merger, error);
    for (size_t i = 0; !rc && i < merger->count; i++)
        if (merger->symbols[i].size)
            rc = emit(encoder, text, &merger->symbols[i], error);
    return rc;
}

// Where words merge apart, a word ends before each space that follows something else.
static size_t word_end(const char *text, size_t size, size_t at)
{
    int inside = 0;

    while (at < size) {
        const int space = size - at >= DPI_SPACE_SIZE && !memcmp(text + at, DPI_SPACE, DPI_SPACE_SIZE);
        if (space && inside)
            break;
        inside |= !space;
        at += space ? DPI_SPACE_SIZE : 1;
    }
    return at;
}

int dpi_encode_pieces(dpi_encoder *encoder, const char *text, size_t size, dp_error *error)
{
    size_t words = 0;
    int rc = DP_OK;

    encoder->after_unknown = 0;
    for (size_t at = 0; !rc && at < size; words++) {
        const size_t end = encoder->tokenizer->by_words ? word_end(text, size, at) : size;
        rc = encode_word(encoder, text + at, end - at, error);
        if (!rc && words % LOOK == 0)
            rc = dpi_watch_advance(encoder->watch, 0, error);
        at = end;
    }
    return rc;
}
