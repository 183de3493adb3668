// Ids to text.  Byte-level: stand-in characters back to bytes, repaired once over the whole.  SentencePiece: runs
// of byte pieces to characters, U+2581 to spaces, and the leading dummy space dropped.  Where a tokenizer.json has
// rules for it, details are as Hugging Face's tokenizers have them, else as SentencePiece has them.
#include <string.h>

#include "base/error.h"
#include "text/bytemap.h"
#include "text/nfc.h"
#include "text/tokenizer.h"

static const char REPLACEMENT[] = "\xef\xbf\xbd";

// Append a token's text as it is matched in texts: normalised where normalised texts are searched for it.
static int add_token(const dp_tokenizer *tokenizer, int32_t id, dpi_text *out, dp_error *error)
{
    const dpi_added_token *const added = dpi_tokenizer_added(tokenizer, id);
    const char *const text = dpi_vocab_text(&tokenizer->vocab, id);
    const size_t size = tokenizer->vocab.tokens[id].size;

    if (added && added->normalized && tokenizer->composes)
        return dpi_nfc_add(text, size, out, NULL, error);
    if (added && added->normalized && tokenizer->kind == DPI_SENTENCEPIECE && !tokenizer->late)
        return dpi_normalise(tokenizer, text, size, 1, out, error);
    return dpi_text_add(out, text, size, error);
}

// The bytes of a token, or the token itself where a character stands for none (an added token).
static int add_bytes(const dp_tokenizer *tokenizer, int32_t id, dpi_text *out, dp_error *error)
{
    const char *const text = dpi_vocab_text(&tokenizer->vocab, id);
    const size_t size = tokenizer->vocab.tokens[id].size, before = out->size;
    uint32_t point = 0;
    int rc = DP_OK;

    for (size_t at = 0; !rc && at < size;) {
        at += dpi_utf8_decode(text + at, size - at, &point);
        const int value = dpi_point_byte(point);
        if (value < 0) {
            out->size = before;
            return add_token(tokenizer, id, out, error);
        }
        const char byte = (char)value;
        rc = dpi_text_add(out, &byte, 1, error);
    }
    return rc;
}

// A second byte that no character beginning with `first` has: overlong, a surrogate, or beyond U+10FFFF.
static int cannot_follow(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0:
        return second < 0xa0;
    case 0xed:
        return second > 0x9f;
    case 0xf0:
        return second < 0x90;
    case 0xf4:
        return second > 0x8f;
    default:
        return 0;
    }
}

// How many bytes from here on one U+FFFD stands for: the longest beginning of a character, or one byte.
static size_t broken_part(const char *text, size_t size)
{
    const unsigned char *const at = (const unsigned char *)text;
    const size_t whole = *at >= 0xf0 && *at <= 0xf4  ? 4
                         : *at >= 0xe0 && *at < 0xf0 ? 3
                         : *at >= 0xc2 && *at < 0xe0 ? 2
                                                     : 1;
    size_t length = 1;

    if (size > 1 && cannot_follow(*at, at[1]))
        return 1;
    while (length < whole && length < size && (at[length] & 0xc0) == 0x80)
        length++;
    return length;
}

// Copy with U+FFFD for what is not UTF-8: for each broken part, or for each byte.
static int add_repaired(const char *text, size_t size, int by_part, dpi_text *out, dp_error *error)
{
    uint32_t point = 0;
    size_t good = 0;
    int rc = DP_OK;

    for (size_t at = 0; !rc && at < size;) {
        const size_t length = dpi_utf8_decode(text + at, size - at, &point);
        if (length) {
            at += length;
            continue;
        }
        rc = dpi_text_add(out, text + good, at - good, error);
        if (!rc)
            rc = dpi_text_add(out, REPLACEMENT, 3, error);
        at += by_part ? broken_part(text + at, size - at) : 1;
        good = at;
    }
    return rc ? rc : dpi_text_add(out, text + good, size - good, error);
}

static int is_special(const dp_tokenizer *tokenizer, int32_t id)
{
    const int32_t kind = tokenizer->vocab.tokens[id].kind;

    if (kind == DPI_TOKEN_UNKNOWN && tokenizer->merges.memory) {
        const dpi_added_token *const added = dpi_tokenizer_added(tokenizer, id);
        return added && added->flags & DPI_ADDED_SPECIAL;
    }
    return kind == DPI_TOKEN_CONTROL || kind == DPI_TOKEN_UNKNOWN || kind == DPI_TOKEN_NONE;
}

static int decode_bytes(const dp_tokenizer *tokenizer, const int32_t *ids, size_t count, int special, dpi_text *out,
                        dp_error *error)
{
    dpi_text raw = {.memory = tokenizer->memory};
    int rc = DP_OK;

    for (size_t i = 0; !rc && i < count; i++)
        if (special || !is_special(tokenizer, ids[i]))
            rc = add_bytes(tokenizer, ids[i], &raw, error);
    if (!rc)
        rc = add_repaired(raw.data ? raw.data : "", raw.size, 1, out, error);
    dpi_text_clear(&raw);
    return rc;
}

