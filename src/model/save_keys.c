// The keys of a GGUF file out: the source's, copied but for what pruning changes, or made from a Hugging Face
// configuration; then where the model came from.
#include <depthprune/version.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "model/save.h"
#include "text/export.h"

enum { KEY_SIZE = 96 };

typedef struct keys {
    const dpi_save *save;
    dpi_gguf_out *out;
    dp_error *error;
    int rc;
} keys;

static void put_u32(keys *k, const char *what, uint32_t value)
{
    char key[KEY_SIZE];

    snprintf(key, sizeof key, "%s.%s", k->save->model->source->family->gguf, what);
    if (!k->rc)
        k->rc = dpi_gguf_put_u32(k->out, key, value, k->error);
}

static void put_f32(keys *k, const char *what, double value)
{
    char key[KEY_SIZE];

    snprintf(key, sizeof key, "%s.%s", k->save->model->source->family->gguf, what);
    if (!k->rc)
        k->rc = dpi_gguf_put_f32(k->out, key, (float)value, k->error);
}

static void put_text(keys *k, const char *key, const char *value)
{
    if (!k->rc)
        k->rc = dpi_gguf_put_string(k->out, key, value, strlen(value), k->error);
}

enum { QUANTIZATION_VERSION = 2 }; // of the block types, as llama.cpp counts

// general.file_type by the type of most matrices; types without one keep what the source says.
static int put_file_type(keys *k)
{
    static const int8_t numbers[] = {[DP_F32] = 0,   [DP_F16] = 1,   [DP_Q4_0] = 2,  [DP_Q4_1] = 3,  [DP_Q8_0] = 7,
                                     [DP_Q5_0] = 8,  [DP_Q5_1] = 9,  [DP_Q2_K] = 10, [DP_Q3_K] = 11, [DP_Q4_K] = 14,
                                     [DP_Q5_K] = 16, [DP_Q6_K] = 18, [DP_BF16] = 32};
    const int32_t type = k->save->matrix_type;

    if (!k->rc && (k->save->type >= 0 || k->save->model->source->format == DP_FORMAT_HF))
        k->rc = dpi_gguf_put_u32(k->out, "general.file_type", (uint32_t)numbers[type], k->error);
    if (!k->rc && k->save->model->source->format == DP_FORMAT_HF)
        k->rc = dpi_gguf_put_u32(k->out, "general.quantization_version", QUANTIZATION_VERSION, k->error);
    return k->rc;
}

static int put_config(keys *k)
{
    const dpi_config *config = &k->save->model->config;

    put_text(k, "general.architecture", k->save->model->source->family->gguf);
    put_text(k, "general.type", "model");
    put_u32(k, "block_count", (uint32_t)config->blocks);
    put_u32(k, "context_length", (uint32_t)config->context);
    put_u32(k, "embedding_length", (uint32_t)config->hidden);
    put_u32(k, "feed_forward_length", (uint32_t)config->ffn);
    put_u32(k, "attention.head_count", (uint32_t)config->heads);
    put_u32(k, "attention.head_count_kv", (uint32_t)config->kv_heads);
    put_u32(k, "attention.key_length", (uint32_t)config->head_dim);
    put_u32(k, "attention.value_length", (uint32_t)config->head_dim);
    put_f32(k, "attention.layer_norm_rms_epsilon", config->epsilon);
    put_u32(k, "rope.dimension_count", (uint32_t)config->head_dim);
    put_f32(k, "rope.freq_base", config->rope_base);
    put_u32(k, "vocab_size", (uint32_t)config->vocab);
    if (config->rope_kind == DPI_ROPE_LINEAR) {
        char key[KEY_SIZE];
        snprintf(key, sizeof key, "%s.rope.scaling.type", k->save->model->source->family->gguf);
        put_text(k, key, "linear");
        put_f32(k, "rope.scaling.factor", config->rope_factor);
    }
    return k->rc;
}

// Readers want a kind even where there is no vocabulary.
static int put_no_tokenizer(keys *k)
{
    const dpi_source *source = k->save->model->source;
    const struct {
        const char *key;
        int32_t id;
    } ids[] = {{"tokenizer.ggml.bos_token_id", source->config.bos},
               {"tokenizer.ggml.eos_token_id", source->config.eos},
               {"tokenizer.ggml.padding_token_id", source->config.pad}};

    put_text(k, "tokenizer.ggml.model", "none");
    for (int i = 0; !k->rc && i < 3; i++)
        if (ids[i].id >= 0)
            k->rc = dpi_gguf_put_u32(k->out, ids[i].key, (uint32_t)ids[i].id, k->error);
    return k->rc;
}

static int put_tokenizer(keys *k)
{
    if (!k->save->tokenizer)
        return put_no_tokenizer(k);
    return k->rc = dpi_tokenizer_to_gguf(k->save->tokenizer, k->save->model->config.vocab, k->out, k->error);
}

