// The error record: what is kept of texts that are too long or not clean, and that outputs are whole.
#include "base/error.h"

#include <errno.h>
#include <string.h>

#include "test/run.h"

START_TEST(says_what_and_where)
{
    const dpi_place place = {.file = "a.json", .item = "blocks", .offset = 17, .line = 3, .column = 4};
    dp_error error;

    memset(&error, 0xAA, sizeof error);
    ck_assert_int_eq(dpi_fail_at(&error, DP_E_FORMAT, &place, "%d of %d", 2, 3), DP_E_FORMAT);
    ck_assert_int_eq(error.code, DP_E_FORMAT);
    ck_assert_int_eq(error.offset, 17);
    ck_assert_int_eq(error.line, 3);
    ck_assert_int_eq(error.column, 4);
    ck_assert_int_eq(error.system_error, 0);
    ck_assert_str_eq(error.file, "a.json");
    ck_assert_str_eq(error.item, "blocks");
    ck_assert_str_eq(error.message, "2 of 3");
    for (size_t i = 0; i < sizeof error.reserved; i++)
        ck_assert_uint_eq(error.reserved[i], 0);
}
END_TEST

START_TEST(says_nowhere_when_there_is_no_place)
{
    dp_error error;

    memset(&error, 0xAA, sizeof error);
    dpi_fail(&error, DP_E_STATE, "closed");
    ck_assert_int_eq(error.offset, -1);
    ck_assert_str_eq(error.file, "");
    ck_assert_str_eq(error.item, "");
    ck_assert_int_eq(dpi_fail(NULL, DP_E_STATE, "%s", "nobody listens"), DP_E_STATE);
    ck_assert_int_eq(dpi_fail_at(NULL, DP_E_IO, &DPI_NOWHERE, "%s", "nobody listens"), DP_E_IO);
}
END_TEST

START_TEST(cuts_a_message_at_a_whole_character)
{
    char text[400];
    dp_error error;

    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xE2\x82\xAC", 4);
        dpi_fail(&error, DP_E_ARGUMENT, "%s", text);
        const size_t size = strlen(error.message);
        ck_assert_uint_lt(size, sizeof error.message);
        ck_assert_uint_ge(size, sizeof error.message - 3);
        ck_assert_uint_eq((size - shift) % 3, 0);
        ck_assert_mem_eq(error.message, text, size);
    }
}
END_TEST

START_TEST(keeps_the_tail_of_a_long_file_name)
{
    char name[700];
    dp_error error;
    dpi_place place = {.file = name, .offset = -1};

    memset(name, 'd', sizeof name);
    strcpy(name + sizeof name - 12, "/model.gguf");
    dpi_fail_at(&error, DP_E_IO, &place, "gone");
    ck_assert_uint_eq(strlen(error.file), sizeof error.file - 1);
    ck_assert_str_eq(error.file + strlen(error.file) - 11, "/model.gguf");
    for (size_t i = 0; i + 2 < sizeof name; i += 2)
        memcpy(name + i, "\xC3\xA9", 3);
    name[698] = 'x';
    name[699] = 0;
    dpi_fail_at(&error, DP_E_IO, &place, "gone");
    ck_assert_uint_eq(strlen(error.file), sizeof error.file - 1);
    ck_assert_mem_eq(error.file, "\xC3\xA9\xC3\xA9", 4);
    memmove(name, name + 1, sizeof name - 1);
    name[697] = 0;
    name[698] = 0;
    memcpy(name, "a", 1);
    dpi_fail_at(&error, DP_E_IO, &place, "gone");
    ck_assert_uint_eq(strlen(error.file), sizeof error.file - 2);
    ck_assert_mem_eq(error.file, "\xC3\xA9\xC3\xA9", 4);
}
END_TEST

START_TEST(replaces_what_would_break_a_line)
{
    const dpi_place place = {.file = "a\nb", .item = "\x1B[31m\xFF\xC3", .offset = -1};
    dp_error error;

    dpi_fail_at(&error, DP_E_FORMAT, &place, "tab\there %s \xC2\x85 \xE2\x80\xA8 \xED\xA0\x80 \xC0\xAF caf\xC3\xA9",
                "del\x7F");
    ck_assert_str_eq(error.file, "a?b");
    ck_assert_str_eq(error.item, "?[31m??");
    ck_assert_str_eq(error.message, "tab?here del? ? ? ??? ?? caf\xC3\xA9");
}
END_TEST

START_TEST(tells_the_words_of_the_system)
{
    dp_error error;

    ck_assert_int_eq(dpi_fail_system(&error, ENOENT, "x.gguf", "cannot open"), DP_E_IO);
    ck_assert_str_eq(error.message, "cannot open: No such file or directory");
    ck_assert_str_eq(error.file, "x.gguf");
    ck_assert_int_eq(error.system_error, ENOENT);
    ck_assert_int_eq(dpi_fail_system(&error, ENOMEM, NULL, "cannot map"), DP_E_MEMORY);
    ck_assert_str_eq(error.message, "cannot map: Cannot allocate memory");
    ck_assert_str_eq(error.file, "");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {says_what_and_where,
                                  says_nowhere_when_there_is_no_place,
                                  cuts_a_message_at_a_whole_character,
                                  keeps_the_tail_of_a_long_file_name,
                                  replaces_what_would_break_a_line,
                                  tells_the_words_of_the_system};
    return dpt_run("base/error", tests, sizeof tests / sizeof *tests);
}
