// SentencePiece BPE as tokenizer.json writes it: merging by rule, its three ways with spaces, unknown text, and
// what the files beside it say.
#include "support.h"

typedef struct piece_parts {
    const char *normalizer, *pre_tokenizer, *model, *added, *beside; // NULL: the usual, or none
} piece_parts;

#define PREPEND                                                                                                    \
    "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":\"\\u2581\"},{\"type\":"            \
    "\"Replace\","                                                                                                 \
    "\"pattern\":{\"String\":\" \"},\"content\":\"\\u2581\"}]}"
#define METASPACE(scheme)                                                                                          \
    "{\"type\":\"Metaspace\",\"replacement\":\"\\u2581\",\"prepend_scheme\":\"" scheme "\",\"split\":false}"

// <unk> 0, <s> 1, ▁ 2, a 3, b 4, ab 5, ▁a 6, ▁ab 7, <0xC3> 8, <0xA9> 9
static int open_pieces(dp_context *context, const piece_parts *p, dp_tokenizer **out, dp_error *error)
{
    char json[4096];

    snprintf(
        json, sizeof json,
        "{\"added_tokens\":[{\"id\":0,\"content\":\"<unk>\",\"special\":true},{\"id\":1,\"content\":\"<s>\","
        "\"special\":true}%s],\"normalizer\":%s,\"pre_tokenizer\":%s,\"model\":{\"type\":\"BPE\",%s,\"vocab\":{"
        "\"<unk>\":0,\"<s>\":1,\"\\u2581\":2,\"a\":3,\"b\":4,\"ab\":5,\"\\u2581a\":6,\"\\u2581ab\":7,"
        "\"<0xC3>\":8,\"<0xA9>\":9},\"merges\":[\"a b\",\"\\u2581 a\",\"\\u2581 ab\"]}}",
        p->added ? p->added : "", p->normalizer ? p->normalizer : "null",
        p->pre_tokenizer ? p->pre_tokenizer : "null",
        p->model ? p->model : "\"unk_token\":\"<unk>\",\"fuse_unk\":true,\"byte_fallback\":true");
    write_file(scratch("tokenizer.json"), json, strlen(json));
    remove(scratch("tokenizer_config.json"));
    if (p->beside)
        write_file(scratch("tokenizer_config.json"), p->beside, strlen(p->beside));
    return dp_tokenizer_open(context, scratch("tokenizer.json"), out, error);
}

static dp_tokenizer *open_well(dp_context *context, const piece_parts *p)
{
    dp_tokenizer *tokenizer = NULL;
    dp_error error;

    ck_assert_msg(open_pieces(context, p, &tokenizer, &error) == DP_OK, "%s", error.message);
    return tokenizer;
}

