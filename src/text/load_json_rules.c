// tokenizer.json: normalizer, pre_tokenizer and post_processor.  What is not understood is refused by name.
#include <string.h>

#include "base/error.h"
#include "text/load_json.h"

int dpi_json_refuse(const dp_tokenizer *tokenizer, int code, const char *key, const char *fact, const char *value,
                    dp_error *error)
{
    const dpi_place place = {.file = tokenizer->name, .item = key, .offset = -1};

    return dpi_fail_at(error, code, &place, "%s \"%.100s\"", fact, value);
}

static int is(const json_t *value, const char *text)
{
    return json_is_string(value) && !strcmp(json_string_value(value), text);
}

// The members of a Sequence under `key`, or the one thing that is not a Sequence as *single.
static int list_of(const dp_tokenizer *tokenizer, const json_t *part, const char *name, const char *key,
                   const json_t **list, dp_error *error)
{
    const json_t *const found = json_object_get(part, key);

    *list = NULL;
    if (!is(json_object_get(part, "type"), "Sequence"))
        return DP_OK;
    if (!json_is_array(found))
        return dpi_json_refuse(tokenizer, DP_E_FORMAT, name, "a Sequence has no list", key, error);
    *list = found;
    return DP_OK;
}

static const char *type_of(const json_t *part)
{
    const char *const type = json_string_value(json_object_get(part, "type"));

    return type ? type : "(no type)";
}

static int read_normalizer(dp_tokenizer *tokenizer, const json_t *part, int *spaces, dp_error *error)
{
    const json_t *const pattern = json_object_get(part, "pattern");

    if (is(json_object_get(part, "type"), "NFC")) {
        tokenizer->composes = 1;
        return DP_OK;
    }
    if (is(json_object_get(part, "type"), "Prepend") && is(json_object_get(part, "prepend"), DPI_SPACE)) {
        tokenizer->prefix = DPI_PREFIX_ALWAYS;
        return DP_OK;
    }
    if (is(json_object_get(part, "type"), "Replace") && is(json_object_get(pattern, "String"), " ") &&
        is(json_object_get(part, "content"), DPI_SPACE)) {
        *spaces = 1;
        return DP_OK;
    }
    return dpi_json_refuse(tokenizer, DP_E_UNSUPPORTED, "normalizer",
                           "not a normalizer that is supported here:", type_of(part), error);
}

static int read_normalizers(dp_tokenizer *tokenizer, const json_t *root, int *spaces, dp_error *error)
{
    const json_t *const part = json_object_get(root, "normalizer"), *list = NULL;
    int rc = DP_OK;

    if (!part || json_is_null(part))
        return DP_OK;
    rc = list_of(tokenizer, part, "normalizer", "normalizers", &list, error);
    if (!rc && !list)
        return read_normalizer(tokenizer, part, spaces, error);
    for (size_t i = 0; !rc && i < json_array_size(list); i++)
        rc = read_normalizer(tokenizer, json_array_get(list, i), spaces, error);
    return rc;
}

static int read_metaspace(dp_tokenizer *tokenizer, const json_t *part, dp_error *error)
{
    const json_t *const scheme = json_object_get(part, "prepend_scheme");

    tokenizer->late = 1;
    if (!is(json_object_get(part, "replacement"), DPI_SPACE) || !json_is_false(json_object_get(part, "split")))
        return dpi_json_refuse(tokenizer, DP_E_UNSUPPORTED, "pre_tokenizer", "only one form is supported here of",
                               "Metaspace", error);
    if (is(scheme, "never") || json_is_false(json_object_get(part, "add_prefix_space")))
        tokenizer->prefix = DPI_PREFIX_NEVER;
    else
        tokenizer->prefix = is(scheme, "first") ? DPI_PREFIX_FIRST : DPI_PREFIX_MISSING;
    return DP_OK;
}

static int read_split(dp_tokenizer *tokenizer, const json_t *part, dp_error *error)
{
    const json_t *const pattern = json_object_get(part, "pattern");
    const json_t *const regex = json_object_get(pattern, "Regex"), *const string =
                                                                       json_object_get(pattern, "String");
    const json_t *const text = regex ? regex : string;

    if (!is(json_object_get(part, "behavior"), "Isolated") || json_is_true(json_object_get(part, "invert")))
        return dpi_json_refuse(tokenizer, DP_E_UNSUPPORTED, "pre_tokenizer",
                               "only one behaviour is supported here of", "Split", error);
    if (!json_is_string(text))
        return dpi_json_refuse(tokenizer, DP_E_FORMAT, "pre_tokenizer", "no pattern in a", "Split", error);
    return dpi_splitter_add(&tokenizer->splitter, regex ? DPI_STEP_REGEX : DPI_STEP_STRING, json_string_value(text),
                            json_string_length(text), error);
}

