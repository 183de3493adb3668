// Each family out to GGUF and back: every byte of every tensor, bias vectors and grouped heads included, and a
// configuration that means the same.
#include "test/unit/model/gguf_support.h"

static const char *const architectures[] = {"llama", "llama", "llama", "qwen2"}; // in GGUF

static void assert_same_config(const dpi_config *a, const dpi_config *b)
{
    ck_assert_int_eq(a->blocks, b->blocks);
    ck_assert_int_eq(a->hidden, b->hidden);
    ck_assert_int_eq(a->heads, b->heads);
    ck_assert_int_eq(a->kv_heads, b->kv_heads);
    ck_assert_int_eq(a->head_dim, b->head_dim);
    ck_assert_int_eq(a->ffn, b->ffn);
    ck_assert_int_eq(a->vocab, b->vocab);
    ck_assert_int_eq(a->context, b->context);
    ck_assert_int_eq(a->tied, b->tied);
    ck_assert_int_eq(a->slots, b->slots);
    ck_assert_int_eq(a->bos, b->bos);
    ck_assert_int_eq(a->eos, b->eos);
    ck_assert_int_eq(a->pad, b->pad);
    ck_assert_int_eq(a->rope_kind, b->rope_kind);
    ck_assert_int_eq(a->rope_original, b->rope_original);
    ck_assert(a->epsilon == b->epsilon && a->rope_base == b->rope_base && a->rope_factor == b->rope_factor);
    ck_assert(a->rope_low == b->rope_low && a->rope_high == b->rope_high);
}

// m -> m.gguf -> back, and back.gguf is m.gguf again.
static void goes_there_and_back(const tiny *t)
{
    scene s;
    dp_model_info info = {.size = sizeof info};
    size_t first, second;

    open_scene(&s);
    write_tiny(&s, "m", t);
    dp_model *model = open_model(&s, "m");
    must_save(&s, model, "m.gguf", DP_FORMAT_GGUF, -1);
    dp_model *through = open_model(&s, "m.gguf");
    ck_assert_int_eq(dp_model_describe(through, &info, NULL), DP_OK);
    ck_assert_str_eq(info.architecture, architectures[t->family]);
    must_save(&s, through, "back", DP_FORMAT_HF, -1);
    dp_model *back = open_model(&s, "back");
    assert_same_weights(model, back);
    assert_same_config(&model->config, &back->config);
    mkdir(path_in(&s, "again"), 0777);
    must_save(&s, through, "again/m.gguf", DP_FORMAT_GGUF, -1);
    char *a = read_file(path_in(&s, "m.gguf"), &first), *b = read_file(path_in(&s, "again/m.gguf"), &second);
    ck_assert(first == second && memcmp(a, b, first) == 0);
    free(a);
    free(b);
    dp_model_free(back);
    dp_model_free(through);
    dp_model_free(model);
    close_scene(&s);
}

START_TEST(comes_back_the_same)
{
    static const int32_t types[] = {DP_F32, DP_F16, DP_BF16};

    for (int i = 0; i < 12; i++) {
        tiny t = TINY;
        t.family = _i;
        t.type = types[i % 3];
        t.tied = i / 3 % 2;
        t.head_dim = i < 6 ? 4 : 6; // also where heads times head_dim is not the hidden size
        t.key = _i == TINY_MISTRAL ? "sliding_window" : NULL;
        t.value = "null";
        goes_there_and_back(&t);
    }
}
END_TEST

START_TEST(scaling_comes_back_the_same)
{
    static const char *const scalings[] = {
        "{\"rope_type\": \"linear\", \"factor\": 2.5}",
        "{\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0,"
        " \"original_max_position_embeddings\": 64}",
    };

    for (int i = 0; i < 2; i++) {
        tiny t = TINY;
        t.head_dim = 16;
        t.key = "rope_scaling";
        t.value = scalings[i];
        goes_there_and_back(&t);
    }
}
END_TEST

static void cannot_be_said_in_gguf(int family, const char *scaling, const char *says)
{
    scene s;
    tiny t = TINY;

    t.head_dim = 16;
    t.family = family;
    t.key = "rope_scaling";
    t.value = scaling;
    open_scene(&s);
    write_tiny(&s, "m", &t);
    dp_model *model = open_model(&s, "m");
    ck_assert_int_eq(save_model(&s, model, "m.gguf", DP_FORMAT_GGUF, -1), DP_E_UNSUPPORTED);
    ck_assert_str_eq(s.error.item, "rope_freqs.weight");
    ck_assert_msg(strstr(s.error.message, says) != NULL, "%s", s.error.message);
    ck_assert(!is_there(&s, "m.gguf"));
    must_save(&s, model, "copy", DP_FORMAT_HF, -1);
    dp_model_free(model);
    close_scene(&s);
}

START_TEST(says_what_gguf_cannot_hold)
{
    cannot_be_said_in_gguf(TINY_LLAMA,
                           "{\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.5,"
                           " \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 64}",
                           "bands other than 1 and 4");
    cannot_be_said_in_gguf(TINY_LLAMA,
                           "{\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.0,"
                           " \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 100}",
                           "no power of two");
    cannot_be_said_in_gguf(TINY_QWEN2,
                           "{\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.0,"
                           " \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 64}",
                           "a qwen2 model");
}
END_TEST

