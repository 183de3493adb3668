// A second opinion: a small LLaMA with random weights, its forward pass as the plainest loops in double, and its
// files.  Nothing of the library is used here.
#ifndef TEST_PLAIN_FORWARD_H
#define TEST_PLAIN_FORWARD_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PLAIN_BLOCKS = 5, PLAIN_HIDDEN = 44, PLAIN_HEADS = 6, PLAIN_KV = 2, PLAIN_HEAD_DIM = 10, PLAIN_FFN = 53,
       PLAIN_VOCAB = 97, PLAIN_CONTEXT = 40 };
enum { PLAIN_Q = PLAIN_HEADS * PLAIN_HEAD_DIM, PLAIN_K = PLAIN_KV * PLAIN_HEAD_DIM };

static const double plain_epsilon = 1e-5, plain_base = 5000;

typedef struct plain_block {
    float norm1[PLAIN_HIDDEN], q[PLAIN_Q][PLAIN_HIDDEN], k[PLAIN_K][PLAIN_HIDDEN], v[PLAIN_K][PLAIN_HIDDEN];
    float o[PLAIN_HIDDEN][PLAIN_Q], norm2[PLAIN_HIDDEN], gate[PLAIN_FFN][PLAIN_HIDDEN], up[PLAIN_FFN][PLAIN_HIDDEN];
    float down[PLAIN_HIDDEN][PLAIN_FFN];
    float q_bias[PLAIN_Q], k_bias[PLAIN_K], v_bias[PLAIN_K], o_bias[PLAIN_HIDDEN]; // zero where the family has none
} plain_block;

// Who the model says it is.  Mistral differs from LLaMA in names alone; Qwen2 has biases of q, k and v; a LLaMA with
// attention_bias has those of o, too.
enum { PLAIN_LLAMA, PLAIN_MISTRAL, PLAIN_QWEN2, PLAIN_LLAMA_BIASED, PLAIN_FAMILIES };

typedef struct plain_model {
    float embed[PLAIN_VOCAB][PLAIN_HIDDEN];
    plain_block blocks[PLAIN_BLOCKS];
    float norm[PLAIN_HIDDEN];
    float head[PLAIN_VOCAB][PLAIN_HIDDEN];
    int family; // PLAIN_*
} plain_model;

// ---- weights

static inline double plain_random(uint64_t *state) // xorshift64*, -1 .. 1
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)((*state * 2685821657736338717ULL) >> 11) / 4503599627370496.0 - 1;
}

static inline void plain_fill(float *w, size_t count, double centre, double size, uint64_t *state)
{
    for (size_t i = 0; i < count; i++)
        w[i] = (float)(centre + size * plain_random(state));
}

static inline plain_model *plain_new(uint64_t seed)
{
    plain_model *m = calloc(1, sizeof *m);
    uint64_t s = seed * 2 + 1;

    plain_fill(m->embed[0], sizeof m->embed / 4, 0, 1, &s);
    for (int i = 0; i < PLAIN_BLOCKS; i++) {
        plain_block *b = &m->blocks[i];
        plain_fill(b->norm1, PLAIN_HIDDEN, 1, 0.5, &s);
        plain_fill(b->q[0], sizeof b->q / 4, 0, 0.4, &s);
        plain_fill(b->k[0], sizeof b->k / 4, 0, 0.4, &s);
        plain_fill(b->v[0], sizeof b->v / 4, 0, 0.3, &s);
        plain_fill(b->o[0], sizeof b->o / 4, 0, 0.3, &s);
        plain_fill(b->norm2, PLAIN_HIDDEN, 1, 0.5, &s);
        plain_fill(b->gate[0], sizeof b->gate / 4, 0, 0.3, &s);
        plain_fill(b->up[0], sizeof b->up / 4, 0, 0.3, &s);
        plain_fill(b->down[0], sizeof b->down / 4, 0, 0.3, &s);
    }
    plain_fill(m->norm, PLAIN_HIDDEN, 1, 0.5, &s);
    plain_fill(m->head[0], sizeof m->head / 4, 0, 0.4, &s);
    return m;
}

static inline plain_model *plain_new_of(uint64_t seed, int family)
{
    plain_model *m = plain_new(seed);
    uint64_t s = seed * 2 + 77;

    m->family = family;
    for (int i = 0; i < PLAIN_BLOCKS && family >= PLAIN_QWEN2; i++) {
        plain_block *b = &m->blocks[i];
        plain_fill(b->q_bias, PLAIN_Q, 0, 1, &s);
        plain_fill(b->k_bias, PLAIN_K, 0, 1, &s);
        plain_fill(b->v_bias, PLAIN_K, 0, 1, &s);
        if (family == PLAIN_LLAMA_BIASED)
            plain_fill(b->o_bias, PLAIN_HIDDEN, 0, 1, &s);
    }
    return m;
}

