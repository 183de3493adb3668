// A model of any stored type in the test's own arrays, in which any number can be made NaN or infinite.
#ifndef TEST_NN_ANY_TYPE_H
#define TEST_NN_ANY_TYPE_H

#include <depthprune/model_build.h>

#include "tensor/dtype.h"
#include "test/unit/nn/support.h"

enum {
    ANY_WIDTH = 256, // one super-block
    ANY_BLOCKS = 3,
    ANY_VOCAB = 32,
    ANY_WEIGHTS = 3 + 9 * ANY_BLOCKS,
    ANY_TYPES = 13,
    ANY_HEAD = ANY_WEIGHTS - 1,
    ANY_LAST_NORM = ANY_WEIGHTS - 2,
    ANY_EMBEDDING = 0
};

static const struct {
    int32_t type;
    int32_t scales[2]; // bytes of the f16 scales in a block, -1: none
} any_types[ANY_TYPES] = {{DP_F32, {-1, -1}},  {DP_F16, {-1, -1}},   {DP_BF16, {-1, -1}}, {DP_Q4_0, {0, -1}},
                          {DP_Q4_1, {0, 2}},   {DP_Q5_0, {0, -1}},   {DP_Q5_1, {0, 2}},   {DP_Q8_0, {0, -1}},
                          {DP_Q2_K, {80, 82}}, {DP_Q3_K, {108, -1}}, {DP_Q4_K, {0, 2}},   {DP_Q5_K, {0, 2}},
                          {DP_Q6_K, {208, -1}}};

typedef struct any_model {
    dp_weight weights[ANY_WEIGHTS]; // embedding, blocks, last norm, head
    char names[ANY_WEIGHTS][64];
    int kind; // of any_types
} any_model;

static inline int any_is_matrix(int weight)
{
    const int inside = (weight - 1) % 9;

    return weight == ANY_EMBEDDING || weight == ANY_HEAD || (weight != ANY_LAST_NORM && inside != 0 && inside != 5);
}

static inline void any_fill(any_model *m, int weight, uint32_t *random)
{
    dp_weight *w = &m->weights[weight];
    const dpi_dtype *type = dpi_dtype_of(w->type);
    const uint16_t scale = 0x1000; // 2^-11
    unsigned char *bytes = malloc(w->bytes);

    w->data = bytes;
    for (uint64_t i = 0; i < w->bytes; i++) {
        *random = *random * 1664525u + 1013904223u;
        bytes[i] = (unsigned char)(*random >> 24);
    }
    for (int64_t i = 0; type->block > 1 && i < w->rows * w->columns / type->block; i++)
        for (int s = 0; s < 2; s++)
            if (any_types[m->kind].scales[s] >= 0)
                memcpy(bytes + i * type->block_bytes + any_types[m->kind].scales[s], &scale, sizeof scale);
    for (int64_t i = 0; type->block == 1 && i < w->rows * w->columns; i++) {
        *random = *random * 1664525u + 1013904223u;
        const float value = any_is_matrix(weight) ? ((float)(*random >> 8) / 16777216.0f - 0.5f) * 0.2f : 1;
        dpi_from_f32(w->type, &value, 1, bytes + i * type->block_bytes);
    }
}

static inline any_model *any_new(int kind)
{
    static const char *const parts[9] = {"input_layernorm",  "self_attn.q_proj", "self_attn.k_proj",
                                         "self_attn.v_proj", "self_attn.o_proj", "post_attention_layernorm",
                                         "mlp.gate_proj",    "mlp.up_proj",      "mlp.down_proj"};
    any_model *m = calloc(1, sizeof *m);
    uint32_t random = 5;

    m->kind = kind;
    for (int i = 0; i < ANY_WEIGHTS; i++) {
        dp_weight *w = &m->weights[i];
        const int ends = i == ANY_EMBEDDING || i == ANY_HEAD;
        uint64_t row = 0;
        if (i == ANY_EMBEDDING || i >= ANY_LAST_NORM)
            strcpy(m->names[i], i == ANY_EMBEDDING ? "model.embed_tokens.weight"
                                : i == ANY_HEAD    ? "lm_head.weight"
                                                   : "model.norm.weight");
        else
            snprintf(m->names[i], sizeof m->names[i], "model.layers.%d.%s.weight", (i - 1) / 9, parts[(i - 1) % 9]);
        const int plain = any_types[kind].scales[0] < 0;
        *w = (dp_weight){.size = sizeof *w,
                         .type = any_is_matrix(i) || plain ? any_types[kind].type : DP_F32,
                         .name = m->names[i],
                         .rows = !any_is_matrix(i) ? 1
                                 : ends            ? ANY_VOCAB
                                                   : ANY_WIDTH,
                         .columns = ANY_WIDTH};
        ck_assert_int_eq(dpi_row_bytes(w->type, w->columns, &row), 0);
        w->bytes = row * (uint64_t)w->rows;
        any_fill(m, i, &random);
    }
    return m;
}

static inline void any_free(any_model *m)
{
    for (int i = 0; i < ANY_WEIGHTS; i++)
        free((void *)(uintptr_t)m->weights[i].data);
    free(m);
}

// NaN (0), infinity (1) or minus infinity (2), at an element or as a scale of its block; returns the index that is
// to be named.
static inline int64_t any_poison(any_model *m, int weight, int64_t element, int what)
{
    static const float numbers[] = {__builtin_nanf(""), __builtin_inff(), -__builtin_inff()};
    static const uint16_t halves[] = {0x7e00, 0x7c00, 0xfc00};
    const dp_weight *w = &m->weights[weight];
    const dpi_dtype *type = dpi_dtype_of(w->type);
    unsigned char *bytes = (unsigned char *)(uintptr_t)w->data + element / type->block * type->block_bytes;

    if (type->block == 1) {
        dpi_from_f32(w->type, &numbers[what], 1, bytes);
        return element;
    }
    const int32_t *scales = any_types[m->kind].scales;
    memcpy(bytes + scales[scales[1] >= 0 && what], &halves[what], sizeof *halves);
    return element / type->block * type->block;
}

static inline dp_model *any_build(dp_context *context, const any_model *m, int allow)
{
    char config[512];
    dp_model_options options;
    dp_model_builder *builder = NULL;
    dp_model *model = NULL;
    dp_error error;
    const int size = snprintf(config, sizeof config,
                              "{\"model_type\": \"llama\", \"hidden_size\": %d, \"num_hidden_layers\": %d, "
                              "\"num_attention_heads\": 4, \"intermediate_size\": %d, \"vocab_size\": %d, "
                              "\"max_position_embeddings\": 64, \"tie_word_embeddings\": false}",
                              ANY_WIDTH, ANY_BLOCKS, ANY_WIDTH, ANY_VOCAB);

    dp_model_options_init(&options, sizeof options);
    options.allow_nonfinite = allow;
    ck_ok(dp_model_builder_new(context, config, (size_t)size, &options, &builder, &error), error);
    for (int i = 0; i < ANY_WEIGHTS; i++)
        ck_ok(dp_model_builder_add(builder, &m->weights[i], NULL, NULL, &error), error);
    ck_ok(dp_model_builder_finish(builder, &model, &error), error);
    dp_model_builder_free(builder);
    return model;
}

#endif
