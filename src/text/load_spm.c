// tokenizer.model: SentencePiece's ModelProto.
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "text/protobuf.h"
#include "text/tokenizer.h"

enum { UNIGRAM = 1, BPE = 2 }; // trainer_spec.model_type
enum { MODEL_PIECE = 1, MODEL_TRAINER = 2, MODEL_NORMALIZER = 3 };

typedef struct model {
    dpi_wire wire, trainer, normalizer; // the last two may be absent: at is NULL
    int32_t pieces;
} model;

typedef struct piece {
    dpi_wire text;
    float score;
    uint64_t kind;
} piece;

// Where the parts are, and how many pieces.
static int survey(model *found, dp_error *error)
{
    dpi_wire wire = found->wire;
    dpi_field field;
    int more = 0, rc;

    while (!(rc = dpi_wire_next(&wire, &field, &more, error)) && more) {
        if (field.wire != 2)
            continue;
        if (field.number == MODEL_PIECE && ++found->pieces > DPI_VOCAB_MOST)
            return dpi_wire_refuse(&wire, DP_E_FORMAT, "there are too many pieces", error);
        if (field.number == MODEL_TRAINER)
            found->trainer = field.bytes;
        if (field.number == MODEL_NORMALIZER)
            found->normalizer = field.bytes;
    }
    if (!rc && !found->pieces)
        rc = dpi_wire_refuse(&wire, DP_E_FORMAT, "not a SentencePiece model: it has no pieces", error);
    return rc;
}

static int read_piece(dpi_wire wire, piece *out, dp_error *error)
{
    dpi_field field;
    int more = 0, rc;

    *out = (piece){.kind = DPI_TOKEN_NORMAL};
    while (!(rc = dpi_wire_next(&wire, &field, &more, error)) && more) {
        if (field.number == 1 && field.wire == 2)
            out->text = field.bytes;
        const uint32_t bits = (uint32_t)field.value;
        if (field.number == 2 && field.wire == 5)
            memcpy(&out->score, &bits, sizeof bits);
        if (field.number == 3 && field.wire == 0)
            out->kind = field.value;
    }
    if (!rc && out->text.at == out->text.end)
        rc = dpi_wire_refuse(&wire, DP_E_FORMAT, "a piece is empty", error);
    if (!rc && (out->kind < DPI_TOKEN_NORMAL || out->kind > DPI_TOKEN_BYTE))
        rc = dpi_wire_refuse(&wire, DP_E_FORMAT, "a piece has an unknown type", error);
    return rc;
}

static int keep_piece(dp_tokenizer *tokenizer, int32_t id, const piece *one, dp_error *error)
{
    const size_t size = (size_t)(one->text.end - one->text.at);
    int rc = dpi_vocab_put(&tokenizer->vocab, id, (const char *)one->text.at, size, (int32_t)one->kind, error);

    if (rc)
        return rc;
    tokenizer->vocab.tokens[id].score = one->score;
    if (one->kind == DPI_TOKEN_UNKNOWN) {
        if (tokenizer->unknown >= 0)
            return dpi_fail_at(error, DP_E_FORMAT, &(dpi_place){.item = "pieces", .offset = -1},
                               "pieces %d and %d both stand for unknown text", tokenizer->unknown, id);
        tokenizer->unknown = tokenizer->unk = id;
    }
    if (one->kind == DPI_TOKEN_USER)
        rc = dpi_added_put(&tokenizer->pieces, (const char *)one->text.at, size, id, 0, error);
    if (one->kind == DPI_TOKEN_UNKNOWN || one->kind == DPI_TOKEN_CONTROL)
        rc = dpi_tokenizer_add(tokenizer, id, DPI_ADDED_SPECIAL, 0, error);
    return rc;
}

static int read_pieces(dp_tokenizer *tokenizer, const model *found, dp_error *error)
{
    dpi_wire wire = found->wire;
    dpi_field field;
    piece one;
    int32_t id = 0;
    int more = 0;
    int rc = dpi_vocab_open(&tokenizer->vocab, tokenizer->memory, found->pieces, error);

    while (!rc && !(rc = dpi_wire_next(&wire, &field, &more, error)) && more) {
        if (field.number != MODEL_PIECE || field.wire != 2)
            continue;
        rc = read_piece(field.bytes, &one, error);
        if (!rc)
            rc = keep_piece(tokenizer, id++, &one, error);
    }
    return rc;
}

// A control piece by its id, or -1.
static int32_t control_id(const dp_tokenizer *tokenizer, uint64_t value)
{
    return value < (uint64_t)tokenizer->vocab.count && tokenizer->vocab.tokens[value].kind == DPI_TOKEN_CONTROL
               ? (int32_t)value
               : -1;
}

