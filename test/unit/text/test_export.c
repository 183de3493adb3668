// A tokenizer written in either format and opened again gives the same ids, texts and facts.
#include "spm_model.h"
#include "text/export.h"

static void save_gguf(const dp_tokenizer *tokenizer, int32_t rows, const char *path)
{
    dpi_gguf_out *out = NULL;
    dpi_writer *writer = NULL;
    dpi_stage *stage = NULL;
    dp_error error;

    ck_assert_int_eq(dpi_gguf_out_open(&out, tokenizer->memory, 32, NULL), DP_OK);
    ck_assert_msg(dpi_tokenizer_to_gguf(tokenizer, rows, out, &error) == DP_OK, "%s", error.message);
    ck_assert_int_eq(dpi_stage_open(&stage, tokenizer->context, path, 0, 1, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_file(stage, "tokenizer.gguf", &writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_header(out, writer, NULL, 0, NULL, NULL), DP_OK);
    ck_assert_int_eq(dpi_writer_end(writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_commit(stage, NULL), DP_OK);
    dpi_gguf_out_free(out);
}

static void save_hf(const dp_tokenizer *tokenizer, const char *path)
{
    dpi_stage *stage = NULL;
    dp_error error;

    ck_assert_int_eq(dpi_stage_open(&stage, tokenizer->context, path, 1, 1, NULL), DP_OK);
    ck_assert_msg(dpi_tokenizer_to_hf(tokenizer, stage, &error) == DP_OK, "%s", error.message);
    ck_assert_int_eq(dpi_stage_commit(stage, NULL), DP_OK);
}

// The id of unknown text prints nothing where Hugging Face's rules are read, " \xe2\x81\x87 " where SentencePiece's scores are.
static int prints_apart(const dp_tokenizer *a, const dp_tokenizer *b, const int32_t *ids, size_t count)
{
    if (!a->merges.memory == !b->merges.memory)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (ids[i] == a->unknown)
            return 1;
    return 0;
}

static void check_same(const dp_tokenizer *a, const dp_tokenizer *b, const char *text, size_t size, uint32_t flags)
{
    static int32_t first[1 << 14], second[1 << 14];
    size_t count = 0, other = 0;

    ck_assert_int_eq(dp_tokenizer_encode(a, text, size, flags, first, 1 << 14, &count, NULL), DP_OK);
    ck_assert_int_eq(dp_tokenizer_encode(b, text, size, flags, second, 1 << 14, &other, NULL), DP_OK);
    ck_assert_msg(count == other && count <= 1 << 14 && !memcmp(first, second, count * sizeof *first),
                  "\"%.*s\" has other ids", (int)size, text);
    for (uint32_t special = (uint32_t)prints_apart(a, b, first, count); special < 2; special++) {
        char one[1 << 12], two[1 << 12];
        const size_t some = count < 300 ? count : 300;
        size_t sizes[2] = {0};
        ck_assert_int_eq(dp_tokenizer_decode(a, first, some, special, one, sizeof one, &sizes[0], NULL), DP_OK);
        ck_assert_int_eq(dp_tokenizer_decode(b, first, some, special, two, sizeof two, &sizes[1], NULL), DP_OK);
        ck_assert(sizes[0] == sizes[1] && sizes[0] <= sizeof one && !memcmp(one, two, sizes[0]));
    }
}

static void check_all(const dp_tokenizer *a, const dp_tokenizer *b)
{
    static const char *const texts[] = {
        "",
        " ",
        "Hello, world!",
        "  two  spaces \n\n\tand 123 \xc2\xbd",
        "<s>a</s>b<unk> c<|im_end|>\n<|im_start|>d",
        "\xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\xa6\x99 \xe2\x96\x81x",
        "\xff\xfe",
        "I'll don't 'S",
        "                                                                                  a   b"};
    dp_tokenizer_info one = {.size = sizeof one}, two = one;

    ck_assert_int_eq(dp_tokenizer_describe(a, &one, NULL), DP_OK);
    ck_assert_int_eq(dp_tokenizer_describe(b, &two, NULL), DP_OK);
    ck_assert(one.tokens == two.tokens && one.bos == two.bos && one.eos == two.eos && one.unk == two.unk &&
              one.pad == two.pad && one.adds_bos == two.adds_bos);
    ck_assert_str_eq(one.kind, two.kind);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (uint32_t flags = 0; flags < 2; flags++)
            check_same(a, b, texts[i], strlen(texts[i]), flags);
}

// Out as either, back, and out again as the other.
static void round_trip(dp_context *context, const char *path)
{
    dp_tokenizer *tokenizer = NULL, *again = NULL, *third = NULL;
    char folder[256], file[256];
    dp_error error;

    static int number;
    char name[16];
    snprintf(name, sizeof name, "hf%d", number++);
    snprintf(folder, sizeof folder, "%s", scratch(name));
    snprintf(file, sizeof file, "%s", scratch("tokenizer.gguf"));
    ck_assert_msg(dp_tokenizer_open(context, path, &tokenizer, &error) == DP_OK, "%s", error.message);
    save_gguf(tokenizer, tokenizer->vocab.count, file);
    ck_assert_msg(dp_tokenizer_open(context, file, &again, &error) == DP_OK, "%s", error.message);
    check_all(tokenizer, again);
    save_hf(again, folder);
    ck_assert_msg(dp_tokenizer_open(context, folder, &third, &error) == DP_OK, "%s", error.message);
    check_all(tokenizer, third);
    ck_assert(!tokenizer->chat_template == !third->chat_template);
    if (tokenizer->chat_template)
        ck_assert_str_eq(tokenizer->chat_template, third->chat_template);
    dp_tokenizer_free(tokenizer);
    dp_tokenizer_free(again);
    dp_tokenizer_free(third);
}

START_TEST(byte_level)
{
    dp_context *context = new_context(NULL);
    char path[512];

    snprintf(path, sizeof path, "%s", shared_path("golden/smollm2-135m"));
    round_trip(context, path);
    snprintf(path, sizeof path, "%s", shared_path("data/tokenizers/gguf_vocab/ggml-vocab-gpt-2.gguf"));
    round_trip(context, path);
    end_context(context);
}
END_TEST

START_TEST(sentencepiece)
{
    static const char *const names[] = {
        "data/tokenizers/gguf_vocab/ggml-vocab-llama-spm.gguf", "data/tokenizers/llama_spm/tokenizer.model",
        "data/tokenizers/tok512/tok512.model", "data/tokenizers/TinyLlama-1.1B-Chat-v1.0"};
    dp_context *context = new_context(NULL);
    char path[512];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s", shared_path(names[i]));
        round_trip(context, path);
    }
    end_context(context);
}
END_TEST

// Where rules cannot say what scores say, there is no tokenizer.json; the ids stay the same.
static void check_json(const piece *pieces, size_t count, const settings *s, int there)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = NULL, *again = NULL;
    char folder[256], json[300];
    static int number;
    char name[16];
    dp_error error;

    snprintf(name, sizeof name, "spm%d", number++);
    snprintf(folder, sizeof folder, "%s", scratch(name));
    snprintf(json, sizeof json, "%s/tokenizer.json", folder);
    ck_assert_msg(open_model(context, pieces, count, s, &tokenizer, &error) == DP_OK, "%s", error.message);
    save_hf(tokenizer, folder);
    ck_assert_int_eq(access(json, R_OK) == 0, there);
    ck_assert_msg(dp_tokenizer_open(context, folder, &again, &error) == DP_OK, "%s", error.message);
    check_all(tokenizer, again);
    check_same(tokenizer, again, "abcabcab bcab  c   ab    ", 25, 0);
    dp_tokenizer_free(tokenizer);
    dp_tokenizer_free(again);
    end_context(context);
}

#define LETTERS                                                                                                    \
    {"a", -9, 1}, {"b", -9, 1}, {"c", -9, 1},                                                                      \
    {                                                                                                              \
        DPI_SPACE, -9, 1                                                                                           \
    }

START_TEST(rules_where_they_say_what_scores_say)
{
    static const piece plain[] = {LETTERS, {"ab", -1, 1}, {"bc", -2, 1}, {DPI_SPACE "a", -3, 1}};
    static const piece tied[] = {LETTERS, {"ab", -1, 1}, {"bc", -1, 1}};
    static const piece unused[] = {LETTERS, {"ab", -1, 1}, {"abc", -2, 5}};
    static const piece user[] = {LETTERS, {"ab", -1, 1}, {"cab", -2, 4}};
    static const piece runs[] = {
        LETTERS, {"ab", -1, 1}, {DPI_SPACE DPI_SPACE, -99, 1}, {DPI_SPACE DPI_SPACE DPI_SPACE, -99, 1}};
    // by score a run grows from the left to three, by rule pairs come first; with two and four both say the same
    static const piece pairs[] = {
        LETTERS, {"ab", -1, 1}, {DPI_SPACE DPI_SPACE, -99, 1}, {DPI_SPACE DPI_SPACE DPI_SPACE DPI_SPACE, -99, 1}};
    const settings squeezing = {2, 1, 1, 1};

    check_json(plain, 7, &llama, 1);
    check_json(tied, 6, &llama, 0);
    check_json(unused, 6, &llama, 0);
    check_json(user, 6, &llama, 0);
    check_json(plain, 7, &squeezing, 0);
    check_json(runs, 7, &llama, 0);
    check_json(pairs, 7, &llama, 1);
}
END_TEST

START_TEST(pads_to_the_rows_of_the_embedding)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = NULL, *again = NULL;
    dpi_gguf_out *out = NULL;
    char file[256];
    dp_error error;

    ck_assert_int_eq(
        dp_tokenizer_open(context, shared_path("data/tokenizers/tok512/tok512.model"), &tokenizer, NULL), DP_OK);
    snprintf(file, sizeof file, "%s", scratch("padded.gguf"));
    save_gguf(tokenizer, 520, file);
    ck_assert_int_eq(dp_tokenizer_open(context, file, &again, NULL), DP_OK);
    ck_assert_int_eq(again->vocab.count, 520);
    check_same(tokenizer, again, "Once upon a time, there was a", 29, 0);
    ck_assert_int_eq(dpi_gguf_out_open(&out, &context->memory, 32, NULL), DP_OK);
    ck_assert_int_eq(dpi_tokenizer_to_gguf(tokenizer, 500, out, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "the tokenizer has 512 ids, the model's embedding has 500 rows");
    dpi_gguf_out_free(out);
    dp_tokenizer_free(tokenizer);
    dp_tokenizer_free(again);
    end_context(context);
}
END_TEST

START_TEST(a_splitter_without_a_name_stays_at_home)
{
    const parts unnamed = {.pre_tokenizer = "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\"},"
                                            "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}]}"};
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = NULL, *again = NULL;
    dpi_gguf_out *out = NULL;
    char folder[256];
    dp_error error;

    ck_assert_int_eq(open_json(context, &unnamed, &tokenizer, &error), DP_OK);
    ck_assert_int_eq(dpi_gguf_out_open(&out, &context->memory, 32, NULL), DP_OK);
    ck_assert_int_eq(dpi_tokenizer_to_gguf(tokenizer, 257, out, &error), DP_E_UNSUPPORTED);
    ck_assert_str_eq(error.message, "GGUF has no name for this pre-tokenizer that is known here");
    dpi_gguf_out_free(out);
    snprintf(folder, sizeof folder, "%s", scratch("hf"));
    save_hf(tokenizer, folder);
    ck_assert_int_eq(dp_tokenizer_open(context, folder, &again, NULL), DP_OK);
    check_all(tokenizer, again);
    dp_tokenizer_free(tokenizer);
    dp_tokenizer_free(again);
    end_context(context);
}
END_TEST

#define SPLIT(digits)                                                                                              \
    "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"behavior\":\"Isolated\",\"pattern\":{\"Regex\":"          \
    "\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}" digits "| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|"   \
    "\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"}},{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}]}"

