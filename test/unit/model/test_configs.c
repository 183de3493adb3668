// Real configurations without weights: they open for their shapes with the published parameter counts, also after
// pruning, agree with the index of their files, or are refused with the reason.
#include <jansson.h>

#include "model/names.h"
#include "test/unit/model/support.h"

static dp_model *open_shapes(scene *s, const char *path)
{
    dp_model_options options;
    dp_model *model = NULL;

    dp_model_options_init(&options, sizeof options);
    options.load = DP_LOAD_SHAPES;
    const int rc = dp_model_open(s->context, path, &options, NULL, &model, &s->error);
    ck_assert_msg(rc == DP_OK, "%s: %s: %s", s->error.file, s->error.item, s->error.message);
    return model;
}

static dp_model_info described(const dp_model *model)
{
    dp_model_info info = {.size = sizeof info};

    ck_assert_int_eq(dp_model_describe(model, &info, NULL), DP_OK);
    return info;
}

// A model without its first `removed` blocks.
static dp_model *shortened(const dp_model *model, int32_t removed)
{
    const dp_model_info info = described(model);
    int32_t kept[128];
    dp_model *out = NULL;

    for (int32_t i = removed; i < info.blocks; i++)
        kept[i - removed] = i;
    ck_assert_int_eq(dpi_model_keep(model, kept, info.blocks - removed, NULL, &out, NULL), DP_OK);
    return out;
}

static const char *config_of(const char *folder)
{
    static char path[PATH_ROOM];

    snprintf(path, sizeof path, "%s/data/configs/%s", data_root(), folder);
    return path;
}

// The sizes that the paper's appendix prints, and the published ones.
START_TEST(counts_parameters_of_real_models)
{
    static const struct {
        const char *folder;
        int32_t removed;
        uint64_t parameters;
    } known[] = {
        {"llama-7b-hf", 0, 6738415616},      {"llama-7b-hf", 5, 5726498816},
        {"llama-7b-hf", 6, 5524115456},      {"llama-7b-hf", 7, 5321732096},
        {"llama-7b-hf", 9, 4916965376},      {"llama-7b-hf", 11, 4512198656},
        {"llama-7b-hf", 14, 3905048576},     {"llama-7b-hf", 15, 3702665216},
        {"llama-7b-hf", 20, 2690748416},     {"llama-7b-hf", 26, 1476448256},
        {"vicuna-7b-v1.3", 0, 6738415616},   {"vicuna-7b-v1.3", 6, 5524115456},
        {"llama2-7b-hf", 0, 6738415616},     {"llama2-7b-hf", 7, 5321732096},
        {"vicuna-13b-v1.3", 0, 13015864320}, {"vicuna-13b-v1.3", 8, 10478228480},
        {"vicuna-13b-v1.3", 11, 9526615040}, {"vicuna-13b-v1.3", 15, 8257797120},
        {"Llama-3.2-1B", 0, 1235814400},     {"Meta-Llama-3-8B-Instruct", 0, 8030261248},
        {"Llama-3.2-1B", 4, 992528384},      {"TinyLlama-1.1B-Chat-v1.0", 0, 1100048384},
    };
    scene s;

    open_scene(&s);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        dp_model *whole = open_shapes(&s, config_of(known[i].folder));
        dp_model *model = shortened(whole, known[i].removed);
        const dp_model_info info = described(model);
        ck_assert_msg(info.parameters == known[i].parameters, "%s without %d: %llu", known[i].folder,
                      known[i].removed, (unsigned long long)info.parameters);
        ck_assert_uint_eq(info.bytes, info.parameters * (info.type == DP_F32 ? 4 : 2));
        dp_model_free(model);
        dp_model_free(whole);
    }
    close_scene(&s);
}
END_TEST

