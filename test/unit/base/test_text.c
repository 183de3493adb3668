// Texts that grow, UTF-8 of every code point, and texts handed to hosts.
#include "base/text.h"

#include <string.h>

#include "test/run.h"

START_TEST(grows_by_pieces)
{
    dpi_memory memory;
    dpi_text text = {.memory = &memory};

    dpi_memory_init(&memory, NULL, 0);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(dpi_text_add(&text, "ab", 2, NULL), DP_OK);
        ck_assert_int_eq(dpi_text_format(&text, NULL, "%d,", i), DP_OK);
    }
    ck_assert_uint_eq(text.size, 200 + 10 * 2 + 90 * 3);
    ck_assert_uint_eq(strlen(text.data), text.size);
    ck_assert_mem_eq(text.data, "ab0,ab1,ab2,", 12);
    ck_assert_str_eq(text.data + text.size - 5, "ab99,");
    dpi_text_clear(&text);
    ck_assert_ptr_null(text.data);
    ck_assert_uint_eq(atomic_load(&memory.used), 0);
}
END_TEST

START_TEST(keeps_its_text_when_memory_ends)
{
    dpi_memory memory;
    dpi_text text = {.memory = &memory};
    dp_error error;
    char many[4000];

    dpi_memory_init(&memory, NULL, 1000);
    memset(many, 'x', sizeof many);
    ck_assert_int_eq(dpi_text_add(&text, "kept", 4, &error), DP_OK);
    ck_assert_int_eq(dpi_text_add(&text, many, sizeof many, &error), DP_E_MEMORY);
    ck_assert_int_eq(dpi_text_format(&text, &error, "%4000d", 1), DP_E_MEMORY);
    ck_assert_str_eq(text.data, "kept");
    dpi_text_clear(&text);
}
END_TEST

START_TEST(decodes_what_it_encodes)
{
    for (uint32_t point = 0; point < 0x110010; point++) {
        char bytes[4];
        uint32_t back = 0;
        const size_t size = dpi_utf8_encode(point, bytes);
        const int is_one = point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
        if (!is_one) {
            ck_assert_uint_eq(size, 0);
            continue;
        }
        if (size == 0 || dpi_utf8_decode(bytes, size, &back) != size || back != point)
            ck_abort_msg("point %x", point);
        if (size > 1 && dpi_utf8_decode(bytes, size - 1, &back) != 0)
            ck_abort_msg("cut point %x", point);
    }
}
END_TEST

// Of all texts of one lead byte and three more, as many are valid as there are code points of each length.
START_TEST(accepts_no_other_bytes)
{
    static const unsigned char follow[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    enum { FOLLOW = sizeof follow };

    for (int lead = 0x80; lead < 0x100; lead++)
        for (int n = 0; n < FOLLOW * FOLLOW * FOLLOW; n++) {
            const unsigned char bytes[4] = {(unsigned char)lead, follow[n % FOLLOW], follow[n / FOLLOW % FOLLOW],
                                            follow[n / FOLLOW / FOLLOW]};
            char again[4];
            uint32_t point = 0;
            const size_t size = dpi_utf8_decode((const char *)bytes, 4, &point);
            if (size && (dpi_utf8_encode(point, again) != size || memcmp(again, bytes, size) != 0))
                ck_abort_msg("%02x %02x %02x %02x", bytes[0], bytes[1], bytes[2], bytes[3]);
        }
}
END_TEST

START_TEST(hands_texts_to_hosts)
{
    char text[8];
    size_t needed = 0;

    ck_assert_int_eq(dpi_give_text("abc", 3, NULL, 0, &needed), DP_OK);
    ck_assert_uint_eq(needed, 4);
    ck_assert_int_eq(dpi_give_text("abc", 3, text, 4, NULL), DP_OK);
    ck_assert_str_eq(text, "abc");
    ck_assert_int_eq(dpi_give_text("abc", 3, text, 3, &needed), DP_OK);
    ck_assert_str_eq(text, "ab");
    ck_assert_uint_eq(needed, 4);
    ck_assert_int_eq(dpi_give_text("a\xE2\x82\xAC", 4, text, 4, &needed), DP_OK);
    ck_assert_str_eq(text, "a");
    ck_assert_int_eq(dpi_give_text("abc", 3, text, 1, NULL), DP_OK);
    ck_assert_str_eq(text, "");
    ck_assert_int_eq(dpi_give_text("abc", 3, NULL, 4, &needed), DP_E_ARGUMENT);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {grows_by_pieces, keeps_its_text_when_memory_ends, decodes_what_it_encodes,
                                  accepts_no_other_bytes, hands_texts_to_hosts};
    return dpt_run("base/text", tests, sizeof tests / sizeof *tests);
}