static int put_slice(keys *k, const dpi_gguf_entry *entry, const char *key)
{
    const dp_model *model = k->save->model;
    dpi_memory *memory = &model->context->memory;
    const size_t width = (size_t)(entry->bytes / entry->count), count = (size_t)model->config.blocks;
    unsigned char *kept = dpi_alloc_raw(memory, count, width, k->error);

    if (!kept)
        return k->rc = DP_E_MEMORY;
    for (size_t i = 0; i < count; i++)
        memcpy(kept + i * width, entry->data + (size_t)model->blocks[i].origin * width, width);
    k->rc = dpi_gguf_put_array(k->out, key, entry->element, kept, count, k->error);
    dpi_free(memory, kept);
    dpi_log(model->context, DP_LOG_NOTE, "the list %s is cut to the kept blocks", key);
    return k->rc;
}

static int put_string_slice(keys *k, const dpi_gguf_entry *entry, const char *key)
{
    const dp_model *model = k->save->model;
    dpi_memory *memory = &model->context->memory;
    const size_t count = (size_t)model->config.blocks;
    const char **strings = dpi_alloc(memory, count, sizeof *strings, k->error);
    size_t *sizes = strings ? dpi_alloc(memory, count, sizeof *sizes, k->error) : NULL;
    const unsigned char *cursor = entry->data;
    size_t kept = 0;

    k->rc = sizes ? DP_OK : DP_E_MEMORY;
    for (uint64_t i = 0; sizes && kept < count && i < entry->count; i++) {
        dpi_gguf_next(&cursor, &strings[kept], &sizes[kept]);
        kept += (uint64_t)model->blocks[kept].origin == i;
    }
    if (!k->rc)
        k->rc = dpi_gguf_put_strings(k->out, key, strings, sizes, count, k->error);
    dpi_free(memory, sizes);
    dpi_free(memory, strings);
    return k->rc;
}

static int begins(const dpi_gguf_entry *entry, const char *text, size_t size)
{
    return entry->key_size >= size && memcmp(entry->key, text, size) == 0;
}

// Byte for byte, unless the value has one element a block or tells of an earlier pruning.
static int put_copied(keys *k, const dpi_gguf_entry *entry)
{
    static const char ours[] = "depthprune.";
    const dpi_source *source = k->save->model->source;
    const char *family = source->family->gguf;
    const size_t prefix = strlen(family);
    char key[KEY_SIZE];

    if (k->save->pruned && (begins(entry, ours, sizeof ours - 1) || dpi_general_replaced(entry)))
        return DP_OK;
    const int per_block = k->save->pruned && entry->type == DPI_GGUF_ARRAY && entry->count > 0 &&
                          entry->count == (uint64_t)source->config.blocks && begins(entry, family, prefix) &&
                          entry->key_size > prefix && entry->key[prefix] == '.' && entry->key_size < sizeof key;
    if (!per_block)
        return k->rc = dpi_gguf_put_entry(k->out, entry, k->error);
    memcpy(key, entry->key, entry->key_size);
    key[entry->key_size] = 0;
    return entry->element == DPI_GGUF_STRING ? put_string_slice(k, entry, key) : put_slice(k, entry, key);
}

static int put_source(keys *k)
{
    const dpi_gguf *file = k->save->model->source->gguf;

    for (size_t i = 0; !k->rc && i < file->entry_count; i++)
        put_copied(k, &file->entries[i]);
    put_u32(k, "block_count", (uint32_t)k->save->model->config.blocks);
    return k->rc;
}

static int put_provenance(keys *k)
{
    const dpi_save *save = k->save;
    dpi_memory *memory = &save->model->context->memory;
    int32_t *removed = dpi_alloc(memory, (size_t)save->model->source->config.blocks, sizeof *removed, k->error);

    if (!removed)
        return k->rc = DP_E_MEMORY;
    put_text(k, "depthprune.version", dp_version_text());
    const int32_t count = dpi_save_removed(save, removed);
    if (!k->rc && save->pruned)
        k->rc = dpi_gguf_put_array(k->out, "depthprune.removed", DPI_GGUF_I32, removed, (uint64_t)count, k->error);
    dpi_free(memory, removed);
    if (save->model->parent[0])
        put_text(k, "depthprune.parent", save->model->parent);
    if (!k->rc && save->plan.size)
        k->rc = dpi_gguf_put_string(k->out, "depthprune.plan", save->plan.data, save->plan.size, k->error);
    return k->rc;
}

int dpi_save_keys(const dpi_save *save, dpi_gguf_out *out, dp_error *error)
{
    keys k = {.save = save, .out = out, .error = error};

    if (save->model->source->gguf)
        put_source(&k);
    else if (!put_config(&k))
        put_tokenizer(&k);
    if (!k.rc)
        put_file_type(&k);
    if (!k.rc)
        k.rc = dpi_save_general(save, out, error);
    return k.rc ? k.rc : put_provenance(&k);
}
