// Opening Hugging Face directories made here: what they say, and each way in which they can contradict themselves.
#include <math.h>

#include "test/unit/model/support.h"

START_TEST(describes)
{
    scene s;
    dp_model_info info = {.size = sizeof info};
    tiny t = TINY;

    open_scene(&s);
    t.tied = 0;
    t.type = DP_BF16;
    write_tiny(&s, "m", &t);
    dp_model *model = open_model(&s, "m");
    ck_assert_int_eq(dp_model_describe(model, &info, &s.error), DP_OK);
    ck_assert_int_eq(info.format, DP_FORMAT_HF);
    ck_assert_str_eq(info.architecture, "llama");
    ck_assert_int_eq(info.type, DP_BF16);
    ck_assert_int_eq(info.blocks, 3);
    ck_assert_int_eq(info.kv_heads, 2);
    ck_assert_int_eq(info.tied_head, 0);
    ck_assert_int_eq(info.context, 64);
    const uint64_t block = 2 * 16 + 2 * 16 * 16 + 2 * 8 * 16 + 3 * 24 * 16;
    ck_assert_uint_eq(info.block_parameters, block);
    ck_assert_uint_eq(info.parameters, 3 * block + 2 * 20 * 16 + 16);
    ck_assert_uint_eq(info.bytes, 2 * info.parameters);
    ck_assert_uint_eq(dp_model_weight_count(model), 2 + 27 + 1);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(copies_instead_of_mapping)
{
    scene s;
    dp_model *copied, *mapped;
    dp_model_options options;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    dp_model_options_init(&options, sizeof options);
    options.load = DP_LOAD_READ;
    ck_assert_int_eq(dp_model_open(s.context, path_in(&s, "m"), &options, NULL, &copied, &s.error), DP_OK);
    mapped = open_model(&s, "m");
    assert_same_weights(mapped, copied);
    dp_model_free(mapped);
    ck_assert_int_eq(truncate(path_in(&s, "m/model.safetensors"), 0), 0);
    ck_assert_int_eq(dp_model_check(copied, NULL, &s.error), DP_OK); // does not look at the file any more
    dp_model_free(copied);
    options.load = DP_LOAD_SHAPES + 1;
    ck_assert_int_eq(dp_model_open(s.context, path_in(&s, "m"), &options, NULL, &copied, &s.error), DP_E_ARGUMENT);
    ck_assert_str_eq(s.error.item, "load");
    close_scene(&s);
}
END_TEST

START_TEST(outlives_its_context_handle)
{
    scene s;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    dp_model *model = open_model(&s, "m");
    dpi_context_keep(s.context);
    dpi_context_drop(s.context);
    ck_assert_int_eq(dp_model_check(model, NULL, &s.error), DP_OK);
    dp_model_free(model);
    dp_model_free(NULL);
    close_scene(&s);
}
END_TEST

typedef struct broken {
    tiny change; // its sizes are TINY's where they are 0
    int32_t code;
    const char *item, *said;
} broken;

static const broken cases[] = {
    {{.drop = "model.embed_tokens.weight"}, DP_E_FORMAT, "model.embed_tokens.weight", "missing"},
    {{.drop = "model.norm.weight"}, DP_E_FORMAT, "model.norm.weight", "missing"},
    {{.drop = "model.layers.2.mlp.up_proj.weight"}, DP_E_FORMAT, "model.layers.2.mlp.up_proj.weight", "3 blocks"},
    {{.from = "model.layers.1.self_attn.o_proj.weight", .to = "model.layers.1.self_attn.O_proj.weight"},
     DP_E_FORMAT,
     "model.layers.1.self_attn.o_proj.weight",
     "missing"},
    {{.reshape = "model.layers.0.mlp.gate_proj.weight"},
     DP_E_FORMAT,
     "model.layers.0.mlp.gate_proj.weight",
     "has shape [23, 16], expected [24, 16]"},
    {{.reshape = "model.layers.0.input_layernorm.weight"},
     DP_E_FORMAT,
     "model.layers.0.input_layernorm.weight",
     "has shape [15], expected [16]"},
    {{.reshape = "model.embed_tokens.weight"}, DP_E_FORMAT, "model.embed_tokens.weight", "expected [20, 16]"},
    {{.retype = "model.layers.0.mlp.gate_proj.weight"},
     DP_E_UNSUPPORTED,
     "model.layers.0.mlp.gate_proj.weight",
     "f64"},
    {{.add = "model.layers.3.input_layernorm.weight"},
     DP_E_FORMAT,
     "model.layers.3.input_layernorm.weight",
     "belongs to block 3, but the configuration says 3 blocks"},
    {{.add = "model.layers.77.rotary.inv_freq"}, DP_E_FORMAT, "model.layers.77.rotary.inv_freq", "block 77"},
    {{.add = "model.layers.0.self_attn.q_proj.bias"},
     DP_E_FORMAT,
     "model.layers.0.self_attn.q_proj.bias",
     "attention_bias"},
    {{.add = "model.layers.0.self_attn.o_proj.bias"},
     DP_E_FORMAT,
     "model.layers.0.self_attn.o_proj.bias",
     "attention_bias"},
    {{.add = "model.layers.0.self_attn.q_proj.bias", .key = "attention_bias", .value = "true"},
     DP_E_FORMAT,
     "model.layers.0.self_attn.k_proj.bias",
     "attention_bias in config.json says true"},
    {{.key = "attention_bias", .value = "true"},
     DP_E_FORMAT,
     "model.layers.0.self_attn.q_proj.bias",
     "attention_bias in config.json says true"},
    {{.add = "model.layers.0.mlp.down_proj.bias"}, DP_E_UNSUPPORTED, "model.layers.0.mlp.down_proj.bias", "bias"},
    {{.add = "lm_head.weight"}, DP_E_FORMAT, "lm_head.weight", "shape"},
    {{.key = "num_hidden_layers", .value = "4"}, DP_E_FORMAT, "model.layers.3.input_layernorm.weight", "4 blocks"},
    {{.key = "num_hidden_layers", .value = "65536"},
     DP_E_FORMAT,
     "model.layers.3.input_layernorm.weight",
     "missing"},
    {{.key = "num_hidden_layers", .value = "2"}, DP_E_FORMAT, "model.layers.2.input_layernorm.weight", "2 blocks"},
    {{.key = "hidden_size", .value = "32"},
     DP_E_FORMAT,
     "model.embed_tokens.weight",
     "[20, 16], expected [20, 32]"},
    {{.key = "vocab_size", .value = "21"}, DP_E_FORMAT, "model.embed_tokens.weight", "[21, 16]"},
    {{.key = "num_attention_heads", .value = "8"},
     DP_E_FORMAT,
     "model.layers.0.self_attn.q_proj.weight",
     "[32, 16]"},
    {{.key = "num_key_value_heads", .value = "4"},
     DP_E_FORMAT,
     "model.layers.0.self_attn.k_proj.weight",
     "[16, 16]"},
    {{.key = "head_dim", .value = "8"}, DP_E_FORMAT, "model.layers.0.self_attn.q_proj.weight", "[32, 16]"},
    {{.key = "intermediate_size", .value = "25"}, DP_E_FORMAT, "model.layers.0.mlp.gate_proj.weight", "[25, 16]"},
    {{.key = "tie_word_embeddings", .value = "false"}, DP_E_FORMAT, "lm_head.weight", "missing"},
    {{.key = "architectures", .value = "[\"MistralForCausalLM\"]"}, DP_E_UNSUPPORTED, "model_type", "different"},
    {{.key = "architectures", .value = "[\"MixtralForCausalLM\"]"},
     DP_E_UNSUPPORTED,
     "architectures",
     "MixtralForCausalLM\" is not read: mixtures of experts"},
    {{.key = "model_type", .value = "\"qwen2\""}, DP_E_UNSUPPORTED, "model_type", "different"},
    {{.key = "rope_scaling", .value = "{\"rope_type\": \"longrope\"}"},
     DP_E_UNSUPPORTED,
     "rope_scaling",
     "longrope"},
    {{.cut = 1}, DP_E_FORMAT, NULL, NULL},
    {{.cut = 4096}, DP_E_FORMAT, NULL, NULL},
    {{.cut = -32}, DP_E_FORMAT, NULL, NULL},
};

START_TEST(refuses_contradictions)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const broken *b = &cases[i];
        scene s;
        tiny t = b->change;
        const tiny *const from = &TINY;
        memcpy(&t, from, offsetof(tiny, key));
        open_scene(&s);
        write_tiny(&s, "m", &t);
        const int rc = open_fails(&s, path_in(&s, "m"));
        ck_assert_msg(rc == b->code, "case %zu: %s %s", i, s.error.item, s.error.message);
        ck_assert_msg(!b->item || strcmp(s.error.item, b->item) == 0, "case %zu: %s %s", i, s.error.item,
                      s.error.message);
        ck_assert_msg(!b->said || strstr(s.error.message, b->said), "case %zu: %s", i, s.error.message);
        ck_assert_ptr_nonnull(strstr(s.error.file, "/m/"));
        close_scene(&s);
    }
}
END_TEST

