// config.json: the old and the new spellings, every refusal by the key's name and line.
#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "io/json.h"
#include "model/members.h"
#include "model/model.h"
#include "model/parse.h"

typedef struct reader {
    const json_t *root;
    const char *name;
    dp_error *error;
    dpi_config *config;
    const dpi_family *family;
} reader;

static dpi_place place_of(const reader *in, const char *key)
{
    return (dpi_place){.file = in->name, .item = key, .offset = -1};
}

static int refuse(const reader *in, const char *key, const char *what)
{
    const dpi_place place = place_of(in, key);

    return dpi_fail_at(in->error, DP_E_UNSUPPORTED, &place, "%s", what);
}

static const json_t *present(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_null(value) ? NULL : value;
}

static int read_class(reader *in)
{
    const json_t *classes = present(in->root, "architectures");
    const char *model_type = NULL;

    if (!classes && !present(in->root, "model_type") && present(in->root, "n_layers"))
        return refuse(in, "n_layers", "this is Meta's params.json; a converted model's config.json is read");
    int rc = dpi_json_string(in->root, "model_type", !classes, &model_type, in->name, in->error);
    if (rc)
        return rc;
    if (classes) {
        const char *class_name = json_string_value(json_array_get(classes, 0));
        const dpi_place place = place_of(in, "architectures");
        if (!class_name)
            return dpi_fail_at(in->error, DP_E_FORMAT, &place, "is not an array that begins with a string");
        rc = dpi_family_of_class(&in->family, class_name, in->name, in->error);
    }
    if (!rc && model_type) {
        const dpi_family *family;
        rc = dpi_family_of_type(&family, model_type, in->name, in->error);
        if (!rc && in->family && family != in->family)
            rc = refuse(in, "model_type", "architectures and model_type name different families");
        in->family = rc ? in->family : family;
    }
    return rc;
}

static int read_sizes(const reader *in)
{
    static const struct {
        const char *key;
        size_t offset;
        int32_t most, required;
    } fields[] = {
        {"num_hidden_layers", offsetof(dpi_config, blocks), DPI_MOST_BLOCKS, 1},
        {"hidden_size", offsetof(dpi_config, hidden), DPI_MOST_WIDTH, 1},
        {"num_attention_heads", offsetof(dpi_config, heads), DPI_MOST_HEADS, 1},
        {"num_key_value_heads", offsetof(dpi_config, kv_heads), DPI_MOST_HEADS, 0},
        {"head_dim", offsetof(dpi_config, head_dim), DPI_MOST_WIDTH, 0},
        {"intermediate_size", offsetof(dpi_config, ffn), DPI_MOST_INNER, 1},
        {"vocab_size", offsetof(dpi_config, vocab), DPI_MOST_INNER, 1},
        {"max_sequence_length", offsetof(dpi_config, context), INT32_MAX, 0}, // the first LLaMA's spelling
        {"max_position_embeddings", offsetof(dpi_config, context), INT32_MAX, 0},
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        int64_t value = 0;
        const int rc = dpi_json_int(in->root, fields[i].key, fields[i].required, 1, fields[i].most, &value,
                                    in->name, in->error);
        if (rc)
            return rc;
        const int32_t narrow = (int32_t)value;
        if (value)
            memcpy((char *)in->config + fields[i].offset, &narrow, sizeof narrow);
    }
    if (!json_object_get(in->root, "num_key_value_heads") && in->family->kv_heads)
        in->config->kv_heads = in->family->kv_heads; // null means as many as query heads
    return DP_OK;
}

// A token id that is in the vocabulary, or -1.
static int read_one_id(const reader *in, const char *key, const json_t *value, int32_t *out)
{
    const dpi_place place = place_of(in, key);

    if (!json_is_integer(value))
        return dpi_fail_at(in->error, DP_E_FORMAT, &place, "is not an integer");
    const int64_t id = json_integer_value(value);
    if (id < -1 || id >= in->config->vocab)
        return dpi_fail_at(in->error, DP_E_FORMAT, &place, "token %lld is outside the vocabulary of %d",
                           (long long)id, in->config->vocab);
    *out = (int32_t)id;
    return DP_OK;
}

