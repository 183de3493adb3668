// config.json: families, both spellings, and what is refused by which name.
#include <string.h>

#include "model/count.h"
#include "model/names.h"
#include "model/parse.h"
#include "test/unit/model/support.h"

static const char start[] = "{\"architectures\": [\"LlamaForCausalLM\"],\n";
static const char sizes[] = "\"hidden_size\": 64, \"num_hidden_layers\": 2,\n\"num_attention_heads\": 4,"
                            "\"intermediate_size\": 96, \"vocab_size\": 100";

// The usual configuration with `more` members in front.
static int parse(const char *more, dpi_config *config, dp_error *error)
{
    char text[4096];
    const dpi_family *family;
    const int size = snprintf(text, sizeof text, "%s%s%s}", start, more, sizes);

    return dpi_config_from_hf(config, &family, text, (size_t)size, "config.json", error);
}

static dpi_config parsed(const char *more)
{
    dpi_config config;
    dp_error error = {.code = 0};

    ck_assert_msg(parse(more, &config, &error) == DP_OK, "%s: %s", error.item, error.message);
    return config;
}

START_TEST(fills_defaults)
{
    const dpi_config c = parsed("");

    ck_assert_str_eq(c.architecture, "llama");
    ck_assert_int_eq(c.kv_heads, 4);
    ck_assert_int_eq(c.head_dim, 16);
    ck_assert_int_eq(c.context, 2048);
    ck_assert_int_eq(c.tied, 0);
    ck_assert_int_eq(c.interleaved, 0);
    ck_assert_int_eq(c.bos, -1);
    ck_assert(c.rope_base == 10000 && c.epsilon == 1e-6 && c.rope_kind == DPI_ROPE_DEFAULT);
}
END_TEST

START_TEST(nulls_are_absent)
{
    const dpi_config c =
        parsed("\"head_dim\": null, \"num_key_value_heads\": null, \"rope_scaling\": null, "
               "\"pad_token_id\": null, \"quantization_config\": null, \"rope_parameters\": null,");

    ck_assert_int_eq(c.head_dim, 16);
    ck_assert_int_eq(c.kv_heads, 4);
    ck_assert_int_eq(c.pad, -1);
}
END_TEST

START_TEST(reads_ids)
{
    const dpi_config c = parsed("\"bos_token_id\": 0, \"eos_token_id\": [7, 8], \"pad_token_id\": -1,");

    ck_assert_int_eq(c.bos, 0);
    ck_assert_int_eq(c.eos, 7);
    ck_assert_int_eq(c.pad, -1);
    ck_assert_int_eq(parsed("\"eos_token_id\": [],").eos, -1);
}
END_TEST

START_TEST(reads_both_spellings_of_rope)
{
    const char *const llama3[] = {
        "\"rope_theta\": 5e5, \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1,"
        "\"high_freq_factor\": 4, \"original_max_position_embeddings\": 8192},",
        "\"rope_parameters\": {\"rope_theta\": 500000, \"rope_type\": \"llama3\", \"factor\": 8.0, "
        "\"low_freq_factor\": 1,"
        "\"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 8192},"};

    for (int i = 0; i < 2; i++) {
        const dpi_config c = parsed(llama3[i]);
        ck_assert_int_eq(c.rope_kind, DPI_ROPE_LLAMA3);
        ck_assert_int_eq(c.rope_original, 8192);
        ck_assert(c.rope_base == 5e5 && c.rope_factor == 8 && c.rope_low == 1 && c.rope_high == 4);
    }
    ck_assert(parsed("\"rope_parameters\": {\"rope_theta\": 123, \"rope_type\": \"default\"},").rope_base == 123);
    const dpi_config c = parsed("\"rope_scaling\": {\"type\": \"linear\", \"factor\": 4},");
    ck_assert(c.rope_kind == DPI_ROPE_LINEAR && c.rope_factor == 4 && c.rope_base == 10000);
}
END_TEST

typedef struct refusal {
    const char *more;
    int32_t code;
    const char *item;
} refusal;

