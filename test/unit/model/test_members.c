// Ranges of a JSON object's members, and the line of a key.
#include "model/members.h"

#include <string.h>

#include "test/run.h"

static const char text[] =
    " {\"a\": 1 ,\n \"b\\\"{\": [ \"x,]\", {\"c\": [2]} ,3],\"d\":{},\"e\":\"}\" , \"f\":null}";

static void next_is(size_t *cursor, size_t open, const char *key, const char *value)
{
    dpi_member member;

    ck_assert_int_eq(dpi_member_next(text, sizeof text - 1, open, cursor, &member), 1);
    if (key)
        ck_assert_uint_eq(member.key_size, strlen(key));
    if (key)
        ck_assert_mem_eq(member.key, key, member.key_size);
    ck_assert_uint_eq(member.end - member.begin, strlen(value));
    ck_assert_mem_eq(text + member.begin, value, strlen(value));
}

START_TEST(walks_members_whatever_their_strings_hold)
{
    dpi_member member;
    size_t cursor = 0;

    next_is(&cursor, 1, "a", "1");
    next_is(&cursor, 1, "b\\\"{", "[ \"x,]\", {\"c\": [2]} ,3]");
    next_is(&cursor, 1, "d", "{}");
    next_is(&cursor, 1, "e", "\"}\"");
    next_is(&cursor, 1, "f", "null");
    ck_assert_int_eq(dpi_member_next(text, sizeof text - 1, 1, &cursor, &member), 0);
    ck_assert_int_eq(text[cursor], '}');
}
END_TEST

START_TEST(walks_elements)
{
    const size_t open = (size_t)(strchr(text, '[') - text);
    dpi_member member;
    size_t cursor = 0;

    next_is(&cursor, open, NULL, "\"x,]\"");
    next_is(&cursor, open, NULL, "{\"c\": [2]}");
    next_is(&cursor, open, NULL, "3");
    ck_assert_int_eq(dpi_member_next(text, sizeof text - 1, open, &cursor, &member), 0);
    ck_assert_int_eq(text[cursor], ']');
}
END_TEST

START_TEST(finds_lines_of_root_keys_only)
{
    ck_assert_int_eq(dpi_member_line(text, sizeof text - 1, "a"), 1);
    ck_assert_int_eq(dpi_member_line(text, sizeof text - 1, "d"), 2);
    ck_assert_int_eq(dpi_member_line(text, sizeof text - 1, "c"), 0);
    ck_assert_int_eq(dpi_member_line("[1]", 3, "c"), 0);
    ck_assert_int_eq(dpi_member_line("", 0, "c"), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {walks_members_whatever_their_strings_hold, walks_elements,
                                  finds_lines_of_root_keys_only};
    return dpt_run("model/members", tests, sizeof tests / sizeof *tests);
}