static inline void plain_ids(int32_t *ids, size_t count, uint64_t seed)
{
    uint64_t s = seed * 2 + 1;

    for (size_t i = 0; i < count; i++)
        ids[i] = (int32_t)((plain_random(&s) + 1) / 2 * PLAIN_VOCAB) % PLAIN_VOCAB;
}

// ---- forward

static inline void plain_norm(const double *x, const float *w, double *y)
{
    double sum = 0;

    for (int i = 0; i < PLAIN_HIDDEN; i++)
        sum += x[i] * x[i];
    for (int i = 0; i < PLAIN_HIDDEN; i++)
        y[i] = x[i] / sqrt(sum / PLAIN_HIDDEN + plain_epsilon) * w[i];
}

static inline void plain_plus(double *y, const float *bias, int count)
{
    for (int i = 0; i < count; i++)
        y[i] += bias[i];
}

static inline void plain_times(const float *w, const double *x, int rows, int cols, double *y)
{
    for (int r = 0; r < rows; r++) {
        y[r] = 0;
        for (int c = 0; c < cols; c++)
            y[r] += (double)w[r * cols + c] * x[c];
    }
}

static inline void plain_turn(double *heads, int count, int position)
{
    const int half = PLAIN_HEAD_DIM / 2;

    for (int h = 0; h < count; h++)
        for (int i = 0; i < half; i++) {
            double *a = heads + h * PLAIN_HEAD_DIM + i, *b = a + half;
            const double angle = position * pow(plain_base, -2.0 * i / PLAIN_HEAD_DIM);
            const double x = *a, y = *b;
            *a = x * cos(angle) - y * sin(angle);
            *b = y * cos(angle) + x * sin(angle);
        }
}

// y = attention of position t of one head over k and v of positions 0 .. t
static inline void plain_attend(const double *q, const double *k, const double *v, int t, double *y)
{
    double weight[PLAIN_CONTEXT], sum = 0, most = -1e300;

    for (int s = 0; s <= t; s++) {
        weight[s] = 0;
        for (int i = 0; i < PLAIN_HEAD_DIM; i++)
            weight[s] += q[i] * k[s * PLAIN_K + i] / sqrt(PLAIN_HEAD_DIM);
        most = weight[s] > most ? weight[s] : most;
    }
    for (int s = 0; s <= t; s++)
        sum += weight[s] = exp(weight[s] - most);
    for (int i = 0; i < PLAIN_HEAD_DIM; i++) {
        y[i] = 0;
        for (int s = 0; s <= t; s++)
            y[i] += weight[s] / sum * v[s * PLAIN_K + i];
    }
}

static inline void plain_run_block(const plain_block *b, double (*x)[PLAIN_HIDDEN], int count)
{
    static double q[PLAIN_CONTEXT][PLAIN_Q], k[PLAIN_CONTEXT][PLAIN_K], v[PLAIN_CONTEXT][PLAIN_K];
    double n[PLAIN_HIDDEN], mixed[PLAIN_Q], gate[PLAIN_FFN], up[PLAIN_FFN], delta[PLAIN_HIDDEN];

    for (int t = 0; t < count; t++) {
        plain_norm(x[t], b->norm1, n);
        plain_times(b->q[0], n, PLAIN_Q, PLAIN_HIDDEN, q[t]);
        plain_times(b->k[0], n, PLAIN_K, PLAIN_HIDDEN, k[t]);
        plain_times(b->v[0], n, PLAIN_K, PLAIN_HIDDEN, v[t]);
        plain_plus(q[t], b->q_bias, PLAIN_Q);
        plain_plus(k[t], b->k_bias, PLAIN_K);
        plain_plus(v[t], b->v_bias, PLAIN_K);
        plain_turn(q[t], PLAIN_HEADS, t);
        plain_turn(k[t], PLAIN_KV, t);
    }
    for (int t = 0; t < count; t++) {
        for (int h = 0; h < PLAIN_HEADS; h++) {
            const int kv = h / (PLAIN_HEADS / PLAIN_KV) * PLAIN_HEAD_DIM;
            plain_attend(q[t] + h * PLAIN_HEAD_DIM, k[0] + kv, v[0] + kv, t, mixed + h * PLAIN_HEAD_DIM);
        }
        plain_times(b->o[0], mixed, PLAIN_HIDDEN, PLAIN_Q, delta);
        plain_plus(delta, b->o_bias, PLAIN_HIDDEN);
        for (int i = 0; i < PLAIN_HIDDEN; i++)
            x[t][i] += delta[i];
        plain_norm(x[t], b->norm2, n);
        plain_times(b->gate[0], n, PLAIN_FFN, PLAIN_HIDDEN, gate);
        plain_times(b->up[0], n, PLAIN_FFN, PLAIN_HIDDEN, up);
        for (int i = 0; i < PLAIN_FFN; i++)
            gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i];
        plain_times(b->down[0], gate, PLAIN_HIDDEN, PLAIN_FFN, delta);
        for (int i = 0; i < PLAIN_HIDDEN; i++)
            x[t][i] += delta[i];
    }
}