// Every weight is in the index, and nothing else but the old buffers of rope; their bytes make up total_size.
static void agrees_with_index(scene *s, const char *folder)
{
    char path[PATH_ROOM + 64];
    int32_t block;

    snprintf(path, sizeof path, "%s/model.safetensors.index.json", config_of(folder));
    json_t *root = json_load_file(path, 0, NULL);
    json_t *map = json_object_get(root, "weight_map");
    ck_assert_msg(json_is_object(map), "%s", path);
    dp_model *model = open_shapes(s, config_of(folder));
    const dp_model_info info = described(model);
    uint64_t buffers = 0;
    for (size_t i = 0; i < dp_model_weight_count(model); i++) {
        dp_weight weight = {.size = sizeof weight};
        ck_assert_int_eq(dp_model_weight(model, i, &weight, NULL), DP_OK);
        ck_assert_msg(json_object_del(map, weight.name) == 0, "%s", weight.name);
        ck_assert_ptr_null(weight.data);
    }
    for (void *at = json_object_iter(map); at; at = json_object_iter_next(map, at)) {
        const char *name = json_object_iter_key(at);
        ck_assert_msg(strstr(name, ".rotary_emb.inv_freq") != NULL, "%s", name);
        ck_assert_int_eq(dpi_name_read(DP_FORMAT_HF, name, &block), -1);
        buffers += (uint64_t)info.head_dim / 2 * 4;
    }
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(root, "metadata"), "total_size")),
                     (json_int_t)(info.bytes + buffers));
    dp_model_free(model);
    json_decref(root);
}

START_TEST(names_and_bytes_are_those_of_the_index)
{
    scene s;

    open_scene(&s);
    agrees_with_index(&s, "llama-7b-hf");
    agrees_with_index(&s, "llama2-7b-hf");
    agrees_with_index(&s, "Meta-Llama-3-8B-Instruct");
    close_scene(&s);
}
END_TEST

START_TEST(refuses_another_family)
{
    dp_model_options options;
    dp_model *model = NULL;
    scene s;

    open_scene(&s);
    dp_model_options_init(&options, sizeof options);
    options.load = DP_LOAD_SHAPES;
    ck_assert_int_eq(
        dp_model_open(s.context, config_of("deepseek-moe-16b-base"), &options, NULL, &model, &s.error),
        DP_E_UNSUPPORTED);
    ck_assert_str_eq(s.error.item, "architectures");
    ck_assert_int_eq(s.error.line, 2);
    ck_assert_ptr_nonnull(
        strstr(s.error.message, "\"DeepseekForCausalLM\" is not read: mixtures of experts are not computed"));
    ck_assert_ptr_nonnull(strstr(s.error.message, "LlamaForCausalLM"));
    close_scene(&s);
}
END_TEST

static void write_only_config(const scene *s, const char *name, const char *text)
{
    char path[PATH_ROOM + 16];

    ck_assert_int_eq(mkdir(path_in(s, name), 0777), 0);
    snprintf(path, sizeof path, "%s/config.json", path_in(s, name));
    write_file(path, text, strlen(text));
}

