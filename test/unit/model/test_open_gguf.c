// Opening GGUF files: keys of any width, per-block arrays, scaling, and what is refused by which name.
#include "model/source.h"
#include "test/unit/model/gguf_support.h"

static void put_other_widths(dpi_gguf_out *out)
{
    const uint64_t hidden = 16;
    const uint32_t heads[3] = {4, 4, 4};
    const dpi_gguf_entry wide = {.key = "llama.embedding_length",
                                 .key_size = 22,
                                 .type = DPI_GGUF_U64,
                                 .count = 1,
                                 .data = (const unsigned char *)&hidden,
                                 .bytes = 8};

    dpi_gguf_put_entry(out, &wide, NULL);
    dpi_gguf_put_array(out, "llama.attention.head_count", DPI_GGUF_U32, heads, 3, NULL);
}

START_TEST(reads_any_width_and_uniform_arrays)
{
    scene s;
    const change c = {.put = put_other_widths};
    dp_model_info info = {.size = sizeof info};

    open_scene(&s);
    write_gguf(&s, &TINY);
    rewrite(&s, "m.gguf", "wide.gguf", &c);
    dp_model *model = open_model(&s, "wide.gguf");
    ck_assert_int_eq(dp_model_describe(model, &info, NULL), DP_OK);
    ck_assert_int_eq(info.format, DP_FORMAT_GGUF);
    ck_assert_int_eq(info.hidden_size, 16);
    ck_assert_int_eq(info.heads, 4);
    ck_assert_int_eq(info.kv_heads, 2);
    ck_assert_int_eq(info.tied_head, 1);
    ck_assert(info.norm_epsilon == 1e-5); // the f32 in the file stands for this decimal
    ck_assert_int_eq(model->config.interleaved, 1);
    ck_assert_int_eq(model->config.eos, 2);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

static int32_t element_type; // of the array below

static void put_array_of_type(dpi_gguf_out *out)
{
    static const unsigned char width[] = {1, 1, 2, 2, 4, 4, 0, 0, 0, 0, 8, 8};
    unsigned char bytes[3 * 8] = {0};

    for (int i = 0; i < 3; i++)
        bytes[i * width[element_type]] = 2;
    dpi_gguf_put_array(out, "llama.attention.head_count_kv", element_type, bytes, 3, NULL);
}

// One equal number a block, of any width; after pruning as many as blocks, of the same type.
START_TEST(reads_and_cuts_arrays_of_any_width)
{
    static const int32_t types[] = {DPI_GGUF_U8,  DPI_GGUF_I8,  DPI_GGUF_U16, DPI_GGUF_I16,
                                    DPI_GGUF_U32, DPI_GGUF_I32, DPI_GGUF_U64, DPI_GGUF_I64};
    static const int32_t kept[] = {0, 2};
    const change c = {.put = put_array_of_type};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        scene s;
        dp_model *smaller;
        element_type = types[i];
        open_scene(&s);
        write_gguf(&s, &TINY);
        rewrite(&s, "m.gguf", "array.gguf", &c);
        dp_model *model = open_model(&s, "array.gguf");
        ck_assert_int_eq(model->config.kv_heads, 2);
        ck_assert_int_eq(dpi_model_keep(model, kept, 2, NULL, &smaller, NULL), DP_OK);
        must_save(&s, smaller, "kept.gguf", DP_FORMAT_GGUF, -1);
        dp_model *again = open_model(&s, "kept.gguf");
        const dpi_gguf_entry *entry = dpi_gguf_find(again->source->gguf, "llama.attention.head_count_kv");
        ck_assert_int_eq(again->config.kv_heads, 2);
        ck_assert_int_eq(entry->element, types[i]);
        ck_assert_uint_eq(entry->count, 2);
        dp_model_free(again);
        dp_model_free(smaller);
        dp_model_free(model);
        close_scene(&s);
    }
}
END_TEST

START_TEST(knows_defaults)
{
    static const char *const optional[] = {"llama.attention.key_length", "llama.attention.value_length",
                                           "llama.rope.freq_base",       "llama.rope.dimension_count",
                                           "llama.vocab_size",           "general.type",
                                           "general.file_type"};
    dp_model_info info = {.size = sizeof info};

    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        scene s;
        const change c = {.drop_key = optional[i]};
        open_scene(&s);
        write_gguf(&s, &TINY);
        rewrite(&s, "m.gguf", "less.gguf", &c);
        dp_model *model = open_model(&s, "less.gguf");
        ck_assert_int_eq(dp_model_describe(model, &info, NULL), DP_OK);
        ck_assert_int_eq(info.head_dim, 4);
        ck_assert_int_eq(info.vocab_size, 20);
        ck_assert(info.rope_base == 10000);
        dp_model_free(model);
        close_scene(&s);
    }
}
END_TEST

