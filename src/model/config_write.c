// config.json for a model that was read from GGUF: every field that changes the mathematics, in the spelling that
// all versions of Transformers read.
#include <string.h>

#include "base/error.h"
#include "model/save.h"

typedef struct writer {
    dpi_text *out;
    dp_error *error;
    int rc;
} writer;

static void put(writer *w, const char *key, const char *value)
{
    if (!w->rc)
        w->rc = dpi_text_format(w->out, w->error, ",\n  \"%s\": %s", key, value);
}

static void put_int(writer *w, const char *key, int64_t value)
{
    if (!w->rc)
        w->rc = dpi_text_format(w->out, w->error, ",\n  \"%s\": %lld", key, (long long)value);
}

static void write_real(double value, char out[40])
{
    dpi_format_double(value, out);
    if (!strpbrk(out, ".e"))
        memcpy(out + strlen(out), ".0", 3);
}

static void put_real(writer *w, const char *key, double value)
{
    char digits[40];

    write_real(value, digits);
    put(w, key, digits);
}

static void put_id(writer *w, const char *key, int32_t id)
{
    if (id < 0)
        put(w, key, "null");
    else
        put_int(w, key, id);
}

static void put_scaling(writer *w, const dpi_config *config)
{
    char factor[40], low[40], high[40];

    write_real(config->rope_factor, factor);
    write_real(config->rope_low, low);
    write_real(config->rope_high, high);
    if (w->rc)
        return;
    if (config->rope_kind == DPI_ROPE_DEFAULT)
        put(w, "rope_scaling", "null");
    else if (config->rope_kind == DPI_ROPE_LINEAR)
        w->rc = dpi_text_format(w->out, w->error,
                                ",\n  \"rope_scaling\": {\n    \"factor\": %s,\n    \"rope_type\": \"linear\"\n  }",
                                factor);
    else
        w->rc = dpi_text_format(w->out, w->error,
                                ",\n  \"rope_scaling\": {\n    \"factor\": %s,\n    \"high_freq_factor\": %s,\n"
                                "    \"low_freq_factor\": %s,\n    \"original_max_position_embeddings\": %d,\n"
                                "    \"rope_type\": \"llama3\"\n  }",
                                factor, high, low, (int)config->rope_original);
}

int dpi_config_write(const dpi_save *save, dpi_text *out, dp_error *error)
{
    static const char *const types[] = {
        [DP_F32] = "\"float32\"", [DP_F16] = "\"float16\"", [DP_BF16] = "\"bfloat16\""};
    const dpi_config *config = &save->model->config;
    const dpi_family *family = save->model->source->family;
    writer w = {.out = out, .error = error};

    w.rc = dpi_text_format(out, error, "{\n  \"architectures\": [\n    \"%s\"\n  ],\n  \"model_type\": \"%s\"",
                           family->class_name, family->model_type);
    if (family->biases == DPI_BIASES_ASKED) {
        put(&w, "attention_bias", config->slots > DPI_BIAS_O ? "true" : "false");
        put(&w, "mlp_bias", "false");
    }
    put_id(&w, "bos_token_id", config->bos);
    put_id(&w, "eos_token_id", config->eos);
    put_id(&w, "pad_token_id", config->pad);
    put_int(&w, "head_dim", config->head_dim);
    put(&w, "hidden_act", "\"silu\"");
    put_int(&w, "hidden_size", config->hidden);
    put_int(&w, "intermediate_size", config->ffn);
    put_int(&w, "max_position_embeddings", config->context);
    put_int(&w, "num_attention_heads", config->heads);
    put_int(&w, "num_hidden_layers", config->blocks);
    put_int(&w, "num_key_value_heads", config->kv_heads);
    put_real(&w, "rms_norm_eps", config->epsilon);
    put_scaling(&w, config);
    put_real(&w, "rope_theta", config->rope_base);
    put(&w, "tie_word_embeddings", config->tied ? "true" : "false");
    put(&w, "torch_dtype", types[save->matrix_type]);
    put(&w, "use_cache", "true");
    put_int(&w, "vocab_size", config->vocab);
    return w.rc ? w.rc : dpi_text_add(out, "\n}\n", 3, error);
}
