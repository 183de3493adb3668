// Content hash: SHA-256 over a canonical listing: the numbers of the configuration, then of each weight in public
// order a line with its Hugging Face name, type and shape, and its bytes.
#include <string.h>

#include "base/error.h"
#include "base/sha256.h"
#include "base/text.h"
#include "model/count.h"
#include "model/names.h"

enum { CHUNK = 4 << 20 };

// A line for each number that changes what the model computes.
static int write_config(const dpi_config *config, dpi_text *text, dp_error *error)
{
    const struct {
        const char *key;
        int32_t value;
    } whole[] = {
        {"blocks", config->blocks},       {"hidden", config->hidden},
        {"heads", config->heads},         {"kv_heads", config->kv_heads},
        {"head_dim", config->head_dim},   {"ffn", config->ffn},
        {"vocab", config->vocab},         {"context", config->context},
        {"tied", config->tied},           {"interleaved", config->interleaved},
        {"rope_kind", config->rope_kind}, {"rope_original", config->rope_original},
    };
    const struct {
        const char *key;
        double value;
    } real[] = {
        {"epsilon", config->epsilon},   {"rope_base", config->rope_base}, {"rope_factor", config->rope_factor},
        {"rope_low", config->rope_low}, {"rope_high", config->rope_high},
    };
    char digits[32];
    int rc = dpi_text_format(text, error, "depthprune.model/1\narchitecture %s\n", config->architecture);

    for (size_t i = 0; !rc && i < sizeof whole / sizeof *whole; i++)
        rc = dpi_text_format(text, error, "%s %d\n", whole[i].key, whole[i].value);
    for (size_t i = 0; !rc && i < sizeof real / sizeof *real; i++) {
        dpi_format_double(real[i].value, digits);
        rc = dpi_text_format(text, error, "%s %s\n", real[i].key, digits);
    }
    return rc;
}

static int add_weight(dpi_sha256 *hash, const dp_model *model, size_t index, dpi_watch *watch, dp_error *error)
{
    dpi_text line = {.memory = &model->context->memory};
    char name[DPI_NAME_SIZE];
    int32_t slot, block;
    const dpi_tensor *tensor = dpi_model_weight_at(model, index, &slot, &block);

    dpi_name_write(DP_FORMAT_HF, slot, block, name);
    int rc = dpi_model_check_file(tensor, error);
    if (!rc)
        rc = dpi_text_format(&line, error, "%s %s %lld %lld\n", name, dp_type_name(tensor->type),
                             (long long)dpi_tensor_rows(tensor), (long long)dpi_tensor_columns(tensor));
    if (!rc)
        dpi_sha256_add(hash, line.data, line.size);
    dpi_text_clear(&line);
    for (uint64_t at = 0; !rc && at < tensor->bytes; at += CHUNK) {
        const uint64_t left = tensor->bytes - at, size = left < CHUNK ? left : CHUNK;
        dpi_sha256_add(hash, tensor->data + at, (size_t)size);
        rc = dpi_watch_advance(watch, size, error);
    }
    return rc;
}

static int compute(const dp_model *model, dpi_watch *watch, char digest[65], dp_error *error)
{
    dpi_text text = {.memory = &model->context->memory};
    dpi_sha256 hash;
    int rc = write_config(&model->config, &text, error);

    dpi_sha256_begin(&hash);
    if (!rc)
        dpi_sha256_add(&hash, text.data, text.size);
    dpi_text_clear(&text);
    const size_t count = dp_model_weight_count(model);
    for (size_t i = 0; !rc && i < count; i++)
        rc = add_weight(&hash, model, i, watch, error);
    if (!rc)
        dpi_sha256_end(&hash, digest);
    return rc;
}

static int remembered(dp_model *model, char digest[65])
{
    pthread_mutex_lock(&model->digest_turn);
    memcpy(digest, model->digest, 65);
    pthread_mutex_unlock(&model->digest_turn);
    return digest[0] != 0;
}

// The lock is not held while hashing, for the monitor's callback may come back here; two threads that ask at once
// both hash.
int dp_model_digest(dp_model *model, const dp_monitor *monitor, char text[65], dp_error *error)
{
    dpi_watch watch;
    char digest[65];
    uint64_t parameters, bytes;

    if (!model || !text)
        return dpi_fail(error, DP_E_ARGUMENT, "model and text must not be NULL");
    int rc = dpi_model_needs_weights(model, error);
    if (!rc)
        rc = dpi_watch_open(&watch, monitor, error);
    if (!rc && !remembered(model, digest)) {
        dpi_model_count(model, &parameters, &bytes);
        dpi_watch_begin(&watch, "digest", bytes);
        rc = compute(model, &watch, digest, error);
        if (rc)
            return rc;
        pthread_mutex_lock(&model->digest_turn);
        memcpy(model->digest, digest, sizeof model->digest);
        pthread_mutex_unlock(&model->digest_turn);
    }
    if (!rc)
        memcpy(text, digest, sizeof digest);
    return rc;
}
