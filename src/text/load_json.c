// tokenizer.json: vocabulary, merges and added tokens.
#include "text/load_json.h"

#include <string.h>

#include "base/error.h"

static int format_error(const dp_tokenizer *tokenizer, const char *key, const char *fact, dp_error *error)
{
    const dpi_place place = {.file = tokenizer->name, .item = key, .offset = -1};

    return dpi_fail_at(error, DP_E_FORMAT, &place, "%s", fact);
}

// An id that is an integer and in range; *most follows the highest.
static int read_id(const dp_tokenizer *tokenizer, const json_t *value, const char *token, int32_t *id,
                   int32_t *most, dp_error *error)
{
    const dpi_place place = {.file = tokenizer->name, .item = token, .offset = -1};

    if (!json_is_integer(value))
        return dpi_fail_at(error, DP_E_FORMAT, &place, "a token's id is not an integer");
    if (json_integer_value(value) < 0 || json_integer_value(value) >= DPI_VOCAB_MOST)
        return dpi_fail_at(error, DP_E_FORMAT, &place, "a token's id is %lld, not 0 to %d",
                           (long long)json_integer_value(value), DPI_VOCAB_MOST - 1);
    *id = (int32_t)json_integer_value(value);
    if (*id > *most)
        *most = *id;
    return DP_OK;
}

// The highest id of the vocabulary and of the added tokens.
static int highest_id(const dp_tokenizer *tokenizer, const json_t *vocab, const json_t *added, int32_t *most,
                      dp_error *error)
{
    const size_t tokens = json_object_size(vocab) + json_array_size(added);
    const char *key = NULL;
    const json_t *value = NULL;
    int32_t id = 0;

    for (void *at = json_object_iter((json_t *)(uintptr_t)vocab); at;
         at = json_object_iter_next((json_t *)(uintptr_t)vocab, at)) {
        key = json_object_iter_key(at);
        value = json_object_iter_value(at);
        const int rc = read_id(tokenizer, value, key, &id, most, error);
        if (rc)
            return rc;
    }
    for (size_t i = 0; i < json_array_size(added); i++) {
        const int rc =
            read_id(tokenizer, json_object_get(json_array_get(added, i), "id"), "added_tokens", &id, most, error);
        if (rc)
            return rc;
    }
    if ((size_t)*most > tokens * 2 + 1024) {
        const dpi_place place = {.file = tokenizer->name, .item = "vocab", .offset = -1};
        return dpi_fail_at(error, DP_E_FORMAT, &place, "the highest id is %d, but there are only %zu tokens", *most,
                           tokens);
    }
    return DP_OK;
}

static int is_byte_piece(const char *text)
{
    return !strncmp(text, "<0x", 3) && strspn(text + 3, "0123456789ABCDEF") == 2 && !strcmp(text + 5, ">");
}

static int read_vocab(dp_tokenizer *tokenizer, const json_t *vocab, const json_t *added, dp_error *error)
{
    int32_t most = -1;
    int rc = highest_id(tokenizer, vocab, added, &most, error);

    if (!rc)
        rc = dpi_vocab_open(&tokenizer->vocab, tokenizer->memory, most + 1, error);
    for (void *at = json_object_iter((json_t *)(uintptr_t)vocab); !rc && at;
         at = json_object_iter_next((json_t *)(uintptr_t)vocab, at)) {
        const char *const key = json_object_iter_key(at);
        const int32_t id = (int32_t)json_integer_value(json_object_iter_value(at));
        const int byte = tokenizer->byte_fallback && tokenizer->kind == DPI_SENTENCEPIECE && is_byte_piece(key);
        rc =
            dpi_vocab_put(&tokenizer->vocab, id, key, strlen(key), byte ? DPI_TOKEN_BYTE : DPI_TOKEN_NORMAL, error);
    }
    return rc;
}