// A token id, the first of a list, or -1 for none.
static int read_id(const reader *in, const char *key, int32_t *out)
{
    const json_t *value = present(in->root, key);
    int32_t other = 0;
    int rc = DP_OK;

    *out = -1;
    if (!json_is_array(value))
        return value ? read_one_id(in, key, value, out) : DP_OK;
    for (size_t i = 0; !rc && i < json_array_size(value); i++)
        rc = read_one_id(in, key, json_array_get(value, i), i ? &other : out);
    return rc;
}

static int read_positive(const reader *in, const json_t *object, const char *key, int required, double *out)
{
    const dpi_place place = place_of(in, key);
    double value = *out;
    const int rc = dpi_json_real(object, key, required, &value, in->name, in->error);

    if (rc)
        return rc;
    if (!(value > 0))
        return dpi_fail_at(in->error, DP_E_FORMAT, &place, "is %g, expected more than 0", value);
    *out = value;
    return DP_OK;
}

static int read_llama3(const reader *in, const json_t *rope)
{
    dpi_config *config = in->config;
    const dpi_place place = place_of(in, "high_freq_factor");
    int64_t original = 0;
    int rc = read_positive(in, rope, "low_freq_factor", 1, &config->rope_low);

    if (!rc)
        rc = read_positive(in, rope, "high_freq_factor", 1, &config->rope_high);
    if (!rc)
        rc =
            dpi_json_int(rope, "original_max_position_embeddings", 1, 1, INT32_MAX, &original, in->name, in->error);
    if (rc)
        return rc;
    if (!(config->rope_high > config->rope_low))
        return dpi_fail_at(in->error, DP_E_FORMAT, &place, "is %g, not more than low_freq_factor, %g",
                           config->rope_high, config->rope_low);
    config->rope_original = (int32_t)original;
    config->rope_kind = DPI_ROPE_LLAMA3;
    return DP_OK;
}

static int refuse_scaling(const reader *in, const char *key, const char *kind)
{
    static const struct {
        const char *kind, *reason;
    } known[] = {
        {"dynamic", "its frequencies change with the length of the sequence"},
        {"yarn", "it blends frequencies and scales attention"},
        {"longrope", "it has one set of divisors for short and one for long sequences"},
        {"su", "it has one set of divisors for short and one for long sequences"},
        {"mrope", "it places text among images"},
    };
    const char *reason = "it is not known";
    const dpi_place place = place_of(in, key);

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(kind, known[i].kind) == 0)
            reason = known[i].reason;
    return dpi_fail_at(in->error, DP_E_UNSUPPORTED, &place,
                       "rope scaling \"%.60s\" is not computed: %s; default, linear and llama3 are", kind, reason);
}

static int read_scaling(const reader *in, const json_t *rope, const char *key)
{
    const dpi_place place = place_of(in, key);
    const char *kind = NULL;
    int rc = dpi_json_string(rope, "rope_type", 0, &kind, in->name, in->error);

    if (!rc && !kind)
        rc = dpi_json_string(rope, "type", 0, &kind, in->name, in->error);
    if (rc)
        return rc;
    if (!kind && present(rope, "factor"))
        return dpi_fail_at(in->error, DP_E_FORMAT, &place, "has a factor but no \"rope_type\"");
    if (!kind || strcmp(kind, "default") == 0)
        return DP_OK;
    const int linear = strcmp(kind, "linear") == 0;
    if (!linear && strcmp(kind, "llama3") != 0)
        return refuse_scaling(in, key, kind);
    rc = read_positive(in, rope, "factor", 1, &in->config->rope_factor);
    if (rc || !linear)
        return rc ? rc : read_llama3(in, rope);
    in->config->rope_kind = DPI_ROPE_LINEAR;
    return DP_OK;
}

