// Byte-level BPE from tokenizer.json: encoding, decoding, both rules for special tokens, and broken files.
#include "support.h"

// 256 he, 257 ll, 258 " t", 259 o o, 300 <s> (special), 301 [u] (not special)
static const parts small = {
    .vocab = "\"he\":256,\"ll\":257,\"\\u0120t\":258,\"oo\":259,\"hell\":260",
    .merges = "[\"h\",\"e\"],\"l l\",\"\\u0120 t\",\"o o\",\"he ll\"",
    .added = "{\"id\":300,\"content\":\"<s>\",\"special\":true},{\"id\":301,\"content\":\"[u]\",\"special\":false},"
             "{\"id\":302,\"content\":\"n n\",\"special\":false,\"normalized\":true}",
};

static dp_tokenizer *open_small(dp_context *context)
{
    dp_tokenizer *tokenizer = NULL;
    dp_error error;

    ck_assert_msg(open_json(context, &small, &tokenizer, &error) == DP_OK, "%s", error.message);
    return tokenizer;
}

START_TEST(encodes_by_rank_and_by_byte)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_small(context);

    IDS(tokenizer, "hello the", 0, 260, 'o', 258, 256);
    IDS(tokenizer, "hhell", 0, 'h', 260);
    IDS(tokenizer, "oooo o", 0, 259, 259, ' ', 'o');
    IDS(tokenizer, "", 0, -1);
    IDS(tokenizer, "\xc3\xa9\0x", 0, 0xc3, 0xa9, 0, 'x');
    IDS(tokenizer, "a\xff\xe2\x82", 0, 'a', 0xef, 0xbf, 0xbd, 0xef, 0xbf, 0xbd, 0xef, 0xbf,
        0xbd); // each broken byte
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(special_tokens_both_ways)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_small(context);

    IDS(tokenizer, "he<s>[u]he", DP_ENCODE_SPECIAL, 256, 300, 301, 256);
    IDS(tokenizer, "he<s>[u]he", 0, 256, '<', 's', '>', 301, 256);
    IDS(tokenizer, "an n", 0, 'a', 302);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(decodes)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_small(context);
    const int32_t outside[] = {1, 303}, hole[] = {280};
    dp_error error;

    TEXT(tokenizer, 0, "hell the", 260, 258, 256);
    TEXT(tokenizer, 0, "a[u]b", 'a', 300, 301, 'b');
    TEXT(tokenizer, DP_DECODE_SPECIAL, "a<s>n n", 'a', 300, 302);
    TEXT(tokenizer, 0, "\xe2\x82\xac", 0xe2, 0x82, 0xac);
    TEXT(tokenizer, 0, "\xef\xbf\xbd!\xef\xbf\xbd\xef\xbf\xbd", 0xe2, 0x82, '!', 0xff,
         0x80);                                                                   // a cut character is one
    TEXT(tokenizer, 0, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 0xed, 0xa0, 0x80); // a surrogate is three
    ck_assert_int_eq(dp_tokenizer_decode(tokenizer, outside, 2, 0, NULL, 0, NULL, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "id 303 at 1 is outside the vocabulary of 303");
    ck_assert_int_eq(dp_tokenizer_decode(tokenizer, hole, 1, 0, NULL, 0, NULL, &error), DP_OK);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(buffers_take_what_fits)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_small(context);
    int32_t ids[3] = {-7, -7, -7};
    char text[3] = "xx";
    size_t needed = 0;
    dp_error error;

    ck_assert_int_eq(dp_tokenizer_encode(tokenizer, "hello", 5, 0, NULL, 0, &needed, NULL), DP_OK);
    ck_assert_uint_eq(needed, 2);
    ck_assert_int_eq(dp_tokenizer_encode(tokenizer, "abc", 3, 0, ids, 2, &needed, NULL), DP_OK);
    ck_assert_uint_eq(needed, 3);
    ck_assert(ids[0] == 'a' && ids[1] == 'b' && ids[2] == -7);
    ck_assert_int_eq(dp_tokenizer_decode(tokenizer, ids, 2, 0, text, 1, &needed, NULL), DP_OK);
    ck_assert_uint_eq(needed, 2);
    ck_assert_str_eq(text, "ax");
    ck_assert_int_eq(dp_tokenizer_encode(tokenizer, NULL, 3, 0, NULL, 0, NULL, &error), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_tokenizer_encode(tokenizer, "a", 1, 8, NULL, 0, NULL, &error), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_tokenizer_encode(tokenizer, "a", 1, DP_ENCODE_BOS, NULL, 0, NULL, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "this tokenizer has no beginning-of-sequence id");
    dp_tokenizer_free(tokenizer);
    dp_tokenizer_free(NULL);
    end_context(context);
}
END_TEST

START_TEST(describes_itself)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_small(context);
    dp_tokenizer_info info = {.size = sizeof info};

    ck_assert_int_eq(dp_tokenizer_describe(tokenizer, &info, NULL), DP_OK);
    ck_assert_int_eq(info.tokens, 303);
    ck_assert_int_eq(info.bos, -1);
    ck_assert_int_eq(info.adds_bos, 0);
    ck_assert_str_eq(info.kind, "byte-level-bpe");
    ck_assert_uint_eq(strlen(info.digest), 64);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(takes_whole_words_where_merges_are_ignored)
{
    const parts ignoring = {.vocab = "\"xyz\":256", .merges = "", .more = "\"ignore_merges\":true,"};
    const parts merging = {.vocab = "\"xyz\":256", .merges = ""};
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = NULL;

    ck_assert_int_eq(open_json(context, &ignoring, &tokenizer, NULL), DP_OK);
    IDS(tokenizer, "xyz xyz", 0, 256, ' ', 'x', 'y', 'z');
    dp_tokenizer_free(tokenizer);
    ck_assert_int_eq(open_json(context, &merging, &tokenizer, NULL), DP_OK);
    IDS(tokenizer, "xyz", 0, 'x', 'y', 'z');
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

// Form C comes after the cut at plain added tokens and before that at normalised ones, whose texts are brought to it.
START_TEST(composes_first)
{
    static const parts p = {.normalizer = "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"}]}",
                            .added = "{\"id\":257,\"content\":\"a\\u0301\"},"
                                     "{\"id\":258,\"content\":\"o\\u0301\",\"normalized\":true},"
                                     "{\"id\":259,\"content\":\"it\",\"single_word\":true}"};
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = NULL;

    ck_assert_int_eq(open_json(context, &p, &tokenizer, NULL), DP_OK);
    IDS(tokenizer, "e\xcc\x81", 0, 0xc3, 0xa9);
    IDS(tokenizer, "a\xcc\x81", 0, 257);
    IDS(tokenizer, "\xc3\xa1", 0, 0xc3, 0xa1);
    IDS(tokenizer, "o\xcc\x81\xc3\xb3", 0, 258, 258);
    IDS(tokenizer, "\xe2\x84\xab", 0, 0xc3, 0x85); // the sign for the unit
    IDS(tokenizer, "it its", 0, 259, 0x20, 0x69, 0x74, 0x73);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

