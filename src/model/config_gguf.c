// A GGUF file's keys: "llama." ones of any integer width, per-block arrays where they are uniform.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "io/bytes.h"
#include "io/gguf_parse.h"
#include "model/names.h"
#include "model/parse.h"

enum { KEY_SIZE = 96 };

typedef struct reader {
    const dpi_gguf *file;
    const dpi_family *family;
    dpi_config *config;
    dp_error *error;
} reader;

static void write_key(const reader *in, const char *what, char out[KEY_SIZE])
{
    snprintf(out, KEY_SIZE, "%s.%s", in->family->gguf, what);
}

static int refuse(const reader *in, const char *key, const char *what)
{
    const dpi_place place = {.file = in->file->name, .item = key, .offset = -1};

    return dpi_fail_at(in->error, DP_E_UNSUPPORTED, &place, "%s", what);
}

// A llama may have bias vectors: those of the first block say which, and all blocks must have the same.
static void read_biases(const reader *in)
{
    int32_t block, slots = in->family->biases == DPI_BIASES_QKV ? DPI_BIAS_O : DPI_BIAS_Q;

    for (size_t i = 0; in->family->biases == DPI_BIASES_ASKED && i < in->file->tensor_count; i++) {
        const int32_t slot = dpi_name_read(DP_FORMAT_GGUF, in->file->tensors[i].name, &block);
        if (block == 0 && slot == DPI_BIAS_O)
            slots = DPI_BLOCK_WEIGHTS;
        if (block == 0 && slot >= DPI_BIAS_Q && slot < DPI_BIAS_O && slots < DPI_BIAS_O)
            slots = DPI_BIAS_O;
    }
    in->config->slots = slots;
}

// Element `index` of an array of integers; 0 when it is of another type.
static int element(const dpi_gguf_entry *entry, uint64_t index, int64_t *out)
{
    const int width = dpi_gguf_width(entry->element);
    const uint64_t raw = width > 0 ? dpi_le_read(entry->data + index * (uint64_t)width, width) : 0;

    *out = (int64_t)raw;
    switch (entry->element) {
    case DPI_GGUF_I8:
        *out = (int8_t)raw;
        return 1;
    case DPI_GGUF_I16:
        *out = (int16_t)raw;
        return 1;
    case DPI_GGUF_I32:
        *out = (int32_t)raw;
        return 1;
    case DPI_GGUF_U8:
    case DPI_GGUF_U16:
    case DPI_GGUF_U32:
    case DPI_GGUF_U64:
    case DPI_GGUF_I64:
        return 1;
    default:
        return 0;
    }
}

static int read_uniform(const reader *in, const char *key, const dpi_gguf_entry *entry, int64_t *out)
{
    const dpi_place place = {.file = in->file->name, .item = key, .offset = (int64_t)entry->offset};
    int64_t value;

    if (entry->count != (uint64_t)in->config->blocks)
        return dpi_fail_at(in->error, DP_E_FORMAT, &place, "has %llu elements for %d blocks",
                           (unsigned long long)entry->count, in->config->blocks);
    for (uint64_t i = 0; i < entry->count; i++) {
        if (!element(entry, i, &value))
            return dpi_fail_at(in->error, DP_E_FORMAT, &place, "is not an array of integers");
        if (i == 0)
            *out = value;
        if (value != *out)
            return dpi_fail_at(in->error, DP_E_UNSUPPORTED, &place,
                               "differs between blocks (%lld and %lld), which is not computed", (long long)*out,
                               (long long)value);
    }
    return DP_OK;
}

static int read_size(const reader *in, const char *what, int required, int32_t most, int32_t *out)
{
    char key[KEY_SIZE];
    int64_t value = 0;
    int rc;

    write_key(in, what, key);
    const dpi_gguf_entry *entry = dpi_gguf_find(in->file, key);
    if (!entry || entry->type != DPI_GGUF_ARRAY) {
        rc = dpi_gguf_int(in->file, key, required, 1, most, &value, in->error);
    } else {
        const dpi_place place = {.file = in->file->name, .item = key, .offset = (int64_t)entry->offset};
        rc = read_uniform(in, key, entry, &value);
        if (!rc && (value < 1 || value > most))
            rc = dpi_fail_at(in->error, DP_E_FORMAT, &place, "is %lld, expected 1 to %d", (long long)value, most);
    }
    if (!rc && value)
        *out = (int32_t)value;
    return rc;
}