static const refusal refusals[] = {
    {"\"model_type\": \"mistral\",", DP_E_UNSUPPORTED, "model_type"},
    {"\"quantization_config\": {\"quant_method\": \"gptq\"},", DP_E_UNSUPPORTED, "quantization_config"},
    {"\"num_local_experts\": 8,", DP_E_UNSUPPORTED, "num_local_experts"},
    {"\"num_local_experts\": \"8\",", DP_E_FORMAT, "num_local_experts"},
    {"\"max_sequence_length\": 0,", DP_E_FORMAT, "max_sequence_length"},
    {"\"mlp_bias\": true,", DP_E_UNSUPPORTED, "mlp_bias"},
    {"\"attention_bias\": 1,", DP_E_FORMAT, "attention_bias"},
    {"\"hidden_act\": \"gelu\",", DP_E_UNSUPPORTED, "hidden_act"},
    {"\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 2},", DP_E_UNSUPPORTED, "rope_scaling"},
    {"\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2},", DP_E_UNSUPPORTED, "rope_scaling"},
    {"\"rope_scaling\": {\"type\": \"linear\"},", DP_E_FORMAT, "factor"},
    {"\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0},", DP_E_FORMAT, "factor"},
    {"\"rope_scaling\": {\"type\": \"linear\", \"factor\": \"2\"},", DP_E_FORMAT, "factor"},
    {"\"rope_scaling\": {\"type\": 3, \"factor\": 2},", DP_E_FORMAT, "type"},
    {"\"rope_scaling\": {\"factor\": 2},", DP_E_FORMAT, "rope_scaling"},
    {"\"rope_scaling\": [2],", DP_E_FORMAT, "rope_scaling"},
    {"\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4, \"high_freq_factor\": 4,"
     "\"original_max_position_embeddings\": 8192},",
     DP_E_FORMAT, "high_freq_factor"},
    {"\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1, \"high_freq_factor\": "
     "4},",
     DP_E_FORMAT, "original_max_position_embeddings"},
    {"\"rope_parameters\": {\"full_attention\": {\"rope_theta\": 1}, \"factor\": 3},", DP_E_FORMAT,
     "rope_parameters"},
    {"\"partial_rotary_factor\": 0.5,", DP_E_UNSUPPORTED, "partial_rotary_factor"},
    {"\"rope_theta\": -1,", DP_E_FORMAT, "rope_theta"},
    {"\"rope_theta\": \"10000\",", DP_E_FORMAT, "rope_theta"},
    {"\"rms_norm_eps\": 0,", DP_E_FORMAT, "rms_norm_eps"},
    {"\"num_key_value_heads\": 3,", DP_E_FORMAT, "num_key_value_heads"},
    {"\"num_key_value_heads\": 8,", DP_E_FORMAT, "num_key_value_heads"},
    {"\"num_key_value_heads\": 0,", DP_E_FORMAT, "num_key_value_heads"},
    {"\"num_key_value_heads\": 4294967298,", DP_E_FORMAT, "num_key_value_heads"},
    {"\"head_dim\": 0,", DP_E_FORMAT, "head_dim"},
    {"\"head_dim\": 15,", DP_E_FORMAT, "head_dim"},
    {"\"head_dim\": 2147483648,", DP_E_FORMAT, "head_dim"},
    {"\"max_position_embeddings\": 0,", DP_E_FORMAT, "max_position_embeddings"},
    {"\"max_position_embeddings\": 2048.0,", DP_E_FORMAT, "max_position_embeddings"},
    {"\"bos_token_id\": 100,", DP_E_FORMAT, "bos_token_id"},
    {"\"eos_token_id\": [100],", DP_E_FORMAT, "eos_token_id"},
    {"\"eos_token_id\": [1.5],", DP_E_FORMAT, "eos_token_id"},
    {"\"eos_token_id\": [2, 100],", DP_E_FORMAT, "eos_token_id"},
    {"\"eos_token_id\": [2, \"3\"],", DP_E_FORMAT, "eos_token_id"},
    {"\"pad_token_id\": -2,", DP_E_FORMAT, "pad_token_id"},
    {"\"tie_word_embeddings\": \"yes\",", DP_E_FORMAT, "tie_word_embeddings"},
    {"\"layer_types\": [\"full_attention\", \"sliding_attention\"],", DP_E_UNSUPPORTED, "layer_types"},
    {"\"layer_types\": [\"full_attention\"],", DP_E_FORMAT, "layer_types"},
};

