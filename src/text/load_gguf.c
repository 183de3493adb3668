// The tokenizer.ggml.* keys of a GGUF file.
#include <string.h>

#include "base/error.h"
#include "base/sha256.h"
#include "io/bytes.h"
#include "io/gguf.h"
#include "text/tokenizer.h"

static const char PREFIX[] = "tokenizer.ggml.";

static int refuse(const dpi_gguf *file, int code, const char *key, const char *fact, dp_error *error)
{
    const dpi_gguf_entry *const entry = dpi_gguf_find(file, key);
    const dpi_place place = {.file = file->name, .item = key, .offset = entry ? (int64_t)entry->offset : -1};

    return dpi_fail_at(error, code, &place, "%s", fact);
}

static void make_digest(dp_tokenizer *tokenizer, const dpi_gguf *file)
{
    dpi_sha256 hash;

    dpi_sha256_begin(&hash);
    for (size_t i = 0; i < file->entry_count; i++) {
        const dpi_gguf_entry *const entry = &file->entries[i];
        if (entry->key_size < sizeof PREFIX - 1 || memcmp(entry->key, PREFIX, sizeof PREFIX - 1))
            continue;
        dpi_sha256_add(&hash, entry->key, entry->key_size);
        dpi_sha256_add(&hash, entry->data, entry->bytes);
    }
    dpi_sha256_end(&hash, tokenizer->digest);
}

// Arrays beside the tokens, checked to be as long.
static int find_array(const dpi_gguf *file, const char *key, int required, int32_t element, uint64_t count,
                      const dpi_gguf_entry **out, dp_error *error)
{
    const int rc = dpi_gguf_array(file, key, required, element, out, error);

    if (!rc && *out && (*out)->count != count)
        return refuse(file, DP_E_FORMAT, key, "not as many elements as there are tokens", error);
    return rc;
}

static int32_t kind_at(const dpi_gguf_entry *kinds, uint64_t index)
{
    return kinds ? (int32_t)(uint32_t)dpi_le_read(kinds->data + index * 4, 4) : DPI_TOKEN_NORMAL;
}

static int keep_token(dp_tokenizer *tokenizer, int32_t id, const char *text, size_t size, int32_t kind,
                      dp_error *error)
{
    int rc = DP_OK;

    if (kind < DPI_TOKEN_NORMAL || kind > DPI_TOKEN_BYTE)
        return dpi_fail_at(error, DP_E_FORMAT, &(dpi_place){.item = "tokenizer.ggml.token_type", .offset = -1},
                           "token %d has the unknown type %d", id, kind);
    rc = dpi_vocab_put(&tokenizer->vocab, id, text, size, kind, error);
    if (rc || !size)
        return rc;
    if (kind == DPI_TOKEN_USER)
        return dpi_tokenizer_add(tokenizer, id, 0, 0, error);
    if (kind == DPI_TOKEN_CONTROL || kind == DPI_TOKEN_UNKNOWN)
        return dpi_tokenizer_add(tokenizer, id, DPI_ADDED_SPECIAL, 0, error);
    return DP_OK;
}

static int read_tokens(dp_tokenizer *tokenizer, const dpi_gguf *file, dp_error *error)
{
    const int scored = tokenizer->kind == DPI_SENTENCEPIECE;
    const dpi_gguf_entry *tokens = NULL, *kinds = NULL, *scores = NULL;
    const char *text = NULL;
    size_t size = 0;
    int rc = dpi_gguf_array(file, "tokenizer.ggml.tokens", 1, DPI_GGUF_STRING, &tokens, error);

    if (!rc && (!tokens->count || tokens->count > DPI_VOCAB_MOST))
        rc = refuse(file, DP_E_FORMAT, "tokenizer.ggml.tokens", "the vocabulary is empty or too large", error);
    if (!rc)
        rc = find_array(file, "tokenizer.ggml.token_type", scored, DPI_GGUF_I32, tokens->count, &kinds, error);
    if (!rc && scored)
        rc = find_array(file, "tokenizer.ggml.scores", 1, DPI_GGUF_F32, tokens->count, &scores, error);
    if (!rc)
        rc = dpi_vocab_open(&tokenizer->vocab, tokenizer->memory, (int32_t)tokens->count, error);
    if (rc)
        return rc;
    const unsigned char *cursor = tokens->data;
    for (int32_t id = 0; !rc && id < tokenizer->vocab.count; id++) {
        dpi_gguf_next(&cursor, &text, &size);
        rc = keep_token(tokenizer, id, text, size, kind_at(kinds, (uint64_t)id), error);
        const uint32_t bits = scores ? (uint32_t)dpi_le_read(scores->data + (size_t)id * 4, 4) : 0;
        memcpy(&tokenizer->vocab.tokens[id].score, &bits, sizeof bits);
    }
    return rc;
}

static int read_merges(dp_tokenizer *tokenizer, const dpi_gguf *file, dp_error *error)
{
    const dpi_gguf_entry *merges = NULL;
    const char *line = NULL;
    size_t size = 0;
    int rc = dpi_gguf_array(file, "tokenizer.ggml.merges", 1, DPI_GGUF_STRING, &merges, error);

    if (!rc && merges->count > DPI_MERGES_MOST)
        rc = refuse(file, DP_E_FORMAT, "tokenizer.ggml.merges", "there are too many merges", error);
    if (!rc)
        rc = dpi_merges_open(&tokenizer->merges, tokenizer->memory, (size_t)merges->count, error);
    const unsigned char *cursor = rc ? NULL : merges->data;
    for (uint64_t i = 0; !rc && i < merges->count; i++) {
        dpi_gguf_next(&cursor, &line, &size);
        rc = dpi_merges_add_line(&tokenizer->merges, &tokenizer->vocab, line, size, error);
    }
    return rc;
}