// x = the residual stream of one sequence before block `until`, blocks with skip[b] != 0 left out; skip may be NULL.
static inline void plain_stream(const plain_model *m, const int32_t *ids, int count, int until, const uint8_t *skip,
                                double (*x)[PLAIN_HIDDEN])
{
    for (int t = 0; t < count; t++)
        for (int i = 0; i < PLAIN_HIDDEN; i++)
            x[t][i] = m->embed[ids[t]][i];
    for (int b = 0; b < until; b++)
        if (!skip || !skip[b])
            plain_run_block(&m->blocks[b], x, count);
}

static inline void plain_logits(const plain_model *m, const double *x, double *logits)
{
    double n[PLAIN_HIDDEN];

    plain_norm(x, m->norm, n);
    plain_times(m->head[0], n, PLAIN_VOCAB, PLAIN_HIDDEN, logits);
}

// Sum over positions 0 .. count-2 of -log p(next id).
static inline double plain_nll(const plain_model *m, const int32_t *ids, int count, const uint8_t *skip)
{
    double x[PLAIN_CONTEXT][PLAIN_HIDDEN], logits[PLAIN_VOCAB], total = 0;

    plain_stream(m, ids, count, PLAIN_BLOCKS, skip, x);
    for (int t = 0; t + 1 < count; t++) {
        double sum = 0;
        plain_logits(m, x[t], logits);
        for (int i = 0; i < PLAIN_VOCAB; i++)
            sum += exp(logits[i] - logits[ids[t + 1]]);
        total += log(sum);
    }
    return total;
}

// Sum over positions of the cosine of the stream before and after block `block`.
static inline double plain_cosines(const plain_model *m, const int32_t *ids, int count, int block)
{
    double before[PLAIN_CONTEXT][PLAIN_HIDDEN], after[PLAIN_CONTEXT][PLAIN_HIDDEN], total = 0;

    plain_stream(m, ids, count, block, NULL, before);
    plain_stream(m, ids, count, block + 1, NULL, after);
    for (int t = 0; t < count; t++) {
        double dot = 0, a = 0, b = 0;
        for (int i = 0; i < PLAIN_HIDDEN; i++) {
            dot += before[t][i] * after[t][i];
            a += before[t][i] * before[t][i];
            b += after[t][i] * after[t][i];
        }
        total += dot / sqrt(a * b);
    }
    return total;
}

// ---- files: a Hugging Face directory with f32 weights

typedef struct plain_file {
    FILE *header, *data;
    uint64_t at;
    char *text;
    size_t size;
} plain_file;

static inline void plain_add(plain_file *f, const char *name, const float *w, int rows, int cols)
{
    const uint64_t bytes = (uint64_t)rows * (uint64_t)(cols ? cols : 1) * 4;
    char shape[32];

    snprintf(shape, sizeof shape, cols ? "%d,%d" : "%d", rows, cols);
    fprintf(f->header, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%llu,%llu]}", f->at ? "," : "{",
            name, shape, (unsigned long long)f->at, (unsigned long long)(f->at + bytes));
    fwrite(w, 1, bytes, f->data);
    f->at += bytes;
}

