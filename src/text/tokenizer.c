// Opening a tokenizer: which file it is in, and what every loader leaves to be done at the end.
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/sha256.h"
#include "text/bytemap.h"
#include "text/nfc.h"

static const uint64_t MOST_BYTES = 256u << 20; // of tokenizer.json and tokenizer.model

static int list_added(dp_tokenizer *tokenizer, dpi_added_token token, dp_error *error)
{
    if (tokenizer->added_count == tokenizer->added_capacity) {
        const size_t capacity = tokenizer->added_capacity ? tokenizer->added_capacity * 2 : 16;
        void *list = tokenizer->added_list;
        if (dpi_grow(tokenizer->memory, &list, tokenizer->added_count, capacity, sizeof token, error))
            return DP_E_MEMORY;
        tokenizer->added_list = list;
        tokenizer->added_capacity = capacity;
    }
    tokenizer->added_list[tokenizer->added_count++] = token;
    return DP_OK;
}

int dpi_tokenizer_blame(int rc, const char *path, dp_error *error)
{
    char message[sizeof error->message], item[sizeof error->item];

    if (!error || error->file[0] || (rc != DP_E_FORMAT && rc != DP_E_UNSUPPORTED))
        return rc;
    memcpy(message, error->message, sizeof message);
    memcpy(item, error->item, sizeof item);
    const dpi_place place = {.file = path, .item = item, .offset = error->offset};
    return dpi_fail_at(error, rc, &place, "%s", message);
}

int dpi_tokenizer_add(dp_tokenizer *tokenizer, int32_t id, unsigned flags, int normalized, dp_error *error)
{
    const char *const text = dpi_vocab_text(&tokenizer->vocab, id);
    const size_t size = tokenizer->vocab.tokens[id].size;
    dpi_text normal = {.memory = tokenizer->memory};
    int rc = list_added(tokenizer, (dpi_added_token){id, flags, normalized}, error);

    if (rc)
        return rc;
    if (!normalized)
        return dpi_added_put(&tokenizer->added, text, size, id, flags, error);
    if (!tokenizer->composes && (tokenizer->kind == DPI_BYTE_LEVEL || tokenizer->late))
        return dpi_added_put(&tokenizer->normalized, text, size, id, flags, error);
    rc = tokenizer->composes ? dpi_nfc_add(text, size, &normal, NULL, error)
                             : dpi_normalise(tokenizer, text, size, 1, &normal, error);
    if (!rc)
        rc = dpi_added_put(&tokenizer->normalized, normal.data, normal.size, id, flags, error);
    dpi_text_clear(&normal);
    return rc;
}

int dpi_tokenizer_keep_template(dp_tokenizer *tokenizer, const void *bytes, size_t size, dp_error *error)
{
    dpi_text text = {.memory = tokenizer->memory};
    int rc = dpi_text_add(&text, "", 0, error);

    if (!rc)
        rc = dpi_repair_utf8(bytes, size, &text, error);
    if (rc) {
        dpi_text_clear(&text);
        return rc;
    }
    dpi_free(tokenizer->memory, tokenizer->chat_template);
    tokenizer->chat_template = text.data;
    return DP_OK;
}

static int by_id(const void *a, const void *b)
{
    const dpi_added_token *const x = a, *const y = b;

    return (x->id > y->id) - (x->id < y->id);
}

const dpi_added_token *dpi_tokenizer_added(const dp_tokenizer *tokenizer, int32_t id)
{
    const dpi_added_token key = {.id = id};

    return tokenizer->added_count ? bsearch(&key, tokenizer->added_list, tokenizer->added_count, sizeof key, by_id)
                                  : NULL;
}

// The token that stands for a byte.
static size_t byte_text(int32_t kind, unsigned char byte, char text[8])
{
    static const char digits[] = "0123456789ABCDEF";

    if (kind == DPI_BYTE_LEVEL)
        return dpi_utf8_encode(dpi_byte_point(byte), text);
    memcpy(text, "<0x00>", 7);
    text[3] = digits[byte >> 4];
    text[4] = digits[byte & 15];
    return 6;
}