// Rows and bias vectors of q and k take llama.cpp's order in a llama, keep their own in a qwen2; v and o stay.
START_TEST(rows_are_where_llama_cpp_wants_them)
{
    static const int order[] = {0, 4, 1, 5, 2, 6, 3, 7};
    const int moves = _i != TINY_QWEN2, most = _i == TINY_QWEN2 ? DPI_BIAS_O : DPI_BLOCK_WEIGHTS;
    scene s;
    tiny t = TINY;

    if (_i != TINY_BIASED && _i != TINY_QWEN2)
        return;
    t.family = _i;
    t.head_dim = 8;
    open_scene(&s);
    write_tiny(&s, "m", &t);
    dp_model *from = open_model(&s, "m");
    must_save(&s, from, "m.gguf", DP_FORMAT_GGUF, -1);
    dp_model *to = open_model(&s, "m.gguf");
    for (int slot = 0; slot < most; slot++) {
        const dpi_tensor *a = from->blocks[2].weights[slot], *b = to->blocks[2].weights[slot];
        const int turned = moves && (slot == DPI_Q || slot == DPI_K || slot == DPI_BIAS_Q || slot == DPI_BIAS_K);
        const size_t width = a->bytes / (size_t)a->shape[0];
        for (int64_t row = 0; row < a->shape[0]; row++) {
            const int64_t before = turned ? row / 8 * 8 + order[row % 8] : row;
            ck_assert_mem_eq(b->data + (size_t)row * width, a->data + (size_t)before * width, width);
        }
    }
    dp_model_free(to);
    dp_model_free(from);
    close_scene(&s);
}
END_TEST

// A llama with bias vectors of q, k and v alone: GGUF holds it, config.json cannot say it.
START_TEST(biases_without_that_of_o_stay_in_gguf)
{
    static const change changes[] = {{.drop_tensor = "blk.0.attn_output.bias"},
                                     {.drop_tensor = "blk.1.attn_output.bias"},
                                     {.drop_tensor = "blk.2.attn_output.bias"}};
    static const char *const names[] = {"m.gguf", "1.gguf", "2.gguf", "3.gguf"};
    scene s;
    tiny t = TINY;

    t.family = TINY_BIASED;
    open_scene(&s);
    write_gguf(&s, &t);
    for (int i = 0; i < 3; i++)
        rewrite(&s, names[i], names[i + 1], &changes[i]);
    ck_assert_int_eq(open_fails(&s, path_in(&s, "1.gguf")), DP_E_FORMAT); // other blocks have one
    ck_assert_str_eq(s.error.item, "blk.1.attn_output.bias");
    dp_model *model = open_model(&s, "3.gguf");
    ck_assert_int_eq(model->config.slots, DPI_BIAS_O);
    must_save(&s, model, "copy.gguf", DP_FORMAT_GGUF, -1);
    ck_assert_int_eq(save_model(&s, model, "hf", DP_FORMAT_HF, -1), DP_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(s.error.message, "this model lacks those of o"));
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(biases_that_contradict_the_family)
{
    static const struct {
        int family;
        const char *add, *drop, *item, *says;
    } known[] = {
        {TINY_MISTRAL, "model.layers.1.self_attn.q_proj.bias", NULL, "model.layers.1.self_attn.q_proj.bias",
         "a mistral model has no such bias vector"},
        {TINY_QWEN2, "model.layers.1.self_attn.o_proj.bias", NULL, "model.layers.1.self_attn.o_proj.bias",
         "a qwen2 model has no such bias vector"},
        {TINY_QWEN2, NULL, "model.layers.2.self_attn.k_proj.bias", "model.layers.2.self_attn.k_proj.bias",
         "the tensor is missing; other bias vectors, or the family, demand it"},
        {TINY_BIASED, NULL, "model.layers.2.self_attn.o_proj.bias", "model.layers.2.self_attn.o_proj.bias",
         "the tensor is missing; attention_bias in config.json says true"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        scene s;
        tiny t = TINY;
        t.family = known[i].family;
        t.add = known[i].add;
        t.drop = known[i].drop;
        t.key = t.family == TINY_MISTRAL ? "sliding_window" : NULL;
        t.value = "null";
        open_scene(&s);
        write_tiny(&s, "m", &t);
        ck_assert_int_eq(open_fails(&s, path_in(&s, "m")), DP_E_FORMAT);
        ck_assert_str_eq(s.error.item, known[i].item);
        ck_assert_msg(strstr(s.error.message, known[i].says) != NULL, "%s", s.error.message);
        close_scene(&s);
    }
}
END_TEST

int main(void)
{
    const TTest *const once[] = {scaling_comes_back_the_same, says_what_gguf_cannot_hold,
                                 biases_without_that_of_o_stay_in_gguf, biases_that_contradict_the_family};
    Suite *suite = suite_create("model/families");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, comes_back_the_same, 0, TINY_FAMILIES);
    tcase_add_loop_test(all, rows_are_where_llama_cpp_wants_them, 0, TINY_FAMILIES);
    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        tcase_add_test(all, once[i]);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
