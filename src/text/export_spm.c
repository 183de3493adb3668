// tokenizer.model: SentencePiece's ModelProto from vocabulary and scores.
#include "base/error.h"
#include "text/export_parts.h"
#include "text/protobuf.h"

static int put_piece(const dp_tokenizer *tokenizer, int32_t id, dpi_text *piece, dpi_text *out, dp_error *error)
{
    const dpi_token *const token = &tokenizer->vocab.tokens[id];
    int rc = DP_OK;

    piece->size = 0;
    if (token->kind == DPI_TOKEN_NONE || !token->size)
        return dpi_fail(error, DP_E_UNSUPPORTED, "id %d has no token; a SentencePiece model has no such gaps", id);
    rc = dpi_wire_put_bytes(piece, 1, dpi_vocab_text(&tokenizer->vocab, id), token->size, error);
    if (!rc)
        rc = dpi_wire_put_float(piece, 2, token->score, error);
    if (!rc && token->kind != DPI_TOKEN_NORMAL)
        rc = dpi_wire_put_number(piece, 3, (uint64_t)token->kind, error);
    return rc ? rc : dpi_wire_put_bytes(out, 1, piece->data, piece->size, error);
}

// The id, and the name of its piece.
static int put_special(const dp_tokenizer *tokenizer, int32_t id, uint32_t id_field, uint32_t name_field,
                       dpi_text *part, dp_error *error)
{
    const int rc = dpi_wire_put_number(part, id_field, (uint64_t)(int64_t)id, error);

    return rc || id < 0 ? rc
                        : dpi_wire_put_bytes(part, name_field, dpi_vocab_text(&tokenizer->vocab, id),
                                             tokenizer->vocab.tokens[id].size, error);
}

static int put_trainer(const dp_tokenizer *tokenizer, dpi_text *part, dpi_text *out, dp_error *error)
{
    part->size = 0;
    int rc = dpi_wire_put_number(part, 3, 2, error); // BPE
    if (!rc)
        rc = dpi_wire_put_number(part, 4, (uint64_t)tokenizer->vocab.count, error);
    if (!rc)
        rc = dpi_wire_put_number(part, 35, tokenizer->byte_fallback != 0, error);
    if (!rc)
        rc = put_special(tokenizer, tokenizer->unknown, 40, 45, part, error);
    if (!rc)
        rc = put_special(tokenizer, tokenizer->bos, 41, 46, part, error);
    if (!rc)
        rc = put_special(tokenizer, tokenizer->eos, 42, 47, part, error);
    if (!rc)
        rc = put_special(tokenizer, tokenizer->pad, 43, 48, part, error);
    return rc ? rc : dpi_wire_put_bytes(out, 2, part->data, part->size, error);
}

static int put_normalizer(const dp_tokenizer *tokenizer, dpi_text *part, dpi_text *out, dp_error *error)
{
    part->size = 0;
    int rc = dpi_wire_put_bytes(part, 1, "identity", 8, error);
    if (!rc)
        rc = dpi_wire_put_number(part, 3, tokenizer->prefix != DPI_PREFIX_NEVER, error);
    if (!rc)
        rc = dpi_wire_put_number(part, 4, tokenizer->squeeze != 0, error);
    if (!rc)
        rc = dpi_wire_put_number(part, 5, 1, error);
    return rc ? rc : dpi_wire_put_bytes(out, 3, part->data, part->size, error);
}

int dpi_export_spm(const dp_tokenizer *tokenizer, dpi_text *out, dp_error *error)
{
    dpi_text part = {.memory = tokenizer->memory};
    int rc = DP_OK;

    for (int32_t id = 0; !rc && id < tokenizer->vocab.count; id++)
        rc = put_piece(tokenizer, id, &part, out, error);
    if (!rc)
        rc = put_trainer(tokenizer, &part, out, error);
    if (!rc)
        rc = put_normalizer(tokenizer, &part, out, error);
    dpi_text_clear(&part);
    return rc;
}
