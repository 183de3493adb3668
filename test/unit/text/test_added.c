// Added tokens: leftmost, then longest; what literal reading passes over; spaces that go with a token.
#include "support.h"

typedef struct find {
    size_t begin, end;
    int32_t id;
} find;

static void check(const dpi_added *set, const char *text, int literal, const find *want, size_t count)
{
    dpi_match match = {0};
    size_t found = 0;

    for (; dpi_added_next(set, text, strlen(text), literal, &match); found++) {
        ck_assert_uint_lt(found, count);
        ck_assert_uint_eq(match.begin, want[found].begin);
        ck_assert_uint_eq(match.end, want[found].end);
        ck_assert_int_eq(match.id, want[found].id);
    }
    ck_assert_uint_eq(found, count);
}
#define FINDS(set, text, literal, ...)                                                                             \
    check(set, text, literal, (const find[]){__VA_ARGS__}, sizeof((const find[]){__VA_ARGS__}) / sizeof(find))

static void put(dpi_added *set, const char *text, int32_t id, unsigned flags)
{
    ck_assert_int_eq(dpi_added_put(set, text, strlen(text), id, flags, NULL), DP_OK);
}

START_TEST(leftmost_then_longest)
{
    dp_context *context = new_context(NULL);
    dpi_added set = {.memory = &context->memory};

    check(&set, "abc", 0, NULL, 0);
    put(&set, "ab", 1, 0);
    put(&set, "abcd", 2, 0);
    put(&set, "bc", 3, 0);
    put(&set, "d", 4, DPI_ADDED_SPECIAL);
    FINDS(&set, "xabcdab", 0, {1, 5, 2}, {5, 7, 1});
    FINDS(&set, "abce", 0, {0, 2, 1});
    FINDS(&set, "bcdd", 0, {0, 2, 3}, {2, 3, 4}, {3, 4, 4});
    FINDS(&set, "dbcd", 1, {1, 3, 3}); // literal: the special one is text
    dpi_added_close(&set);
    end_context(context);
}
END_TEST

START_TEST(takes_spaces_along)
{
    dp_context *context = new_context(NULL);
    dpi_added set = {.memory = &context->memory};

    put(&set, "<l>", 1, DPI_ADDED_LSTRIP);
    put(&set, "<r>", 2, DPI_ADDED_RSTRIP);
    FINDS(&set, "a \t\xe3\x80\x80<l> b", 0, {1, 9, 1});
    FINDS(&set, "a <r> \xc2\xa0\n<l>", 0, {2, 9, 2}, {9, 12, 1}); // what <r> took is not there for <l>
    dpi_added_close(&set);
    end_context(context);
}
END_TEST

// As Hugging Face's tokenizers do it: the search goes on where the token's own text ends.
START_TEST(taken_spaces_may_be_tokens_too)
{
    dp_context *context = new_context(NULL);
    dpi_added set = {.memory = &context->memory};

    put(&set, "<r>", 1, DPI_ADDED_RSTRIP);
    put(&set, "\n", 2, 0);
    FINDS(&set, "<r> \n \n<r>", 0, {0, 7, 1}, {4, 5, 2}, {6, 7, 2}, {7, 10, 1});
    dpi_added_close(&set);
    end_context(context);
}
END_TEST

START_TEST(words_stand_alone)
{
    dp_context *context = new_context(NULL);
    dpi_added set = {.memory = &context->memory};

    put(&set, "it", 1, DPI_ADDED_WORD);
    put(&set, "its", 2, DPI_ADDED_WORD);
    put(&set, "t", 3, 0);
    FINDS(&set, "it.it its", 0, {0, 2, 1}, {3, 5, 1}, {6, 9, 2});
    check(&set, "itit it_ _it itx iti its5", 0, NULL, 0); // a longer match that is no word hides the others
    check(&set, "\xcc\x81it it\xcc\x81 \xc3\xa9it it\xc3\xa9 it\xe2\x80\x8d it\xe2\x93\x90", 0, NULL, 0);
    FINDS(&set, "\xc2\xb2it\xc2\xb2 \xe3\x80\x80it\xe2\x80\x8b", 0, {2, 4, 1}, {10, 12, 1}); // no digits, no joiner
    dpi_added_close(&set);
    end_context(context);
}
END_TEST

START_TEST(refuses_what_is_too_long)
{
    dp_context *context = new_context(NULL);
    dpi_added set = {.memory = &context->memory};
    char text[DPI_ADDED_LONGEST + 1];
    dp_error error;

    memset(text, 'x', sizeof text);
    ck_assert_int_eq(dpi_added_put(&set, text, sizeof text, 5, 0, &error), DP_E_UNSUPPORTED);
    ck_assert_str_eq(error.message, "added token 5 has 1025 bytes, more than 1024");
    ck_assert_int_eq(dpi_added_put(&set, text, sizeof text - 1, 5, 0, &error), DP_OK);
    dpi_added_close(&set);
    end_context(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {leftmost_then_longest, takes_spaces_along, taken_spaces_may_be_tokens_too, words_stand_alone,
                                  refuses_what_is_too_long};
    return dpt_run("text/added", tests, sizeof tests / sizeof *tests);
}
