// Calibration windows against numbers that CPython's random.Random drew, over a text whose tokens are its bytes.
#include <depthprune/calib.h>

#include "base/sha256.h"
#include "test/unit/text/support.h"

enum { ROWS = 40, LENGTH = 16 };

typedef struct window {
    int row, begin;
} window;

// Row i of the text: (37 i mod 50) + 1 letters that follow each other from 7 i on.
static size_t row_size(int row)
{
    return (size_t)(row * 37 % 50 + 1);
}

static char letter(int row, size_t at)
{
    return (char)('a' + (row * 7 + (int)at) % 26);
}

static size_t make_rows(char *text, const char *before, const char *after, const char *between)
{
    char *to = text;

    for (int row = 0; row < ROWS; row++) {
        to += sprintf(to, "%s%s", row ? between : "", before);
        for (size_t at = 0; at < row_size(row); at++)
            *to++ = letter(row, at);
        to += sprintf(to, "%s", after);
    }
    return (size_t)(to - text);
}

static const char *put_text(const char *name, const char *before, const char *after, const char *between)
{
    char text[1 << 13];

    write_file(scratch(name), text, make_rows(text, before, after, between));
    return scratch(name);
}

static const char *put_string(const char *name, const char *text)
{
    write_file(scratch(name), text, strlen(text));
    return scratch(name);
}

// Tokens are bytes; with `bos`, id 300 stands in front of each text.
static dp_tokenizer *open_bytes(dp_context *context, int bos)
{
    const parts bytes = {
        .vocab = "\"zq\":256", .merges = "", .added = "{\"id\":300,\"content\":\"<s>\",\"special\":true}"};
    dp_tokenizer *tokenizer = NULL;

    put_string("tokenizer_config.json", bos ? "{\"bos_token\":\"<s>\",\"add_bos_token\":true}" : "{}");
    ck_assert_int_eq(open_json(context, &bytes, &tokenizer, NULL), DP_OK);
    return tokenizer;
}

static dp_calib_options options_of(int32_t samples, int32_t length, int32_t rows, uint64_t seed)
{
    dp_calib_options options;

    dp_calib_options_init(&options, sizeof options);
    options.samples = samples;
    options.length = length;
    options.rows = rows;
    options.seed = seed;
    return options;
}

static dp_calib *draw(dp_context *context, const dp_tokenizer *tokenizer, const char *path,
                      const dp_calib_options *options)
{
    dp_calib *calib = NULL;
    dp_error error;

    ck_assert_msg(dp_calib_open(context, tokenizer, path, options, NULL, &calib, &error) == DP_OK, "%s",
                  error.message);
    return calib;
}

static void check_windows(const dp_calib *calib, const window *want, int32_t samples, int32_t length)
{
    const int32_t *ids = dp_calib_ids(calib);

    for (int32_t s = 0; s < samples; s++)
        for (int32_t i = 0; i < length; i++)
            ck_assert_int_eq(*ids++, letter(want[s].row, (size_t)(want[s].begin + i)));
}

// random.Random(seed): randint(0, 39) until a row has 16 letters and is new, then randint(0, letters - 16).
static const window seed_1234[10] = {{28, 3},  {5, 18}, {2, 1},   {6, 5},  {1, 0},
                                     {39, 15}, {29, 2}, {32, 15}, {4, 29}, {37, 0}};
static const window seed_42[10] = {{1, 8}, {14, 1},  {6, 1},  {37, 3},  {2, 0},
                                   {5, 6}, {32, 19}, {35, 6}, {28, 18}, {17, 12}};
static const window seed_large[5] = {{8, 3}, {35, 1}, {27, 0}, {39, 1}, {12, 2}};

START_TEST(draws_as_the_reference_does)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_bytes(context, 0);
    const char *const path = put_text("rows.txt", "", "", "\n\n");
    dp_calib_options options = options_of(10, LENGTH, DP_ROWS_PARAGRAPH, 1234);
    dp_calib *calib = draw(context, tokenizer, path, &options);

    check_windows(calib, seed_1234, 10, LENGTH);
    dp_calib_free(calib);
    options.seed = 42;
    calib = draw(context, tokenizer, path, &options);
    check_windows(calib, seed_42, 10, LENGTH);
    dp_calib_free(calib);
    options = options_of(5, 40, DP_ROWS_AUTO, ((uint64_t)1 << 40) + 5); // only nine rows are this long
    calib = draw(context, tokenizer, path, &options);
    check_windows(calib, seed_large, 5, 40);
    dp_calib_free(calib);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(rows_are_paragraphs_lines_or_objects)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_bytes(context, 0);
    const dp_calib_options any = options_of(10, LENGTH, DP_ROWS_AUTO, 1234),
                           lines = options_of(10, LENGTH, DP_ROWS_LINE, 1234);
    static const int32_t used[] = {DP_ROWS_PARAGRAPH, DP_ROWS_LINE, DP_ROWS_LINE, DP_ROWS_JSONL, DP_ROWS_JSONL};
    char paths[5][256];

    snprintf(paths[0], 256, "%s", put_text("wide.txt", "", "", "\r\n \t\r\n\r\n"));
    snprintf(paths[1], 256, "%s", put_text("lines.txt", "", "\n", ""));
    snprintf(paths[2], 256, "%s", put_text("crlf.txt", "", "\r\n", ""));
    snprintf(paths[3], 256, "%s", put_text("rows.jsonl", "{\"n\": 1, \"text\": \"", "\"}\n", "\n"));
    snprintf(paths[4], 256, "%s", put_text("rows.json", "{\"text\": \"", "\"}\r\n", ""));
    for (int i = 0; i < 5; i++) {
        dp_calib_info info = {.size = sizeof info};
        dp_calib *const calib = draw(context, tokenizer, paths[i], i == 1 || i == 2 ? &lines : &any);
        ck_assert_int_eq(dp_calib_describe(calib, &info, NULL), DP_OK);
        ck_assert_int_eq(info.rows, used[i]);
        ck_assert_str_eq(info.source, paths[i]);
        check_windows(calib, seed_1234, 10, LENGTH);
        dp_calib_free(calib);
    }
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