typedef struct failing {
    int64_t left;
} failing;

static void *fail_later(void *user, uint64_t size, uint64_t align)
{
    failing *f = user;
    void *memory = NULL;

    if (f->left-- == 0 || posix_memalign(&memory, align < sizeof(void *) ? sizeof(void *) : align, size ? size : 1))
        return NULL;
    return memory;
}

static void give_back(void *user, void *memory, uint64_t size)
{
    (void)user;
    (void)size;
    free(memory);
}

START_TEST(composes_or_says_that_memory_ran_out)
{
    static const parts p = {.normalizer = "{\"type\":\"NFC\"}",
                            .added = "{\"id\":257,\"content\":\"o\\u0301\",\"normalized\":true}"};
    int rc = DP_E_MEMORY, failed = 0;

    for (int64_t n = 0; rc == DP_E_MEMORY; n++) {
        failing f = {.left = INT64_MAX};
        const dp_allocator allocator = {fail_later, give_back, &f};
        dp_context *context = new_context(&allocator);
        dp_tokenizer *tokenizer = NULL;
        int32_t ids[64];
        size_t count = 0;
        f.left = n;
        rc = open_json(context, &p, &tokenizer, NULL);
        if (!rc)
            rc = dp_tokenizer_encode(tokenizer, "e\xcc\x81 o\xcc\x81", 7, 0, ids, 64, &count, NULL);
        f.left = INT64_MAX;
        ck_assert_msg(rc == DP_OK || rc == DP_E_MEMORY, "%d at %d", rc, (int)n);
        ck_assert(rc != DP_OK || (count == 4 && ids[3] == 257));
        failed += rc != DP_OK;
        dp_tokenizer_free(tokenizer);
        end_context(context);
    }
    ck_assert_int_gt(failed, 20);
}
END_TEST