// The old spelling has rope_theta beside rope_scaling, the new one has both in rope_parameters.
static int read_rope(const reader *in)
{
    const char *key = present(in->root, "rope_parameters") ? "rope_parameters" : "rope_scaling";
    const json_t *rope = present(in->root, key);
    const dpi_place place = place_of(in, key);
    double whole = 1;
    int rc = read_positive(in, in->root, "rope_theta", 0, &in->config->rope_base);

    if (!rc)
        rc = read_positive(in, in->root, "partial_rotary_factor", 0, &whole);
    if (rc)
        return rc;
    if (rope && !json_is_object(rope))
        return dpi_fail_at(in->error, DP_E_FORMAT, &place, "is not an object");
    if (rope)
        rc = read_positive(in, rope, "rope_theta", 0, &in->config->rope_base);
    if (rope && !rc)
        rc = read_positive(in, rope, "partial_rotary_factor", 0, &whole);
    if (!rc && whole != 1)
        return refuse(in, "partial_rotary_factor", "rope over a part of a head is not computed");
    return rc || !rope ? rc : read_scaling(in, rope, key);
}

static int check_activation(const reader *in)
{
    const dpi_place place = place_of(in, "hidden_act");
    const char *activation = "silu";
    const int rc = dpi_json_string(in->root, place.item, 0, &activation, in->name, in->error);

    if (rc || strcmp(activation, "silu") == 0)
        return rc;
    return dpi_fail_at(in->error, DP_E_UNSUPPORTED, &place, "activation \"%.60s\" is not computed, only silu is",
                       activation);
}

// Which bias vectors a block has.  A family that always has them does not look at attention_bias.
static int read_biases(const reader *in)
{
    int attention = 0, mlp = 0;
    int rc = dpi_json_bool(in->root, "attention_bias", 0, &attention, in->name, in->error);

    if (!rc)
        rc = dpi_json_bool(in->root, "mlp_bias", 0, &mlp, in->name, in->error);
    if (rc)
        return rc;
    if (mlp)
        return refuse(in, "mlp_bias", "bias vectors of the MLP are not computed");
    if (attention && in->family->biases == DPI_BIASES_NONE)
        return refuse(in, "attention_bias", "this family has no bias vectors");
    in->config->slots = in->family->biases == DPI_BIASES_QKV ? DPI_BIAS_O
                        : attention                           ? DPI_BLOCK_WEIGHTS
                                                              : DPI_BIAS_Q;
    return DP_OK;
}

// A window as long as the context leaves attention as it is.
static int check_window(const reader *in)
{
    const dpi_place place = place_of(in, "sliding_window");
    int on = 1;
    int64_t window = json_object_get(in->root, place.item) ? INT64_MAX : in->family->window;
    int rc = DP_OK;

    if (in->family->window_switch) {
        on = 0;
        rc = dpi_json_bool(in->root, in->family->window_switch, 0, &on, in->name, in->error);
    }
    if (rc || !on || !in->family->window)
        return rc;
    rc = dpi_json_int(in->root, place.item, 0, 1, INT64_MAX, &window, in->name, in->error);
    if (rc || window >= in->config->context)
        return rc;
    return dpi_fail_at(in->error, DP_E_UNSUPPORTED, &place,
                       "attention within a window of %lld tokens of a context of %d is not computed",
                       (long long)window, in->config->context);
}

// Members that would change the mathematics.
static int check_unread(const reader *in)
{
    static const char *const experts[] = {"num_local_experts", "num_experts", "n_routed_experts"};
    const json_t *quantized = present(in->root, "quantization_config");
    const char *method = json_string_value(json_object_get(quantized, "quant_method"));
    const dpi_place place = place_of(in, "quantization_config");

    for (int i = 0; i < 3; i++) {
        int64_t count = 0;
        const int rc = dpi_json_int(in->root, experts[i], 0, 0, INT64_MAX, &count, in->name, in->error);
        if (rc)
            return rc;
        if (count > 1)
            return refuse(in, experts[i], "mixtures of experts are not computed");
    }
    if (quantized)
        return dpi_fail_at(in->error, DP_E_UNSUPPORTED, &place,
                           "a checkpoint quantized by \"%.60s\" is not read; GGUF's element types are",
                           method ? method : "an unnamed method");
    return DP_OK;
}

