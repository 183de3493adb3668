// Real files: tinyA pruned like the golden directory, stories260K and a random GGUF both ways.
#include "model/source.h"
#include "test/unit/model/support.h"

static const char *data_file(const char *name)
{
    static char paths[2][PATH_ROOM];
    static int next;

    next = !next;
    snprintf(paths[next], PATH_ROOM, "%s/%s", data_root(), name);
    char *whole = realpath(paths[next], NULL);
    ck_assert_msg(whole != NULL, "%s", paths[next]);
    snprintf(paths[next], PATH_ROOM, "%s", whole);
    free(whole);
    return paths[next];
}

// The golden directory was made by another program; it lacks blocks 2 and 5.
START_TEST(prunes_like_the_golden_directory)
{
    scene s;
    const int32_t kept[] = {0, 1, 3, 4};
    dp_model *smaller;

    open_scene(&s);
    dp_model *model = open_model(&s, data_file("golden/tinyA_gqa_tied/model"));
    dp_model *golden = open_model(&s, data_file("golden/tinyA_gqa_tied/pruned"));
    ck_assert_int_eq(dpi_model_keep(model, kept, 4, NULL, &smaller, NULL), DP_OK);
    assert_same_weights(smaller, golden);
    must_save(&s, smaller, "out", -1, -1);
    dp_model *saved = open_model(&s, "out");
    assert_same_weights(saved, golden);
    char ours[65], theirs[65];
    ck_assert_int_eq(dp_model_digest(saved, NULL, ours, NULL), DP_OK);
    ck_assert_int_eq(dp_model_digest(golden, NULL, theirs, NULL), DP_OK);
    ck_assert_str_eq(ours, theirs); // numbers of the configuration too
    dp_model_free(model);
    dp_model_free(golden);
    dp_model_free(smaller);
    dp_model_free(saved);
    close_scene(&s);
}
END_TEST

static void go_round(scene *s, const char *source, int32_t first, int32_t second)
{
    dp_model *model = open_model(s, source);

    must_save(s, model, "first", first, -1);
    dp_model *there = open_model(s, "first");
    must_save(s, there, "second", second, -1);
    dp_model *back = open_model(s, "second");
    assert_same_weights(model, back);
    ck_assert_int_eq(model->config.context, back->config.context);
    ck_assert(model->config.epsilon == back->config.epsilon && model->config.rope_base == back->config.rope_base);
    dp_model_free(model);
    dp_model_free(there);
    dp_model_free(back);
}

START_TEST(comes_back_the_same)
{
    scene s;

    open_scene(&s);
    go_round(&s, data_file("data/tiny_models/stories260K/hf"), DP_FORMAT_GGUF, DP_FORMAT_HF);
    close_scene(&s);
    open_scene(&s);
    go_round(&s, data_file("golden/tinyA_gqa_tied/model"), DP_FORMAT_GGUF, DP_FORMAT_HF);
    close_scene(&s);
    open_scene(&s);
    go_round(&s, data_file("data/tiny_models/llama-2-tiny-random/llama-2-tiny-random.gguf"), DP_FORMAT_HF,
             DP_FORMAT_GGUF);
    ck_assert(is_there(&s, "first/tokenizer.model"));
    ck_assert(is_there(&s, "first/tokenizer_config.json"));
    close_scene(&s);
}
END_TEST

static void copy_file(const char *from, const char *to)
{
    size_t size;
    char *bytes = read_file(from, &size);

    write_file(to, bytes, size);
    free(bytes);
}

// An embedding padded beyond the tokenizer's 512 ids gets a token for every row; one that is too small is refused.
START_TEST(fits_the_tokenizer_to_the_embedding)
{
    static const int32_t vocabularies[] = {512, 520, 500};

    for (int i = 0; i < 3; i++) {
        scene s;
        tiny t = TINY;
        open_scene(&s);
        t.vocab = vocabularies[i];
        write_tiny(&s, "m", &t);
        copy_file(data_file("data/tokenizers/tok512/tok512.model"), path_in(&s, "m/tokenizer.model"));
        dp_model *model = open_model(&s, "m");
        if (i == 2) {
            ck_assert_int_eq(save_model(&s, model, "m.gguf", DP_FORMAT_GGUF, -1), DP_E_FORMAT);
            ck_assert(!is_there(&s, "m.gguf"));
        } else {
            must_save(&s, model, "m.gguf", DP_FORMAT_GGUF, -1);
            dp_model *saved = open_model(&s, "m.gguf");
            const dpi_gguf_entry *tokens = dpi_gguf_find(saved->source->gguf, "tokenizer.ggml.tokens");
            const dpi_gguf_entry *kinds = dpi_gguf_find(saved->source->gguf, "tokenizer.ggml.token_type");
            ck_assert_uint_eq(tokens->count, (uint64_t)vocabularies[i]);
            ck_assert_uint_eq(kinds->count, (uint64_t)vocabularies[i]);
            dp_model_free(saved);
        }
        dp_model_free(model);
        close_scene(&s);
    }
}
END_TEST

START_TEST(describes_real_files)
{
    static const struct {
        const char *name;
        int32_t blocks, heads, kv_heads, head_dim, tied;
        uint64_t parameters;
    } known[] = {
        {"golden/tinyA_gqa_tied/model", 6, 6, 2, 8, 1, 114288},
        {"data/tiny_models/stories260K/hf", 5, 8, 4, 8, 0, 292800},
        {"data/tiny_models/llama-2-tiny-random/llama-2-tiny-random.gguf", 1, 2, 2, 4, 0, 513048},
    };
    scene s;

    open_scene(&s);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        dp_model *model = open_model(&s, data_file(known[i].name));
        dp_model_info info = {.size = sizeof info};
        ck_assert_int_eq(dp_model_describe(model, &info, NULL), DP_OK);
        ck_assert_int_eq(info.blocks, known[i].blocks);
        ck_assert_int_eq(info.heads, known[i].heads);
        ck_assert_int_eq(info.kv_heads, known[i].kv_heads);
        ck_assert_int_eq(info.head_dim, known[i].head_dim);
        ck_assert_int_eq(info.tied_head, known[i].tied);
        ck_assert_uint_eq(info.parameters, known[i].parameters);
        ck_assert_int_eq(dp_model_check(model, NULL, NULL), DP_OK);
        dp_model_free(model);
    }
    close_scene(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {prunes_like_the_golden_directory, comes_back_the_same, describes_real_files,
                                  fits_the_tokenizer_to_the_embedding};

    if (!data_root()) {
        printf("skipped: no DEPTHPRUNE_TEST_DATA\n");
        return 77;
    }
    return dpt_run("model/golden", tests, sizeof tests / sizeof *tests);
}
