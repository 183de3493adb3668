// The files beside a tokenizer: tokenizer_config.json, special_tokens_map.json, added_tokens.json, config.json.
#include <string.h>

#include "base/error.h"
#include "io/json.h"
#include "text/tokenizer.h"

static const uint64_t MOST_BYTES = 64u << 20;
static const dpi_place PLACE = {.item = "added_tokens", .offset = -1};

typedef struct setting {
    const char *token, *id; // keys of the token in tokenizer_config.json, of its id in config.json
    int32_t *out;
    int known;
} setting;

// Parse folder/name; *out stays NULL when there is no such file.  *path is the file's name for errors.
static int read_object(dp_tokenizer *tokenizer, const char *folder, const char *name, json_t **out, char **path,
                       dp_error *error)
{
    dpi_storage *storage = NULL;
    int rc = DP_OK;

    *out = NULL;
    *path = dpi_path_join(tokenizer->memory, folder, name, error);
    if (!*path)
        return DP_E_MEMORY;
    if (!dpi_path_exists(*path))
        return DP_OK;
    rc = dpi_file_read(&storage, tokenizer->context, *path, MOST_BYTES, error);
    if (!rc)
        rc = dpi_json_parse(out, (const char *)dpi_storage_bytes(storage), (size_t)dpi_storage_size(storage), *path,
                            error);
    dpi_storage_drop(storage);
    if (!rc && !json_is_object(*out)) {
        const dpi_place place = {.file = *path, .offset = -1};
        rc = dpi_fail_at(error, DP_E_FORMAT, &place, "not a JSON object");
    }
    return rc;
}

// A token that is written as a string or as an object with its content.
static const json_t *content_of(const json_t *value)
{
    return json_is_object(value) ? json_object_get(value, "content") : value;
}

static void read_tokens(const dp_tokenizer *tokenizer, const json_t *config, setting *settings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *const value = json_object_get(config, settings[i].token), *const text = content_of(value);
        if (settings[i].known || !value)
            continue;
        settings[i].known = json_is_null(value);
        if (!json_is_string(text))
            continue;
        int32_t id = dpi_vocab_find(&tokenizer->vocab, json_string_value(text), json_string_length(text));
        if (!json_string_length(text) && tokenizer->kind == DPI_SENTENCEPIECE)
            id = tokenizer->unknown; // SentencePiece's answer to an empty name, as LLaMA-1's first upload has it
        if (id < 0)
            continue;
        *settings[i].out = id;
        settings[i].known = 1;
    }
}

static int read_ids(const dp_tokenizer *tokenizer, const json_t *config, const char *path, setting *settings,
                    size_t count, dp_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(config, settings[i].id);
        if (json_is_array(value))
            value = json_array_get(value, 0);
        if (settings[i].known || *settings[i].out >= 0 || !json_is_integer(value) || json_integer_value(value) < 0)
            continue;
        const dpi_place place = {.file = path, .item = settings[i].id, .offset = -1};
        if (json_integer_value(value) >= tokenizer->vocab.count)
            return dpi_fail_at(error, DP_E_FORMAT, &place, "id %lld is outside the tokenizer's vocabulary of %d",
                               (long long)json_integer_value(value), tokenizer->vocab.count);
        *settings[i].out = (int32_t)json_integer_value(value);
    }
    return DP_OK;
}

// A token that the SentencePiece model does not have, or has as a plain piece.
static int add_token(dp_tokenizer *tokenizer, int64_t id, const char *text, unsigned flags, dp_error *error)
{
    dpi_vocab *const vocab = &tokenizer->vocab;
    const size_t size = strlen(text);
    const int32_t found = dpi_vocab_find(vocab, text, size);
    int rc = DP_OK;

    if (found >= 0 || !size)
        return found < 0 || dpi_token_merges(&vocab->tokens[found])
                   ? DP_OK
                   : dpi_tokenizer_add(tokenizer, found, flags | DPI_ADDED_SPECIAL, 0, error);
    if (id < 0 || id >= vocab->count)
        return dpi_fail_at(error, DP_E_FORMAT, &PLACE, "added token \"%.64s\" has the id %lld", text,
                           (long long)id);
    rc = dpi_vocab_put(vocab, (int32_t)id, text, size,
                       flags & DPI_ADDED_SPECIAL ? DPI_TOKEN_CONTROL : DPI_TOKEN_USER, error);
    return rc ? rc : dpi_tokenizer_add(tokenizer, (int32_t)id, flags, 0, error);
}