START_TEST(accepts_a_head_that_repeats_the_embedding)
{
    scene s;
    tiny t = TINY;
    dp_model_info info = {.size = sizeof info};

    open_scene(&s);
    t.tied = 0;
    t.key = "tie_word_embeddings";
    t.value = "true";
    write_tiny(&s, "other", &t); // its head is drawn anew
    ck_assert_int_eq(open_fails(&s, path_in(&s, "other")), DP_E_FORMAT);
    ck_assert_str_eq(s.error.item, "lm_head.weight");
    // Make the head's bytes the embedding's: both are 20 x 16 f32, the embedding first and the head last.
    size_t size;
    char *file = read_file(path_in(&s, "other/model.safetensors"), &size);
    uint64_t header;
    memcpy(&header, file, sizeof header);
    memcpy(file + size - 1280, file + 8 + header, 1280);
    write_file(path_in(&s, "other/model.safetensors"), file, size);
    free(file);
    dp_model *model = open_model(&s, "other");
    ck_assert_int_eq(dp_model_describe(model, &info, NULL), DP_OK);
    ck_assert_int_eq(info.tied_head, 1);
    ck_assert_uint_eq(dp_model_weight_count(model), 2 + 27);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(ignores_unknown_tensors_with_a_note)
{
    scene s;
    tiny t = TINY;

    open_scene(&s);
    t.add = "model.layers.1.self_attn.rotary_emb.inv_freq";
    write_tiny(&s, "m", &t);
    dp_model *model = open_model(&s, "m");
    ck_assert_uint_eq(dp_model_weight_count(model), 2 + 27);
    ck_assert_ptr_nonnull(strstr(s.log, "inv_freq"));
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

static void make_folder(const scene *s, const char *name, const char *file)
{
    char inside[PATH_ROOM];
    const tiny t = TINY;

    ck_assert_int_eq(mkdir(path_in(s, name), 0777), 0);
    write_config(path_in(s, name), &t);
    snprintf(inside, sizeof inside, "%s/%s", path_in(s, name), file);
    write_file(inside, "x", 1);
}

START_TEST(says_what_is_there_instead)
{
    scene s;

    open_scene(&s);
    make_folder(&s, "pickle", "pytorch_model.bin");
    ck_assert_int_eq(open_fails(&s, path_in(&s, "pickle")), DP_E_FORMAT);
    ck_assert_str_eq(s.error.file, path_in(&s, "pickle/pytorch_model.bin"));
    make_folder(&s, "meta", "consolidated.00.pth");
    ck_assert_int_eq(open_fails(&s, path_in(&s, "meta")), DP_E_UNSUPPORTED);
    ck_assert_str_eq(s.error.item, "consolidated.00.pth");
    make_folder(&s, "nothing", "README.md");
    ck_assert_int_eq(open_fails(&s, path_in(&s, "nothing")), DP_E_FORMAT);
    ck_assert_str_eq(s.error.item, "model.safetensors");
    ck_assert_ptr_nonnull(strstr(s.error.message, "no model.safetensors, model.safetensors.index.json, "
                                                  "pytorch_model.bin or pytorch_model.bin.index.json"));
    ck_assert_int_eq(open_fails(&s, s.folder), DP_E_FORMAT);
    ck_assert_str_eq(s.error.item, "config.json");
    ck_assert_int_eq(open_fails(&s, path_in(&s, "absent")), DP_E_IO);
    ck_assert_int_eq(open_fails(&s, ""), DP_E_IO);
    ck_assert_int_eq(open_fails(&s, path_in(&s, "nothing/README.md")), DP_E_FORMAT);
    write_tiny(&s, "m", &TINY);
    ck_assert_int_eq(open_fails(&s, path_in(&s, "m/model.safetensors")), DP_E_FORMAT);
    ck_assert_ptr_nonnull(strstr(s.error.message, "give the directory"));
    ck_assert_int_eq(open_fails(&s, path_in(&s, "m/config.json")), DP_E_FORMAT);
    ck_assert_int_eq(open_fails(&s, "/dev/null"), DP_E_IO);
    close_scene(&s);
}
END_TEST

START_TEST(checks_arguments)
{
    scene s;
    dp_model *model = NULL;
    dp_model_info info = {.size = 0};
    dp_weight weight = {.size = sizeof weight};

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    ck_assert_int_eq(dp_model_open(NULL, "x", NULL, NULL, &model, NULL), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_model_open(s.context, NULL, NULL, NULL, &model, NULL), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_model_open(s.context, "x", NULL, NULL, NULL, NULL), DP_E_ARGUMENT);
    model = open_model(&s, "m");
    ck_assert_int_eq(dp_model_describe(model, &info, NULL), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_model_describe(NULL, &info, NULL), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_model_weight(model, 29, &weight, &s.error), DP_E_ARGUMENT);
    ck_assert_str_eq(s.error.message, "weight 29 is out of range: the model has 29");
    ck_assert_int_eq(dp_model_origin(model, 3), -1);
    ck_assert_int_eq(dp_model_origin(model, -1), -1);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(stops_when_asked)
{
    scene s;
    dp_model *model = NULL;
    const int32_t stop = 1;
    const dp_monitor monitor = {.size = sizeof monitor, .cancel = &stop};

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    ck_assert_int_eq(dp_model_open(s.context, path_in(&s, "m"), NULL, &monitor, &model, &s.error), DP_E_CANCELLED);
    close_scene(&s);
}
END_TEST

// The n-th allocation fails, for every n: an error, nothing leaked, and then it works.
START_TEST(survives_every_failed_allocation)
{
    scene s;
    int rc = DP_E_MEMORY;
    int64_t n = 0;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    for (; rc == DP_E_MEMORY; n++) {
        failing f = {.left = INT64_MAX};
        const dp_allocator allocator = {fail_later, give_back, &f};
        dp_context_options options;
        dp_context *context;
        dp_model *model = NULL;
        dp_context_options_init(&options, sizeof options);
        options.threads = 1;
        options.allocator = &allocator;
        ck_assert_int_eq(dpi_context_make(&options, &context, NULL), DP_OK);
        const uint64_t used = context->memory.used;
        f.left = n;
        rc = dp_model_open(context, path_in(&s, "m"), NULL, NULL, &model, &s.error);
        f.left = INT64_MAX;
        ck_assert_msg(rc == DP_OK || rc == DP_E_MEMORY, "allocation %lld: %s", (long long)n, s.error.message);
        dp_model_free(model);
        ck_assert_uint_eq(context->memory.used, used);
        dpi_context_drop(context);
    }
    ck_assert_int_eq(rc, DP_OK);
    ck_assert_int_gt(n, 20);
    close_scene(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {describes,
                                  copies_instead_of_mapping,
                                  outlives_its_context_handle,
                                  refuses_contradictions,
                                  accepts_a_head_that_repeats_the_embedding,
                                  ignores_unknown_tensors_with_a_note,
                                  says_what_is_there_instead,
                                  checks_arguments,
                                  stops_when_asked,
                                  survives_every_failed_allocation};
    return dpt_run("model/open", tests, sizeof tests / sizeof *tests);
}