START_TEST(refuses_by_name)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const refusal *r = &refusals[i];
        dpi_config config = {.blocks = -5};
        dp_error error = {.code = 0};
        ck_assert_msg(parse(r->more, &config, &error) == r->code, "%s: %s", r->more, error.message);
        ck_assert_str_eq(error.item, r->item);
        ck_assert_str_eq(error.file, "config.json");
        ck_assert_int_eq(config.blocks, -5);
        if (!strpbrk(r->more, "{["))
            ck_assert_int_eq(error.line, 2);
    }
}
END_TEST

// A configuration of another family; `more` stands in front of the sizes.
static int parse_family(const char *family, const char *more, dpi_config *config, dp_error *error)
{
    char text[4096];
    const dpi_family *found;
    const int size = snprintf(text, sizeof text, "{\"architectures\": [\"%s\"],\n%s%s}", family, more, sizes);

    return dpi_config_from_hf(config, &found, text, (size_t)size, "config.json", error);
}

START_TEST(reads_every_family)
{
    static const struct {
        const char *family, *more, *architecture;
        int32_t slots, kv_heads, context;
    } known[] = {
        {"LlamaForCausalLM", "\"attention_bias\": true,", "llama", DPI_BLOCK_WEIGHTS, 4, 2048},
        {"LlamaForCausalLM", "\"attention_bias\": false, \"mlp_bias\": false,", "llama", DPI_BIAS_Q, 4, 2048},
        {"LLaMAForCausalLM", "\"max_sequence_length\": 512, \"pad_token_id\": -1,", "llama", DPI_BIAS_Q, 4, 512},
        {"LlamaForCausalLM", "\"max_sequence_length\": 512, \"max_position_embeddings\": 600,", "llama", DPI_BIAS_Q,
         4, 600},
        {"MistralForCausalLM", "\"sliding_window\": null, \"num_key_value_heads\": 2,", "mistral", DPI_BIAS_Q, 2,
         131072},
        {"MistralForCausalLM",
         "\"sliding_window\": 4096, \"max_position_embeddings\": 4096, \"num_key_value_heads\": null,", "mistral",
         DPI_BIAS_Q, 4, 4096},
        {"Qwen2ForCausalLM", "\"num_key_value_heads\": 1,", "qwen2", DPI_BIAS_O, 1, 32768},
        {"Qwen2ForCausalLM",
         "\"num_key_value_heads\": 1, \"use_sliding_window\": false, \"sliding_window\": 4096,"
         "\"max_window_layers\": 1,",
         "qwen2", DPI_BIAS_O, 1, 32768},
        {"Qwen2ForCausalLM", "\"num_key_value_heads\": 1, \"use_sliding_window\": true, \"sliding_window\": 32768,",
         "qwen2", DPI_BIAS_O, 1, 32768},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        dpi_config c;
        dp_error error = {.code = 0};
        ck_assert_msg(parse_family(known[i].family, known[i].more, &c, &error) == DP_OK, "%zu: %s: %s", i,
                      error.item, error.message);
        ck_assert_str_eq(c.architecture, known[i].architecture);
        ck_assert_int_eq(c.slots, known[i].slots);
        ck_assert_int_eq(c.kv_heads, known[i].kv_heads);
        ck_assert_int_eq(c.context, known[i].context);
    }
}
END_TEST

