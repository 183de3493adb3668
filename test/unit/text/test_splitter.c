// Split patterns: pieces as Hugging Face's tokenizers cut them, gaps kept, bad and slow patterns refused.
#include "support.h"

static void check(const dpi_splitter *splitter, const char *text, const char *const *want)
{
    dpi_cutter cutter;
    size_t at = 0;

    ck_assert_int_eq(dpi_cutter_open(&cutter, splitter, NULL, NULL), DP_OK);
    ck_assert_int_eq(dpi_cutter_run(&cutter, text, strlen(text), NULL), DP_OK);
    for (size_t i = 0; i < cutter.spans.count; i++) {
        const dpi_span span = cutter.spans.data[i];
        ck_assert_uint_eq(span.begin, at);
        ck_assert_ptr_nonnull(want[i]);
        ck_assert_msg(strlen(want[i]) == span.end - span.begin &&
                          !memcmp(text + at, want[i], span.end - span.begin),
                      "piece %zu of \"%s\" is \"%.*s\"", i, text, (int)(span.end - span.begin), text + at);
        at = span.end;
    }
    ck_assert_uint_eq(at, strlen(text));
    ck_assert_ptr_null(want[cutter.spans.count]);
    dpi_cutter_close(&cutter);
}
#define PIECES(splitter, text, ...) check(splitter, text, (const char *const[]){__VA_ARGS__, NULL})

static void open_named(dpi_splitter *splitter, dp_context *context, const char *name)
{
    ck_assert_int_eq(dpi_splitter_open(splitter, &context->memory, NULL), DP_OK);
    ck_assert_ptr_nonnull(dpi_splitter_named(name, strlen(name)));
    ck_assert_int_eq(dpi_splitter_take(splitter, dpi_splitter_named(name, strlen(name)), NULL), DP_OK);
    ck_assert_ptr_eq(dpi_splitter_known(splitter), dpi_splitter_named(name, strlen(name)));
}

START_TEST(gpt2_and_smollm)
{
    dp_context *context = new_context(NULL);
    dpi_splitter gpt2, smollm;

    open_named(&gpt2, context, "gpt-2");
    open_named(&smollm, context, "smollm");
    PIECES(&gpt2, "I'll say 'S's 12 34!?", "I", "'ll", " say", " '", "S", "'s", " 12", " 34", "!?");
    PIECES(&gpt2, "a  1", "a", " ", " 1");
    PIECES(&smollm, "a  1", "a", "  ", "1"); // the digit is cut off before
    PIECES(&smollm, "x12½", "x", "1", "2", "½");
    PIECES(&gpt2, "a \n\n b  ", "a", " \n\n", " b", "  ");
    PIECES(&gpt2, "\xc2\xa0x", "\xc2\xa0", "x"); // only U+0020 goes with the word
    PIECES(&gpt2,
           " \xe1\xa0\x8e"
           "a",
           " \xe1\xa0\x8e", "a"); // U+180E is no white space
    dpi_splitter_close(&gpt2);
    dpi_splitter_close(&smollm);
    end_context(context);
}
END_TEST

START_TEST(llama3_and_qwen2)
{
    dp_context *context = new_context(NULL);
    dpi_splitter llama3, qwen2;

    open_named(&llama3, context, "llama-bpe");
    open_named(&qwen2, context, "qwen2");
    PIECES(&llama3, "I'LL pay 1234567 \"now\"\n\n ok", "I", "'LL", " pay", " ", "123", "456", "7", " \"", "now",
           "\"\n\n", " ok");
    PIECES(&llama3,
           "\xe2\x82\xac"
           "euro",
           "\xe2\x82\xac"
           "euro");                                            // any one other character goes with the word
    PIECES(&llama3, "it'\xc5\xbf x", "it", "'\xc5\xbf", " x"); // the long s folds to s
    PIECES(&qwen2, "12 a", "1", "2", " a");
    dpi_splitter_close(&llama3);
    dpi_splitter_close(&qwen2);
    end_context(context);
}
END_TEST