// One step; *bytes says that ByteLevel, which must be the last, was seen.
static int read_step(dp_tokenizer *tokenizer, const json_t *part, int *bytes, dp_error *error)
{
    const json_t *const type = json_object_get(part, "type");

    if (*bytes)
        return dpi_json_refuse(tokenizer, DP_E_UNSUPPORTED, "pre_tokenizer",
                               "no step is supported after ByteLevel:", type_of(part), error);
    if (is(type, "Split"))
        return read_split(tokenizer, part, error);
    if (is(type, "Digits"))
        return dpi_splitter_add(&tokenizer->splitter,
                                json_is_true(json_object_get(part, "individual_digits")) ? DPI_STEP_DIGIT
                                                                                         : DPI_STEP_DIGITS,
                                NULL, 0, error);
    if (!is(type, "ByteLevel"))
        return dpi_json_refuse(tokenizer, DP_E_UNSUPPORTED, "pre_tokenizer",
                               "not a pre-tokenizer that is supported here:", type_of(part), error);
    *bytes = 1;
    if (!json_is_false(json_object_get(part, "add_prefix_space")))
        return dpi_json_refuse(tokenizer, DP_E_UNSUPPORTED, "pre_tokenizer", "ByteLevel is not supported here with",
                               "add_prefix_space", error);
    if (json_is_false(json_object_get(part, "use_regex")))
        return DP_OK;
    return dpi_splitter_add(&tokenizer->splitter, DPI_STEP_GPT2, NULL, 0, error);
}

static int read_steps(dp_tokenizer *tokenizer, const json_t *part, int *bytes, dp_error *error)
{
    const json_t *list = NULL;
    int rc = dpi_splitter_open(&tokenizer->splitter, tokenizer->memory, error);

    if (!rc)
        rc = list_of(tokenizer, part, "pre_tokenizer", "pretokenizers", &list, error);
    if (!rc && !list)
        return read_step(tokenizer, part, bytes, error);
    for (size_t i = 0; !rc && i < json_array_size(list); i++)
        rc = read_step(tokenizer, json_array_get(list, i), bytes, error);
    return rc;
}

// Whether decoding drops the first space: as the decoder says, else where encoding puts one in front.
static int read_decoder(dp_tokenizer *tokenizer, const json_t *root, dp_error *error)
{
    const json_t *const part = json_object_get(root, "decoder"), *list = NULL;
    const int rc = list_of(tokenizer, part, "decoder", "decoders", &list, error);

    tokenizer->strips = tokenizer->prefix != DPI_PREFIX_NEVER;
    if (rc || !list)
        return rc;
    tokenizer->strips = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *const one = json_array_get(list, i);
        tokenizer->strips |= is(json_object_get(one, "type"), "Strip") && is(json_object_get(one, "content"), " ") &&
                             json_integer_value(json_object_get(one, "start")) == 1;
    }
    return DP_OK;
}

// What the parts make together.
static int settle_kind(dp_tokenizer *tokenizer, const json_t *root, int spaces, int bytes, dp_error *error)
{
    const json_t *const part = json_object_get(root, "pre_tokenizer");

    if (bytes == spaces || (bytes && tokenizer->prefix != DPI_PREFIX_NEVER))
        return dpi_json_refuse(tokenizer, DP_E_UNSUPPORTED, "pre_tokenizer",
                               "neither byte-level BPE nor SentencePiece BPE:", part ? type_of(part) : "none",
                               error);
    if (!bytes && tokenizer->composes)
        return dpi_json_refuse(tokenizer, DP_E_UNSUPPORTED, "normalizer",
                               "not supported here with SentencePiece BPE:", "NFC", error);
    tokenizer->kind = bytes ? DPI_BYTE_LEVEL : DPI_SENTENCEPIECE;
    return bytes ? DP_OK : read_decoder(tokenizer, root, error);
}

int dpi_json_rules(dp_tokenizer *tokenizer, const json_t *root, dp_error *error)
{
    const json_t *const part = json_object_get(root, "pre_tokenizer");
    int spaces = 0, bytes = 0;
    int rc = read_normalizers(tokenizer, root, &spaces, error);

    if (rc)
        return rc;
    if (is(json_object_get(part, "type"), "Metaspace")) {
        if (spaces || tokenizer->prefix != DPI_PREFIX_NEVER)
            return dpi_json_refuse(tokenizer, DP_E_UNSUPPORTED, "normalizer", "not supported here with",
                                   "Metaspace", error);
        spaces = 1;
        rc = read_metaspace(tokenizer, part, error);
    } else if (part && !json_is_null(part)) {
        rc = read_steps(tokenizer, part, &bytes, error);
    }
    return rc ? rc : settle_kind(tokenizer, root, spaces, bytes, error);
}

// The first special token of a template's "single" form, before the text.
static void read_template(dp_tokenizer *tokenizer, const json_t *part)
{
    const json_t *const first = json_array_get(json_object_get(part, "single"), 0);
    const char *const name = json_string_value(json_object_get(json_object_get(first, "SpecialToken"), "id"));

    if (!name || !is(json_object_get(part, "type"), "TemplateProcessing"))
        return;
    const json_t *const ids =
        json_object_get(json_object_get(json_object_get(part, "special_tokens"), name), "ids");
    const json_t *const id = json_array_get(ids, 0);
    if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) >= tokenizer->vocab.count)
        return;
    tokenizer->bos = (int32_t)json_integer_value(id);
    tokenizer->adds_bos = 1;
}

int dpi_json_template(dp_tokenizer *tokenizer, const json_t *root, dp_error *error)
{
    const json_t *const part = json_object_get(root, "post_processor"), *list = NULL;
    const int rc = list_of(tokenizer, part, "post_processor", "processors", &list, error);

    if (!rc && !list)
        read_template(tokenizer, part);
    for (size_t i = 0; !rc && i < json_array_size(list); i++)
        read_template(tokenizer, json_array_get(list, i));
    return rc;
}