// The unknown token of byte-level BPE is a control token in GGUF, as llama.cpp has it.
START_TEST(each_known_split)
{
    static const char merges[] = "\"h e\",\"1 2\",\"12 3\",[\"\u00c3\",\"\u00a9\"],\"' S\"";
    static const char vocab[] = "\"<unk>\":256,\"he\":257,\"12\":258,\"123\":259,\"\u00c3\u00a9\":260,\"'S\":261,\"ehe\":262";
    static const char added[] = "{\"id\":256,\"content\":\"<unk>\",\"special\":true}";
    static const struct {
        const char *name;
        parts parts;
    } kinds[] = {
        {"gpt-2", {vocab, merges, "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}", added,
                   "\"unk_token\":\"<unk>\",", NULL}},
        {"smollm", {vocab, merges, NULL, added, "\"unk_token\":\"<unk>\",", NULL}},
        {"llama-bpe", {vocab, merges, SPLIT("{1,3}"), added, "\"unk_token\":\"<unk>\",\"ignore_merges\":true,", NULL}},
        {"qwen2", {vocab, merges, SPLIT(""), added, "\"unk_token\":\"<unk>\",", "{\"type\":\"NFC\"}"}}};
    dp_context *context = new_context(NULL);

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        dp_tokenizer *tokenizer = NULL, *gguf = NULL, *back = NULL;
        char file[256], folder[256], name[16];
        snprintf(name, sizeof name, "split%zu", i);
        snprintf(folder, sizeof folder, "%s", scratch(name));
        snprintf(file, sizeof file, "%s", scratch("split.gguf"));
        ck_assert_int_eq(open_json(context, &kinds[i].parts, &tokenizer, NULL), DP_OK);
        ck_assert_str_eq(dpi_splitter_known(&tokenizer->splitter)->name, kinds[i].name);
        ck_assert_int_eq(tokenizer->vocab.tokens[256].kind, DPI_TOKEN_UNKNOWN);
        save_gguf(tokenizer, 263, file);
        ck_assert_int_eq(dp_tokenizer_open(context, file, &gguf, NULL), DP_OK);
        ck_assert_int_eq(gguf->vocab.tokens[256].kind, DPI_TOKEN_CONTROL);
        ck_assert_int_eq(gguf->composes, kinds[i].parts.normalizer != NULL);
        save_hf(gguf, folder);
        ck_assert_int_eq(dp_tokenizer_open(context, folder, &back, NULL), DP_OK);
        check_all(tokenizer, gguf);
        check_all(tokenizer, back);
        check_same(tokenizer, back, "e\xcc\x81 ehe 1234 it'S<unk>", 22, 1);
        dp_tokenizer_free(tokenizer);
        dp_tokenizer_free(gguf);
        dp_tokenizer_free(back);
    }
    end_context(context);
}
END_TEST

int main(void)
{
    need_shared("data/tokenizers/tok512/tok512.model");
    const TTest *const tests[] = {byte_level, sentencepiece, rules_where_they_say_what_scores_say,
                                  pads_to_the_rows_of_the_embedding, a_splitter_without_a_name_stays_at_home, each_known_split};
    return dpt_run("text/export", tests, sizeof tests / sizeof *tests);
}