static int read_sizes(const reader *in)
{
    dpi_config *config = in->config;
    const struct {
        const char *what;
        int32_t required, most;
        int32_t *out;
    } fields[] = {
        {"block_count", 1, DPI_MOST_BLOCKS, &config->blocks},
        {"embedding_length", 1, DPI_MOST_WIDTH, &config->hidden},
        {"attention.head_count", 1, DPI_MOST_HEADS, &config->heads},
        {"attention.head_count_kv", 0, DPI_MOST_HEADS, &config->kv_heads},
        {"attention.key_length", 0, DPI_MOST_WIDTH, &config->head_dim},
        {"feed_forward_length", 1, DPI_MOST_INNER, &config->ffn},
        {"context_length", 1, INT32_MAX, &config->context},
    };
    int rc = DP_OK;

    for (size_t i = 0; !rc && i < sizeof fields / sizeof *fields; i++)
        rc = read_size(in, fields[i].what, fields[i].required, fields[i].most, fields[i].out);
    return rc;
}

// A number that must repeat what another key said.
static int read_same(const reader *in, const char *what, int32_t wanted)
{
    char key[KEY_SIZE];
    int32_t value = wanted;
    const int rc = read_size(in, what, 0, INT32_MAX, &value);

    if (rc || value == wanted)
        return rc;
    write_key(in, what, key);
    const dpi_place place = {.file = in->file->name, .item = key, .offset = -1};
    return dpi_fail_at(in->error, DP_E_FORMAT, &place, "is %d, but the rest of the file says %d", value, wanted);
}

// The shortest decimal that the f32 stands for, so that 1e-5 stays 1e-5 in double.
static double as_written(double value)
{
    for (int digits = 1; digits < 9; digits++) {
        const int exponent = (int)floor(log10(value)) + 1 - digits;
        const double power = pow(10, exponent < 0 ? -exponent : exponent);
        const double rounded = exponent < 0 ? round(value * power) / power : round(value / power) * power;
        if ((float)rounded == (float)value)
            return rounded;
    }
    return value;
}

static int read_positive(const reader *in, const char *what, int required, double *out)
{
    char key[KEY_SIZE];
    double value = 0;

    write_key(in, what, key);
    const dpi_gguf_entry *entry = dpi_gguf_find(in->file, key);
    const int rc = dpi_gguf_real(in->file, key, required, &value, in->error);
    if (rc || !entry)
        return rc;
    const dpi_place place = {.file = in->file->name, .item = key, .offset = (int64_t)entry->offset};
    if (!(value > 0) || !isfinite(value))
        return dpi_fail_at(in->error, DP_E_FORMAT, &place, "is %g, expected more than 0", value);
    *out = as_written(value);
    return DP_OK;
}

static int read_scaling(const reader *in)
{
    char key[KEY_SIZE];
    const char *kind = "linear"; // the format's default; without a factor it does nothing
    size_t size = 6;

    write_key(in, "rope.scaling.type", key);
    int rc = dpi_gguf_string(in->file, key, 0, &kind, &size, in->error);
    if (rc || (size == 4 && memcmp(kind, "none", 4) == 0))
        return rc;
    if (!(size == 6 && memcmp(kind, "linear", 6) == 0)) {
        const dpi_place place = {.file = in->file->name, .item = key, .offset = -1};
        return dpi_fail_at(in->error, DP_E_UNSUPPORTED, &place,
                           "rope scaling \"%.*s\" is not computed; none, linear and llama3 are",
                           (int)(size < 60 ? size : 60), kind);
    }
    rc = read_positive(in, "rope.scale_linear", 0, &in->config->rope_factor);
    if (!rc)
        rc = read_positive(in, "rope.scaling.factor", 0, &in->config->rope_factor);
    if (!rc && in->config->rope_factor > 0)
        in->config->rope_kind = DPI_ROPE_LINEAR;
    return rc;
}

static int read_id(const reader *in, const char *key, int32_t *out)
{
    int64_t value = -1;
    const int rc = dpi_gguf_int(in->file, key, 0, -1, UINT32_MAX, &value, in->error);

    *out = value > INT32_MAX ? -1 : (int32_t)value; // 2^32 - 1 is "none" in some files
    return rc;
}

