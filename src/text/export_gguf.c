// The tokenizer.ggml.* keys, as llama.cpp reads them.
#include <string.h>

#include "base/error.h"
#include "io/bytes.h"
#include "text/export.h"
#include "text/export_parts.h"

// Strings for an array; those that are made here lie in `made`.
typedef struct strings {
    const char **texts;
    size_t *sizes;
    dpi_text made;
} strings;

static int make_strings(strings *list, dpi_memory *memory, size_t count, dp_error *error)
{
    *list = (strings){.made = {.memory = memory}};
    list->texts = dpi_alloc(memory, count, sizeof *list->texts, error);
    list->sizes = list->texts ? dpi_alloc(memory, count, sizeof *list->sizes, error) : NULL;
    return list->sizes ? DP_OK : DP_E_MEMORY;
}

static void drop_strings(strings *list)
{
    dpi_free(list->made.memory, list->texts);
    dpi_free(list->made.memory, list->sizes);
    dpi_text_clear(&list->made);
}

// Once `made` has all its text: texts that are NULL follow each other in it.
static void place_made(strings *list, size_t count)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        if (list->texts[i])
            continue;
        list->texts[i] = list->made.data + at;
        at += list->sizes[i];
    }
}

// The kind of an id; those at and after the tokenizer's end have no token.
static int32_t kind_at(const dp_tokenizer *tokenizer, int32_t id)
{
    return id < tokenizer->vocab.count ? tokenizer->vocab.tokens[id].kind : DPI_TOKEN_NONE;
}

// Ids without a token are "[PAD17]".
static int put_tokens(const dp_tokenizer *tokenizer, int32_t rows, dpi_gguf_out *out, dp_error *error)
{
    const dpi_vocab *const vocab = &tokenizer->vocab;
    strings list;
    int rc = make_strings(&list, tokenizer->memory, (size_t)rows, error);

    for (int32_t id = 0; !rc && id < rows; id++) {
        if (kind_at(tokenizer, id) != DPI_TOKEN_NONE) {
            list.texts[id] = dpi_vocab_text(vocab, id);
            list.sizes[id] = vocab->tokens[id].size;
            continue;
        }
        const size_t before = list.made.size;
        rc = dpi_text_format(&list.made, error, "[PAD%d]", id);
        list.sizes[id] = list.made.size - before;
    }
    if (!rc) {
        place_made(&list, (size_t)rows);
        rc = dpi_gguf_put_strings(out, "tokenizer.ggml.tokens", list.texts, list.sizes, (uint64_t)rows, error);
    }
    drop_strings(&list);
    return rc;
}

static int32_t gguf_kind(const dp_tokenizer *tokenizer, int32_t id)
{
    const int32_t kind = kind_at(tokenizer, id);

    if (kind == DPI_TOKEN_NONE)
        return DPI_TOKEN_UNUSED;
    return kind == DPI_TOKEN_UNKNOWN && tokenizer->kind == DPI_BYTE_LEVEL ? DPI_TOKEN_CONTROL : kind;
}

static int put_kinds(const dp_tokenizer *tokenizer, int32_t rows, dpi_gguf_out *out, dp_error *error)
{
    const size_t count = (size_t)rows;
    unsigned char *const bytes = dpi_alloc(tokenizer->memory, count, 4, error);

    if (!bytes)
        return DP_E_MEMORY;
    for (size_t i = 0; i < count; i++)
        dpi_le_write(bytes + i * 4, 4, (uint32_t)gguf_kind(tokenizer, (int32_t)i));
    const int rc = dpi_gguf_put_array(out, "tokenizer.ggml.token_type", DPI_GGUF_I32, bytes, count, error);
    dpi_free(tokenizer->memory, bytes);
    return rc;
}