START_TEST(a_prefix_in_front_of_each_stretch)
{
    const piece_parts usual = {.normalizer = PREPEND};
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_well(context, &usual);

    IDS(tokenizer, "ab a", 0, 7, 6);
    IDS(tokenizer, " ab", 0, 2, 7);
    IDS(tokenizer, "a<s>a", DP_ENCODE_SPECIAL, 6, 1, 6);
    IDS(tokenizer, "\xc3\xa9zzb", 0, 2, 8, 9, 0, 4); // its bytes; then unknown text, once
    TEXT(tokenizer, 0, "ab a", 7, 6);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(metaspace)
{
    const piece_parts always = {.pre_tokenizer = METASPACE("always")},
                      first = {.pre_tokenizer = METASPACE("first")},
                      never = {.pre_tokenizer = METASPACE("never"),
                               .added = ",{\"id\":10,\"content\":\"b b\",\"normalized\":true}"};
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_well(context, &always);

    IDS(tokenizer, " ab", 0, 7); // only where no space is
    IDS(tokenizer, "ab<s>a", DP_ENCODE_SPECIAL, 7, 1, 6);
    dp_tokenizer_free(tokenizer);
    tokenizer = open_well(context, &first);
    IDS(tokenizer, "ab<s>a", DP_ENCODE_SPECIAL, 7, 1, 3);
    IDS(tokenizer, "<s>a", DP_ENCODE_SPECIAL, 1, 3);
    dp_tokenizer_free(tokenizer);
    tokenizer = open_well(context, &never);
    IDS(tokenizer, "ab a", 0, 5, 6);
    IDS(tokenizer, "ab ba", 0, 3, 10, 3); // cut before spaces are dealt with
    TEXT(tokenizer, 0, " a", 6);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(unknown_text)
{
    const piece_parts apart = {.normalizer = PREPEND, .model = "\"unk_token\":\"<unk>\""},
                      dropped = {.normalizer = PREPEND, .model = "\"unk_token\":null"};
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_well(context, &apart);

    IDS(tokenizer, "zza", 0, 2, 0, 0, 3);
    dp_tokenizer_free(tokenizer);
    tokenizer = open_well(context, &dropped);
    IDS(tokenizer, "zab za", 0, 7, 6); // what stands around it merges
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(bos_as_the_class_has_it)
{
    const piece_parts class = {.normalizer = PREPEND,
                               .beside = "{\"tokenizer_class\":\"LlamaTokenizer\",\"bos_token\":"
                                         "\"<s>\",\"chat_template\":[{\"name\":\"tool\",\"template\":"
                                         "\"x\"},{\"name\":\"default\",\"template\":\"hi\"}]}"},
                      told = {.normalizer = PREPEND,
                              .beside = "{\"tokenizer_class\":\"LlamaTokenizer\",\"bos_token\":"
                                        "\"<s>\",\"add_bos_token\":false}"};
    dp_context *context = new_context(NULL);
    dp_tokenizer_info info = {.size = sizeof info};
    dp_tokenizer *tokenizer = open_well(context, &class);

    ck_assert_int_eq(dp_tokenizer_describe(tokenizer, &info, NULL), DP_OK);
    ck_assert(info.bos == 1 && info.unk == 0 && info.adds_bos == 1);
    ck_assert_str_eq(tokenizer->chat_template, "hi");
    dp_tokenizer_free(tokenizer);
    write_file(scratch("chat_template.jinja"), "hello\xff", 6);
    tokenizer = open_well(context, &told);
    ck_assert_int_eq(dp_tokenizer_describe(tokenizer, &info, NULL), DP_OK);
    ck_assert_int_eq(info.adds_bos, 0);
    ck_assert_str_eq(tokenizer->chat_template, "hello\xef\xbf\xbd");
    remove(scratch("chat_template.jinja"));
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(refuses_what_it_does_not_do)
{
    static const piece_parts refused[] = {
        {.normalizer = PREPEND, .pre_tokenizer = METASPACE("first")},
        {.pre_tokenizer = "{\"type\":\"Metaspace\",\"replacement\":\"\\u2581\",\"prepend_scheme\":\"always\"}"},
        {.normalizer = "{\"type\":\"Replace\",\"pattern\":{\"String\":\"  \"},\"content\":\"\\u2581\"}"},
        {.normalizer = PREPEND, .pre_tokenizer = "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"},
        {.normalizer = PREPEND, .model = "\"ignore_merges\":true"},
    };
    dp_context *context = new_context(NULL);

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        dp_tokenizer *tokenizer = NULL;
        dp_error error;
        ck_assert_int_eq(open_pieces(context, &refused[i], &tokenizer, &error), DP_E_UNSUPPORTED);
        ck_assert_msg(error.item[0] && error.file[0], "%zu: %s", i, error.message);
    }
    end_context(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_prefix_in_front_of_each_stretch, metaspace, unknown_text,
                                  bos_as_the_class_has_it, refuses_what_it_does_not_do};
    return dpt_run("text/pieces_json", tests, sizeof tests / sizeof *tests);
}
