// Tokenizers from GGUF keys: what a file need not say, and what it must not say.
#include "io/gguf.h"
#include "support.h"

typedef struct keys {
    const char *model, *pre; // NULL: left out
    const char *const *tokens;
    uint64_t tokens_count, kinds_count, scores_count, merges_count;
    const int32_t *kinds;
    const float *scores;
    const char *const *merges;
    int64_t bos;          // -1: left out
    int adds_bos, prefix; // -1: left out
} keys;

static void put_strings(dpi_gguf_out *out, const char *key, const char *const *strings, uint64_t count)
{
    size_t sizes[512];

    for (uint64_t i = 0; i < count; i++)
        sizes[i] = strlen(strings[i]);
    ck_assert_int_eq(dpi_gguf_put_strings(out, key, strings, sizes, count, NULL), DP_OK);
}

static int open_keys(dp_context *context, const keys *k, dp_tokenizer **tokenizer, dp_error *error)
{
    dpi_gguf_out *out = NULL;
    dpi_writer *writer = NULL;
    dpi_stage *stage = NULL;

    ck_assert_int_eq(dpi_gguf_out_open(&out, &context->memory, 32, NULL), DP_OK);
    if (k->model)
        dpi_gguf_put_string(out, "tokenizer.ggml.model", k->model, strlen(k->model), NULL);
    if (k->pre)
        dpi_gguf_put_string(out, "tokenizer.ggml.pre", k->pre, strlen(k->pre), NULL);
    put_strings(out, "tokenizer.ggml.tokens", k->tokens, k->tokens_count);
    if (k->kinds)
        dpi_gguf_put_array(out, "tokenizer.ggml.token_type", DPI_GGUF_I32, k->kinds, k->kinds_count, NULL);
    if (k->scores)
        dpi_gguf_put_array(out, "tokenizer.ggml.scores", DPI_GGUF_F32, k->scores, k->scores_count, NULL);
    if (k->merges)
        put_strings(out, "tokenizer.ggml.merges", k->merges, k->merges_count);
    if (k->bos >= 0)
        dpi_gguf_put_u32(out, "tokenizer.ggml.bos_token_id", (uint32_t)k->bos, NULL);
    if (k->adds_bos >= 0)
        dpi_gguf_put_bool(out, "tokenizer.ggml.add_bos_token", k->adds_bos, NULL);
    if (k->prefix >= 0)
        dpi_gguf_put_bool(out, "tokenizer.ggml.add_space_prefix", k->prefix, NULL);
    ck_assert_int_eq(dpi_stage_open(&stage, context, scratch("t.gguf"), 0, 1, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_file(stage, "t.gguf", &writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_header(out, writer, NULL, 0, NULL, NULL), DP_OK);
    ck_assert_int_eq(dpi_writer_end(writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_commit(stage, NULL), DP_OK);
    dpi_gguf_out_free(out);
    return dp_tokenizer_open(context, scratch("t.gguf"), tokenizer, error);
}

static const char *const spm_tokens[] = {"<unk>", "<s>", "</s>", "a", "b", "ab", DPI_SPACE, DPI_SPACE "a", "<u>"};
static const int32_t spm_kinds[] = {2, 3, 3, 1, 1, 1, 1, 1, 4};
static const float spm_scores[] = {0, 0, 0, -9, -9, -1, -9, -2, -1000};
static const keys spm = {.model = "llama",
                         .tokens = spm_tokens,
                         .tokens_count = 9,
                         .kinds = spm_kinds,
                         .kinds_count = 9,
                         .scores = spm_scores,
                         .scores_count = 9,
                         .bos = -1,
                         .adds_bos = -1,
                         .prefix = -1};
static const char *const bpe_tokens[] = {"a", "b", "ab", "\xc4\xa0", "1", "<|x|>", "ba", "aba"};
static const int32_t bpe_kinds[] = {1, 1, 1, 1, 1, 3, 4, 1};
static const char *const bpe_merges[] = {"a b", "b a", "ab a"};
static const keys bpe = {.model = "gpt2",
                         .pre = "gpt-2",
                         .tokens = bpe_tokens,
                         .tokens_count = 8,
                         .kinds = bpe_kinds,
                         .kinds_count = 8,
                         .merges = bpe_merges,
                         .merges_count = 3,
                         .bos = -1,
                         .adds_bos = -1,
                         .prefix = -1};

static dp_tokenizer *open_well(dp_context *context, const keys *k, dp_tokenizer_info *info)
{
    dp_tokenizer *tokenizer = NULL;
    dp_error error;

    ck_assert_msg(open_keys(context, k, &tokenizer, &error) == DP_OK, "%s", error.message);
    info->size = sizeof *info;
    ck_assert_int_eq(dp_tokenizer_describe(tokenizer, info, NULL), DP_OK);
    return tokenizer;
}

START_TEST(sentencepiece_without_the_optional_keys)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer_info info;
    dp_tokenizer *tokenizer = open_well(context, &spm, &info);
    keys k = spm;

    ck_assert(info.tokens == 9 && info.bos == 1 && info.eos == 2 && info.unk == 0 && info.pad == -1);
    ck_assert_int_eq(info.adds_bos, 1);
    IDS(tokenizer, "ab a", 0, 6, 5, 7);
    IDS(tokenizer, "a<u>a", 0, 7, 8, 7);
    IDS(tokenizer, "a</s>xx", DP_ENCODE_SPECIAL, 7, 2, 6, 0);
    dp_tokenizer_free(tokenizer);
    k.prefix = k.adds_bos = 0;
    tokenizer = open_well(context, &k, &info);
    ck_assert_int_eq(info.adds_bos, 0);
    IDS(tokenizer, "ab a", 0, 5, 7);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

START_TEST(byte_level_without_the_optional_keys)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer_info info;
    dp_tokenizer *tokenizer = open_well(context, &bpe, &info);
    char digest[65];
    keys k = bpe;

    ck_assert(info.tokens == 8 && info.bos == -1 && info.adds_bos == 0);
    IDS(tokenizer, "abab a", 0, 0, 6, 1, 3, 0);            // ba is the user's own, cut out before
    IDS(tokenizer, "a1<|x|>", DP_ENCODE_SPECIAL, 0, 4, 5); // and what is no token is dropped
    IDS(tokenizer, "a<b", 0, 0, 1);
    snprintf(digest, sizeof digest, "%s", info.digest);
    dp_tokenizer_free(tokenizer);
    k.pre = "llama-bpe"; // puts BOS in front unless the file says otherwise, and takes whole words
    k.bos = 5;
    tokenizer = open_well(context, &k, &info);
    ck_assert(info.bos == 5 && info.adds_bos == 1);
    ck_assert_str_ne(info.digest, digest);
    IDS(tokenizer, "a", DP_ENCODE_BOS, 5, 0);
    dp_tokenizer_free(tokenizer);
    k.adds_bos = 0;
    tokenizer = open_well(context, &k, &info);
    ck_assert_int_eq(info.adds_bos, 0);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

static void refused(dp_context *context, const keys *k, int code, const char *item, const char *message)
{
    dp_tokenizer *tokenizer = NULL;
    dp_error error;

    ck_assert_int_eq(open_keys(context, k, &tokenizer, &error), code);
    ck_assert_str_eq(error.item, item);
    if (message)
        ck_assert_str_eq(error.message, message);
    ck_assert_str_eq(error.file, scratch("t.gguf"));
    ck_assert_ptr_null(tokenizer);
}

START_TEST(refuses_keys_that_do_not_fit)
{
    static const char *const twice[] = {"<unk>", "<s>", "</s>", "a", "a"};
    static const char *const one_part[] = {"ab"};
    static const int32_t odd[] = {2, 3, 3, 1, 1, 1, 1, 1, 7};
    static const float infinite[] = {0, 0, 0, 0, 0, 0, 0, 0, __builtin_inff()};
    dp_context *context = new_context(NULL);
    keys k = spm;

    k.model = "bert";
    refused(context, &k, DP_E_UNSUPPORTED, "tokenizer.ggml.model", "tokenizer \"bert\" is not supported");
    k.model = NULL;
    refused(context, &k, DP_E_FORMAT, "tokenizer.ggml.model", NULL);
    k = spm;
    k.kinds_count = 8;
    refused(context, &k, DP_E_FORMAT, "tokenizer.ggml.token_type", "not as many elements as there are tokens");
    k = spm;
    k.scores_count = 3;
    refused(context, &k, DP_E_FORMAT, "tokenizer.ggml.scores", "not as many elements as there are tokens");
    k.scores = NULL;
    refused(context, &k, DP_E_FORMAT, "tokenizer.ggml.scores", NULL);
    k = spm;
    k.kinds = odd;
    refused(context, &k, DP_E_FORMAT, "tokenizer.ggml.token_type", "token 8 has the unknown type 7");
    k = spm;
    k.scores = infinite;
    refused(context, &k, DP_E_FORMAT, "vocab", "the score of token 8 is not finite");
    k = spm;
    k.bos = 9;
    refused(context, &k, DP_E_FORMAT, "tokenizer.ggml.bos_token_id", NULL);
    k = spm;
    k.tokens_count = k.kinds_count = k.scores_count = 2;
    refused(context, &k, DP_E_FORMAT, "tokenizer.ggml.tokens", "fewer than three tokens");
    k.tokens_count = 0;
    refused(context, &k, DP_E_FORMAT, "tokenizer.ggml.tokens", "the vocabulary is empty or too large");
    k = spm;
    k.tokens = twice;
    k.tokens_count = k.kinds_count = k.scores_count = 5;
    refused(context, &k, DP_E_FORMAT, "vocab", "tokens 3 and 4 are the same: \"a\"");
    k = bpe;
    k.pre = "deepseek-llm";
    refused(context, &k, DP_E_UNSUPPORTED, "tokenizer.ggml.pre", "pre-tokenizer \"deepseek-llm\" is not supported");
    k.pre = NULL;
    refused(context, &k, DP_E_FORMAT, "tokenizer.ggml.pre", NULL);
    k = bpe;
    k.merges = one_part;
    k.merges_count = 1;
    refused(context, &k, DP_E_FORMAT, "merges", "merge 0 is not two tokens with one space between: \"ab\"");
    k.merges = NULL;
    refused(context, &k, DP_E_FORMAT, "tokenizer.ggml.merges", NULL);
    end_context(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {sentencepiece_without_the_optional_keys, byte_level_without_the_optional_keys,
                                  refuses_keys_that_do_not_fit};
    return dpt_run("text/gguf", tests, sizeof tests / sizeof *tests);
}