static int read_trainer(dp_tokenizer *tokenizer, dpi_wire wire, dp_error *error)
{
    uint64_t type = UNIGRAM, suffix = 0, fallback = 0, bos = 1, eos = 2, pad = UINT64_MAX;
    dpi_field field;
    int more = 0, rc;

    while (!(rc = dpi_wire_next(&wire, &field, &more, error)) && more) {
        if (field.wire != 0)
            continue;
        uint64_t *const known = field.number == 3    ? &type
                                : field.number == 24 ? &suffix
                                : field.number == 35 ? &fallback
                                : field.number == 41 ? &bos
                                : field.number == 42 ? &eos
                                : field.number == 43 ? &pad
                                                     : NULL;
        if (known)
            *known = field.value;
    }
    if (!rc && type != BPE)
        rc = dpi_wire_refuse(&wire, DP_E_UNSUPPORTED, "a SentencePiece model that is not BPE is not supported",
                             error);
    if (!rc && suffix)
        rc = dpi_wire_refuse(&wire, DP_E_UNSUPPORTED, "treat_whitespace_as_suffix is not supported", error);
    tokenizer->byte_fallback = fallback != 0;
    tokenizer->bos = control_id(tokenizer, bos);
    tokenizer->eos = control_id(tokenizer, eos);
    tokenizer->pad = control_id(tokenizer, pad);
    return rc;
}

static int read_normalizer(dp_tokenizer *tokenizer, dpi_wire wire, dp_error *error)
{
    enum { CHARSMAP = 2, PREFIX = 3, SQUEEZE = 4, ESCAPE = 5 };
    uint64_t flags[ESCAPE + 1] = {[PREFIX] = 1, [SQUEEZE] = 1, [ESCAPE] = 1};
    int charsmap = 0, more = 0, rc;
    dpi_field field;

    while (!(rc = dpi_wire_next(&wire, &field, &more, error)) && more) {
        if (field.number == CHARSMAP && field.wire == 2)
            charsmap = field.bytes.at != field.bytes.end;
        if (field.wire == 0 && field.number >= PREFIX && field.number <= ESCAPE)
            flags[field.number] = field.value;
    }
    if (!rc && charsmap)
        rc = dpi_wire_refuse(&wire, DP_E_UNSUPPORTED,
                             "a SentencePiece model that rewrites characters is not supported", error);
    if (!rc && !flags[ESCAPE])
        rc = dpi_wire_refuse(&wire, DP_E_UNSUPPORTED,
                             "a SentencePiece model without escape_whitespaces is not supported", error);
    tokenizer->prefix = flags[PREFIX] ? DPI_PREFIX_ALWAYS : DPI_PREFIX_NEVER;
    tokenizer->squeeze = flags[SQUEEZE] != 0;
    tokenizer->strips = flags[PREFIX] || flags[SQUEEZE];
    return rc;
}

// With byte fallback every byte has its piece, as SentencePiece demands.
static int check_bytes(const dp_tokenizer *tokenizer, const dpi_wire *wire, dp_error *error)
{
    const dpi_vocab *const vocab = &tokenizer->vocab;
    char fact[64];

    for (unsigned byte = 0; tokenizer->byte_fallback && byte < 256; byte++) {
        const int size = snprintf(fact, sizeof fact, "<0x%02X>", byte);
        const int32_t id = dpi_vocab_find(vocab, fact, (size_t)size);
        if (id >= 0 && vocab->tokens[id].kind == DPI_TOKEN_BYTE)
            continue;
        snprintf(fact, sizeof fact, "bytes stand for unknown text, but <0x%02X> is missing", byte);
        return dpi_wire_refuse(wire, DP_E_FORMAT, fact, error);
    }
    return DP_OK;
}

int dpi_tokenizer_from_spm(dp_tokenizer *tokenizer, const unsigned char *bytes, size_t size, dp_error *error)
{
    model found = {.wire = {bytes, bytes + size, bytes, tokenizer->name}};
    int rc = survey(&found, error);

    if (rc)
        return rc;
    tokenizer->kind = DPI_SENTENCEPIECE;
    tokenizer->fuse_unknown = 1;
    if (!found.trainer.start)
        found.trainer = (dpi_wire){bytes, bytes, bytes, tokenizer->name};
    if (!found.normalizer.start)
        found.normalizer = (dpi_wire){bytes, bytes, bytes, tokenizer->name};
    rc = read_pieces(tokenizer, &found, error);
    if (!rc && tokenizer->unknown < 0)
        rc = dpi_wire_refuse(&found.wire, DP_E_FORMAT, "no piece stands for unknown text", error);
    if (!rc)
        rc = read_trainer(tokenizer, found.trainer, error);
    if (!rc)
        rc = check_bytes(tokenizer, &found.wire, error);
    if (!rc)
        rc = read_normalizer(tokenizer, found.normalizer, error);
    if (!rc)
        rc = dpi_vocab_rank(&tokenizer->vocab, error);
    tokenizer->adds_bos = tokenizer->bos >= 0;
    return rc;
}