START_TEST(says_why_a_family_is_refused)
{
    static const struct {
        const char *family, *more, *item, *says;
        int32_t code;
    } known[] = {
        {"MistralForCausalLM", "\"num_key_value_heads\": 2,", "sliding_window",
         "a window of 4096 tokens of a context of 131072", DP_E_UNSUPPORTED},
        {"MistralForCausalLM", "\"sliding_window\": 4095, \"max_position_embeddings\": 4096,", "sliding_window",
         "4095", DP_E_UNSUPPORTED},
        {"MistralForCausalLM", "\"sliding_window\": \"4096\",", "sliding_window", "", DP_E_FORMAT},
        {"MistralForCausalLM", "\"sliding_window\": null, \"attention_bias\": true,", "attention_bias",
         "no bias vectors", DP_E_UNSUPPORTED},
        {"MistralForCausalLM", "\"sliding_window\": null,", "num_key_value_heads", "4 query heads cannot share 8",
         DP_E_FORMAT},
        {"Qwen2ForCausalLM", "\"use_sliding_window\": true,", "sliding_window", "4096", DP_E_UNSUPPORTED},
        {"Qwen2ForCausalLM", "\"use_sliding_window\": 1,", "use_sliding_window", "", DP_E_FORMAT},
        {"Qwen2ForCausalLM", "\"mlp_bias\": true,", "mlp_bias", "MLP", DP_E_UNSUPPORTED},
        {"MixtralForCausalLM", "", "architectures", "mixtures of experts", DP_E_UNSUPPORTED},
        {"Qwen2MoeForCausalLM", "", "architectures", "mixtures of experts", DP_E_UNSUPPORTED},
        {"Qwen3ForCausalLM", "", "architectures", "norms of q and k", DP_E_UNSUPPORTED},
        {"Gemma2ForCausalLM", "", "architectures", "scaled embeddings", DP_E_UNSUPPORTED},
        {"Phi3ForCausalLM", "", "architectures", "one tensor", DP_E_UNSUPPORTED},
        {"GPT2LMHeadModel", "", "architectures", "RMSNorm", DP_E_UNSUPPORTED},
        {"GptOssForCausalLM", "", "architectures", "mixtures of experts", DP_E_UNSUPPORTED},
        {"SomethingElse", "", "architectures", "not among the families", DP_E_UNSUPPORTED},
        {"LlamaForCausalLM", "\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2},", "rope_scaling",
         "length of the sequence", DP_E_UNSUPPORTED},
        {"LlamaForCausalLM", "\"rope_scaling\": {\"rope_type\": \"longrope\"},", "rope_scaling",
         "short and one for long", DP_E_UNSUPPORTED},
        {"LlamaForCausalLM", "\"quantization_config\": {\"quant_method\": \"gptq\"},", "quantization_config",
         "gptq", DP_E_UNSUPPORTED},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        dpi_config c = {.blocks = -5};
        dp_error error = {.code = 0};
        ck_assert_msg(parse_family(known[i].family, known[i].more, &c, &error) == known[i].code, "%zu: %s: %s", i,
                      error.item, error.message);
        ck_assert_str_eq(error.item, known[i].item);
        ck_assert_msg(strstr(error.message, known[i].says) != NULL, "%zu: %s", i, error.message);
        ck_assert_int_eq(c.blocks, -5);
    }
}
END_TEST

START_TEST(reads_the_element_type)
{
    ck_assert_int_eq(parsed("").type, DP_F32);
    ck_assert_int_eq(parsed("\"torch_dtype\": \"float16\",").type, DP_F16);
    ck_assert_int_eq(parsed("\"dtype\": \"bfloat16\", \"torch_dtype\": \"float16\",").type, DP_BF16);
    ck_assert_int_eq(parsed("\"dtype\": \"float8\",").type, -1);
    ck_assert_int_eq(parsed("\"dtype\": 16,").type, -1);
}
END_TEST

// Each of the five that must be there, in every wrong way.
START_TEST(refuses_wrong_sizes)
{
    static const char *const keys[] = {"hidden_size", "num_hidden_layers", "num_attention_heads",
                                       "intermediate_size", "vocab_size"};
    static const char *const values[] = {"0",    "-1",   "\"64\"",     "null",       "[64]",
                                         "64.0", "true", "2147483648", "4294967360", "9223372036854775807",
                                         "{}"};
    for (size_t k = 0; k < 5; k++)
        for (size_t v = 0; v <= sizeof values / sizeof *values; v++) {
            const tiny t = {.blocks = 2,
                            .hidden = 64,
                            .heads = 4,
                            .kv_heads = 4,
                            .head_dim = 16,
                            .ffn = 96,
                            .vocab = 100,
                            .key = keys[k],
                            .value = v < sizeof values / sizeof *values ? values[v] : NULL};
            scene s;
            char path[PATH_ROOM + 16];
            size_t size;
            const dpi_family *family;
            dpi_config config;
            open_scene(&s);
            write_config(s.folder, &t);
            snprintf(path, sizeof path, "%s/config.json", s.folder);
            char *text = read_file(path, &size);
            ck_assert_msg(dpi_config_from_hf(&config, &family, text, size, "c", &s.error) == DP_E_FORMAT, "%s",
                          text);
            ck_assert_str_eq(s.error.item, keys[k]);
            free(text);
            close_scene(&s);
        }
}
END_TEST

