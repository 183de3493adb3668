// Models from the host's own memory, saved: as those from files are, and nothing is looked for on a disk.
#include "test/unit/model/build_support.h"

static void assert_same_files(const char *a, const char *b)
{
    size_t left, right;
    char *x = read_file(a, &left), *y = read_file(b, &right);

    ck_assert_msg(left == right && memcmp(x, y, left) == 0, "%s differs from %s", a, b);
    free(x);
    free(y);
}

// The current directory has files that a save of a directory would carry: a model without files must not take them.
START_TEST(is_saved_as_the_file_is)
{
    static const char *const baits[] = {"tokenizer.json", "depthprune.json", "LICENSE", "generation_config.json"};
    scene s;
    host h;
    char before[PATH_ROOM];
    dp_model *file = open_both(&s, &h, &TINY, 0);
    dp_model *model = build(&s, &h);

    ck_assert_ptr_nonnull(getcwd(before, sizeof before));
    ck_assert_int_eq(mkdir(path_in(&s, "here"), 0777), 0);
    ck_assert_int_eq(chdir(path_in(&s, "here")), 0);
    for (size_t i = 0; i < sizeof baits / sizeof *baits; i++)
        write_file(baits[i], "{", 1);
    must_save(&s, model, "here/built", -1, -1);
    must_save(&s, file, "opened", -1, -1);
    assert_same_files(path_in(&s, "here/built/config.json"), path_in(&s, "opened/config.json"));
    assert_same_files(path_in(&s, "here/built/config.json"), path_in(&s, "m/config.json"));
    assert_same_files(path_in(&s, "here/built/model.safetensors"), path_in(&s, "opened/model.safetensors"));
    for (size_t i = 0; i < sizeof baits / sizeof *baits; i++) {
        char path[64];
        snprintf(path, sizeof path, "here/built/%s", baits[i]);
        ck_assert_int_eq(is_there(&s, path), 0);
    }
    must_save(&s, model, "built.gguf", DP_FORMAT_GGUF, DP_F16);
    must_save(&s, file, "m.gguf", DP_FORMAT_GGUF, DP_F16);
    dp_model *converted = open_model(&s, "built.gguf"), *wanted = open_model(&s, "m.gguf");
    assert_same_weights(converted, wanted);
    ck_assert_ptr_nonnull(strstr(s.log, "the model from memory has no tokenizer"));
    dp_model_free(converted);
    dp_model_free(wanted);
    dp_model_free(model);
    dp_model_free(file);
    ck_assert_int_eq(chdir(before), 0);
    close_host(&h);
    close_scene(&s);
}
END_TEST

// Blocks of GGUF under Hugging Face names: a width of 32 is one block of q8_0.
START_TEST(takes_quantized_blocks)
{
    enum { WIDTH = 32, ROW = 34 };
    scene s;
    host h;
    tiny t = TINY;
    unsigned char *blocks[ARRAYS_ROOM] = {NULL};

    t.hidden = t.ffn = WIDTH;
    t.heads = 8;
    dp_model_free(open_both(&s, &h, &t, 0));
    for (size_t i = 0; i < h.count; i++) {
        dp_weight *w = &h.arrays[i].weight;
        if (w->rows == 1)
            continue;
        w->type = DP_Q8_0;
        w->bytes = (uint64_t)w->rows * ROW;
        blocks[i] = malloc(w->bytes);
        for (int64_t row = 0; row < w->rows; row++) {
            unsigned char *to = blocks[i] + row * ROW;
            to[0] = 0;
            to[1] = 0x20; // 2^-7
            for (int at = 2; at < ROW; at++)
                to[at] = (unsigned char)((row * 31 + at * 7 + (int)i) & 0xff);
        }
        w->data = blocks[i];
    }
    dp_model *model = build(&s, &h);
    dp_model_info info = {.size = sizeof info};
    ck_assert_int_eq(dp_model_describe(model, &info, NULL), DP_OK);
    ck_assert_int_eq(info.type, DP_Q8_0);
    must_save(&s, model, "q.gguf", DP_FORMAT_GGUF, -1);
    must_save(&s, model, "hf", -1, -1); // as f16, which holds them
    dp_model *quantized = open_model(&s, "q.gguf"), *plain = open_model(&s, "hf");
    must_save(&s, quantized, "back", DP_FORMAT_HF, DP_F16);
    dp_model *back = open_model(&s, "back");
    for (size_t i = 0; i < dp_model_weight_count(plain); i++) { // rows of q and k went and came back
        dp_weight a = {.size = sizeof a}, b = {.size = sizeof b};
        ck_assert_int_eq(dp_model_weight(plain, i, &a, NULL), DP_OK);
        ck_assert_int_eq(dp_model_weight(back, i, &b, NULL), DP_OK);
        if (a.rows > 1)
            ck_assert_msg(a.bytes == b.bytes && memcmp(a.data, b.data, a.bytes) == 0, "%s", a.name);
    }
    ck_assert_int_eq(dp_model_describe(quantized, &info, NULL), DP_OK);
    ck_assert_int_eq(info.type, DP_Q8_0);
    dp_model_free(back);
    dp_model_free(plain);
    dp_model_free(quantized);
    dp_model_free(model);
    assert_released(&h, 1);
    for (size_t i = 0; i < h.count; i++)
        free(blocks[i]);
    close_host(&h);
    close_scene(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {is_saved_as_the_file_is, takes_quantized_blocks};

    return dpt_run("build_save", tests, sizeof tests / sizeof *tests);
}