// Llama-2-70B: sizes beyond 2^32, grouped heads.
START_TEST(counts_beyond_32_bits)
{
    static const char text[] =
        "{\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\", \"hidden_size\": 8192,\n"
        "\"intermediate_size\": 28672, \"num_attention_heads\": 64, \"num_hidden_layers\": 80,\n"
        "\"num_key_value_heads\": 8, \"rms_norm_eps\": 1e-05, \"vocab_size\": 32000,\n"
        "\"max_position_embeddings\": 4096, \"torch_dtype\": \"float16\"}\n";
    dp_save_report report = {.size = sizeof report};
    dp_save_options options;
    scene s;

    open_scene(&s);
    write_only_config(&s, "70b", text);
    dp_model *model = open_shapes(&s, path_in(&s, "70b"));
    const dp_model_info info = described(model);
    ck_assert_uint_eq(info.parameters, 68976648192);
    ck_assert_uint_eq(info.block_parameters, 855654400);
    ck_assert_uint_eq(info.bytes, 2 * info.parameters);
    dp_model *smaller = shortened(model, 79);
    ck_assert_uint_eq(described(smaller).parameters, 68976648192 - 79 * 855654400ull);
    dp_save_options_init(&options, sizeof options);
    options.type = DP_F32;
    ck_assert_int_eq(dp_model_save_estimate(smaller, path_in(&s, "out"), &options, &report, &s.error), DP_OK);
    ck_assert_uint_eq(report.bytes, 4 * (68976648192 - 79 * 855654400ull));
    dp_model_free(smaller);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(what_needs_weights_says_so)
{
    char digest[65] = "x";
    scene s;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    remove(path_in(&s, "m/model.safetensors"));
    ck_assert_int_eq(open_fails(&s, path_in(&s, "m")), DP_E_FORMAT);
    dp_model *model = open_shapes(&s, path_in(&s, "m"));
    ck_assert_int_eq(dp_model_digest(model, NULL, digest, &s.error), DP_E_STATE);
    ck_assert_str_eq(digest, "x");
    ck_assert_ptr_nonnull(strstr(s.error.message, "opened for its shapes alone"));
    ck_assert_int_eq(dp_model_check(model, NULL, &s.error), DP_E_STATE);
    ck_assert_int_eq(save_model(&s, model, "out", DP_FORMAT_HF, -1), DP_E_STATE);
    ck_assert_int_eq(save_model(&s, model, "out.gguf", DP_FORMAT_GGUF, -1), DP_E_STATE);
    ck_assert(!is_there(&s, "out") && !is_there(&s, "out.gguf"));
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

// The same shapes, names and counts as with the weights.
START_TEST(shapes_are_those_of_the_weights)
{
    scene s;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    dp_model *with = open_model(&s, "m"), *without = open_shapes(&s, path_in(&s, "m"));
    ck_assert_uint_eq(dp_model_weight_count(with), dp_model_weight_count(without));
    for (size_t i = 0; i < dp_model_weight_count(with); i++) {
        dp_weight a = {.size = sizeof a}, b = {.size = sizeof b};
        ck_assert_int_eq(dp_model_weight(with, i, &a, NULL), DP_OK);
        ck_assert_int_eq(dp_model_weight(without, i, &b, NULL), DP_OK);
        ck_assert_str_eq(a.name, b.name);
        ck_assert(a.rows == b.rows && a.columns == b.columns && a.type == b.type && a.bytes == b.bytes);
    }
    dp_model_free(with);
    dp_model_free(without);
    close_scene(&s);
}
END_TEST

// Every allocation fails once; a shape model is made of one for each tensor.
START_TEST(gives_up_cleanly_when_memory_runs_out)
{
    int rc = DP_E_MEMORY;
    int64_t n = 0;
    scene s;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    for (; rc == DP_E_MEMORY; n++) {
        failing f = {.left = INT64_MAX};
        const dp_allocator allocator = {fail_later, give_back, &f};
        dp_context_options options;
        dp_model_options load;
        dp_context *context;
        dp_model *model = NULL;
        dp_context_options_init(&options, sizeof options);
        dp_model_options_init(&load, sizeof load);
        load.load = DP_LOAD_SHAPES;
        options.threads = 1;
        options.allocator = &allocator;
        ck_assert_int_eq(dpi_context_make(&options, &context, NULL), DP_OK);
        const uint64_t used = context->memory.used;
        f.left = n;
        rc = dp_model_open(context, path_in(&s, "m"), &load, NULL, &model, &s.error);
        f.left = INT64_MAX;
        ck_assert_msg(rc == DP_OK || rc == DP_E_MEMORY, "allocation %lld: %s", (long long)n, s.error.message);
        dp_model_free(model);
        ck_assert_uint_eq(context->memory.used, used);
        dpi_context_drop(context);
    }
    ck_assert_int_eq(rc, DP_OK);
    ck_assert_int_gt(n, 35);
    close_scene(&s);
}
END_TEST

START_TEST(refuses_a_type_without_a_size)
{
    dp_model_options options;
    dp_model *model = NULL;
    tiny t = TINY;
    scene s;

    open_scene(&s);
    t.key = "torch_dtype";
    t.value = "\"float8_e4m3fn\"";
    write_tiny(&s, "m", &t);
    dp_model_options_init(&options, sizeof options);
    options.load = DP_LOAD_SHAPES;
    ck_assert_int_eq(dp_model_open(s.context, path_in(&s, "m"), &options, NULL, &model, &s.error),
                     DP_E_UNSUPPORTED);
    ck_assert_str_eq(s.error.item, "dtype");
    dp_model_free(open_model(&s, "m")); // the weights say their own
    close_scene(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {counts_beyond_32_bits, gives_up_cleanly_when_memory_runs_out, what_needs_weights_says_so,
                                  shapes_are_those_of_the_weights, refuses_a_type_without_a_size};
    const TTest *const real[] = {counts_parameters_of_real_models, names_and_bytes_are_those_of_the_index,
                                 refuses_another_family};
    const int failed = dpt_run("model/configs", tests, sizeof tests / sizeof *tests);

    if (failed || data_root())
        return failed || dpt_run("model/configs of real models", real, sizeof real / sizeof *real);
    printf("skipped in part: no DEPTHPRUNE_TEST_DATA\n");
    return 77;
}