static int read_merge(dp_tokenizer *tokenizer, const json_t *merge, dp_error *error)
{
    const json_t *const left = json_array_get(merge, 0), *const right = json_array_get(merge, 1);

    if (json_is_string(merge))
        return dpi_merges_add_line(&tokenizer->merges, &tokenizer->vocab, json_string_value(merge),
                                   json_string_length(merge), error);
    if (json_array_size(merge) != 2 || !json_is_string(left) || !json_is_string(right))
        return dpi_fail_at(error, DP_E_FORMAT, &(dpi_place){.item = "merges", .offset = -1},
                           "merge %zu is neither a string nor two strings", tokenizer->merges.count);
    return dpi_merges_add(&tokenizer->merges, &tokenizer->vocab, json_string_value(left), json_string_length(left),
                          json_string_value(right), json_string_length(right), error);
}

static int read_merges(dp_tokenizer *tokenizer, const json_t *merges, dp_error *error)
{
    const size_t count = json_array_size(merges);
    int rc = DP_OK;

    if (!json_is_array(merges))
        return format_error(tokenizer, "merges", "the model has no list of merges", error);
    if (count > DPI_MERGES_MOST)
        return format_error(tokenizer, "merges", "there are too many merges", error);
    rc = dpi_merges_open(&tokenizer->merges, tokenizer->memory, count, error);
    for (size_t i = 0; !rc && i < count; i++)
        rc = read_merge(tokenizer, json_array_get(merges, i), error);
    return rc;
}

// Give the token its id unless it has it already.
static int place_added(dp_tokenizer *tokenizer, int32_t id, const char *text, size_t size, int32_t kind,
                       dp_error *error)
{
    dpi_vocab *const vocab = &tokenizer->vocab;
    const int32_t found = dpi_vocab_find(vocab, text, size);

    if (found >= 0 && found != id)
        return dpi_fail_at(error, DP_E_FORMAT, &(dpi_place){.item = "added_tokens", .offset = -1},
                           "added token \"%.64s\" has id %d, but the vocabulary says %d", text, id, found);
    if (found < 0)
        return dpi_vocab_put(vocab, id, text, size, kind, error);
    if (vocab->tokens[id].kind != DPI_TOKEN_BYTE)
        vocab->tokens[id].kind = kind;
    return DP_OK;
}

static int read_flag(const dp_tokenizer *tokenizer, const json_t *token, const char *key, unsigned bit,
                     unsigned *flags, dp_error *error)
{
    int set = 0;
    const int rc = dpi_json_bool(token, key, 0, &set, tokenizer->name, error);

    *flags |= set ? bit : 0;
    return rc;
}

static int read_added(dp_tokenizer *tokenizer, const json_t *token, dp_error *error)
{
    const char *text = NULL;
    unsigned flags = 0, normalized = 0;
    int rc = dpi_json_string(token, "content", 1, &text, tokenizer->name, error);

    if (!rc)
        rc = read_flag(tokenizer, token, "special", DPI_ADDED_SPECIAL, &flags, error);
    if (!rc)
        rc = read_flag(tokenizer, token, "lstrip", DPI_ADDED_LSTRIP, &flags, error);
    if (!rc)
        rc = read_flag(tokenizer, token, "rstrip", DPI_ADDED_RSTRIP, &flags, error);
    if (!rc)
        rc = read_flag(tokenizer, token, "single_word", DPI_ADDED_WORD, &flags, error);
    if (!rc)
        rc = read_flag(tokenizer, token, "normalized", 1, &normalized, error);
    if (rc || !*text)
        return rc;
    const int32_t id = (int32_t)json_integer_value(json_object_get(token, "id"));
    const int32_t kind = id == tokenizer->unknown    ? DPI_TOKEN_UNKNOWN
                         : flags & DPI_ADDED_SPECIAL ? DPI_TOKEN_CONTROL
                                                     : DPI_TOKEN_USER;
    rc = place_added(tokenizer, id, text, strlen(text), kind, error);
    return rc ? rc : dpi_tokenizer_add(tokenizer, id, flags, (int)normalized, error);
}