static unsigned flags_of(const json_t *token)
{
    return (json_is_true(json_object_get(token, "special")) ? DPI_ADDED_SPECIAL : 0u) |
           (json_is_true(json_object_get(token, "single_word")) ? DPI_ADDED_WORD : 0u) |
           (json_is_true(json_object_get(token, "lstrip")) ? DPI_ADDED_LSTRIP : 0u) |
           (json_is_true(json_object_get(token, "rstrip")) ? DPI_ADDED_RSTRIP : 0u);
}

// Room for the ids up to `most`.
static int widen(dp_tokenizer *tokenizer, int64_t most, size_t tokens, dp_error *error)
{
    dpi_vocab *const vocab = &tokenizer->vocab;

    if (most < vocab->count)
        return DP_OK;
    if (most > vocab->count + (int64_t)tokens * 2 + 1024)
        return dpi_fail_at(error, DP_E_FORMAT, &PLACE,
                           "an added token has the id %lld, far from the %d of the vocabulary", (long long)most,
                           vocab->count);
    return dpi_vocab_extend(vocab, (int32_t)most + 1, error);
}

static int64_t decoder_id(const char *key)
{
    int64_t id = -1;

    return dpi_parse_i64(key, strlen(key), &id) == strlen(key) ? id : -1;
}

// "added_tokens_decoder": {"32000": {"content": …}} of tokenizer_config.json.
static int read_decoder(dp_tokenizer *tokenizer, const json_t *config, dp_error *error)
{
    json_t *const decoder = json_object_get(config, "added_tokens_decoder");
    int64_t most = -1;

    for (void *at = json_object_iter(decoder); at; at = json_object_iter_next(decoder, at))
        if (decoder_id(json_object_iter_key(at)) > most)
            most = decoder_id(json_object_iter_key(at));
    int rc = widen(tokenizer, most, json_object_size(decoder), error);
    for (void *at = json_object_iter(decoder); !rc && at; at = json_object_iter_next(decoder, at)) {
        const json_t *const token = json_object_iter_value(at);
        const char *const text = json_string_value(json_object_get(token, "content"));
        if (text)
            rc = add_token(tokenizer, decoder_id(json_object_iter_key(at)), text, flags_of(token), error);
    }
    return rc;
}

// {"<pad>": 32000} of added_tokens.json.
static int read_added(dp_tokenizer *tokenizer, json_t *added, dp_error *error)
{
    int64_t most = -1;

    for (void *at = json_object_iter(added); at; at = json_object_iter_next(added, at))
        if (json_integer_value(json_object_iter_value(at)) > most)
            most = json_integer_value(json_object_iter_value(at));
    int rc = widen(tokenizer, most, json_object_size(added), error);
    for (void *at = json_object_iter(added); !rc && at; at = json_object_iter_next(added, at)) {
        const json_t *const id = json_object_iter_value(at);
        if (json_is_integer(id))
            rc = add_token(tokenizer, json_integer_value(id), json_object_iter_key(at), 0, error);
    }
    return rc;
}

static int keep_template(dp_tokenizer *tokenizer, const json_t *config, dp_error *error)
{
    const json_t *chat = json_object_get(config, "chat_template");

    for (size_t i = 0; json_is_array(chat) && i < json_array_size(chat); i++) {
        const json_t *const one = json_array_get(chat, i);
        const char *const name = json_string_value(json_object_get(one, "name"));
        if (name && !strcmp(name, "default")) {
            chat = json_object_get(one, "template");
            break;
        }
    }
    return json_is_string(chat)
               ? dpi_tokenizer_keep_template(tokenizer, json_string_value(chat), json_string_length(chat), error)
               : DP_OK;
}