static inline void plain_add_block(plain_file *f, const plain_block *b, int index, int family)
{
    const struct {
        const char *name;
        const float *w;
        int rows, cols;
    } all[] = {
        {"input_layernorm", b->norm1, PLAIN_HIDDEN, 0},
        {"self_attn.q_proj", b->q[0], PLAIN_Q, PLAIN_HIDDEN},
        {"self_attn.k_proj", b->k[0], PLAIN_K, PLAIN_HIDDEN},
        {"self_attn.v_proj", b->v[0], PLAIN_K, PLAIN_HIDDEN},
        {"self_attn.o_proj", b->o[0], PLAIN_HIDDEN, PLAIN_Q},
        {"post_attention_layernorm", b->norm2, PLAIN_HIDDEN, 0},
        {"mlp.gate_proj", b->gate[0], PLAIN_FFN, PLAIN_HIDDEN},
        {"mlp.up_proj", b->up[0], PLAIN_FFN, PLAIN_HIDDEN},
        {"mlp.down_proj", b->down[0], PLAIN_HIDDEN, PLAIN_FFN},
    }, biases[] = {
        {"self_attn.q_proj", b->q_bias, PLAIN_Q, 0},
        {"self_attn.k_proj", b->k_bias, PLAIN_K, 0},
        {"self_attn.v_proj", b->v_bias, PLAIN_K, 0},
        {"self_attn.o_proj", b->o_bias, PLAIN_HIDDEN, 0},
    };
    const int count = family == PLAIN_LLAMA_BIASED ? 4 : family == PLAIN_QWEN2 ? 3 : 0;
    char name[96];

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        snprintf(name, sizeof name, "model.layers.%d.%s.weight", index, all[i].name);
        plain_add(f, name, all[i].w, all[i].rows, all[i].cols);
    }
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "model.layers.%d.%s.bias", index, biases[i].name);
        plain_add(f, name, biases[i].w, biases[i].rows, biases[i].cols);
    }
}

static inline void plain_save_config(const char *directory, int family)
{
    static const char *const says[] = {
        "\"architectures\":[\"LlamaForCausalLM\"],\"model_type\":\"llama\"",
        "\"architectures\":[\"MistralForCausalLM\"],\"model_type\":\"mistral\",\"sliding_window\":null",
        "\"architectures\":[\"Qwen2ForCausalLM\"],\"model_type\":\"qwen2\",\"use_sliding_window\":false",
        "\"architectures\":[\"LlamaForCausalLM\"],\"model_type\":\"llama\",\"attention_bias\":true",
    };
    char path[600];

    snprintf(path, sizeof path, "%s/config.json", directory);
    FILE *file = fopen(path, "w");
    fprintf(file,
            "{%s,\"hidden_act\":\"silu\","
            "\"hidden_size\":%d,\"intermediate_size\":%d,\"num_hidden_layers\":%d,\"num_attention_heads\":%d,"
            "\"num_key_value_heads\":%d,\"head_dim\":%d,\"vocab_size\":%d,\"max_position_embeddings\":%d,"
            "\"rms_norm_eps\":1e-05,\"rope_theta\":5000.0,\"tie_word_embeddings\":false,\"torch_dtype\":\"float32\","
            "\"bos_token_id\":1,\"eos_token_id\":2}\n",
            says[family], PLAIN_HIDDEN, PLAIN_FFN, PLAIN_BLOCKS, PLAIN_HEADS, PLAIN_KV, PLAIN_HEAD_DIM, PLAIN_VOCAB,
            PLAIN_CONTEXT);
    fclose(file);
}

// Write the model into a new directory made from `pattern` (mkdtemp's), which is changed to its name.
static inline void plain_save(const plain_model *m, char *pattern)
{
    plain_file f = {.at = 0};
    char *bytes = NULL, path[600];
    size_t size = 0;

    if (!mkdtemp(pattern))
        abort();
    plain_save_config(pattern, m->family);
    f.header = open_memstream(&f.text, &f.size);
    f.data = open_memstream(&bytes, &size);
    plain_add(&f, "model.embed_tokens.weight", m->embed[0], PLAIN_VOCAB, PLAIN_HIDDEN);
    for (int i = 0; i < PLAIN_BLOCKS; i++)
        plain_add_block(&f, &m->blocks[i], i, m->family);
    plain_add(&f, "model.norm.weight", m->norm, PLAIN_HIDDEN, 0);
    plain_add(&f, "lm_head.weight", m->head[0], PLAIN_VOCAB, PLAIN_HIDDEN);
    fprintf(f.header, "}");
    fclose(f.header);
    fclose(f.data);
    snprintf(path, sizeof path, "%s/model.safetensors", pattern);
    FILE *file = fopen(path, "wb");
    const uint64_t length = f.size;
    fwrite(&length, 8, 1, file);
    fwrite(f.text, 1, f.size, file);
    fwrite(bytes, 1, size, file);
    fclose(file);
    free(f.text);
    free(bytes);
}

static inline void plain_remove(const char *directory)
{
    static const char *const names[] = {"config.json", "model.safetensors"};
    char path[600];

    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        remove(path);
    }
    remove(directory);
}

#endif