// A byte piece that is no byte's.
static int check_byte_piece(const dp_tokenizer *tokenizer, int32_t id, dp_error *error)
{
    const dpi_token *const token = &tokenizer->vocab.tokens[id];

    if (token->kind != DPI_TOKEN_BYTE)
        return DP_OK;
    for (int byte = 0; byte < 256; byte++)
        if (tokenizer->byte_ids[byte] == id)
            return DP_OK;
    return dpi_fail_at(error, DP_E_FORMAT, &(dpi_place){.item = "vocab", .offset = -1},
                       "byte piece %d is \"%.*s\", not one of <0x00> to <0xFF>", id,
                       (int)(token->size < 64 ? token->size : 64), dpi_vocab_text(&tokenizer->vocab, id));
}

static int find_byte_ids(dp_tokenizer *tokenizer, dp_error *error)
{
    const dpi_vocab *const vocab = &tokenizer->vocab;
    int rc = DP_OK;

    for (int byte = 0; byte < 256; byte++) {
        char text[8];
        const size_t size = byte_text(tokenizer->kind, (unsigned char)byte, text);
        const int32_t id = dpi_vocab_find(vocab, text, size);
        const int fits = id >= 0 && (tokenizer->kind == DPI_BYTE_LEVEL || vocab->tokens[id].kind == DPI_TOKEN_BYTE);
        tokenizer->byte_ids[byte] = fits ? id : -1;
    }
    for (int32_t id = 0; !rc && tokenizer->kind != DPI_BYTE_LEVEL && id < vocab->count; id++)
        rc = check_byte_piece(tokenizer, id, error);
    return rc;
}

static int has_inner_space(const char *text, size_t size)
{
    size_t last = 0; // end of the last space

    for (size_t at = 0; at + DPI_SPACE_SIZE <= size; at++) {
        if (memcmp(text + at, DPI_SPACE, DPI_SPACE_SIZE))
            continue;
        if (at != last)
            return 1;
        last = at + DPI_SPACE_SIZE;
    }
    return 0;
}

// What follows from the vocabulary, once it is whole.
static int finish(dp_tokenizer *tokenizer, dp_error *error)
{
    const dpi_vocab *const vocab = &tokenizer->vocab;
    const int rc = find_byte_ids(tokenizer, error);

    if (tokenizer->added_count)
        qsort(tokenizer->added_list, tokenizer->added_count, sizeof *tokenizer->added_list, by_id);
    if (rc || tokenizer->kind == DPI_BYTE_LEVEL)
        return rc;
    // where unknown characters are dropped, what stands around them may merge
    tokenizer->by_words = tokenizer->unknown >= 0 || !tokenizer->merges.memory;
    for (int32_t id = 0; id < vocab->count; id++) {
        const dpi_token *const token = &vocab->tokens[id];
        tokenizer->has_unused |= token->kind == DPI_TOKEN_UNUSED && !tokenizer->merges.memory;
        if (tokenizer->by_words && dpi_token_merges(token))
            tokenizer->by_words = !has_inner_space(dpi_vocab_text(vocab, id), token->size);
    }
    return DP_OK;
}

static int make(dp_context *context, const char *path, dp_tokenizer **out, dp_error *error)
{
    dpi_memory *const memory = &context->memory;
    dp_tokenizer *const made = dpi_alloc(memory, 1, sizeof *made, error);

    if (!made)
        return DP_E_MEMORY;
    made->context = dpi_context_keep(context);
    made->memory = made->added.memory = made->normalized.memory = made->pieces.memory = memory;
    made->bos = made->eos = made->unk = made->pad = made->unknown = -1;
    made->name = dpi_copy_text(memory, path, error);
    if (!made->name) {
        dp_tokenizer_free(made);
        return DP_E_MEMORY;
    }
    *out = made;
    return DP_OK;
}

static int ends_with(const char *text, const char *end)
{
    const size_t size = strlen(text), tail = strlen(end);

    return size >= tail && !strcmp(text + size - tail, end);
}