// Where rules take the place of scores, a token scores by the first rule that makes it.
static void scores_of_rules(const dp_tokenizer *tokenizer, float *scores)
{
    const dpi_merges *const merges = &tokenizer->merges;

    for (int32_t id = 0; id < tokenizer->vocab.count; id++)
        if (tokenizer->vocab.tokens[id].kind == DPI_TOKEN_NORMAL)
            scores[id] = -(float)merges->count - 1; // below all that are made
    for (size_t i = merges->count; i-- > 0;)
        scores[merges->rules[i].id] = -(float)i;
}

static int put_scores(const dp_tokenizer *tokenizer, int32_t rows, dpi_gguf_out *out, dp_error *error)
{
    const size_t count = (size_t)rows;
    float *const scores = dpi_alloc(tokenizer->memory, count, sizeof *scores, error);
    unsigned char *const bytes = scores ? dpi_alloc(tokenizer->memory, count, 4, error) : NULL;
    int rc = bytes ? DP_OK : DP_E_MEMORY;

    for (size_t i = 0; !rc && i < count; i++)
        scores[i] = kind_at(tokenizer, (int32_t)i) == DPI_TOKEN_NONE ? -10000 : tokenizer->vocab.tokens[i].score;
    if (!rc && tokenizer->merges.memory)
        scores_of_rules(tokenizer, scores);
    for (size_t i = 0; !rc && i < count; i++) {
        uint32_t bits = 0;
        memcpy(&bits, &scores[i], sizeof bits);
        dpi_le_write(bytes + i * 4, 4, bits);
    }
    if (!rc)
        rc = dpi_gguf_put_array(out, "tokenizer.ggml.scores", DPI_GGUF_F32, bytes, count, error);
    dpi_free(tokenizer->memory, scores);
    dpi_free(tokenizer->memory, bytes);
    return rc;
}

// "left right"; a space inside a part cannot be written.
static int add_line(const dp_tokenizer *tokenizer, const dpi_rule *rule, dpi_text *made, dp_error *error)
{
    const dpi_vocab *const vocab = &tokenizer->vocab;
    const char *const left = dpi_vocab_text(vocab, rule->left), *const right = dpi_vocab_text(vocab, rule->right);
    const size_t left_size = vocab->tokens[rule->left].size, right_size = vocab->tokens[rule->right].size;

    if (memchr(left, ' ', left_size) || memchr(right, ' ', right_size))
        return dpi_fail(error, DP_E_UNSUPPORTED, "token %d holds a space, which GGUF's merges cannot say",
                        rule->id);
    int rc = dpi_text_add(made, left, left_size, error);
    if (!rc)
        rc = dpi_text_add(made, " ", 1, error);
    return rc ? rc : dpi_text_add(made, right, right_size, error);
}

static int put_merges(const dp_tokenizer *tokenizer, dpi_gguf_out *out, dp_error *error)
{
    const dpi_merges *const merges = &tokenizer->merges;
    strings list;
    int rc = make_strings(&list, tokenizer->memory, merges->count, error);

    for (size_t i = 0; !rc && i < merges->count; i++) {
        const size_t before = list.made.size;
        rc = add_line(tokenizer, &merges->rules[i], &list.made, error);
        list.sizes[i] = list.made.size - before;
    }
    if (!rc) {
        place_made(&list, merges->count);
        rc = dpi_gguf_put_strings(out, "tokenizer.ggml.merges", list.texts, list.sizes, merges->count, error);
    }
    drop_strings(&list);
    return rc;
}

static int put_text(dpi_gguf_out *out, const char *key, const char *text, dp_error *error)
{
    return dpi_gguf_put_string(out, key, text, strlen(text), error);
}

static int put_id(dpi_gguf_out *out, const char *key, int32_t id, dp_error *error)
{
    return id < 0 ? DP_OK : dpi_gguf_put_u32(out, key, (uint32_t)id, error);
}

