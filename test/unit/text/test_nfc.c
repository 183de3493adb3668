// Normalization form C against CPython's unicodedata: every code point, and random sequences of what composes.  The
// digests are printed by test/golden/unicode_tables.py.
#include "base/sha256.h"
#include "support.h"
#include "text/nfc.h"

static const char every[] = "a53a1fa6cf80faeda32d53574aecd123f46a71d2d957beea04942f22e0285dbd";
static const char mixed[] = "41c0f8c12ed7c6c1d4b7bb875b22a5a2f20381a1bd16866919bfa7d0af71447c";

static void add_point(dpi_text *text, uint32_t point)
{
    char utf8[4];

    if (dpi_text_add(text, utf8, dpi_utf8_encode(point, utf8), NULL)) // an assertion each would take most of the time
        ck_abort_msg("no memory");
}

// End a line; hash the lines so far in form C and forget them when they are many or the last.
static void hash(dpi_sha256 *sum, dpi_text *text, dpi_text *out, int last)
{
    add_point(text, '\n');
    if (text->size < 1 << 14 && !last)
        return;
    out->size = 0;
    ck_assert_int_eq(dpi_nfc_add(text->data, text->size, out, NULL, NULL), DP_OK);
    ck_assert(!dpi_nfc_plain(text->data, text->size) ||
              (out->size == text->size && memcmp(out->data, text->data, out->size) == 0));
    dpi_sha256_add(sum, out->data, out->size);
    text->size = 0;
}

START_TEST(every_code_point)
{
    dp_context *context = new_context(NULL);
    dpi_text text = {.memory = &context->memory}, out = text;
    char digest[65];
    dpi_sha256 sum;

    dpi_sha256_begin(&sum);
    for (uint32_t point = 0; point < 0x110000; point++) {
        if (point >= 0xd800 && point < 0xe000)
            continue;
        add_point(&text, point);
        hash(&sum, &text, &out, 0);
        add_point(&text, 'e');
        add_point(&text, point);
        add_point(&text, 0x323);
        add_point(&text, 0x301);
        add_point(&text, point);
        hash(&sum, &text, &out, point == 0x10ffff);
    }
    dpi_sha256_end(&sum, digest);
    ck_assert_str_eq(digest, every);
    dpi_text_clear(&text);
    dpi_text_clear(&out);
    end_context(context);
}
END_TEST

START_TEST(sequences_of_what_composes)
{
    static const uint32_t ranges[][2] = {{0, 0x370},      {0x300, 0x70},   {0x591, 0x60},  {0x900, 0x500},   {0x1100, 0x100},
                                         {0x1dc0, 0x240}, {0xac00, 0x200}, {0xfb1d, 0x33}, {0x11080, 0x300}, {0x1d150, 0x80}};
    dp_context *context = new_context(NULL);
    dpi_text text = {.memory = &context->memory}, out = text;
    uint64_t state = 1;
    char digest[65];
    dpi_sha256 sum;

    dpi_sha256_begin(&sum);
    for (int i = 0; i < 20000; i++) {
        for (int k = 0; k < 12; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            const uint32_t *range = ranges[(state >> 33) % 10];
            add_point(&text, range[0] + (uint32_t)((state >> 40) % range[1]));
        }
        hash(&sum, &text, &out, i == 19999);
    }
    dpi_sha256_end(&sum, digest);
    ck_assert_str_eq(digest, mixed);
    dpi_text_clear(&text);
    dpi_text_clear(&out);
    end_context(context);
}
END_TEST

// A megabyte of marks in the wrong order takes no time that grows with its square.
START_TEST(long_runs_of_marks)
{
    enum { PAIRS = 1 << 18 };
    dp_context *context = new_context(NULL);
    dpi_text text = {.memory = &context->memory}, out = text;

    for (int i = 0; i < PAIRS; i++) {
        add_point(&text, 0x301); // above
        add_point(&text, 0x316); // below, goes first
    }
    ck_assert_int_eq(dpi_nfc_add(text.data, text.size, &out, NULL, NULL), DP_OK);
    ck_assert_uint_eq(out.size, PAIRS * 4);
    for (size_t i = 0; i < out.size; i += 2)
        ck_assert_mem_eq(out.data + i, i < PAIRS * 2 ? "\xcc\x96" : "\xcc\x81", 2);
    dpi_text_clear(&text);
    dpi_text_clear(&out);
    end_context(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_code_point, sequences_of_what_composes, long_runs_of_marks};
    return dpt_run("text/nfc", tests, sizeof tests / sizeof *tests);
}