// chat_template.jinja, where tokenizer_config.json has none.
static int read_template(dp_tokenizer *tokenizer, const char *folder, dp_error *error)
{
    char *const path = dpi_path_join(tokenizer->memory, folder, "chat_template.jinja", error);
    dpi_storage *storage = NULL;
    int rc = path ? DP_OK : DP_E_MEMORY;

    if (!rc && !tokenizer->chat_template && dpi_path_exists(path)) {
        rc = dpi_file_read(&storage, tokenizer->context, path, MOST_BYTES, error);
        if (!rc)
            rc = dpi_tokenizer_keep_template(tokenizer, dpi_storage_bytes(storage),
                                             (size_t)dpi_storage_size(storage), error);
        dpi_storage_drop(storage);
    }
    dpi_free(tokenizer->memory, path);
    return rc;
}

// tokenizer_config.json, which says more than the others.
static int read_config(dp_tokenizer *tokenizer, const json_t *config, const char *path, dp_error *error)
{
    const char *const class = json_string_value(json_object_get(config, "tokenizer_class"));

    if (class && !strncmp(class, "LlamaTokenizer", 14) && tokenizer->kind == DPI_SENTENCEPIECE)
        tokenizer->adds_bos = 1; // this class does unless it is told not to
    int rc = dpi_json_bool(config, "add_bos_token", 0, &tokenizer->adds_bos, path, error);

    if (!rc && !tokenizer->merges.memory)
        rc = read_decoder(tokenizer, config, error);
    return rc ? rc : keep_template(tokenizer, config, error);
}

typedef struct side_file {
    const char *name;
    int32_t kind;
} side_file;
enum { TOKENIZER_CONFIG, ADDED_TOKENS, SPECIAL_MAP, MODEL_CONFIG };

static int read_side_file(dp_tokenizer *tokenizer, const char *folder, const side_file *file, setting *settings,
                          size_t count, dp_error *error)
{
    json_t *object = NULL;
    char *path = NULL;
    int rc = read_object(tokenizer, folder, file->name, &object, &path, error);

    if (!rc && object && file->kind == TOKENIZER_CONFIG)
        rc = read_config(tokenizer, object, path, error);
    if (!rc && object && file->kind == ADDED_TOKENS && !tokenizer->merges.memory)
        rc = read_added(tokenizer, object, error);
    if (!rc && object && file->kind == SPECIAL_MAP)
        read_tokens(tokenizer, object, settings, count);
    if (!rc && object && file->kind == MODEL_CONFIG)
        rc = read_ids(tokenizer, object, path, settings, count, error);
    json_decref(object);
    dpi_free(tokenizer->memory, path);
    return rc;
}

int dpi_tokenizer_configure(dp_tokenizer *tokenizer, const char *folder, dp_error *error)
{
    static const side_file files[] = {{"tokenizer_config.json", TOKENIZER_CONFIG},
                                      {"added_tokens.json", ADDED_TOKENS},
                                      {"tokenizer_config.json", SPECIAL_MAP}, // once all tokens are there
                                      {"special_tokens_map.json", SPECIAL_MAP},
                                      {"config.json", MODEL_CONFIG}};
    setting settings[] = {{"bos_token", "bos_token_id", &tokenizer->bos, 0},
                          {"eos_token", "eos_token_id", &tokenizer->eos, 0},
                          {"unk_token", "unk_token_id", &tokenizer->unk, 0},
                          {"pad_token", "pad_token_id", &tokenizer->pad, 0}};
    int rc = DP_OK;

    for (size_t i = 0; !rc && i < sizeof files / sizeof *files; i++)
        rc = read_side_file(tokenizer, folder, &files[i], settings, sizeof settings / sizeof *settings, error);
    if (!rc)
        rc = read_template(tokenizer, folder, error);
    tokenizer->adds_bos = tokenizer->adds_bos && tokenizer->bos >= 0;
    return rc;
}