static int read_id(const dp_tokenizer *tokenizer, const dpi_gguf *file, const char *key, int32_t *out,
                   dp_error *error)
{
    int64_t id = *out;
    const int rc = dpi_gguf_int(file, key, 0, 0, tokenizer->vocab.count - 1, &id, error);

    *out = (int32_t)id;
    return rc;
}

static int read_ids(dp_tokenizer *tokenizer, const dpi_gguf *file, dp_error *error)
{
    const char *text = NULL;
    size_t size = 0;
    int rc = read_id(tokenizer, file, "tokenizer.ggml.bos_token_id", &tokenizer->bos, error);

    if (!rc)
        rc = read_id(tokenizer, file, "tokenizer.ggml.eos_token_id", &tokenizer->eos, error);
    if (!rc)
        rc = read_id(tokenizer, file, "tokenizer.ggml.unknown_token_id", &tokenizer->unk, error);
    if (!rc)
        rc = read_id(tokenizer, file, "tokenizer.ggml.padding_token_id", &tokenizer->pad, error);
    if (!rc)
        rc = dpi_gguf_bool(file, "tokenizer.ggml.add_bos_token", 0, &tokenizer->adds_bos, error);
    if (!rc)
        rc = dpi_gguf_string(file, "tokenizer.chat_template", 0, &text, &size, error);
    if (!rc && text)
        rc = dpi_tokenizer_keep_template(tokenizer, text, size, error);
    tokenizer->adds_bos = tokenizer->adds_bos && tokenizer->bos >= 0;
    return rc;
}

static int read_bytes(dp_tokenizer *tokenizer, const dpi_gguf *file, dp_error *error)
{
    const char *pre = NULL;
    size_t size = 0;
    int rc = dpi_gguf_string(file, "tokenizer.ggml.pre", 1, &pre, &size, error);

    if (rc)
        return rc;
    const dpi_known_splitter *const known = dpi_splitter_named(pre, size);
    const dpi_place place = {.file = file->name, .item = "tokenizer.ggml.pre", .offset = -1};
    if (!known)
        return dpi_fail_at(error, DP_E_UNSUPPORTED, &place, "pre-tokenizer \"%.*s\" is not supported",
                           (int)(size < 64 ? size : 64), pre);
    tokenizer->kind = DPI_BYTE_LEVEL;
    tokenizer->ignore_merges = known->ignore_merges;
    tokenizer->composes = known->composes;
    tokenizer->adds_bos = known->adds_bos;
    rc = dpi_splitter_open(&tokenizer->splitter, tokenizer->memory, error);
    if (!rc)
        rc = dpi_splitter_take(&tokenizer->splitter, known, error);
    if (!rc)
        rc = read_tokens(tokenizer, file, error);
    return rc ? rc : read_merges(tokenizer, file, error);
}

static int read_pieces(dp_tokenizer *tokenizer, const dpi_gguf *file, dp_error *error)
{
    int prefix = 1;
    int rc = dpi_gguf_bool(file, "tokenizer.ggml.add_space_prefix", 0, &prefix, error);

    tokenizer->kind = DPI_SENTENCEPIECE;
    tokenizer->byte_fallback = tokenizer->fuse_unknown = 1;
    tokenizer->adds_bos = 1;
    tokenizer->bos = 1; // where the file does not say
    tokenizer->eos = 2;
    tokenizer->unk = 0;
    if (!rc)
        rc = dpi_gguf_bool(file, "tokenizer.ggml.remove_extra_whitespaces", 0, &tokenizer->squeeze, error);
    tokenizer->prefix = prefix ? DPI_PREFIX_ALWAYS : DPI_PREFIX_NEVER;
    tokenizer->strips = prefix || tokenizer->squeeze;
    if (!rc)
        rc = read_tokens(tokenizer, file, error);
    if (!rc)
        rc = dpi_vocab_rank(&tokenizer->vocab, error);
    for (int32_t id = 0; !rc && id < tokenizer->vocab.count && tokenizer->unknown < 0; id++)
        if (tokenizer->vocab.tokens[id].kind == DPI_TOKEN_UNKNOWN)
            tokenizer->unknown = id;
    if (!rc && tokenizer->vocab.count <= 2) // the ids above must exist
        rc = refuse(file, DP_E_FORMAT, "tokenizer.ggml.tokens", "fewer than three tokens", error);
    return rc;
}

static int read_model(dp_tokenizer *tokenizer, const dpi_gguf *file, dp_error *error)
{
    const dpi_place place = {.file = file->name, .item = "tokenizer.ggml.model", .offset = -1};
    const char *model = NULL;
    size_t size = 0;
    const int rc = dpi_gguf_string(file, "tokenizer.ggml.model", 1, &model, &size, error);

    if (rc)
        return rc;
    if (size == 4 && !memcmp(model, "gpt2", 4))
        return read_bytes(tokenizer, file, error);
    if (size == 5 && !memcmp(model, "llama", 5))
        return read_pieces(tokenizer, file, error);
    return dpi_fail_at(error, DP_E_UNSUPPORTED, &place, "tokenizer \"%.*s\" is not supported",
                       (int)(size < 64 ? size : 64), model);
}

int dpi_tokenizer_from_gguf(dp_tokenizer *tokenizer, dpi_storage *storage, dp_error *error)
{
    dpi_gguf *file = NULL;
    int rc = dpi_gguf_read(&file, tokenizer->memory, storage, tokenizer->name, error);

    if (rc)
        return rc;
    rc = read_model(tokenizer, file, error);
    if (!rc)
        rc = read_ids(tokenizer, file, error);
    if (!rc)
        make_digest(tokenizer, file);
    dpi_gguf_free(file);
    return rc;
}
