// SentencePiece BPE from tokenizer.model: normalisation, merging by score, bytes, unused and user-defined pieces,
// special tokens, files beside it, and broken models.
#include <sys/stat.h>

#include "spm_model.h"

#define SP DPI_SPACE
static const piece pieces[] = {
    {SP, -9, 1},     {"a", -9, 1},   {"b", -9, 1}, {"ab", -1, 1}, {SP "a", -2, 1}, // 259 260 261 262 263
    {"abab", -3, 1}, {SP SP, -4, 1}, {"c", -9, 1}, {"abc", 0, 5}, {"<u>", 0, 4},   // 264 265 266 267 268
};
enum { PIECES = sizeof pieces / sizeof *pieces };

static dp_tokenizer *open_small(dp_context *context, const settings *s)
{
    dp_tokenizer *tokenizer = NULL;
    dp_error error;

    ck_assert_msg(open_model(context, pieces, PIECES, s, &tokenizer, &error) == DP_OK, "%s", error.message);
    return tokenizer;
}

START_TEST(merges_by_score)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_small(context, &llama);

    IDS(tokenizer, "", 0, -1);
    IDS(tokenizer, "ab", 0, 259, 262); // ab comes before ▁a
    IDS(tokenizer, "a", 0, 263);
    IDS(tokenizer, " ababab", 0, 265, 264, 262); // a prefix even where a space is; equal scores from the left
    IDS(tokenizer, "\xc3\xa9", 0, 259, 3 + 0xc3, 3 + 0xa9);
    IDS(tokenizer, "\xff", 0, 259, 3 + 0xef, 3 + 0xbf, 3 + 0xbd);
    IDS(tokenizer, "a\n\0", 0, 263, 3 + '\n', 3);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(unused_and_user_defined_pieces)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_small(context, &llama);

    IDS(tokenizer, "abc", 0, 259, 262, 266); // abc is made, then taken apart as it was made
    IDS(tokenizer, "a<u>b<u", 0, 263, 268, 261, 3 + '<', 3 + 'u');
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(special_tokens_both_ways)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_small(context, &llama);

    IDS(tokenizer, "a</s>a<unk>", DP_ENCODE_SPECIAL, 263, 2, 263, 0); // a prefix for each stretch
    IDS(tokenizer, "<s>", 0, 259, 3 + '<', 3 + 's', 3 + '>');
    IDS(tokenizer, "a", DP_ENCODE_BOS, 1, 263);
    IDS(tokenizer, "<s>a", DP_ENCODE_BOS | DP_ENCODE_SPECIAL, 1, 1, 263);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(normalises_as_the_model_says)
{
    const settings silent = {2, 1, -1, -1}, bare = {2, 0, 0, 0};
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_small(context, &silent); // a prefix, and repeated spaces dropped

    IDS(tokenizer, "  a   a  ", 0, 263, 263);
    IDS(tokenizer, "   ", 0, -1);
    IDS(tokenizer, "<s> ", DP_ENCODE_SPECIAL, 1);
    TEXT(tokenizer, 0, "ab", 259, 259, 262);
    dp_tokenizer_free(tokenizer);
    tokenizer = open_small(context, &bare);
    IDS(tokenizer, "a a", 0, 260, 263);
    IDS(tokenizer, "xyaz", 0, 0, 260, 0); // no bytes: unknown text, a run of it once
    TEXT(tokenizer, 0, " a", 263);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(decodes)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_small(context, &llama);

    TEXT(tokenizer, 0, "a a", 263, 263);
    TEXT(tokenizer, 0, "a", 1, 263, 2);
    TEXT(tokenizer, DP_DECODE_SPECIAL, "<s> a</s>", 1, 263, 2);
    TEXT(tokenizer, 0, " a", 259, 263); // one space is the prefix
    TEXT(tokenizer, 0,
         "\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd"
         "a",
         3 + 0xc3, 3 + 0xa9, 3 + 0xe2, 3 + 0x82, 260);
    TEXT(tokenizer, 0, "a \xe2\x81\x87 ", 260, 0);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(describes_itself)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_small(context, &llama);
    dp_tokenizer_info info = {.size = sizeof info};

    ck_assert_int_eq(dp_tokenizer_describe(tokenizer, &info, NULL), DP_OK);
    ck_assert_int_eq(info.tokens, 259 + PIECES);
    ck_assert(info.bos == 1 && info.eos == 2 && info.unk == 0 && info.pad == -1 && info.adds_bos == 1);
    ck_assert_str_eq(info.kind, "sentencepiece-bpe");
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

static void put_beside(const char *name, const char *text)
{
    write_file(scratch(name), text, strlen(text));
}

static void clear_beside(void)
{
    static const char *const names[] = {"tokenizer_config.json", "added_tokens.json", "special_tokens_map.json",
                                        "config.json"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove(scratch(names[i]));
}

START_TEST(reads_the_files_beside_it)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer_info info = {.size = sizeof info};
    dp_error error;

    put_beside("tokenizer_config.json",
               "{\"bos_token\":{\"content\":\"</s>\"},\"add_bos_token\":false,"
               "\"pad_token\":\"<p>\",\"added_tokens_decoder\":{\"1\":{\"content\":\"<s>\","
               "\"special\":true,\"lstrip\":true}}}");
    put_beside("added_tokens.json", "{\"<p>\":269}");
    put_beside("special_tokens_map.json", "{\"bos_token\":\"<s>\",\"eos_token\":\"<s>\"}");
    put_beside("config.json", "{\"eos_token_id\":[7]}");
    dp_tokenizer *tokenizer = open_small(context, &llama);
    ck_assert_int_eq(dp_tokenizer_describe(tokenizer, &info, NULL), DP_OK);
    ck_assert(info.bos == 2 && info.eos == 1 && info.pad == 269 && info.tokens == 270 && info.adds_bos == 0);
    IDS(tokenizer, "a <s>a<p>", DP_ENCODE_SPECIAL, 263, 1, 263, 269);
    dp_tokenizer_free(tokenizer);

    put_beside("tokenizer_config.json",
               "{\"bos_token\":\"\",\"eos_token\":\"\"}"); // LLaMA-1 as it was first uploaded
    tokenizer = open_small(context, &llama);
    ck_assert_int_eq(dp_tokenizer_describe(tokenizer, &info, NULL), DP_OK);
    ck_assert(info.bos == 0 && info.eos == 0);
    dp_tokenizer_free(tokenizer);

    put_beside("added_tokens.json", "{\"<p>\":9999999}");
    tokenizer = NULL;
    ck_assert_int_eq(open_model(context, pieces, PIECES, &llama, &tokenizer, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "an added token has the id 9999999, far from the 269 of the vocabulary");
    clear_beside();
    put_beside("config.json", "{\"pad_token_id\":269}");
    ck_assert_int_eq(open_model(context, pieces, PIECES, &llama, &tokenizer, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "id 269 is outside the tokenizer's vocabulary of 269");
    ck_assert_str_eq(error.item, "pad_token_id");
    clear_beside();
    end_context(context);
}
END_TEST

START_TEST(a_folder_has_one_of_two_files)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_small(context, &llama);
    char folder[256];
    dp_error error;

    dp_tokenizer_free(tokenizer);
    snprintf(folder, sizeof folder, "%s", scratch(""));
    put_beside("tokenizer.json", "{\"model\":{\"type\":\"Unigram\"}}"); // not read here, so the other one is
    ck_assert_msg(dp_tokenizer_open(context, folder, &tokenizer, &error) == DP_OK, "%s", error.message);
    IDS(tokenizer, "a", 0, 263);
    dp_tokenizer_free(tokenizer);
    put_beside("tokenizer.json", "{}"); // broken is broken
    ck_assert_int_eq(dp_tokenizer_open(context, folder, &tokenizer, &error), DP_E_FORMAT);
    remove(scratch("tokenizer.json"));
    remove(scratch("tokenizer.model"));
    ck_assert_int_eq(dp_tokenizer_open(context, folder, &tokenizer, &error), DP_E_IO);
    ck_assert_str_eq(error.message, "holds neither tokenizer.json nor tokenizer.model");
    ck_assert_int_eq(dp_tokenizer_open(context, scratch("nothing"), &tokenizer, &error), DP_E_IO);
    end_context(context);
}
END_TEST

static void refused(dp_context *context, const piece *one, const settings *s, int code, const char *message)
{
    dp_tokenizer *tokenizer = NULL;
    dp_error error;

    ck_assert_int_eq(open_model(context, one, one != NULL, s, &tokenizer, &error), code);
    ck_assert_str_eq(error.message, message);
    ck_assert_str_eq(error.file, scratch("tokenizer.model"));
    ck_assert_ptr_null(tokenizer);
}

START_TEST(refuses_broken_models)
{
    static char long_text[DPI_TOKEN_LONGEST + 2];
    const settings unigram = {1, 1, 1, 0};
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = NULL;
    dp_error error;
    size_t size = 0;

    refused(context, NULL, &unigram, DP_E_UNSUPPORTED, "a SentencePiece model that is not BPE is not supported");
    refused(context, &(piece){"<s>", 0, 1}, &llama, DP_E_FORMAT, "tokens 1 and 259 are the same: \"<s>\"");
    refused(context, &(piece){"", 0, 1}, &llama, DP_E_FORMAT, "a piece is empty");
    refused(context, &(piece){"x", 0, 9}, &llama, DP_E_FORMAT, "a piece has an unknown type");
    refused(context, &(piece){"x", 0, 2}, &llama, DP_E_FORMAT, "pieces 0 and 259 both stand for unknown text");
    refused(context, &(piece){"<0xag>", 0, 6}, &llama, DP_E_FORMAT,
            "byte piece 259 is \"<0xag>\", not one of <0x00> to <0xFF>");
    memset(long_text, 'x', sizeof long_text - 1);
    refused(context, &(piece){long_text, 0, 1}, &llama, DP_E_FORMAT, "token 259 has 65537 bytes, more than 65536");
    tokenizer = open_small(context, &llama);
    dp_tokenizer_free(tokenizer);
    char *const bytes = read_file(scratch("tokenizer.model"), &size);
    for (size_t cut = 0; cut < size; cut += 7) { // anything but a crash or a leak
        tokenizer = NULL;
        write_file(scratch("cut.model"), bytes, cut);
        if (dp_tokenizer_open(context, scratch("cut.model"), &tokenizer, &error) == DP_OK)
            dp_tokenizer_free(tokenizer);
    }
    write_file(scratch("cut.model"),
               "\x0a\x05\x0a\x7f"
               "abc",
               7);
    ck_assert_int_eq(dp_tokenizer_open(context, scratch("cut.model"), &tokenizer, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "a field is longer than the bytes that remain");
    ck_assert_int_eq(error.offset, 4);
    write_file(scratch("cut.model"), "IQ== 0\nIg== 1\n", 14);
    ck_assert_int_eq(dp_tokenizer_open(context, scratch("cut.model"), &tokenizer, &error), DP_E_FORMAT);
    char *const letter = memmem(bytes, size, "<0x41>", 6); // bytes become text only when there are all 256
    letter[4] = 'g';
    write_file(scratch("cut.model"), bytes, size);
    ck_assert_int_eq(dp_tokenizer_open(context, scratch("cut.model"), &tokenizer, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "bytes stand for unknown text, but <0x41> is missing");
    letter[4] = 0;
    write_file(scratch("cut.model"), bytes, size);
    ck_assert_int_eq(dp_tokenizer_open(context, scratch("cut.model"), &tokenizer, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "token 68 holds a zero byte");
    free(bytes);
    end_context(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {merges_by_score,
                                  unused_and_user_defined_pieces,
                                  special_tokens_both_ways,
                                  normalises_as_the_model_says,
                                  decodes,
                                  describes_itself,
                                  reads_the_files_beside_it,
                                  a_folder_has_one_of_two_files,
                                  refuses_broken_models};
    return dpt_run("text/sentencepiece", tests, sizeof tests / sizeof *tests);
}