static int put_ids(const dp_tokenizer *tokenizer, dpi_gguf_out *out, dp_error *error)
{
    int rc = put_id(out, "tokenizer.ggml.bos_token_id", tokenizer->bos, error);

    if (!rc)
        rc = put_id(out, "tokenizer.ggml.eos_token_id", tokenizer->eos, error);
    if (!rc)
        rc = put_id(out, "tokenizer.ggml.unknown_token_id", tokenizer->unk, error);
    if (!rc)
        rc = put_id(out, "tokenizer.ggml.padding_token_id", tokenizer->pad, error);
    if (!rc)
        rc = dpi_gguf_put_bool(out, "tokenizer.ggml.add_bos_token", tokenizer->adds_bos, error);
    if (!rc)
        rc =
            dpi_gguf_put_bool(out, "tokenizer.ggml.add_space_prefix", tokenizer->prefix != DPI_PREFIX_NEVER, error);
    if (!rc && tokenizer->squeeze)
        rc = dpi_gguf_put_bool(out, "tokenizer.ggml.remove_extra_whitespaces", 1, error);
    if (!rc && tokenizer->chat_template)
        rc = put_text(out, "tokenizer.chat_template", tokenizer->chat_template, error);
    return rc;
}

static int put_bytes(const dp_tokenizer *tokenizer, int32_t rows, dpi_gguf_out *out, dp_error *error)
{
    const dpi_known_splitter *const known = dpi_splitter_known(&tokenizer->splitter);
    const dpi_place place = {.file = tokenizer->name, .item = "pre_tokenizer", .offset = -1};

    if (!known || known->ignore_merges != tokenizer->ignore_merges)
        return dpi_fail_at(error, DP_E_UNSUPPORTED, &place,
                           "GGUF has no name for this pre-tokenizer that is known here");
    if (known->composes != tokenizer->composes)
        dpi_log(tokenizer->context, DP_LOG_WARNING,
                "%s %s texts to form NFC first; GGUF cannot say so, and \"%s\" is read as one that %s", tokenizer->name,
                tokenizer->composes ? "brings" : "does not bring", known->name, known->composes ? "does" : "does not");
    int rc = put_text(out, "tokenizer.ggml.model", "gpt2", error);
    if (!rc)
        rc = put_text(out, "tokenizer.ggml.pre", known->name, error);
    if (!rc)
        rc = put_tokens(tokenizer, rows, out, error);
    if (!rc)
        rc = put_kinds(tokenizer, rows, out, error);
    return rc ? rc : put_merges(tokenizer, out, error);
}

static int put_pieces(const dp_tokenizer *tokenizer, int32_t rows, dpi_gguf_out *out, dp_error *error)
{
    int rc = put_text(out, "tokenizer.ggml.model", "llama", error);

    if (tokenizer->prefix == DPI_PREFIX_FIRST || tokenizer->prefix == DPI_PREFIX_MISSING)
        dpi_log(tokenizer->context, DP_LOG_WARNING,
                "%s puts a space in front of a text only where none is; GGUF cannot say that, so it always will",
                tokenizer->name);
    if (!rc)
        rc = put_text(out, "tokenizer.ggml.pre", "default", error);
    if (!rc)
        rc = put_tokens(tokenizer, rows, out, error);
    if (!rc)
        rc = put_scores(tokenizer, rows, out, error);
    return rc ? rc : put_kinds(tokenizer, rows, out, error);
}

int dpi_tokenizer_to_gguf(const dp_tokenizer *tokenizer, int32_t rows, dpi_gguf_out *out, dp_error *error)
{
    const dpi_place place = {.file = tokenizer->name, .offset = -1};

    if (rows < tokenizer->vocab.count)
        return dpi_fail_at(error, DP_E_FORMAT, &place,
                           "the tokenizer has %d ids, the model's embedding has %d rows", tokenizer->vocab.count,
                           rows);
    const int rc = tokenizer->kind == DPI_BYTE_LEVEL ? put_bytes(tokenizer, rows, out, error)
                                                     : put_pieces(tokenizer, rows, out, error);

    return rc ? rc : put_ids(tokenizer, out, error);
}