// For models whose weights are not opened; the weights say their own.
static int read_type(const reader *in)
{
    static const struct {
        const char *name;
        int32_t type;
    } types[] = {{"float32", DP_F32}, {"float16", DP_F16}, {"bfloat16", DP_BF16}};
    const json_t *named = present(in->root, "dtype") ? present(in->root, "dtype") : present(in->root, "torch_dtype");
    const char *name = json_string_value(named);

    in->config->type = named ? -1 : DP_F32;
    for (size_t i = 0; name && i < sizeof types / sizeof *types; i++)
        if (strcmp(name, types[i].name) == 0)
            in->config->type = types[i].type;
    return DP_OK;
}

// Every layer must be of the one kind that is computed.
static int check_layers(const reader *in)
{
    const json_t *layers = present(in->root, "layer_types");
    const size_t count = json_array_size(layers);
    const dpi_place place = place_of(in, "layer_types");

    if (!layers)
        return DP_OK;
    if (!json_is_array(layers) || count != (size_t)in->config->blocks)
        return dpi_fail_at(in->error, DP_E_FORMAT, &place, "is not a list of %d layers", in->config->blocks);
    for (size_t i = 0; i < count; i++) {
        const char *kind = json_string_value(json_array_get(layers, i));
        if (!kind || strcmp(kind, "full_attention") != 0)
            return dpi_fail_at(in->error, DP_E_UNSUPPORTED, &place,
                               "layer %zu is \"%.60s\", only full_attention is computed", i, kind ? kind : "");
    }
    return DP_OK;
}

static int read_all(reader *in)
{
    static const dpi_config_keys keys = {"hidden_size", "num_attention_heads", "num_key_value_heads", "head_dim"};
    dpi_config *config = in->config;
    int rc = read_class(in);

    if (rc)
        return rc;
    memcpy(config->architecture, in->family->name, strlen(in->family->name));
    config->context = in->family->context;
    config->rope_base = in->family->rope_base;
    config->epsilon = in->family->epsilon;
    int (*const steps[])(const reader *) = {read_sizes,  check_activation, read_biases,  check_unread, read_rope,
                                            check_window, check_layers,     read_type};
    for (size_t i = 0; !rc && i < sizeof steps / sizeof *steps; i++)
        rc = steps[i](in);
    if (!rc)
        rc = read_positive(in, in->root, "rms_norm_eps", 0, &config->epsilon);
    if (!rc)
        rc = dpi_json_bool(in->root, "tie_word_embeddings", 0, &config->tied, in->name, in->error);
    if (!rc)
        rc = read_id(in, "bos_token_id", &config->bos);
    if (!rc)
        rc = read_id(in, "eos_token_id", &config->eos);
    if (!rc)
        rc = read_id(in, "pad_token_id", &config->pad);
    return rc ? rc : dpi_config_settle(config, &keys, in->name, in->error);
}

int dpi_config_from_hf(dpi_config *out, const dpi_family **family, const char *text, size_t size, const char *name,
                       dp_error *error)
{
    const dpi_place start = {.file = name, .offset = 0, .line = 1, .column = 1};
    json_t *root = NULL;
    dpi_config config = {.blocks = 0};
    int rc = dpi_json_parse(&root, text, size, name, error);

    if (rc)
        return rc;
    reader in = {.root = root, .name = name, .error = error, .config = &config};
    rc = json_is_object(root) ? read_all(&in)
                              : dpi_fail_at(error, DP_E_FORMAT, &start, "the configuration is not an object");
    if (rc && error && !error->line && error->item[0])
        error->line = dpi_member_line(text, size, error->item);
    json_decref(root);
    if (rc)
        return rc;
    *out = config;
    *family = in.family;
    return DP_OK;
}
