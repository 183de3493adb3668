// Checks a tokenizer against tokenize.json, and against the .inp and .out files of llama.cpp's vocabularies.
#ifndef TEST_TEXT_GOLDEN_H
#define TEST_TEXT_GOLDEN_H

#include "support.h"

enum { MOST = 1 << 12 };

static inline void check_case(const dp_tokenizer *tokenizer, const json_t *one)
{
    const json_t *const want = json_object_get(one, "ids"), *const text = json_object_get(one, "text");
    static const char *const decoded[] = {"decoded_skip_special", "decoded"};
    int32_t ids[MOST];
    size_t count = 0;

    ck_assert_int_eq(dp_tokenizer_encode(tokenizer, json_string_value(text), json_string_length(text),
                                         DP_ENCODE_SPECIAL, ids, MOST, &count, NULL),
                     DP_OK);
    ck_assert_msg(count == json_array_size(want), "\"%s\" has %zu ids", json_string_value(text), count);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(ids[i], json_integer_value(json_array_get(want, i)));
    for (uint32_t special = 0; special < 2; special++) {
        const json_t *const back = json_object_get(one, decoded[special]);
        check_text(tokenizer, ids, count, special, json_string_value(back), json_string_length(back));
    }
}

// Every case of tokenize.json; returns how many.
static inline size_t check_cases(const dp_tokenizer *tokenizer)
{
    json_t *const root = json_load_file(shared_path("golden/smollm2-135m/tokenize.json"), JSON_ALLOW_NUL, NULL);

    ck_assert_ptr_nonnull(root);
    const json_t *const cases = json_object_get(root, "cases");
    const size_t count = json_array_size(cases);
    for (size_t i = 0; i < count; i++)
        check_case(tokenizer, json_array_get(cases, i));
    json_decref(root);
    return count;
}

// A line of .out: ids with spaces between.
static inline void check_line(const dp_tokenizer *tokenizer, const char *text, size_t size, const char *line)
{
    int32_t ids[MOST];
    size_t count = 0;
    char *end = NULL;

    ck_assert_int_eq(dp_tokenizer_encode(tokenizer, text, size, 0, ids, MOST, &count, NULL), DP_OK);
    for (size_t i = 0; i < count; i++, line = end)
        ck_assert_msg(strtol(line, &end, 10) == ids[i] && end != line, "\"%.*s\"", (int)size, text);
    ck_assert_msg(line[strspn(line, " ")] == '\n' || !line[strspn(line, " ")], "\"%.*s\"", (int)size, text);
}

static inline size_t check_vocabulary(const dp_tokenizer *tokenizer, const char *name)
{
    static const char between[] = "\n__ggml_vocab_test__\n";
    char path[256];
    size_t size = 0, count = 0;

    snprintf(path, sizeof path, "%s.inp", name);
    char *const texts = read_file(shared_path(path), &size);
    snprintf(path, sizeof path, "%s.out", name);
    char *const lines = read_file(shared_path(path), &size), *line = lines;
    for (char *text = texts, *end; text; text = end ? end + sizeof between - 1 : NULL, count++) {
        end = strstr(text, between);
        check_line(tokenizer, text, end ? (size_t)(end - text) : strlen(text), line);
        line += strcspn(line, "\n") + 1;
    }
    free(texts);
    free(lines);
    return count;
}

#endif
