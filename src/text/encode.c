// Text to ids: repair the UTF-8, cut out added tokens, normalise what is left, cut again, encode the rest.
#include "base/error.h"
#include "text/nfc.h"
#include "text/tokenizer.h"

int dpi_ids_add(dpi_memory *memory, dpi_ids *ids, int32_t id, dp_error *error)
{
    if (ids->count == ids->capacity) {
        const size_t capacity = ids->capacity ? ids->capacity * 2 : 256;
        void *data = ids->data;
        if (dpi_grow(memory, &data, ids->count, capacity, sizeof *ids->data, error))
            return DP_E_MEMORY;
        ids->data = data;
        ids->capacity = capacity;
    }
    ids->data[ids->count++] = id;
    return DP_OK;
}

static size_t valid_part(const char *text, size_t size)
{
    uint32_t point = 0;
    size_t at = 0;

    for (size_t length = 1; at < size && length; at += length)
        length = (unsigned char)text[at] < 0x80 ? 1 : dpi_utf8_decode(text + at, size - at, &point);
    return at;
}

int dpi_repair_utf8(const char *text, size_t size, dpi_text *out, dp_error *error)
{
    int rc = DP_OK;

    for (size_t at = 0; !rc && at < size;) {
        const size_t valid = valid_part(text + at, size - at);
        rc = dpi_text_add(out, text + at, valid, error);
        at += valid;
        if (!rc && at < size) {
            rc = dpi_text_add(out, "\xef\xbf\xbd", 3, error);
            at++;
        }
    }
    return rc;
}

static int encode_plain(dpi_encoder *encoder, const char *text, size_t size, int first, dp_error *error)
{
    const dp_tokenizer *const tokenizer = encoder->tokenizer;

    if (!size)
        return DP_OK;
    if (tokenizer->kind == DPI_BYTE_LEVEL)
        return dpi_encode_bytes(encoder, text, size, error);
    if (!tokenizer->late)
        return dpi_encode_pieces(encoder, text, size, error);
    encoder->normal.size = 0;
    const int rc = dpi_normalise(tokenizer, text, size, first, &encoder->normal, error);
    return rc ? rc : dpi_encode_pieces(encoder, encoder->normal.data, encoder->normal.size, error);
}

// What is left after normalisation, around added tokens that are looked for there.
static int encode_normal(dpi_encoder *encoder, const char *text, size_t size, int first, dp_error *error)
{
    const dp_tokenizer *const tokenizer = encoder->tokenizer;
    dpi_match match = {0};
    size_t at = 0;
    int rc = DP_OK;

    while (!rc && dpi_added_next(&tokenizer->normalized, text, size, encoder->literal, &match)) {
        if (match.begin > at)
            rc = encode_plain(encoder, text + at, match.begin - at, first && !at, error);
        if (!rc)
            rc = dpi_ids_add(tokenizer->memory, &encoder->ids, match.id, error);
        at = match.end;
    }
    return rc ? rc : encode_plain(encoder, text + at, size - at, first && !at, error);
}

static int encode_segment(dpi_encoder *encoder, const char *text, size_t size, int first, dp_error *error)
{
    const dp_tokenizer *const tokenizer = encoder->tokenizer;

    if (!size)
        return DP_OK;
    if (tokenizer->composes && !dpi_nfc_plain(text, size)) {
        encoder->composed.size = 0;
        const int failed = dpi_nfc_add(text, size, &encoder->composed, encoder->watch, error);
        return failed ? failed : encode_normal(encoder, encoder->composed.data, encoder->composed.size, first, error);
    }
    if (tokenizer->kind == DPI_BYTE_LEVEL || tokenizer->late)
        return encode_normal(encoder, text, size, first, error);
    encoder->normal.size = 0;
    const int rc = dpi_normalise(tokenizer, text, size, first, &encoder->normal, error);
    return rc || !encoder->normal.size
               ? rc
               : encode_normal(encoder, encoder->normal.data, encoder->normal.size, first, error);
}

static int encode_valid(dpi_encoder *encoder, const char *text, size_t size, dp_error *error)
{
    const dp_tokenizer *const tokenizer = encoder->tokenizer;
    dpi_match match = {0};
    size_t at = 0; // not after match.begin, unless the token before took spaces that this one begins with
    int rc = DP_OK;

    while (!rc && dpi_added_next(&tokenizer->added, text, size, encoder->literal, &match)) {
        if (match.begin > at)
            rc = encode_segment(encoder, text + at, match.begin - at, !at, error);
        if (!rc)
            rc = dpi_ids_add(tokenizer->memory, &encoder->ids, match.id, error);
        at = match.end;
    }
    return rc ? rc : encode_segment(encoder, text + at, size - at, !at, error);
}

int dpi_encode_text(dpi_encoder *encoder, const char *text, size_t size, dp_error *error)
{
    dpi_text repaired = {.memory = encoder->tokenizer->memory};
    int rc = DP_OK;

    if (size > (size_t)INT32_MAX / 4)
        return dpi_fail(error, DP_E_ARGUMENT, "a text of %zu bytes is longer than the %d that are encoded at once",
                        size, INT32_MAX / 4);
    if (valid_part(text, size) == size)
        return encode_valid(encoder, text, size, error);
    rc = dpi_repair_utf8(text, size, &repaired, error);
    if (!rc)
        rc = encode_valid(encoder, repaired.data, repaired.size, error);
    dpi_text_clear(&repaired);
    return rc;
}