START_TEST(a_template_puts_bos_in_front)
{
    static const char template[] =
        ",\"post_processor\":{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\"},{\"type\":"
        "\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},{\"Sequence\":{"
        "\"id\":\"A\"}}],"
        "\"special_tokens\":{\"<s>\":{\"id\":\"<s>\",\"ids\":[300],\"tokens\":[\"<s>\"]}}}]}}";
    dp_context *context = new_context(NULL);
    dp_tokenizer_info info = {.size = sizeof info};
    char *json = byte_level_json(&small);
    dp_tokenizer *tokenizer = NULL;

    json[strlen(json) - 1] = 0;
    strcat(json, template);
    write_file(scratch("tokenizer.json"), json, strlen(json));
    ck_assert_int_eq(dp_tokenizer_open(context, scratch("tokenizer.json"), &tokenizer, NULL), DP_OK);
    ck_assert_int_eq(dp_tokenizer_describe(tokenizer, &info, NULL), DP_OK);
    ck_assert_int_eq(info.bos, 300);
    ck_assert_int_eq(info.adds_bos, 1);
    IDS(tokenizer, "he", DP_ENCODE_BOS, 300, 256);
    IDS(tokenizer, "he", 0, 256);
    free(json);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

#define STEPS(step)                                                                                                \
    "{\"type\":\"Sequence\",\"pretokenizers\":[" step ",{\"type\":\"ByteLevel\",\"add_prefix_space\":false}]}"

// Broken files, and what is said of each.
typedef struct broken {
    parts parts;
    int code;
    const char *item, *message;
} broken;

static const broken broken_files[] = {
    {{.vocab = "\"he\":-1"}, DP_E_FORMAT, "he", "a token's id is -1, not 0 to 16777215"},
    {{.vocab = "\"he\":1.5"}, DP_E_FORMAT, "he", "a token's id is not an integer"},
    {{.vocab = "\"he\":4294967336"}, DP_E_FORMAT, "he", "a token's id is 4294967336, not 0 to 16777215"},
    {{.vocab = "\"he\":9223372036854775808"},
     DP_E_FORMAT,
     "",
     "not json: too big integer near '9223372036854775808'"},
    {{.vocab = "\"he\":5"}, DP_E_FORMAT, "vocab", "token id 5 is given twice"},
    {{.vocab = "\"he\":90000"}, DP_E_FORMAT, "vocab", "the highest id is 90000, but there are only 257 tokens"},
    {{.merges = "\"\""}, DP_E_FORMAT, "merges", "merge 0 is not two tokens with one space between: \"\""},
    {{.merges = "\"h e e\""}, DP_E_FORMAT, "merges", "merge 0 is not two tokens with one space between: \"h e e\""},
    {{.merges = "\"h \""}, DP_E_FORMAT, "merges", "merge 0 has an empty part"},
    {{.merges = "\"h e\",\"he zz\""}, DP_E_FORMAT, "merges", "merge 1: \"zz\" is not in the vocabulary"},
    {{.merges = "\"e h\""}, DP_E_FORMAT, "merges", "merge 0: \"eh\" is not in the vocabulary"},
    {{.merges = "5"}, DP_E_FORMAT, "merges", "merge 0 is neither a string nor two strings"},
    {{.merges = "[5,\"e\"]"}, DP_E_FORMAT, "merges", "merge 0 is neither a string nor two strings"},
    {{.merges = "[\"h\",5]"}, DP_E_FORMAT, "merges", "merge 0 is neither a string nor two strings"},
    {{.merges = "[\"h\"]"}, DP_E_FORMAT, "merges", "merge 0 is neither a string nor two strings"},
    {{.added = "{\"id\":5,\"content\":\"<s>\"}"}, DP_E_FORMAT, "vocab", "token id 5 is given twice"},
    {{.added = "{\"id\":5,\"content\":\"he\"}"},
     DP_E_FORMAT,
     "added_tokens",
     "added token \"he\" has id 5, but the vocabulary says 256"},
    {{.added = "{\"content\":\"<s>\"}"}, DP_E_FORMAT, "added_tokens", "a token's id is not an integer"},
    {{.added = "{\"id\":300}"}, DP_E_FORMAT, "content", "\"content\" is missing"},
    {{.added = "{\"id\":300,\"content\":\"<s>\",\"single_word\":1}"},
     DP_E_FORMAT,
     "single_word",
     "\"single_word\" is an integer, expected true or false"},
    {{.normalizer = "{\"type\":\"NFKC\"}"},
     DP_E_UNSUPPORTED,
     "normalizer",
     "not a normalizer that is supported here: \"NFKC\""},
    {{.pre_tokenizer = "null"},
     DP_E_UNSUPPORTED,
     "pre_tokenizer",
     "neither byte-level BPE nor SentencePiece BPE: \"(no type)\""},
    {{.pre_tokenizer = "{\"type\":\"Whitespace\"}"},
     DP_E_UNSUPPORTED,
     "pre_tokenizer",
     "not a pre-tokenizer that is supported here: \"Whitespace\""},
    {{.pre_tokenizer = "{\"type\":\"Sequence\"}"},
     DP_E_FORMAT,
     "pre_tokenizer",
     "a Sequence has no list \"pretokenizers\""},
    {{.pre_tokenizer = "{\"type\":\"ByteLevel\",\"add_prefix_space\":true}"},
     DP_E_UNSUPPORTED,
     "pre_tokenizer",
     "ByteLevel is not supported here with \"add_prefix_space\""},
    {{.pre_tokenizer = STEPS("{\"type\":\"Split\",\"pattern\":{\"Regex\":\"[\"},\"behavior\":\"Isolated\"}")},
     DP_E_FORMAT,
     "pre_tokenizer",
     "split pattern \"[\" at 1: missing terminating ] for character class"},
    {{.pre_tokenizer = STEPS("{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\"},\"behavior\":\"Removed\"}")},
     DP_E_UNSUPPORTED,
     "pre_tokenizer",
     "only one behaviour is supported here of \"Split\""},
    {{.more = "\"unk_token\":\"zz\","}, DP_E_FORMAT, "unk_token", "is not in the vocabulary: \"zz\""},
    {{.more = "\"dropout\":0.1,"}, DP_E_UNSUPPORTED, "model", "not supported here: \"dropout\""},
    {{.more = "\"byte_fallback\":1,"},
     DP_E_FORMAT,
     "byte_fallback",
     "\"byte_fallback\" is an integer, expected true or false"},
};

START_TEST(refuses_broken_files)
{
    dp_context *context = new_context(NULL);

    for (size_t i = 0; i < sizeof broken_files / sizeof *broken_files; i++) {
        const broken *const b = &broken_files[i];
        dp_tokenizer *tokenizer = NULL;
        dp_error error;
        const int rc = open_json(context, &b->parts, &tokenizer, &error);
        ck_assert_msg(rc == b->code, "%zu: %d", i, rc);
        ck_assert_msg(!strcmp(error.message, b->message), "%zu: %s", i, error.message);
        ck_assert_msg(!strcmp(error.item, b->item), "%zu: %s", i, error.item);
        ck_assert_str_eq(error.file, scratch("tokenizer.json"));
        ck_assert_ptr_null(tokenizer);
    }
    end_context(context);
}
END_TEST

typedef struct whole {
    const char *text;
    int code;
    const char *message;
} whole;

START_TEST(refuses_files_that_are_something_else)
{
    static const whole files[] = {
        {"", DP_E_FORMAT, NULL},
        {"[]", DP_E_FORMAT, "the tokenizer has no model"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[]}}", DP_E_UNSUPPORTED,
         "not a model that is supported here: \"Unigram\""},
        {"{\"model\":{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]}}", DP_E_FORMAT,
         "the vocabulary is missing or empty"},
        {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"\\ud800\":1},\"merges\":[]}}", DP_E_FORMAT, NULL},
        {"{\"model\":{\"vocab\":{\"a\":0}},\"normalizer\":{\"type\":\"NFC\"}}", DP_E_UNSUPPORTED,
         "neither byte-level BPE nor SentencePiece BPE: \"none\""},
        {"{\"model\":{\"vocab\":{\"a\":0}},\"normalizer\":{\"type\":\"NFC\"},\"pre_tokenizer\":{\"type\":\"Metaspace\","
         "\"replacement\":\"" DPI_SPACE "\",\"split\":false}}",
         DP_E_UNSUPPORTED, "not supported here with SentencePiece BPE: \"NFC\""},
    };
    dp_context *context = new_context(NULL);

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        dp_tokenizer *tokenizer = NULL;
        dp_error error;
        write_file(scratch("tokenizer.json"), files[i].text, strlen(files[i].text));
        ck_assert_int_eq(dp_tokenizer_open(context, scratch("tokenizer.json"), &tokenizer, &error), files[i].code);
        if (files[i].message)
            ck_assert_str_eq(error.message, files[i].message);
    }
    end_context(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        encodes_by_rank_and_by_byte,  special_tokens_both_ways, decodes,
        buffers_take_what_fits,       describes_itself,         takes_whole_words_where_merges_are_ignored,
        a_template_puts_bos_in_front, composes_first,
        composes_or_says_that_memory_ran_out, refuses_broken_files,     refuses_files_that_are_something_else};
    return dpt_run("text/byte_level", tests, sizeof tests / sizeof *tests);
}