// randint(0, 1128 - 16) and randint(0, 1128 - 300) of random.Random(1234).
START_TEST(a_stream_where_rows_are_too_short)
{
    static const int begins[10] = {902, 239, 15, 185, 71, 171, 201, 726, 484, 35};
    static const int long_begins[10] = {796, 451, 119, 7, 92, 826, 596, 35, 687, 709};
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_bytes(context, 0);
    dp_calib_options options = options_of(10, LENGTH, DP_ROWS_STREAM, 1234);
    dp_calib_info info = {.size = sizeof info};
    char text[1 << 13], path[256];

    snprintf(path, sizeof path, "%s", put_text("rows.txt", "", "", "\n\n"));
    ck_assert_uint_eq(make_rows(text, "", "", "\n\n"), 1128);
    for (int i = 0; i < 2; i++) {
        dp_calib *const calib = draw(context, tokenizer, path, &options);
        const int *const want = i ? long_begins : begins;
        ck_assert_int_eq(dp_calib_describe(calib, &info, NULL), DP_OK);
        ck_assert_int_eq(info.rows, DP_ROWS_STREAM);
        for (int32_t k = 0; k < 10 * options.length; k++)
            ck_assert_int_eq(dp_calib_ids(calib)[k], text[want[k / options.length] + k % options.length]);
        dp_calib_free(calib);
        options.length = 300;
        options.rows = DP_ROWS_AUTO;
        snprintf(path, sizeof path, "%s", put_text("rows.jsonl", "{\"text\": \"", "\"}\n", ""));
    }
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(bos_by_convention_by_window_or_not)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_bytes(context, 1);
    dp_calib_options options = options_of(1, 8, DP_ROWS_LINE, 1234);
    char path[256];

    snprintf(path, sizeof path, "%s", put_string("short.txt", "abcdefg\n")); // eight tokens with BOS
    dp_calib *calib = draw(context, tokenizer, path, &options);
    ck_assert_int_eq(dp_calib_ids(calib)[0], 300);
    ck_assert_int_eq(dp_calib_ids(calib)[7], 'g');
    dp_calib_free(calib);
    options.row_bos = 0;
    ck_assert_int_eq(dp_calib_open(context, tokenizer, path, &options, NULL, &calib, NULL), DP_E_FORMAT);
    options.length = 7;
    calib = draw(context, tokenizer, path, &options);
    ck_assert_int_eq(dp_calib_ids(calib)[0], 'a');
    dp_calib_free(calib);
    options.row_bos = 1;
    options.bos_each = 1;
    calib = draw(context, tokenizer, path, &options);
    ck_assert_int_eq(dp_calib_ids(calib)[0], 300);
    ck_assert_int_eq(dp_calib_ids(calib)[6], 'f');
    dp_calib_free(calib);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(reads_special_tokens_as_asked)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_bytes(context, 0);
    dp_calib_options options = options_of(1, 2, DP_ROWS_LINE, 1234);
    char path[256];

    snprintf(path, sizeof path, "%s", put_string("short.txt", "a<s>\n"));
    dp_calib *calib = draw(context, tokenizer, path, &options);
    ck_assert_int_eq(dp_calib_ids(calib)[1], 300);
    dp_calib_free(calib);
    options.encode = 0;
    options.length = 4;
    calib = draw(context, tokenizer, path, &options);
    ck_assert_int_eq(dp_calib_ids(calib)[1], '<');
    dp_calib_free(calib);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

static void refused(dp_context *context, const dp_tokenizer *tokenizer, const char *path,
                    const dp_calib_options *options, int code, const char *message, int line)
{
    dp_calib *calib = NULL;
    dp_error error;

    ck_assert_int_eq(dp_calib_open(context, tokenizer, path, options, NULL, &calib, &error), code);
    ck_assert_str_eq(error.message, message);
    ck_assert_int_eq(error.line, line);
    ck_assert_ptr_null(calib);
}

START_TEST(says_how_much_text_is_missing)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_bytes(context, 0);
    dp_calib_options options = options_of(10, 40, DP_ROWS_PARAGRAPH, 1234);
    char path[256];

    snprintf(path, sizeof path, "%s", put_text("rows.txt", "", "", "\n\n"));
    refused(context, tokenizer, path, &options, DP_E_FORMAT,
            "too little text: 9 of 40 rows have 40 tokens or more, 10 are wanted, 1 are missing; the longest row "
            "has 50 "
            "tokens",
            0);
    options.rows = DP_ROWS_AUTO;
    options.length = 2000;
    refused(context, tokenizer, path, &options, DP_E_FORMAT,
            "too little text: it has 1128 tokens, a window of 2000 is wanted, 872 are missing", 0);
    options.length = 1;
    refused(context, tokenizer, path, &options, DP_E_ARGUMENT, "length is 1; it must be from 2 to 2147483647", 0);
    options = options_of(10, 40, DP_ROWS_AUTO, 1);
    options.bos_each = 1;
    refused(context, tokenizer, path, &options, DP_E_ARGUMENT, "this tokenizer has no beginning-of-sequence id", 0);
    options.bos_each = 0;
    refused(context, tokenizer, put_string("empty.txt", ""), &options, DP_E_FORMAT,
            "too little text: it has 0 tokens, a window of 40 is wanted, 40 are missing", 0);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(names_the_line_of_bad_json)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_bytes(context, 0);
    const dp_calib_options options = options_of(1, 2, DP_ROWS_AUTO, 1234);

    refused(context, tokenizer, put_string("bad.jsonl", "{\"text\":\"ab\"}\n\n{\"text\":}\n"), &options,
            DP_E_FORMAT, "not json: unexpected token near '}'", 3);
    refused(context, tokenizer, put_string("bad.jsonl", "{\"text\":\"ab\"}\n{\"txet\":\"\"}"), &options,
            DP_E_FORMAT, "\"text\" is missing", 2);
    refused(context, tokenizer, put_string("bad.jsonl", "[]"), &options, DP_E_FORMAT,
            "this line is not a JSON object", 1);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(ids_from_the_host)
{
    static const int32_t ids[6] = {1, 2, 3, 70000, 5, 6};
    const unsigned char bytes[24] = {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0x70, 0x11, 1, 0, 5, 0, 0, 0, 6, 0, 0, 0};
    dp_context *context = new_context(NULL);
    dp_calib_info info = {.size = sizeof info};
    dp_calib *calib = NULL;
    char digest[65];
    dpi_sha256 hash;

    dpi_sha256_begin(&hash);
    dpi_sha256_add(&hash, bytes, sizeof bytes);
    dpi_sha256_end(&hash, digest);
    ck_assert_int_eq(dp_calib_from_ids(context, ids, 2, 3, &calib, NULL), DP_OK);
    ck_assert_int_eq(dp_calib_describe(calib, &info, NULL), DP_OK);
    ck_assert(info.samples == 2 && info.length == 3 && info.rows == -1);
    ck_assert_str_eq(info.digest, digest);
    ck_assert_str_eq(info.source, "");
    ck_assert_mem_eq(dp_calib_ids(calib), ids, sizeof ids);
    dp_calib_free(calib);
    ck_assert_int_eq(dp_calib_from_ids(context, ids, 0, 3, &calib, NULL), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_calib_from_ids(context, ids, 2, 1, &calib, NULL), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_calib_from_ids(context, (const int32_t[]){1, -1}, 1, 2, &calib, NULL), DP_E_ARGUMENT);
    context->memory.limit = 1 << 20;
    ck_assert_int_eq(dp_calib_from_ids(context, ids, INT32_MAX, INT32_MAX, &calib, NULL), DP_E_MEMORY);
    dp_calib_free(NULL);
    end_context(context);
}
END_TEST

static int32_t stop(void *user, const dp_progress *now)
{
    (void)user;
    (void)now;
    return 1;
}

START_TEST(stops_when_the_monitor_says_so)
{
    const dp_monitor monitor = {.size = sizeof monitor, .progress = stop};
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_bytes(context, 0);
    const dp_calib_options options = options_of(10, LENGTH, DP_ROWS_AUTO, 1234);
    dp_calib *calib = NULL;

    ck_assert_int_eq(
        dp_calib_open(context, tokenizer, put_text("rows.txt", "", "", "\n\n"), &options, &monitor, &calib, NULL),
        DP_E_CANCELLED);
    ck_assert_ptr_null(calib);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {draws_as_the_reference_does,       rows_are_paragraphs_lines_or_objects,
                                  a_stream_where_rows_are_too_short, bos_by_convention_by_window_or_not,
                                  reads_special_tokens_as_asked,     says_how_much_text_is_missing,
                                  names_the_line_of_bad_json,        ids_from_the_host,
                                  stops_when_the_monitor_says_so};
    return dpt_run("data/calib", tests, sizeof tests / sizeof *tests);
}
