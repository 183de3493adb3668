// The table of weight names: a slot is one line here.
#include "model/names.h"

#include <stdio.h>
#include <string.h>

typedef struct pair {
    const char *hf, *gguf; // of a block: what follows its prefix
} pair;

static const pair names[DPI_SLOTS] = {
    [DPI_NORM_1] = {"input_layernorm.weight", "attn_norm.weight"},
    [DPI_Q] = {"self_attn.q_proj.weight", "attn_q.weight"},
    [DPI_K] = {"self_attn.k_proj.weight", "attn_k.weight"},
    [DPI_V] = {"self_attn.v_proj.weight", "attn_v.weight"},
    [DPI_O] = {"self_attn.o_proj.weight", "attn_output.weight"},
    [DPI_NORM_2] = {"post_attention_layernorm.weight", "ffn_norm.weight"},
    [DPI_GATE] = {"mlp.gate_proj.weight", "ffn_gate.weight"},
    [DPI_UP] = {"mlp.up_proj.weight", "ffn_up.weight"},
    [DPI_DOWN] = {"mlp.down_proj.weight", "ffn_down.weight"},
    [DPI_BIAS_Q] = {"self_attn.q_proj.bias", "attn_q.bias"},
    [DPI_BIAS_K] = {"self_attn.k_proj.bias", "attn_k.bias"},
    [DPI_BIAS_V] = {"self_attn.v_proj.bias", "attn_v.bias"},
    [DPI_BIAS_O] = {"self_attn.o_proj.bias", "attn_output.bias"},
    [DPI_EMBEDDING] = {"model.embed_tokens.weight", "token_embd.weight"},
    [DPI_LAST_NORM] = {"model.norm.weight", "output_norm.weight"},
    [DPI_HEAD] = {"lm_head.weight", "output.weight"},
    [DPI_ROPE_FACTORS] = {"", "rope_freqs.weight"},
};

static const char *const prefixes[] = {[DP_FORMAT_HF] = "model.layers.", [DP_FORMAT_GGUF] = "blk."};

static const char *name_of(int32_t format, int32_t slot)
{
    return format == DP_FORMAT_HF ? names[slot].hf : names[slot].gguf;
}

void dpi_name_write(int32_t format, int32_t slot, int32_t block, char out[DPI_NAME_SIZE])
{
    if (slot < DPI_BLOCK_WEIGHTS)
        snprintf(out, DPI_NAME_SIZE, "%s%d.%s", prefixes[format], (int)block, name_of(format, slot));
    else
        snprintf(out, DPI_NAME_SIZE, "%s", name_of(format, slot));
}

// Decimal digits up to a dot, without leading zeros; NULL when there are none, else what follows the dot.
static const char *read_block(const char *text, int32_t *block)
{
    int64_t number = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9'; at++)
        if (number < INT32_MAX)
            number = number * 10 + (*at - '0');
    if (at == text || *at != '.' || (*text == '0' && at > text + 1))
        return NULL;
    *block = number < INT32_MAX ? (int32_t)number : INT32_MAX;
    return at + 1;
}

int32_t dpi_name_read(int32_t format, const char *name, int32_t *block)
{
    const size_t prefix = strlen(prefixes[format]);
    int32_t first = DPI_EMBEDDING, end = DPI_SLOTS;

    *block = -1;
    if (strncmp(name, prefixes[format], prefix) == 0) {
        name = read_block(name + prefix, block);
        first = DPI_NORM_1;
        end = DPI_BLOCK_WEIGHTS;
    }
    for (int32_t slot = first; name && *name && slot < end; slot++)
        if (strcmp(name, name_of(format, slot)) == 0)
            return slot;
    return -1;
}

int dpi_slot_is_matrix(int32_t slot)
{
    switch (slot) {
    case DPI_NORM_1:
    case DPI_NORM_2:
    case DPI_BIAS_Q:
    case DPI_BIAS_K:
    case DPI_BIAS_V:
    case DPI_BIAS_O:
    case DPI_LAST_NORM:
    case DPI_ROPE_FACTORS:
        return 0;
    default:
        return 1;
    }
}

// Output width by input width; a vector has only the first.
int32_t dpi_slot_shape(const dpi_config *config, int32_t slot, int64_t shape[2])
{
    const int64_t query = (int64_t)config->heads * config->head_dim;
    const int64_t key = (int64_t)config->kv_heads * config->head_dim;
    const int64_t hidden = config->hidden;
    const int64_t outputs[DPI_SLOTS] = {
        [DPI_NORM_1] = hidden,
        [DPI_NORM_2] = hidden,
        [DPI_LAST_NORM] = hidden,
        [DPI_Q] = query,
        [DPI_BIAS_Q] = query,
        [DPI_O] = hidden,
        [DPI_BIAS_O] = hidden,
        [DPI_K] = key,
        [DPI_BIAS_K] = key,
        [DPI_V] = key,
        [DPI_BIAS_V] = key,
        [DPI_GATE] = config->ffn,
        [DPI_UP] = config->ffn,
        [DPI_DOWN] = hidden,
        [DPI_EMBEDDING] = config->vocab,
        [DPI_HEAD] = config->vocab,
        [DPI_ROPE_FACTORS] = config->head_dim / 2,
    };

    shape[0] = outputs[slot];
    shape[1] = slot == DPI_O ? query : slot == DPI_DOWN ? config->ffn : hidden;
    return dpi_slot_is_matrix(slot) ? 2 : 1;
}
