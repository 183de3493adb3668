// JSON: what is refused and where, typed members, and text that reads back the same.
#include "base/error.h"
#include "io/json.h"
#include "io/json_load.h"
#include "test/unit/io/support.h"

static json_t *parse(const char *text)
{
    json_t *value = NULL;
    dp_error error;

    ck_assert_msg(dpi_json_parse(&value, text, strlen(text), "a.json", &error) == DP_OK, "%s", text);
    return value;
}

START_TEST(refuses_what_is_not_strict_json)
{
    static const struct {
        const char *text;
        int32_t line;
    } cases[] = {
        {"", 1},
        {"12", 1},
        {"\"text\"", 1},
        {"{", 1},
        {"{}}", 1},
        {"{} {}", 1},
        {"[1,]", 1},
        {"{\"a\":1,}", 1},
        {"{\n\"a\":1,\n\"a\":2}", 3},
        {"{\"a\":1,\"\\u0061\":2}", 1},
        {"\xef\xbb\xbf{}", 1},
        {"// c\n{}", 1},
        {"{\"a\":NaN}", 1},
        {"{\"a\":1e999}", 1},
        {"{\"a\":01}", 1},
        {"{\"a\":9223372036854775808}", 1},
        {"{\"a\":\"\\u0000\"}", 1},
        {"{\"a\":\"\\ud800\"}", 1},
        {"{\"a\":\"\xff\"}", 1},
        {"{\"a\":\"\xc0\xaf\"}", 1},
        {"{\"a\":\"\x01\"}", 1},
        {"{'a':1}", 1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *value = NULL;
        dp_error error = {.code = 0};
        ck_assert_msg(dpi_json_parse(&value, cases[i].text, strlen(cases[i].text), "a.json", &error) == DP_E_FORMAT,
                      "case %zu", i);
        ck_assert_ptr_null(value);
        ck_assert_str_eq(error.file, "a.json");
        ck_assert_int_eq(error.line, cases[i].line);
        ck_assert_int_ge(error.column, 1);
        ck_assert_uint_gt(strlen(error.message), 0);
        if (strncmp(error.message, "not json: ", 10) == 0 && !strstr(error.message, "duplicate") &&
            !strstr(error.message, "overflow") && !strstr(error.message, "too big"))
            ck_assert_msg(!dpi_json_check(cases[i].text, strlen(cases[i].text)), "%s", cases[i].text);
    }
    json_t *value = NULL;
    dp_error error;
    ck_assert_int_eq(dpi_json_parse(&value, "\xef\xbb\xbf{}", 5, "a.json", &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "begins with a byte order mark, not with json");
    ck_assert_int_eq(dpi_json_parse(&value, "{}\0", 3, "a.json", NULL), DP_E_FORMAT);
    ck_assert_int_eq(dpi_json_parse(&value, "{\"a\0\":1}", 8, "a.json", NULL), DP_E_FORMAT);
}
END_TEST

START_TEST(names_the_key_that_stands_twice)
{
    static const struct {
        const char *text, *key;
    } cases[] = {
        {"{\"a\":1, \"a\" : 2}", "a"},
        {"{\"a.name.of.more.than.twenty.bytes\":1,\"a.name.of.more.than.twenty.bytes\":2}",
         "a.name.of.more.than.twenty.bytes"},
        {"{\"a\":1,\"\\u0061\":2}", "\\u0061"},
        {"{\"a\\\"b\":1,\"a\\\"b\":2}", "a\\\"b"},
        {"{\"\":1,\"\":2}", ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *value = NULL;
        dp_error error = {.code = 0};
        ck_assert_int_eq(dpi_json_parse(&value, cases[i].text, strlen(cases[i].text), "a.json", &error),
                         DP_E_FORMAT);
        ck_assert_str_eq(error.item, cases[i].key);
    }
}
END_TEST

START_TEST(counts_nesting_before_it_parses)
{
    enum { DEEP = 100000 };
    static char text[DEEP];
    json_t *value = NULL;
    dp_error error;

    memset(text, '[', sizeof text);
    ck_assert_int_eq(dpi_json_parse(&value, text, sizeof text, "deep.json", &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "nests deeper than 64 levels");
    ck_assert_int_eq(error.offset, 64);
    ck_assert_int_eq(error.column, 65);
    memset(text + 64, ']', 64);
    ck_assert_int_eq(dpi_json_parse(&value, text, 128, "deep.json", &error), DP_OK);
    json_decref(value);
    value = parse("[\"[[[[\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]");
    json_decref(value);
}
END_TEST

START_TEST(bounds_bytes_and_values)
{
    const size_t size = (size_t)20 << 20;
    char *text = malloc(size);
    json_t *value = NULL;
    dp_error error;

    memset(text, ',', size);
    ck_assert_int_eq(dpi_json_parse(&value, text, (256 << 20) + 1, "large.json", &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "is 268435457 bytes of json, at most 268435456 are read");
    text[0] = '[';
    ck_assert_int_eq(dpi_json_parse(&value, text, size, "many.json", &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "holds more than 4194304 values");
    free(text);
}
END_TEST

START_TEST(reads_members_by_kind_and_range)
{
    json_t *object = parse("{\"i\":5,\"r\":1e-05,\"b\":true,\"s\":\"text\",\"n\":null,\"big\":9007199254740993}");
    int64_t number = -1;
    double real = -1;
    int flag = -1;
    const char *string = NULL;
    dp_error error;

    ck_assert_int_eq(dpi_json_int(object, "i", 1, 0, 9, &number, "a.json", &error), DP_OK);
    ck_assert_int_eq(number, 5);
    ck_assert_int_eq(dpi_json_int(object, "big", 1, 0, INT64_MAX, &number, "a.json", &error), DP_OK);
    ck_assert_int_eq(number, 9007199254740993);
    ck_assert_int_eq(dpi_json_real(object, "r", 1, &real, "a.json", &error), DP_OK);
    ck_assert(real == 1e-5);
    ck_assert_int_eq(dpi_json_real(object, "i", 1, &real, "a.json", &error), DP_OK);
    ck_assert(real == 5);
    ck_assert_int_eq(dpi_json_bool(object, "b", 1, &flag, "a.json", &error), DP_OK);
    ck_assert_int_eq(flag, 1);
    ck_assert_int_eq(dpi_json_string(object, "s", 1, &string, "a.json", &error), DP_OK);
    ck_assert_str_eq(string, "text");
    json_decref(object);
}
END_TEST

START_TEST(names_the_member_that_is_wrong)
{
    json_t *object = parse("{\"i\":50,\"r\":1.5,\"b\":1,\"s\":[],\"n\":null}");
    int64_t number = -1;
    double real = -1;
    int flag = -1;
    const char *string = NULL;
    dp_error error;

    ck_assert_int_eq(dpi_json_int(object, "i", 1, 1, 9, &number, "a.json", &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "\"i\" is 50, expected 1 to 9");
    ck_assert_str_eq(error.item, "i");
    ck_assert_str_eq(error.file, "a.json");
    ck_assert_int_eq(dpi_json_int(object, "r", 1, 1, 9, &number, "a.json", &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "\"r\" is a real, expected an integer");
    ck_assert_int_eq(dpi_json_int(object, "x", 1, 1, 9, &number, "a.json", &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "\"x\" is missing");
    ck_assert_int_eq(dpi_json_int(object, "n", 1, 1, 9, &number, "a.json", &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "\"n\" is null");
    ck_assert_int_eq(dpi_json_int(object, "n", 0, 1, 9, &number, "a.json", &error), DP_OK);
    ck_assert_int_eq(dpi_json_int(object, "x", 0, 1, 9, &number, "a.json", &error), DP_OK);
    ck_assert_int_eq(number, -1);
    ck_assert_int_eq(dpi_json_real(object, "s", 0, &real, "a.json", &error), DP_E_FORMAT);
    ck_assert_int_eq(dpi_json_bool(object, "b", 0, &flag, "a.json", &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "\"b\" is an integer, expected true or false");
    ck_assert_int_eq(dpi_json_string(object, "s", 0, &string, "a.json", &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "\"s\" is an array, expected a string");
    ck_assert(real == -1 && flag == -1 && !string);
    json_decref(object);
}
END_TEST

START_TEST(writes_what_it_read)
{
    static const char text[] = "{\n"
                               "  \"z\": 1e-05,\n"
                               "  \"a\": [\n"
                               "    1,\n"
                               "    -2.5,\n"
                               "    500000.0\n"
                               "  ],\n"
                               "  \"empty\": {},\n"
                               "  \"none\": [],\n"
                               "  \"text\": \"q\\\" b\\\\ n\\n \\u001f \xc3\xa9\",\n"
                               "  \"t\": true,\n"
                               "  \"f\": false,\n"
                               "  \"n\": null,\n"
                               "  \"third\": 0.3333333333333333\n"
                               "}\n";
    dp_context *context = new_context();
    const uint64_t used = context->memory.used;
    json_t *value = parse(text);
    char *out = NULL;
    size_t size = 0;

    ck_assert_int_eq(dpi_json_text(value, &context->memory, &out, &size, NULL), DP_OK);
    ck_assert_str_eq(out, text);
    ck_assert_uint_eq(size, strlen(text));
    dpi_free(&context->memory, out);
    json_decref(value);
    end_context(context, used);
}
END_TEST

static int allocations_left;

static void *some_memory(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

START_TEST(says_when_jansson_has_no_memory)
{
    static const char text[] = "{\"a\":[1,2.5,true],\"b\":\"text\",\"a key of many letters\":123456789012345678}";
    json_t *value = NULL;
    int failures = 0, rc = DP_E_MEMORY;

    json_set_alloc_funcs(some_memory, free);
    for (; rc != DP_OK; failures += rc != DP_OK) {
        dp_error error = {.code = 0};
        allocations_left = failures;
        rc = dpi_json_parse(&value, text, sizeof text - 1, "a.json", &error);
        ck_assert(rc == DP_OK || (rc == DP_E_MEMORY && !value && error.message[0]));
    }
    ck_assert_int_ge(failures, 20);
    ck_assert_int_eq(json_integer_value(json_object_get(value, "a key of many letters")), 123456789012345678);
    json_set_alloc_funcs(malloc, free);
    json_decref(value);
}
END_TEST

START_TEST(text_fails_whole_when_memory_ends)
{
    dp_context *context = new_context();
    const uint64_t used = context->memory.used;
    json_t *value = parse("{\"a\":[1,2,3],\"b\":\"a text that is not quite short enough to fit\"}");
    char *out = NULL;
    size_t size = 7;
    dp_error error;

    context->memory.limit = used + 16;
    ck_assert_int_eq(dpi_json_text(value, &context->memory, &out, &size, &error), DP_E_MEMORY);
    ck_assert(!out && size == 7);
    json_decref(value);
    end_context(context, used);
}
END_TEST

// The check that takes no memory agrees with jansson on texts made by chance, most of them nearly right.
START_TEST(the_check_without_memory_agrees)
{
    static const char *const parts[] = {"{",   "}",    "[",     "]",    ",",       ":",     " ",       "\n",   "\"a\"",
                                        "\"b", "\"",   "\\\"",  "\\n",  "\\u00e9", "\\ud83d", "\\ude00", "\\u",  "1",
                                        "-0",  "0.5",  "1e",    "E+1",  "01",      ".",     "true",    "null", "nul",
                                        "\xc3\xa9", "\xc3", "\x01", "[1,2]", "{\"c\":[]}", "[{}", "}]"};
    const size_t count = sizeof parts / sizeof *parts;
    uint64_t state = 12345;
    int valid = 0;

    for (int n = 0; n < 300000; n++) {
        char text[256] = "";
        json_error_t found;
        strcat(text, n % 4 ? "[" : "{\"k\":");
        for (int i = 0; i < n % 7; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            strcat(text, parts[(state >> 33) % count]);
            if (i + 1 < n % 7 && (state >> 60) < 9)
                strcat(text, ",");
        }
        strcat(text, n % 4 ? "]" : "}");
        json_t *value = json_loadb(text, strlen(text), 0, &found);
        ck_assert_msg(dpi_json_check(text, strlen(text)) == (value != NULL), "%s: %s", text, value ? "" : found.text);
        valid += value != NULL;
        json_decref(value);
    }
    ck_assert_int_gt(valid, 10000);
}
END_TEST

// A token longer than any before it makes jansson's buffer grow, in the middle of the text.
START_TEST(long_tokens_after_short_ones)
{
    static char text[70000] = "[\"a\",\"";

    memset(text + 6, 'y', 65000);
    strcpy(text + 65006, "\",1,{\"k\":-12345678.25}]");
    json_t *value = parse(text);
    ck_assert_uint_eq(json_array_size(value), 4);
    ck_assert_uint_eq(json_string_length(json_array_get(value, 1)), 65000);
    ck_assert_double_eq(json_real_value(json_object_get(json_array_get(value, 3), "k")), -12345678.25);
    json_decref(value);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {refuses_what_is_not_strict_json, names_the_key_that_stands_twice,
                                  counts_nesting_before_it_parses,
                                  bounds_bytes_and_values,         reads_members_by_kind_and_range,
                                  names_the_member_that_is_wrong,  writes_what_it_read,
                                  says_when_jansson_has_no_memory, text_fails_whole_when_memory_ends,
                                  the_check_without_memory_agrees, long_tokens_after_short_ones};
    return dpt_run("io/json", tests, sizeof tests / sizeof *tests);
}