static void put_linear(dpi_gguf_out *out)
{
    dpi_gguf_put_string(out, "llama.rope.scaling.type", "linear", 6, NULL);
    dpi_gguf_put_f32(out, "llama.rope.scaling.factor", 2.5f, NULL);
}

static void put_none(dpi_gguf_out *out)
{
    dpi_gguf_put_string(out, "llama.rope.scaling.type", "none", 4, NULL);
    dpi_gguf_put_f32(out, "llama.rope.scaling.factor", 2.5f, NULL);
}

static void put_old_linear(dpi_gguf_out *out)
{
    dpi_gguf_put_f32(out, "llama.rope.scale_linear", 2.5f, NULL);
}

START_TEST(reads_scaling)
{
    static const struct {
        void (*put)(dpi_gguf_out *);
        int32_t kind;
    } list[] = {{put_linear, DPI_ROPE_LINEAR}, {put_none, DPI_ROPE_DEFAULT}, {put_old_linear, DPI_ROPE_LINEAR}};

    for (int i = 0; i < 3; i++) {
        scene s;
        const change c = {.put = list[i].put};
        open_scene(&s);
        write_gguf(&s, &TINY);
        rewrite(&s, "m.gguf", "scaled.gguf", &c);
        dp_model *model = open_model(&s, "scaled.gguf");
        ck_assert_int_eq(model->config.rope_kind, list[i].kind);
        ck_assert(list[i].kind == DPI_ROPE_DEFAULT || model->config.rope_factor == 2.5);
        dp_model_free(model);
        close_scene(&s);
    }
}
END_TEST

static void put_yarn(dpi_gguf_out *out)
{
    dpi_gguf_put_string(out, "llama.rope.scaling.type", "yarn", 4, NULL);
}

static void put_uneven(dpi_gguf_out *out)
{
    const uint32_t heads[3] = {4, 2, 4};
    dpi_gguf_put_array(out, "llama.attention.head_count", DPI_GGUF_U32, heads, 3, NULL);
}

static void put_short(dpi_gguf_out *out)
{
    const uint32_t heads[2] = {4, 4};
    dpi_gguf_put_array(out, "llama.attention.head_count", DPI_GGUF_U32, heads, 2, NULL);
}

static void put_real_array(dpi_gguf_out *out)
{
    const float heads[3] = {4, 4, 4};
    dpi_gguf_put_array(out, "llama.attention.head_count", DPI_GGUF_F32, heads, 3, NULL);
}

static void put_negative_array(dpi_gguf_out *out)
{
    const int32_t heads[3] = {-4, -4, -4};
    dpi_gguf_put_array(out, "llama.attention.head_count", DPI_GGUF_I32, heads, 3, NULL);
}

static void put_text_heads(dpi_gguf_out *out)
{
    dpi_gguf_put_string(out, "llama.attention.head_count", "4", 1, NULL);
}
static void put_five_blocks(dpi_gguf_out *out)
{
    dpi_gguf_put_u32(out, "llama.block_count", 5, NULL);
}
static void put_two_blocks(dpi_gguf_out *out)
{
    dpi_gguf_put_u32(out, "llama.block_count", 2, NULL);
}
static void put_no_blocks(dpi_gguf_out *out)
{
    dpi_gguf_put_u32(out, "llama.block_count", 0, NULL);
}
static void put_many_blocks(dpi_gguf_out *out)
{
    dpi_gguf_put_u32(out, "llama.block_count", UINT32_MAX, NULL);
}
static void put_experts(dpi_gguf_out *out)
{
    dpi_gguf_put_u32(out, "llama.expert_count", 8, NULL);
}
static void put_both_ways(dpi_gguf_out *out)
{
    dpi_gguf_put_bool(out, "llama.attention.causal", 0, NULL);
}
static void put_parts(dpi_gguf_out *out)
{
    dpi_gguf_put_u32(out, "split.count", 3, NULL);
}
static void put_other(dpi_gguf_out *out)
{
    dpi_gguf_put_string(out, "general.architecture", "qwen2moe", 8, NULL);
}
static void put_adapter(dpi_gguf_out *out)
{
    dpi_gguf_put_string(out, "general.type", "adapter", 7, NULL);
}
static void put_vocab(dpi_gguf_out *out)
{
    dpi_gguf_put_u32(out, "llama.vocab_size", 21, NULL);
}
static void put_rope_part(dpi_gguf_out *out)
{
    dpi_gguf_put_u32(out, "llama.rope.dimension_count", 2, NULL);
}
static void put_value(dpi_gguf_out *out)
{
    dpi_gguf_put_u32(out, "llama.attention.value_length", 8, NULL);
}
static void put_epsilon(dpi_gguf_out *out)
{
    dpi_gguf_put_f32(out, "llama.attention.layer_norm_rms_epsilon", -1, NULL);
}
static void put_kv(dpi_gguf_out *out)
{
    dpi_gguf_put_u32(out, "llama.attention.head_count_kv", 3, NULL);
}
static void put_bos(dpi_gguf_out *out)
{
    dpi_gguf_put_u32(out, "tokenizer.ggml.bos_token_id", 20, NULL);
}