static int has_magic(const dpi_storage *storage)
{
    return dpi_storage_size(storage) >= 4 && !memcmp(dpi_storage_bytes(storage), "GGUF", 4);
}

static int read_plain(dp_tokenizer *tokenizer, const char *path, dp_error *error)
{
    dpi_storage *storage = NULL;
    dpi_sha256 hash;
    int rc = dpi_file_read(&storage, tokenizer->context, path, MOST_BYTES, error);

    if (rc)
        return rc;
    const unsigned char *const bytes = dpi_storage_bytes(storage);
    const size_t size = (size_t)dpi_storage_size(storage);
    dpi_sha256_begin(&hash);
    dpi_sha256_add(&hash, bytes, size);
    dpi_sha256_end(&hash, tokenizer->digest);
    if (ends_with(path, ".json"))
        rc = dpi_tokenizer_from_json(tokenizer, (const char *)bytes, size, error);
    else
        rc = dpi_tokenizer_from_spm(tokenizer, bytes, size, error);
    dpi_storage_drop(storage);
    return rc;
}

// The folder that a file is in.
static int folder_of(dpi_memory *memory, const char *path, char **out, dp_error *error)
{
    const char *const slash = strrchr(path, '/');
    const size_t size = !slash ? 1 : slash == path ? 1 : (size_t)(slash - path);

    *out = dpi_copy_bytes(memory, slash ? path : ".", size, error);
    return *out ? DP_OK : DP_E_MEMORY;
}

static int read_with_settings(dp_tokenizer *tokenizer, const char *path, dp_error *error)
{
    char *folder = NULL;
    int rc = read_plain(tokenizer, path, error);

    if (!rc)
        rc = folder_of(tokenizer->memory, path, &folder, error);
    if (!rc)
        rc = dpi_tokenizer_configure(tokenizer, folder, error);
    dpi_free(tokenizer->memory, folder);
    return rc;
}

static int open_file(dp_context *context, const char *path, dp_tokenizer **out, dp_error *error)
{
    dp_tokenizer *tokenizer = NULL;
    dpi_storage *storage = NULL;
    int rc = dpi_file_open(&storage, context, path, 0, error);

    if (rc)
        return rc;
    rc = make(context, path, &tokenizer, error);
    if (!rc)
        rc = has_magic(storage) ? dpi_tokenizer_from_gguf(tokenizer, storage, error)
                                : read_with_settings(tokenizer, path, error);
    if (!rc)
        rc = finish(tokenizer, error);
    dpi_storage_drop(storage);
    if (rc) {
        dp_tokenizer_free(tokenizer);
        return dpi_tokenizer_blame(rc, path, error);
    }
    *out = tokenizer;
    return DP_OK;
}

static int open_folder(dp_context *context, const char *path, dp_tokenizer **out, dp_error *error)
{
    dpi_memory *const memory = &context->memory;
    const dpi_place place = {.file = path, .offset = -1};
    char *const json = dpi_path_join(memory, path, "tokenizer.json", error);
    char *const model = json ? dpi_path_join(memory, path, "tokenizer.model", error) : NULL;
    int rc = DP_E_MEMORY;

    if (json && model) {
        const int has_json = dpi_path_exists(json), has_model = dpi_path_exists(model);
        rc = has_json ? open_file(context, json, out, error) : DP_E_UNSUPPORTED;
        if (rc == DP_E_UNSUPPORTED && has_model)
            rc = open_file(context, model, out, error);
        else if (!has_json)
            rc = dpi_fail_at(error, DP_E_IO, &place, "holds neither tokenizer.json nor tokenizer.model");
    }
    dpi_free(memory, json);
    dpi_free(memory, model);
    return rc;
}

int dp_tokenizer_open(dp_context *context, const char *path, dp_tokenizer **out, dp_error *error)
{
    if (!context || !path || !out)
        return dpi_fail(error, DP_E_ARGUMENT, "context, path and out must not be NULL");
    return dpi_path_is_directory(path) ? open_folder(context, path, out, error)
                                       : open_file(context, path, out, error);
}
