// Hugging Face directories out: the patched configuration, carried files, types, provenance.
#include <math.h>

#include "io/safetensors.h"
#include "tensor/half.h"
#include "test/unit/model/support.h"

static const char config_text[] =
    "{\n"
    "  \"architectures\": [\"LlamaForCausalLM\"],\n"
    "  \"initializer_range\": 0.041666666666666664,\n"
    "  \"num_hidden_layers\": 3,\n"
    "  \"layer_types\": [\n    \"full_attention\",\n    \"full_attention\",\n    \"full_attention\"\n  ],\n"
    "  \"per_block\": [10, [1, 2] , {\"a\": \",]\"}],\n"
    "  \"eos_token_id\": [2, 3, 4],\n"
    "  \"four\": [1, 2, 3, 4], \"unknown\": {\"num_hidden_layers\": 3, \"list\": [1, 2, 3]},\n"
    "  \"hidden_size\": 16, \"num_attention_heads\": 4, \"num_key_value_heads\": 2,\n"
    "  \"intermediate_size\": 24, \"vocab_size\": 20, \"tie_word_embeddings\": true,\n"
    "  \"torch_dtype\": \"float32\"\n"
    "}";
static const char patched_text[] =
    "{\n"
    "  \"architectures\": [\"LlamaForCausalLM\"],\n"
    "  \"initializer_range\": 0.041666666666666664,\n"
    "  \"num_hidden_layers\": 2,\n"
    "  \"layer_types\": [\n    \"full_attention\",\n    \"full_attention\"\n  ],\n"
    "  \"per_block\": [10, {\"a\": \",]\"}],\n"
    "  \"eos_token_id\": [2, 3, 4],\n"
    "  \"four\": [1, 2, 3, 4], \"unknown\": {\"num_hidden_layers\": 3, \"list\": [1, 2, 3]},\n"
    "  \"hidden_size\": 16, \"num_attention_heads\": 4, \"num_key_value_heads\": 2,\n"
    "  \"intermediate_size\": 24, \"vocab_size\": 20, \"tie_word_embeddings\": true,\n"
    "  \"torch_dtype\": \"bfloat16\"\n"
    "}";

static dp_model *without_block_1(scene *s, const dp_model *model, const char *plan)
{
    const int32_t kept[] = {0, 2};
    dp_model *smaller = NULL;

    ck_assert_int_eq(dpi_model_keep(model, kept, 2, plan, &smaller, &s->error), DP_OK);
    return smaller;
}

static void assert_text(const scene *s, const char *name, const char *wanted)
{
    char *text = read_file(path_in(s, name), NULL);

    ck_assert_str_eq(text, wanted);
    free(text);
}

START_TEST(patches_the_configuration_and_nothing_else)
{
    scene s;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_file(path_in(&s, "m/config.json"), config_text, strlen(config_text));
    dp_model *model = open_model(&s, "m");
    dp_model *smaller = without_block_1(&s, model, NULL);
    must_save(&s, smaller, "out", -1, DP_BF16);
    assert_text(&s, "out/config.json", patched_text);
    ck_assert_ptr_nonnull(strstr(s.log, "\"per_block\""));
    must_save(&s, model, "same", -1, -1);
    assert_text(&s, "same/config.json", config_text);
    dp_model_free(model);
    dp_model_free(smaller);
    close_scene(&s);
}
END_TEST