static void put_tokens(dpi_gguf_out *out)
{
    const char *tokens[21];
    size_t sizes[21];

    for (int i = 0; i < 21; i++) {
        tokens[i] = "x";
        sizes[i] = 1;
    }
    dpi_gguf_put_strings(out, "tokenizer.ggml.tokens", tokens, sizes, 21, NULL);
}

static const float divisors[2] = {3, 1}; // llama3 scaling slows the slow pairs, not the fast ones
static const float fitting[2] = {1, 3};

static const struct {
    change change;
    int32_t code;
    const char *item;
} cases[] = {
    {{.drop_key = "general.architecture"}, DP_E_FORMAT, "general.architecture"},
    {{.drop_key = "llama.block_count"}, DP_E_FORMAT, "llama.block_count"},
    {{.drop_key = "llama.embedding_length"}, DP_E_FORMAT, "llama.embedding_length"},
    {{.drop_key = "llama.attention.head_count"}, DP_E_FORMAT, "llama.attention.head_count"},
    {{.drop_key = "llama.attention.head_count_kv"}, DP_E_FORMAT, "blk.0.attn_k.weight"},
    {{.drop_key = "llama.feed_forward_length"}, DP_E_FORMAT, "llama.feed_forward_length"},
    {{.drop_key = "llama.context_length"}, DP_E_FORMAT, "llama.context_length"},
    {{.drop_key = "llama.attention.layer_norm_rms_epsilon"}, DP_E_FORMAT, "llama.attention.layer_norm_rms_epsilon"},
    {{.drop_tensor = "token_embd.weight"}, DP_E_FORMAT, "token_embd.weight"},
    {{.drop_tensor = "output_norm.weight"}, DP_E_FORMAT, "output_norm.weight"},
    {{.drop_tensor = "blk.2.ffn_down.weight"}, DP_E_FORMAT, "blk.2.ffn_down.weight"},
    {{.from = "blk.1.attn_v.weight", .to = "blk.3.attn_v.weight"}, DP_E_FORMAT, "blk.3.attn_v.weight"},
    {{.from = "blk.1.attn_v.weight", .to = "blk.1.ffn_gate_inp.weight"}, DP_E_FORMAT, "blk.1.attn_v.weight"},
    {{.from = "blk.1.attn_norm.weight", .to = "blk.1.attn_q.bias"}, DP_E_FORMAT, "blk.1.attn_q.bias"},
    {{.put = put_yarn}, DP_E_UNSUPPORTED, "llama.rope.scaling.type"},
    {{.put = put_uneven}, DP_E_UNSUPPORTED, "llama.attention.head_count"},
    {{.put = put_short}, DP_E_FORMAT, "llama.attention.head_count"},
    {{.put = put_real_array}, DP_E_FORMAT, "llama.attention.head_count"},
    {{.put = put_negative_array}, DP_E_FORMAT, "llama.attention.head_count"},
    {{.put = put_text_heads}, DP_E_FORMAT, "llama.attention.head_count"},
    {{.put = put_five_blocks}, DP_E_FORMAT, "blk.3.attn_norm.weight"},
    {{.put = put_two_blocks}, DP_E_FORMAT, "blk.2.attn_norm.weight"},
    {{.put = put_no_blocks}, DP_E_FORMAT, "llama.block_count"},
    {{.put = put_many_blocks}, DP_E_FORMAT, "llama.block_count"},
    {{.put = put_experts}, DP_E_UNSUPPORTED, "llama.expert_count"},
    {{.put = put_both_ways}, DP_E_UNSUPPORTED, "llama.attention.causal"},
    {{.put = put_parts}, DP_E_UNSUPPORTED, "split.count"},
    {{.put = put_other}, DP_E_UNSUPPORTED, "general.architecture"},
    {{.put = put_adapter}, DP_E_UNSUPPORTED, "general.type"},
    {{.put = put_vocab}, DP_E_FORMAT, "llama.vocab_size"},
    {{.put = put_tokens}, DP_E_FORMAT, "token_embd.weight"},
    {{.put = put_rope_part}, DP_E_FORMAT, "llama.rope.dimension_count"},
    {{.put = put_value}, DP_E_FORMAT, "llama.attention.value_length"},
    {{.put = put_epsilon}, DP_E_FORMAT, "llama.attention.layer_norm_rms_epsilon"},
    {{.put = put_kv}, DP_E_FORMAT, "attention.head_count_kv"},
    {{.put = put_bos}, DP_E_FORMAT, "bos_token_id"},
    {{.add = "rope_freqs.weight", .numbers = divisors, .add_count = 2}, DP_E_UNSUPPORTED, "rope_freqs.weight"},
    {{.add = "rope_freqs.weight", .numbers = divisors, .add_count = 1}, DP_E_FORMAT, "rope_freqs.weight"},
    {{.put = put_linear, .add = "rope_freqs.weight", .numbers = fitting, .add_count = 2},
     DP_E_UNSUPPORTED,
     "rope_freqs.weight"},
};