START_TEST(patterns_and_strings_of_a_file)
{
    dp_context *context = new_context(NULL);
    dpi_splitter splitter;

    ck_assert_int_eq(dpi_splitter_open(&splitter, &context->memory, NULL), DP_OK);
    ck_assert_int_eq(dpi_splitter_add(&splitter, DPI_STEP_STRING, "+.", 2, NULL), DP_OK);
    ck_assert_int_eq(dpi_splitter_add(&splitter, DPI_STEP_DIGITS, NULL, 0, NULL), DP_OK);
    ck_assert_int_eq(dpi_splitter_add(&splitter, DPI_STEP_REGEX, "x*", 2, NULL), DP_OK); // matches nothing, too
    PIECES(&splitter, "a+.12xxb", "a", "+", ".", "1", "2", "xx", "b");
    ck_assert_ptr_null(dpi_splitter_known(&splitter));
    dpi_splitter_close(&splitter);
    end_context(context);
}
END_TEST

static void spelled(const char *pattern, const char *want)
{
    dp_context *context = new_context(NULL);
    dpi_text out = {.memory = &context->memory};

    ck_assert_int_eq(dpi_spell_spaces(pattern, &out, NULL), DP_OK);
    ck_assert_str_eq(out.data, want);
    dpi_text_clear(&out);
    end_context(context);
}

#define WHITE "\\t-\\r\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"

START_TEST(spells_white_space_out)
{
    spelled("a\\s+(?!\\S)", "a[" WHITE "]+(?![^" WHITE "])");
    spelled("[^\\s\\p{L}]\\s", "[^" WHITE "\\p{L}][" WHITE "]");
    spelled("[]\\s]", "[]" WHITE "]");
    spelled("\\\\s\\[\\s[\\]\\s]", "\\\\s\\[[" WHITE "][\\]" WHITE "]");
    spelled("[\\s-a\\S]", "[\\s-a\\S]"); // cannot be said there
    spelled("[[:alpha:]\\s]", "[[:alpha:]\\s]");
    spelled("\\", "\\");
}
END_TEST

START_TEST(refuses_bad_patterns)
{
    dp_context *context = new_context(NULL);
    dpi_splitter splitter;
    dp_error error;

    ck_assert_int_eq(dpi_splitter_open(&splitter, &context->memory, NULL), DP_OK);
    ck_assert_int_eq(dpi_splitter_add(&splitter, DPI_STEP_REGEX, "(a", 2, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "split pattern \"(a\" at 2: missing closing parenthesis");
    ck_assert_str_eq(error.item, "pre_tokenizer");
    ck_assert_int_eq(dpi_splitter_add(&splitter, DPI_STEP_STRING, "", 0, &error), DP_E_FORMAT);
    ck_assert_ptr_null(dpi_splitter_named("deepseek", 8));
    ck_assert_ptr_null(dpi_splitter_named("", 0));
    dpi_splitter_close(&splitter);
    end_context(context);
}
END_TEST

START_TEST(a_slow_pattern_is_an_error_not_a_wait)
{
    static const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!";
    dp_context *context = new_context(NULL);
    dpi_splitter splitter;
    dpi_cutter cutter;
    dp_error error;

    ck_assert_int_eq(dpi_splitter_open(&splitter, &context->memory, NULL), DP_OK);
    ck_assert_int_eq(dpi_splitter_add(&splitter, DPI_STEP_REGEX, "(a+)+$", 6, NULL), DP_OK);
    ck_assert_int_eq(dpi_cutter_open(&cutter, &splitter, NULL, NULL), DP_OK);
    ck_assert_int_eq(dpi_cutter_run(&cutter, text, sizeof text - 1, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "the tokenizer's split pattern takes too many steps on a text of 63 bytes");
    dpi_cutter_close(&cutter);
    dpi_splitter_close(&splitter);
    end_context(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        gpt2_and_smollm,        llama3_and_qwen2,     patterns_and_strings_of_a_file,
        spells_white_space_out, refuses_bad_patterns, a_slow_pattern_is_an_error_not_a_wait};
    return dpt_run("text/splitter", tests, sizeof tests / sizeof *tests);
}
