// Vocabulary and merge rules: lookup both ways, growth, ranks, and what they refuse.
#include "support.h"

START_TEST(finds_every_token_and_no_other)
{
    dp_context *context = new_context(NULL);
    dpi_vocab vocab;
    char text[16];

    ck_assert_int_eq(dpi_vocab_open(&vocab, &context->memory, 3000, NULL), DP_OK);
    for (int32_t id = 0; id < 3000; id++) {
        const size_t size = (size_t)sprintf(text, "t%d", id * 7);
        ck_assert_int_eq(dpi_vocab_put(&vocab, id, text, size, DPI_TOKEN_NORMAL, NULL), DP_OK);
    }
    ck_assert_int_eq(dpi_vocab_extend(&vocab, 9000, NULL), DP_OK);
    ck_assert_int_eq(dpi_vocab_put(&vocab, 8999, "", 0, DPI_TOKEN_NORMAL, NULL), DP_OK);
    for (int32_t n = 0; n < 21000; n++) {
        const size_t size = (size_t)sprintf(text, "t%d", n);
        ck_assert_int_eq(dpi_vocab_find(&vocab, text, size), n % 7 ? -1 : n / 7);
    }
    ck_assert_int_eq(dpi_vocab_find(&vocab, "", 0), 8999);
    dpi_vocab_close(&vocab);
    end_context(context);
}
END_TEST

START_TEST(refuses_repeats_and_broken_text)
{
    dp_context *context = new_context(NULL);
    dpi_vocab vocab;
    dp_error error;

    ck_assert_int_eq(dpi_vocab_open(&vocab, &context->memory, 4, NULL), DP_OK);
    ck_assert_int_eq(dpi_vocab_put(&vocab, 1, "ab", 2, DPI_TOKEN_NORMAL, NULL), DP_OK);
    ck_assert_int_eq(dpi_vocab_put(&vocab, 1, "cd", 2, DPI_TOKEN_NORMAL, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "token id 1 is given twice");
    ck_assert_int_eq(dpi_vocab_put(&vocab, 2, "ab", 2, DPI_TOKEN_NORMAL, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "tokens 1 and 2 are the same: \"ab\"");
    ck_assert_int_eq(dpi_vocab_put(&vocab, 2, "\xff", 1, DPI_TOKEN_NORMAL, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "token 2 is not valid UTF-8");
    ck_assert_int_eq(dpi_vocab_put(&vocab, 2, "a\0b", 3, DPI_TOKEN_NORMAL, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "token 2 holds a zero byte");
    dpi_vocab_close(&vocab);
    end_context(context);
}
END_TEST

START_TEST(ranks_scores_best_first_and_equal_ones_equal)
{
    static const float scores[] = {0, -3, 2, -3, -0.0f};
    static const uint32_t orders[] = {1, 2, 0, 2, 1};
    dp_context *context = new_context(NULL);
    dpi_vocab vocab;
    dp_error error;

    ck_assert_int_eq(dpi_vocab_open(&vocab, &context->memory, 5, NULL), DP_OK);
    for (int i = 0; i < 5; i++)
        vocab.tokens[i].score = scores[i];
    ck_assert_int_eq(dpi_vocab_rank(&vocab, NULL), DP_OK);
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(vocab.tokens[i].order, orders[i]);
    vocab.tokens[3].score = 0 / vocab.tokens[0].score;
    ck_assert_int_eq(dpi_vocab_rank(&vocab, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "the score of token 3 is not finite");
    dpi_vocab_close(&vocab);
    end_context(context);
}
END_TEST

START_TEST(rules_are_found_by_their_pair)
{
    static const char *const texts[] = {"a", "b", "ab", "aba"};
    dp_context *context = new_context(NULL);
    dpi_merges merges;
    dpi_vocab vocab;

    ck_assert_int_eq(dpi_vocab_open(&vocab, &context->memory, 4, NULL), DP_OK);
    for (int32_t id = 0; id < 4; id++)
        ck_assert_int_eq(dpi_vocab_put(&vocab, id, texts[id], strlen(texts[id]), DPI_TOKEN_NORMAL, NULL), DP_OK);
    ck_assert_int_eq(dpi_merges_open(&merges, &context->memory, 3, NULL), DP_OK);
    ck_assert_int_eq(dpi_merges_add_line(&merges, &vocab, "a b", 3, NULL), DP_OK);
    ck_assert_int_eq(dpi_merges_add_line(&merges, &vocab, "ab a", 4, NULL), DP_OK);
    ck_assert_int_eq(dpi_merges_add_line(&merges, &vocab, "a b", 3, NULL), DP_OK);
    ck_assert_int_eq(dpi_merges_find(&merges, 0, 1), 2); // the last of two
    ck_assert_int_eq(dpi_merges_find(&merges, 2, 0), 1);
    ck_assert_int_eq(dpi_merges_find(&merges, 1, 0), -1);
    ck_assert_int_eq(merges.rules[1].id, 3);
    dpi_merges_close(&merges);
    dpi_vocab_close(&vocab);
    end_context(context);
}
END_TEST

START_TEST(stand_ins_of_bytes_go_back)
{
    unsigned char seen[0x200] = {0};

    for (int byte = 0; byte < 256; byte++) {
        const uint32_t point = dpi_byte_point((unsigned char)byte);
        ck_assert_int_eq(dpi_point_byte(point), byte);
        ck_assert_int_eq(seen[point]++, 0);
    }
    ck_assert_uint_eq(dpi_byte_point(' '), 0x120);  // Ġ
    ck_assert_uint_eq(dpi_byte_point('\n'), 0x10a); // Ċ
    ck_assert_int_eq(dpi_point_byte(' '), -1);
    ck_assert_int_eq(dpi_point_byte(0x144), -1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {finds_every_token_and_no_other, refuses_repeats_and_broken_text,
                                  ranks_scores_best_first_and_equal_ones_equal, rules_are_found_by_their_pair,
                                  stand_ins_of_bytes_go_back};
    return dpt_run("text/vocab", tests, sizeof tests / sizeof *tests);
}