START_TEST(refuses_contradictions)
{
    scene s;

    open_scene(&s);
    write_gguf(&s, &TINY);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[32];
        snprintf(name, sizeof name, "bad%zu.gguf", i);
        rewrite(&s, "m.gguf", name, &cases[i].change);
        const int rc = open_fails(&s, path_in(&s, name));
        ck_assert_msg(rc == cases[i].code && strcmp(s.error.item, cases[i].item) == 0, "case %zu: %s: %s", i,
                      s.error.item, s.error.message);
        ck_assert_str_eq(s.error.file, path_in(&s, name));
    }
    close_scene(&s);
}
END_TEST

START_TEST(says_what_a_file_begins_with)
{
    scene s;

    open_scene(&s);
    write_file(path_in(&s, "m.bin"), "PK\3\4 and more", 13);
    ck_assert_int_eq(open_fails(&s, path_in(&s, "m.bin")), DP_E_FORMAT);
    ck_assert_ptr_nonnull(strstr(s.error.message, "it begins with 50 4b 03 04"));
    write_file(path_in(&s, "m.bin"), "GGU", 3);
    ck_assert_int_eq(open_fails(&s, path_in(&s, "m.bin")), DP_E_FORMAT);
    ck_assert_ptr_nonnull(strstr(s.error.message, "3 bytes long"));
    close_scene(&s);
}
END_TEST

// Cut anywhere, the file is refused, not read past its end.
START_TEST(refuses_every_cut)
{
    scene s;
    size_t size;

    open_scene(&s);
    write_gguf(&s, &TINY);
    char *bytes = read_file(path_in(&s, "m.gguf"), &size);
    for (size_t cut = 0; cut < size; cut += cut < 2200 ? 7 : 997) {
        write_file(path_in(&s, "cut.gguf"), bytes, cut);
        open_fails(&s, path_in(&s, "cut.gguf"));
    }
    free(bytes);
    close_scene(&s);
}
END_TEST

START_TEST(a_second_head_is_not_tied)
{
    scene s;
    tiny t = TINY;

    open_scene(&s);
    t.tied = 0;
    write_gguf(&s, &t);
    dp_model *model = open_model(&s, "m.gguf");
    ck_assert_int_eq(model->config.tied, 0);
    ck_assert_ptr_ne(model->head, model->embedding);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {reads_any_width_and_uniform_arrays, reads_and_cuts_arrays_of_any_width,
                                  knows_defaults,
                                  reads_scaling,
                                  refuses_contradictions,
                                  says_what_a_file_begins_with,
                                  refuses_every_cut,
                                  a_second_head_is_not_tied};
    return dpt_run("model/open_gguf", tests, sizeof tests / sizeof *tests);
}