static int read_model_flags(dp_tokenizer *tokenizer, const json_t *model, dp_error *error)
{
    const char *const name = tokenizer->name;
    const char *prefix = "", *suffix = "";
    double dropout = 0;
    int rc = dpi_json_bool(model, "byte_fallback", 0, &tokenizer->byte_fallback, name, error);

    if (!rc)
        rc = dpi_json_bool(model, "fuse_unk", 0, &tokenizer->fuse_unknown, name, error);
    if (!rc)
        rc = dpi_json_bool(model, "ignore_merges", 0, &tokenizer->ignore_merges, name, error);
    if (!rc)
        rc = dpi_json_real(model, "dropout", 0, &dropout, name, error);
    if (!rc)
        rc = dpi_json_string(model, "continuing_subword_prefix", 0, &prefix, name, error);
    if (!rc)
        rc = dpi_json_string(model, "end_of_word_suffix", 0, &suffix, name, error);
    if (rc)
        return rc;
    if (dropout != 0 || *prefix || *suffix)
        return dpi_json_refuse(tokenizer, DP_E_UNSUPPORTED, "model", "not supported here:",
                               dropout != 0 ? "dropout" : "continuing_subword_prefix or end_of_word_suffix", error);
    if (tokenizer->ignore_merges && tokenizer->kind == DPI_SENTENCEPIECE)
        return dpi_json_refuse(tokenizer, DP_E_UNSUPPORTED, "model",
                               "not supported with SentencePiece:", "ignore_merges", error);
    return DP_OK;
}

static int read_unknown(dp_tokenizer *tokenizer, const json_t *model, dp_error *error)
{
    const char *text = NULL;
    const int rc = dpi_json_string(model, "unk_token", 0, &text, tokenizer->name, error);

    if (rc || !text)
        return rc;
    tokenizer->unknown = tokenizer->unk = dpi_vocab_find(&tokenizer->vocab, text, strlen(text));
    if (tokenizer->unknown < 0)
        return dpi_json_refuse(tokenizer, DP_E_FORMAT, "unk_token", "is not in the vocabulary:", text, error);
    tokenizer->vocab.tokens[tokenizer->unknown].kind = DPI_TOKEN_UNKNOWN;
    return DP_OK;
}

// The members that must be of a kind are.
static int check_model(dp_tokenizer *tokenizer, const json_t *model, const json_t *vocab, const json_t *added,
                       dp_error *error)
{
    const char *type = "BPE";

    if (!json_is_object(model))
        return format_error(tokenizer, "model", "the tokenizer has no model", error);
    int rc = dpi_json_string(model, "type", 0, &type, tokenizer->name, error);
    if (!rc && strcmp(type, "BPE"))
        rc = dpi_json_refuse(tokenizer, DP_E_UNSUPPORTED, "model", "not a model that is supported here:", type,
                             error);
    if (!rc && (!json_is_object(vocab) || !json_object_size(vocab)))
        rc = format_error(tokenizer, "vocab", "the vocabulary is missing or empty", error);
    if (!rc && added && !json_is_null(added) && !json_is_array(added))
        rc = format_error(tokenizer, "added_tokens", "the added tokens are not a list", error);
    return rc;
}

static int read_model(dp_tokenizer *tokenizer, const json_t *root, dp_error *error)
{
    const json_t *const model = json_object_get(root, "model"), *const vocab = json_object_get(model, "vocab");
    const json_t *const added = json_object_get(root, "added_tokens");
    int rc = check_model(tokenizer, model, vocab, added, error);

    if (!rc)
        rc = dpi_json_rules(tokenizer, root, error);
    if (!rc)
        rc = read_model_flags(tokenizer, model, error);
    if (!rc)
        rc = read_vocab(tokenizer, vocab, added, error);
    if (!rc)
        rc = read_merges(tokenizer, json_object_get(model, "merges"), error);
    if (!rc)
        rc = read_unknown(tokenizer, model, error);
    for (size_t i = 0; !rc && i < json_array_size(added); i++)
        rc = read_added(tokenizer, json_array_get(added, i), error);
    return rc ? rc : dpi_json_template(tokenizer, root, error);
}

int dpi_tokenizer_from_json(dp_tokenizer *tokenizer, const char *bytes, size_t size, dp_error *error)
{
    json_t *root = NULL;
    int rc = dpi_json_parse(&root, bytes, size, tokenizer->name, error);

    if (rc)
        return rc;
    rc = read_model(tokenizer, root, error);
    json_decref(root);
    return rc;
}
