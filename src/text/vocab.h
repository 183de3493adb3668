// The tokens of a tokenizer: text, kind and score by id, and the id of a text.
#ifndef DPI_TEXT_VOCAB_H
#define DPI_TEXT_VOCAB_H

#include "base/text.h"

// Kinds by GGUF's numbers; NONE marks an id without a token.
enum {
    DPI_TOKEN_NONE,
    DPI_TOKEN_NORMAL,
    DPI_TOKEN_UNKNOWN,
    DPI_TOKEN_CONTROL,
    DPI_TOKEN_USER,
    DPI_TOKEN_UNUSED,
    DPI_TOKEN_BYTE
};

typedef struct dpi_token {
    uint32_t offset, size; // of its text in vocab->text
    int32_t kind;
    uint32_t order; // SentencePiece: rank of the score, best first, equal scores equal
    float score;
} dpi_token;

typedef struct dpi_vocab {
    dpi_memory *memory;
    dpi_text text;
    dpi_token *tokens;
    int32_t count;     // ids 0 .. count-1
    uint32_t longest;  // bytes of the longest token
    int32_t *slots;    // id by hash, -1 when free
    size_t slot_count; // a power of two
} dpi_vocab;

enum { DPI_VOCAB_MOST = 1 << 24, DPI_TOKEN_LONGEST = 1 << 16 }; // ids of a tokenizer, bytes of a token

uint64_t dpi_hash_bytes(const void *bytes, size_t size);

// Room for `count` ids, all without a token.
int dpi_vocab_open(dpi_vocab *vocab, dpi_memory *memory, int32_t count, dp_error *error);
// Room for more ids.
int dpi_vocab_extend(dpi_vocab *vocab, int32_t count, dp_error *error);
void dpi_vocab_close(dpi_vocab *vocab);
// Give an id its token.  DP_E_FORMAT when the id has one, another id has this text, or it is too long, holds a NUL
// or is not UTF-8.
int dpi_vocab_put(dpi_vocab *vocab, int32_t id, const char *text, size_t size, int32_t kind, dp_error *error);
int32_t dpi_vocab_find(const dpi_vocab *vocab, const char *text, size_t size); // id, or -1
// Rank the scores of all tokens.  DP_E_FORMAT when one is not finite.
int dpi_vocab_rank(dpi_vocab *vocab, dp_error *error);

static inline const char *dpi_vocab_text(const dpi_vocab *vocab, int32_t id)
{
    return vocab->text.data + vocab->tokens[id].offset;
}

// Pieces that SentencePiece may form by merging.
static inline int dpi_token_merges(const dpi_token *token)
{
    return token->kind == DPI_TOKEN_NORMAL || token->kind == DPI_TOKEN_USER || token->kind == DPI_TOKEN_UNUSED;
}

#endif
