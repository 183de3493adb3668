// The table of model families: a family is one line here.
#include "model/family.h"

#include <string.h>

#include "base/error.h"

static const dpi_family families[] = {
    {.name = "llama",
     .gguf = "llama",
     .class_name = "LlamaForCausalLM",
     .old_class = "LLaMAForCausalLM",
     .model_type = "llama",
     .biases = DPI_BIASES_ASKED,
     .permuted = 1,
     .divisors = 1,
     .context = 2048,
     .rope_base = 10000.0,
     .epsilon = 1e-6},
    {.name = "mistral", // in GGUF it is a llama
     .gguf = "llama",
     .class_name = "MistralForCausalLM",
     .model_type = "mistral",
     .permuted = 1,
     .divisors = 1,
     .window = 4096,
     .kv_heads = 8,
     .context = 131072,
     .rope_base = 10000.0,
     .epsilon = 1e-6},
    {.name = "qwen2",
     .gguf = "qwen2",
     .class_name = "Qwen2ForCausalLM",
     .model_type = "qwen2",
     .window_switch = "use_sliding_window",
     .biases = DPI_BIASES_QKV,
     .window = 4096,
     .kv_heads = 32,
     .context = 32768,
     .rope_base = 10000.0,
     .epsilon = 1e-6},
};

enum { COUNT = sizeof families / sizeof *families, KNOWN_ROOM = 128, FOLDED_ROOM = 80 };

static const char EXPERTS[] = "mixtures of experts are not computed";
static const char FUSED[] = "projections stored as one tensor are not read";
static const char HEAD_NORMS[] = "norms of q and k are not computed";
static const char OTHER_NORMS[] = "norms other than RMSNorm before each half of a block are not computed";
static const char SCALES[] = "scaled embeddings and residuals are not computed";
static const char NO_ATTENTION[] = "blocks without attention are not computed";
static const char NO_DECODER[] = "only decoders that predict the next token are computed";
static const char IMAGES[] = "only text is read";

// Why well-known families are not read, by how their names begin in small letters without '_' and '-'.  The first
// that fits counts.
static const struct {
    const char *begin, *reason;
} others[] = {
    {"deepseek", EXPERTS},    {"mixtral", EXPERTS},       {"qwen2moe", EXPERTS},     {"qwen3moe", EXPERTS},
    {"phimoe", EXPERTS},      {"granitemoe", EXPERTS},    {"olmoe", EXPERTS},        {"dbrx", EXPERTS},
    {"gptoss", EXPERTS},      {"llama4", EXPERTS},        {"grok", EXPERTS},         {"qwen2vl", IMAGES},
    {"qwen25vl", IMAGES},     {"llava", IMAGES},          {"mllama", IMAGES},        {"qwen3", HEAD_NORMS},
    {"gemma", SCALES},        {"granite", SCALES},        {"minicpm", SCALES},       {"phi3", FUSED},
    {"internlm2", FUSED},     {"chatglm", FUSED},         {"glm", FUSED},            {"qwenlmhead", FUSED},
    {"olmo2", HEAD_NORMS},    {"gpt", OTHER_NORMS},       {"opt", OTHER_NORMS},      {"bloom", OTHER_NORMS},
    {"falcon", OTHER_NORMS},  {"mpt", OTHER_NORMS},       {"phi", OTHER_NORMS},      {"stablelm", OTHER_NORMS},
    {"cohere", OTHER_NORMS},  {"commandr", OTHER_NORMS},  {"starcoder", OTHER_NORMS}, {"olmo", OTHER_NORMS},
    {"mamba", NO_ATTENTION},  {"rwkv", NO_ATTENTION},     {"jamba", NO_ATTENTION},   {"bert", NO_DECODER},
    {"roberta", NO_DECODER},  {"t5", NO_DECODER},         {"clip", IMAGES},
};

static const char *name_at(size_t family, size_t column)
{
    const char *name;

    memcpy(&name, (const char *)&families[family] + column, sizeof name);
    return name;
}

// The names of one column of the table, each once, with commas between.
static void list_known(char known[KNOWN_ROOM], size_t column)
{
    size_t used = 0;

    known[0] = 0;
    for (size_t i = 0; i < COUNT; i++) {
        const char *name = name_at(i, column);
        const size_t size = strlen(name);
        if (i && strcmp(name, name_at(i - 1, column)) == 0)
            continue;
        if (used + size + 3 > KNOWN_ROOM)
            return;
        if (used) {
            memcpy(known + used, ", ", 2);
            used += 2;
        }
        memcpy(known + used, name, size + 1);
        used += size;
    }
}

static const char *reason_of(const char *text, size_t size)
{
    char folded[FOLDED_ROOM];
    size_t used = 0;

    for (size_t i = 0; i < size && used + 1 < sizeof folded; i++)
        if (text[i] != '_' && text[i] != '-')
            folded[used++] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
    folded[used] = 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strncmp(folded, others[i].begin, strlen(others[i].begin)) == 0)
            return others[i].reason;
    return "it is not among the families of this version";
}

static int find(const dpi_family **out, size_t column, const char *text, size_t size, const dpi_place *place,
                dp_error *error)
{
    char known[KNOWN_ROOM];

    for (size_t i = 0; i < COUNT; i++) {
        const char *name = name_at(i, column);
        if (strlen(name) == size && memcmp(name, text, size) == 0) {
            *out = &families[i];
            return DP_OK;
        }
    }
    list_known(known, column);
    return dpi_fail_at(error, DP_E_UNSUPPORTED, place, "the family \"%.*s\" is not read: %s; %s are read",
                       (int)(size < 80 ? size : 80), text, reason_of(text, size), known);
}

int dpi_family_of_class(const dpi_family **out, const char *class_name, const char *file, dp_error *error)
{
    const dpi_place place = {.file = file, .item = "architectures", .offset = -1};

    for (size_t i = 0; i < COUNT; i++)
        if (families[i].old_class && strcmp(families[i].old_class, class_name) == 0) {
            *out = &families[i];
            return DP_OK;
        }
    return find(out, offsetof(dpi_family, class_name), class_name, strlen(class_name), &place, error);
}

int dpi_family_of_type(const dpi_family **out, const char *model_type, const char *file, dp_error *error)
{
    const dpi_place place = {.file = file, .item = "model_type", .offset = -1};

    return find(out, offsetof(dpi_family, model_type), model_type, strlen(model_type), &place, error);
}

int dpi_family_of_gguf(const dpi_family **out, const char *name, size_t size, const char *file, dp_error *error)
{
    const dpi_place place = {.file = file, .item = "general.architecture", .offset = -1};

    return find(out, offsetof(dpi_family, gguf), name, size, &place, error);
}