START_TEST(refuses_a_count_it_cannot_change)
{
    scene s;
    char text[sizeof config_text + 8];
    const char *count = strstr(config_text, "\"num_hidden");

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    snprintf(text, sizeof text, "%.*s\"num\\u005f%s", (int)(count - config_text), config_text, count + 5);
    write_file(path_in(&s, "m/config.json"), text, strlen(text));
    dp_model *model = open_model(&s, "m");
    ck_assert_int_eq(save_model(&s, model, "out", -1, -1), DP_E_UNSUPPORTED);
    ck_assert_str_eq(s.error.item, "num_hidden_layers");
    ck_assert(!is_there(&s, "out"));
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(renumbers_kept_blocks)
{
    scene s;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    dp_model *model = open_model(&s, "m");
    dp_model *smaller = without_block_1(&s, model, "{\"plan\": 1}\n");
    must_save(&s, smaller, "out", -1, -1);
    dp_model *saved = open_model(&s, "out");
    assert_same_weights(smaller, saved);
    ck_assert_int_eq(saved->config.blocks, 2);
    assert_text(&s, "out/depthprune.json", "{\"plan\": 1}\n");
    dp_model_free(saved);
    dp_model_free(model);
    dp_model_free(smaller);
    close_scene(&s);
}
END_TEST

START_TEST(says_where_it_came_from)
{
    scene s;
    char digest[65], parent[128];
    size_t size;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    dp_model *model = open_model(&s, "m");
    ck_assert_int_eq(dp_model_digest(model, NULL, digest, NULL), DP_OK);
    dp_model *smaller = without_block_1(&s, model, NULL);
    must_save(&s, smaller, "out", -1, -1);
    must_save(&s, model, "whole", -1, -1);
    char *file = read_file(path_in(&s, "out/model.safetensors"), &size);
    snprintf(parent, sizeof parent, "\"depthprune.parent\":\"%s\"", digest);
    ck_assert_ptr_nonnull(strstr(file + 8, "\"format\":\"pt\""));
    ck_assert_ptr_nonnull(strstr(file + 8, "\"depthprune.version\":\""));
    ck_assert_ptr_nonnull(strstr(file + 8, "\"depthprune.removed\":\"[1]\""));
    ck_assert_ptr_nonnull(strstr(file + 8, parent));
    free(file);
    file = read_file(path_in(&s, "whole/model.safetensors"), &size);
    ck_assert_ptr_null(strstr(file + 8, "depthprune.removed"));
    free(file);
    dp_model_free(model);
    dp_model_free(smaller);
    close_scene(&s);
}
END_TEST

START_TEST(carries_files_unchanged)
{
    static const char *const carried[] = {"generation_config.json",
                                          "tokenizer_config.json",
                                          "special_tokens_map.json",
                                          "LICENSE",
                                          "License.txt",
                                          "LICENCE.md",
                                          "NOTICE",
                                          "copying",
                                          "USE_POLICY.md",
                                          "chat_template.jinja",
                                          "preprocessor_config.json",
                                          "merges.txt"};
    static const char *const left[] = {
        "pytorch_model.bin", "quantize_config.json", "model.safetensors.index.json",
        "notes.txt", "LIC", "LICENSES"};
    scene s;
    char name[64];
    dp_save_report report = {.size = sizeof report}, estimate = {.size = sizeof estimate};

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    for (size_t i = 0; i < sizeof carried / sizeof *carried; i++) {
        snprintf(name, sizeof name, "m/%s", carried[i]);
        write_file(path_in(&s, name), "not \r\n json \xff", 13);
    }
    for (size_t i = 0; i + 1 < sizeof left / sizeof *left; i++) {
        snprintf(name, sizeof name, "m/%s", left[i]);
        write_file(path_in(&s, name), "x", 1);
    }
    ck_assert_int_eq(mkdir(path_in(&s, "m/LICENSES"), 0777), 0);
    dp_model *model = open_model(&s, "m");
    ck_assert_int_eq(dp_model_save_estimate(model, path_in(&s, "out"), NULL, &estimate, NULL), DP_OK);
    ck_assert(!is_there(&s, "out"));
    ck_assert_int_eq(dp_model_save(model, path_in(&s, "out"), NULL, NULL, &report, NULL), DP_OK);
    ck_assert_int_eq(report.files, 3 + 12); // config.json, weights, card
    ck_assert_int_eq(estimate.files, 3 + 12);
    ck_assert_uint_eq(estimate.parameters, report.parameters);
    for (size_t i = 0; i < sizeof carried / sizeof *carried; i++) {
        snprintf(name, sizeof name, "out/%s", carried[i]);
        assert_text(&s, name, "not \r\n json \xff");
    }
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        snprintf(name, sizeof name, "out/%s", left[i]);
        ck_assert(!is_there(&s, name));
    }
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(carries_additional_chat_templates)
{
    scene s;
    dp_save_report report = {.size = sizeof report}, estimate = {.size = sizeof estimate};

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    ck_assert_int_eq(mkdir(path_in(&s, "m/additional_chat_templates"), 0777), 0);
    write_file(path_in(&s, "m/additional_chat_templates/rag.jinja"), "{{ 1 }}", 7);
    write_file(path_in(&s, "m/additional_chat_templates/tool_use.jinja"), "", 0);
    write_file(path_in(&s, "m/additional_chat_templates/notes.txt"), "x", 1);
    write_file(path_in(&s, "m/additional_chat_templates/.jinja"), "x", 1);
    ck_assert_int_eq(mkdir(path_in(&s, "m/additional_chat_templates/deep.jinja"), 0777), 0);
    dp_model *model = open_model(&s, "m");
    ck_assert_int_eq(dp_model_save_estimate(model, path_in(&s, "out"), NULL, &estimate, NULL), DP_OK);
    ck_assert_int_eq(dp_model_save(model, path_in(&s, "out"), NULL, NULL, &report, &s.error), DP_OK);
    ck_assert_int_eq(report.files, 3 + 2);
    ck_assert_int_eq(estimate.files, 3 + 2);
    assert_text(&s, "out/additional_chat_templates/rag.jinja", "{{ 1 }}");
    assert_text(&s, "out/additional_chat_templates/tool_use.jinja", "");
    ck_assert(!is_there(&s, "out/additional_chat_templates/notes.txt"));
    ck_assert(!is_there(&s, "out/additional_chat_templates/.jinja"));
    ck_assert(!is_there(&s, "out/additional_chat_templates/deep.jinja"));
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

// A folder elsewhere is not taken for the model's own: its files are not copied.
START_TEST(does_not_follow_a_link_to_chat_templates)
{
    scene s;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    ck_assert_int_eq(mkdir(path_in(&s, "elsewhere"), 0777), 0);
    write_file(path_in(&s, "elsewhere/a.jinja"), "x", 1);
    ck_assert_int_eq(symlink("../elsewhere", path_in(&s, "m/additional_chat_templates")), 0);
    dp_model *model = open_model(&s, "m");
    must_save(&s, model, "out", -1, -1);
    ck_assert(!is_there(&s, "out/additional_chat_templates"));
    ck_assert_ptr_nonnull(strstr(s.log, "additional_chat_templates is not copied"));
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

// A plan stays with a model that is only copied, and goes when more was removed without one.
START_TEST(keeps_the_plan_of_a_copy)
{
    scene s;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_file(path_in(&s, "m/depthprune.json"), "{}", 2);
    dp_model *model = open_model(&s, "m");
    dp_model *smaller = without_block_1(&s, model, NULL);
    must_save(&s, model, "copy", -1, -1);
    must_save(&s, smaller, "smaller", -1, -1);
    must_save(&s, model, "copy.gguf", DP_FORMAT_GGUF, -1);
    dp_model *through = open_model(&s, "copy.gguf");
    must_save(&s, through, "back", DP_FORMAT_HF, -1);
    assert_text(&s, "copy/depthprune.json", "{}");
    assert_text(&s, "back/depthprune.json", "{}");
    ck_assert(!is_there(&s, "smaller/depthprune.json"));
    dp_model_free(model);
    dp_model_free(smaller);
    dp_model_free(through);
    close_scene(&s);
}
END_TEST

START_TEST(converts_types)
{
    static const int32_t types[] = {DP_F32, DP_F16, DP_BF16};
    scene s;
    tiny t = TINY;
    char name[32];

    open_scene(&s);
    t.vocab = 5000; // an embedding of more elements than are converted at once
    write_tiny(&s, "m", &t);
    dp_model *model = open_model(&s, "m");
    for (int k = 0; k < 3; k++) {
        snprintf(name, sizeof name, "out%d", k);
        must_save(&s, model, name, -1, types[k]);
        dp_model *saved = open_model(&s, name);
        for (size_t i = 0; i < dp_model_weight_count(model); i++) {
            dp_weight from = {.size = sizeof from}, to = {.size = sizeof to};
            ck_assert_int_eq(dp_model_weight(model, i, &from, NULL), DP_OK);
            ck_assert_int_eq(dp_model_weight(saved, i, &to, NULL), DP_OK);
            ck_assert_int_eq(to.type, types[k]);
            for (int64_t j = 0; j < from.rows * from.columns; j++) {
                float value;
                uint16_t half = 0;
                memcpy(&value, (const char *)from.data + j * 4, 4);
                if (types[k] != DP_F32)
                    memcpy(&half, (const char *)to.data + j * 2, 2);
                if (types[k] == DP_F16)
                    ck_assert_uint_eq(half, dpi_f32_to_f16(value));
                if (types[k] == DP_BF16)
                    ck_assert_uint_eq(half, dpi_f32_to_bf16(value));
            }
        }
        dp_model_free(saved);
    }
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(refuses_numbers_a_type_cannot_hold)
{
    static const struct {
        float value;
        int32_t type, code;
    } list[] = {{65504, DP_F16, DP_OK},
                {65519, DP_F16, DP_OK},
                {65520, DP_F16, DP_E_NUMERIC},
                {1e6f, DP_BF16, DP_OK},
                {3.4e38f, DP_BF16, DP_E_NUMERIC},
                {NAN, DP_F16, DP_E_NUMERIC},
                {-INFINITY, DP_BF16, DP_E_NUMERIC}};

    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        scene s;
        tiny t = TINY;
        open_scene(&s);
        t.poison = list[i].value;
        write_tiny(&s, "m", &t);
        dp_model *model = open_model(&s, "m");
        ck_assert_msg(save_model(&s, model, "out", -1, list[i].type) == list[i].code, "%zu: %s", i,
                      s.error.message);
        ck_assert_int_eq(is_there(&s, "out"), list[i].code == DP_OK);
        if (list[i].code) {
            ck_assert_str_eq(s.error.item, "model.layers.0.input_layernorm.weight");
            ck_assert_ptr_nonnull(strstr(s.error.message, "element 2 is "));
        }
        dp_model_free(model);
        close_scene(&s);
    }
}
END_TEST

// f32 norms beside f16 matrices: each tensor of the file begins at a multiple of its own width.
START_TEST(aligns_mixed_types)
{
    scene s;
    tiny t = TINY;

    open_scene(&s);
    t.type = DP_F16;
    t.hidden = t.heads = t.kv_heads = 2;
    t.ffn = 3;
    t.vocab = 5;
    t.head_dim = 2;
    write_tiny(&s, "m", &t);
    dp_model *model = open_model(&s, "m");
    must_save(&s, model, "m.gguf", DP_FORMAT_GGUF, -1); // norms become f32
    dp_model *mixed = open_model(&s, "m.gguf");
    dp_weight weight = {.size = sizeof weight};
    ck_assert_int_eq(dp_model_weight(mixed, 1, &weight, NULL), DP_OK);
    ck_assert_int_eq(weight.type, DP_F32);
    must_save(&s, mixed, "back", DP_FORMAT_HF, -1); // and f16 again
    dp_model *back = open_model(&s, "back");
    assert_same_weights(model, back);
    for (size_t i = 0; i < dp_model_weight_count(back); i++) {
        ck_assert_int_eq(dp_model_weight(back, i, &weight, NULL), DP_OK);
        ck_assert_uint_eq((uintptr_t)weight.data % 2, 0);
    }
    dp_model_free(model);
    dp_model_free(mixed);
    dp_model_free(back);
    close_scene(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {patches_the_configuration_and_nothing_else,
                                  refuses_a_count_it_cannot_change,
                                  renumbers_kept_blocks,
                                  says_where_it_came_from,
                                  carries_files_unchanged,
                                  carries_additional_chat_templates,
                                  does_not_follow_a_link_to_chat_templates,
                                  keeps_the_plan_of_a_copy,
                                  converts_types,
                                  refuses_numbers_a_type_cannot_hold,
                                  aligns_mixed_types};
    return dpt_run("model/save_hf", tests, sizeof tests / sizeof *tests);
}