START_TEST(refuses_what_is_no_configuration)
{
    static const struct {
        const char *text;
        int32_t code;
    } bad[] = {{"", DP_E_FORMAT},
               {"[]", DP_E_FORMAT},
               {"{}", DP_E_FORMAT},
               {"{\"a\":1,}", DP_E_FORMAT},
               {"null", DP_E_FORMAT},
               {"{\"dim\":4096,\"n_layers\":32}", DP_E_UNSUPPORTED},
               {"{\"model_type\":\"llama\",\"hidden_size\":64,\"num_hidden_layers\":2,\"num_attention_heads\":7,"
                "\"intermediate_size\":96,\"vocab_size\":100}",
                DP_E_FORMAT},
               {"{\"model_type\":\"llama\",\"hidden_size\":64,\"num_hidden_layers\":2,\"num_attention_heads\":65536,"
                "\"head_dim\":1048576,\"intermediate_size\":96,\"vocab_size\":100}",
                DP_E_FORMAT},
               {"{\"model_type\":3}", DP_E_FORMAT},
               {"{\"architectures\":[]}", DP_E_FORMAT},
               {"{\"architectures\":\"x\"}", DP_E_FORMAT},
               {"{\"architectures\":[\"LlamaModel\"]}", DP_E_UNSUPPORTED},
               {"{\"model_type\":\"llama\",\"architectures\":[\"GPT2LMHeadModel\"]}", DP_E_UNSUPPORTED},
               {"{\"model_type\":\"\\u0000\"}", DP_E_FORMAT},
               {"{\"rms_norm_eps\":1e999}", DP_E_FORMAT}};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const dpi_family *family;
        dpi_config config;
        dp_error error;
        ck_assert_msg(dpi_config_from_hf(&config, &family, bad[i].text, strlen(bad[i].text), "c", &error) ==
                          bad[i].code,
                      "%s: %s", bad[i].text, error.message);
    }
}
END_TEST

START_TEST(heads_must_share_the_hidden_size_and_stay_few)
{
    static const dpi_config_keys keys = {"hidden", "heads", "kv_heads", "head_dim"};
    dpi_config config = {.hidden = 10, .heads = 4};
    dp_error error;

    ck_assert_int_eq(dpi_config_settle(&config, &keys, "m", &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "a hidden size of 10 cannot be split among 4 heads");
    ck_assert_str_eq(error.item, "heads");
    config = (dpi_config){.heads = DPI_MOST_HEADS, .head_dim = 258, .vocab = 1};
    ck_assert_int_eq(dpi_config_settle(&config, &keys, "m", &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "65536 heads of 258 numbers are more than the 16777216 that are read");
    config = (dpi_config){.heads = DPI_MOST_HEADS, .head_dim = 256, .vocab = 1};
    ck_assert_int_eq(dpi_config_settle(&config, &keys, "m", &error), DP_OK);
}
END_TEST

START_TEST(products_of_the_largest_sizes_fit)
{
    const dpi_config c = {.blocks = DPI_MOST_BLOCKS,
                          .hidden = DPI_MOST_WIDTH,
                          .heads = 16,
                          .kv_heads = 16,
                          .head_dim = DPI_MOST_WIDTH,
                          .ffn = DPI_MOST_INNER,
                          .vocab = DPI_MOST_INNER};
    const uint64_t block = dpi_config_parameters(&c, 0, DPI_BIAS_Q);
    uint64_t all;

    ck_assert(!__builtin_mul_overflow(block, (uint64_t)c.blocks, &all));
    ck_assert(!__builtin_add_overflow(all, dpi_config_parameters(&c, DPI_EMBEDDING, DPI_ROPE_FACTORS), &all));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {refuses_by_name,
                                  fills_defaults,
                                  nulls_are_absent,
                                  reads_ids,
                                  reads_both_spellings_of_rope,
                                  reads_every_family,
                                  says_why_a_family_is_refused,
                                  reads_the_element_type,
                                  refuses_wrong_sizes,
                                  refuses_what_is_no_configuration,
                                  products_of_the_largest_sizes_fit,
                                  heads_must_share_the_hidden_size_and_stay_few};
    return dpt_run("model/config", tests, sizeof tests / sizeof *tests);
}