static int add_spaced(const char *text, size_t size, dpi_text *out, dp_error *error)
{
    int rc = DP_OK;

    for (size_t at = 0, plain = 0; !rc && at < size; plain = at) {
        while (at < size && (size - at < DPI_SPACE_SIZE || memcmp(text + at, DPI_SPACE, DPI_SPACE_SIZE)))
            at++;
        rc = dpi_text_add(out, text + plain, at - plain, error);
        if (rc || at == size)
            break;
        rc = dpi_text_add(out, " ", 1, error);
        at += DPI_SPACE_SIZE;
    }
    return rc;
}

// A text of ids on its way: bytes wait until the run of them is whole.
typedef struct pieces {
    dpi_text bytes, token;
    dpi_text *out;
    int dropped; // SentencePiece: the dummy space is gone already
} pieces;

// One piece.  At the text's beginning its space is the dummy prefix.
static int add_piece(const dp_tokenizer *tokenizer, int32_t id, pieces *p, dp_error *error)
{
    p->token.size = 0;
    const int rc = add_token(tokenizer, id, &p->token, error);
    const char *text = p->token.data;
    size_t size = p->token.size;

    if (rc)
        return rc;
    if (tokenizer->strips && !tokenizer->merges.memory && !p->out->size && !p->dropped && size >= DPI_SPACE_SIZE &&
        !memcmp(text, DPI_SPACE, DPI_SPACE_SIZE)) {
        text += DPI_SPACE_SIZE;
        size -= DPI_SPACE_SIZE;
        p->dropped = !tokenizer->squeeze;
    }
    return add_spaced(text, size, p->out, error);
}

static int byte_of(const dp_tokenizer *tokenizer, int32_t id)
{
    const char *const text = dpi_vocab_text(&tokenizer->vocab, id); // "<0xHH>", checked when it was read
    const char digits[] = "0123456789ABCDEF";

    return (int)((strchr(digits, text[3]) - digits) * 16 + (strchr(digits, text[4]) - digits));
}

// A run of byte pieces.  SentencePiece keeps the characters in it that are whole; Hugging Face's tokenizers keep all
// or none.
static int end_bytes(const dp_tokenizer *tokenizer, pieces *p, dp_error *error)
{
    const char *const text = p->bytes.data;
    const size_t size = p->bytes.size;
    uint32_t point = 0;
    size_t at = 0;
    int rc = DP_OK;

    p->bytes.size = 0;
    for (size_t length = 1; at < size && length; at += length)
        length = dpi_utf8_decode(text + at, size - at, &point);
    if (at == size || !tokenizer->merges.memory)
        return size ? add_repaired(text, size, 0, p->out, error) : DP_OK;
    for (at = 0; !rc && at < size; at++)
        rc = dpi_text_add(p->out, REPLACEMENT, 3, error);
    return rc;
}

static int add_id(const dp_tokenizer *tokenizer, int32_t id, int special, pieces *p, dp_error *error)
{
    const int32_t kind = tokenizer->vocab.tokens[id].kind;

    if (kind == DPI_TOKEN_BYTE) {
        const char byte = (char)byte_of(tokenizer, id);
        return dpi_text_add(&p->bytes, &byte, 1, error);
    }
    if (tokenizer->merges.memory && is_special(tokenizer, id) && !special)
        return DP_OK;
    const int rc = end_bytes(tokenizer, p, error);
    if (rc || (is_special(tokenizer, id) && !special && kind != DPI_TOKEN_UNKNOWN))
        return rc;
    if (special && is_special(tokenizer, id))
        return add_token(tokenizer, id, p->out, error);
    return kind == DPI_TOKEN_UNKNOWN && !tokenizer->merges.memory ? dpi_text_add(p->out, " \xe2\x81\x87 ", 5, error)
                                                                  : add_piece(tokenizer, id, p, error);
}

static int decode_pieces(const dp_tokenizer *tokenizer, const int32_t *ids, size_t count, int special,
                         dpi_text *out, dp_error *error)
{
    pieces p = {.bytes = {.memory = tokenizer->memory}, .token = {.memory = tokenizer->memory}, .out = out};
    int rc = DP_OK;

    for (size_t i = 0; !rc && i < count; i++)
        rc = add_id(tokenizer, ids[i], special, &p, error);
    if (!rc)
        rc = end_bytes(tokenizer, &p, error);
    if (!rc && tokenizer->strips && tokenizer->merges.memory && out->size && out->data[0] == ' ')
        memmove(out->data, out->data + 1, out->size--); // the terminator too
    dpi_text_clear(&p.bytes);
    dpi_text_clear(&p.token);
    return rc;
}

int dpi_decode_ids(const dp_tokenizer *tokenizer, const int32_t *ids, size_t count, int special, dpi_text *out,
                   dp_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= tokenizer->vocab.count)
            return dpi_fail(error, DP_E_ARGUMENT, "id %d at %zu is outside the vocabulary of %d", ids[i], i,
                            tokenizer->vocab.count);
    return tokenizer->kind == DPI_BYTE_LEVEL ? decode_bytes(tokenizer, ids, count, special, out, error)
                                             : decode_pieces(tokenizer, ids, count, special, out, error);
}