static int read_vocabulary(const reader *in)
{
    const dpi_place place = {.file = in->file->name, .item = "token_embd.weight", .offset = -1};
    const dpi_gguf_entry *tokens = dpi_gguf_find(in->file, "tokenizer.ggml.tokens");
    int64_t rows = 0;

    for (size_t i = 0; i < in->file->tensor_count && !rows; i++)
        if (strcmp(in->file->tensors[i].name, place.item) == 0)
            rows = dpi_tensor_rows(&in->file->tensors[i]);
    if (rows < 1)
        return dpi_fail_at(in->error, DP_E_FORMAT, &place, "the tensor is missing");
    if (rows > DPI_MOST_INNER)
        return dpi_fail_at(in->error, DP_E_FORMAT, &place, "has %lld rows, at most %d are read", (long long)rows,
                           DPI_MOST_INNER);
    in->config->vocab = (int32_t)rows;
    if (tokens && tokens->type == DPI_GGUF_ARRAY && tokens->count > (uint64_t)rows)
        return dpi_fail_at(in->error, DP_E_FORMAT, &place, "has %lld rows for %llu tokens", (long long)rows,
                           (unsigned long long)tokens->count);
    return read_same(in, "vocab_size", in->config->vocab);
}

static int check_unread(const reader *in)
{
    const char *type = "model";
    size_t size = 5;
    int64_t experts = 0;
    int causal = 1;
    char key[KEY_SIZE];
    int rc = dpi_gguf_string(in->file, "general.type", 0, &type, &size, in->error);

    if (!rc && !(size == 5 && memcmp(type, "model", 5) == 0))
        return refuse(in, "general.type", "the file does not hold a model");
    write_key(in, "expert_count", key);
    if (!rc)
        rc = dpi_gguf_int(in->file, key, 0, 0, INT32_MAX, &experts, in->error);
    if (!rc && experts > 0)
        return refuse(in, key, "mixtures of experts are not computed");
    write_key(in, "attention.causal", key);
    if (!rc)
        rc = dpi_gguf_bool(in->file, key, 0, &causal, in->error);
    return rc || causal ? rc : refuse(in, key, "attention to later tokens is not computed");
}

static int read_rest(const reader *in)
{
    static const dpi_config_keys keys = {"embedding_length", "attention.head_count", "attention.head_count_kv",
                                         "attention.key_length"};
    dpi_config *config = in->config;
    int rc = read_positive(in, "attention.layer_norm_rms_epsilon", 1, &config->epsilon);

    if (!rc)
        rc = read_positive(in, "rope.freq_base", 0, &config->rope_base);
    if (!rc)
        rc = read_scaling(in);
    if (!rc)
        rc = read_id(in, "tokenizer.ggml.bos_token_id", &config->bos);
    if (!rc)
        rc = read_id(in, "tokenizer.ggml.eos_token_id", &config->eos);
    if (!rc)
        rc = read_id(in, "tokenizer.ggml.padding_token_id", &config->pad);
    if (!rc)
        rc = dpi_config_settle(config, &keys, in->file->name, in->error);
    if (!rc)
        rc = read_same(in, "rope.dimension_count", config->head_dim);
    return rc ? rc : read_same(in, "attention.value_length", config->head_dim);
}

int dpi_config_from_gguf(dpi_config *out, const dpi_family **family, const dpi_gguf *file, dp_error *error)
{
    const char *name;
    size_t size;
    dpi_config config = {.blocks = 0};
    reader in = {.file = file, .config = &config, .error = error};
    int rc = dpi_gguf_string(file, "general.architecture", 1, &name, &size, error);

    if (!rc)
        rc = dpi_family_of_gguf(&in.family, name, size, file->name, error);
    if (rc)
        return rc;
    memcpy(config.architecture, in.family->name, strlen(in.family->name));
    config.rope_base = in.family->rope_base;
    config.interleaved = in.family->permuted;
    read_biases(&in);
    rc = check_unread(&in);
    if (!rc)
        rc = read_sizes(&in);
    if (!rc)
        rc = read_vocabulary(&in);
    if (!rc)
        rc = read_rest(&in);
    if (rc)
        return rc;
    *out = config;
    *family = in.family;
    return DP_OK;
}
