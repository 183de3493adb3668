// Small models made at test time, and a folder and a context for each test.
#ifndef TEST_MODEL_SUPPORT_H
#define TEST_MODEL_SUPPORT_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"
#include "io/stage.h"
#include "model/model.h"
#include "tensor/dtype.h"
#include "test/run.h"

enum { PATH_ROOM = 512, TENSORS_ROOM = 128 };

typedef struct scene {
    dp_context *context;
    char folder[32];
    char log[4096]; // every line, newlines between
    dp_error error;
    uint64_t used; // memory of the context alone
} scene;

// LLaMA, LLaMA with bias vectors, Mistral, Qwen2.
enum { TINY_LLAMA, TINY_BIASED, TINY_MISTRAL, TINY_QWEN2, TINY_FAMILIES };

// A model's numbers, and what a test breaks in its files.
typedef struct tiny {
    int32_t blocks, hidden, heads, kv_heads, head_dim, ffn, vocab, tied, type;
    int32_t family;          // TINY_*
    const char *key, *value; // this member of config.json is set so; NULL value: left out
    const char *drop;        // this tensor is left out
    const char *from, *to;   // this tensor is renamed
    const char *reshape;     // this tensor has one row less
    const char *add;         // this tensor is there too, a vector of `hidden`
    const char *retype;      // this tensor is stored as f64
    int64_t cut;             // bytes cut off the end of the weights
    float poison;            // the third element of the second tensor, when not 0
} tiny;

static const tiny TINY = {.blocks = 3,
                          .hidden = 16,
                          .heads = 4,
                          .kv_heads = 2,
                          .head_dim = 4,
                          .ffn = 24,
                          .vocab = 20,
                          .tied = 1,
                          .type = DP_F32};

static inline void keep_log(void *user, int32_t level, const char *line)
{
    scene *s = user;
    const size_t used = strlen(s->log);

    (void)level;
    snprintf(s->log + used, sizeof s->log - used, "%s\n", line);
}

static inline void open_scene(scene *s)
{
    dp_context_options options;

    memset(s, 0, sizeof *s);
    strcpy(s->folder, "/tmp/dp-model-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(s->folder));
    dp_context_options_init(&options, sizeof options);
    options.threads = 1;
    options.log = keep_log;
    options.log_user = s;
    ck_assert_int_eq(dpi_context_make(&options, &s->context, NULL), DP_OK);
    s->used = s->context->memory.used;
}

// An allocator whose allocation number `left` fails.
typedef struct failing {
    int64_t left;
} failing;

static inline void *fail_later(void *user, uint64_t size, uint64_t align)
{
    failing *f = user;
    void *memory = NULL;

    if (f->left-- == 0 || posix_memalign(&memory, align < sizeof(void *) ? sizeof(void *) : align, size) != 0)
        return NULL;
    return memory;
}

static inline void give_back(void *user, void *memory, uint64_t size)
{
    (void)user;
    (void)size;
    free(memory);
}

static inline int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

// The context itself is all that may be left of the library's memory.
static inline void close_scene(scene *s)
{
    ck_assert_uint_eq(s->context->memory.used, s->used);
    ck_assert_int_eq(s->context->references, 1);
    dpi_context_drop(s->context);
    nftw(s->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline const char *path_in(const scene *s, const char *name)
{
    static char paths[4][PATH_ROOM];
    static int next;

    next = (next + 1) % 4;
    snprintf(paths[next], PATH_ROOM, "%s/%s", s->folder, name);
    return paths[next];
}

static inline void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    ck_assert_msg(file != NULL, "%s", path);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

// The whole file in memory to free; terminated.
static inline char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");

    ck_assert_msg(file != NULL, "%s", path);
    fseek(file, 0, SEEK_END);
    const long length = ftell(file);
    rewind(file);
    char *bytes = malloc((size_t)length + 1);
    ck_assert_uint_eq(fread(bytes, 1, (size_t)length, file), (size_t)length);
    bytes[length] = 0;
    fclose(file);
    if (size)
        *size = (size_t)length;
    return bytes;
}

static inline int is_there(const scene *s, const char *name)
{
    return access(path_in(s, name), F_OK) == 0;
}

static inline void write_config(const char *folder, const tiny *t)
{
    char values[16][64], path[PATH_ROOM + 16], text[4096];
    const char *keys[] = {
        "architectures",       "model_type",   "hidden_size",       "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "head_dim",     "intermediate_size", "vocab_size",        "max_position_embeddings",
        "tie_word_embeddings", "rms_norm_eps", "rope_theta",        "bos_token_id",      "eos_token_id",
        "torch_dtype"};
    const int32_t numbers[] = {0,           0,           t->hidden, t->blocks, t->heads,
                               t->kv_heads, t->head_dim, t->ffn,    t->vocab,  64};
    size_t used = 0;
    int seen = 0;

    static const char *const classes[] = {"Llama", "Llama", "Mistral", "Qwen2"};
    static const char *const types[] = {"llama", "llama", "mistral", "qwen2"};
    snprintf(values[0], sizeof values[0], "[\"%sForCausalLM\"]", classes[t->family]);
    snprintf(values[1], sizeof values[1], "\"%s\"", types[t->family]);
    for (int i = 2; i < 10; i++)
        snprintf(values[i], sizeof values[i], "%d", numbers[i]);
    strcpy(values[10], t->tied ? "true" : "false");
    strcpy(values[11], "1e-05");
    strcpy(values[12], "10000.0");
    strcpy(values[13], "1");
    strcpy(values[14], "[2, 3]");
    strcpy(values[15], t->type == DP_F32 ? "\"float32\"" : t->type == DP_F16 ? "\"float16\"" : "\"bfloat16\"");
    used += (size_t)snprintf(text, sizeof text, "{");
    for (int i = 0; i < 16; i++) {
        const int changed = t->key && strcmp(t->key, keys[i]) == 0;
        seen |= changed;
        if (!changed || t->value)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s\n  \"%s\": %s", used > 1 ? "," : "",
                                     keys[i], changed ? t->value : values[i]);
    }
    if (t->family == TINY_BIASED)
        used += (size_t)snprintf(text + used, sizeof text - used, ",\n  \"attention_bias\": true");
    if (t->key && !seen)
        used += (size_t)snprintf(text + used, sizeof text - used, ",\n  \"%s\": %s", t->key, t->value);
    used += (size_t)snprintf(text + used, sizeof text - used, "\n}\n");
    snprintf(path, sizeof path, "%s/config.json", folder);
    write_file(path, text, used);
}

typedef struct weights {
    char header[32768];
    size_t header_size;
    unsigned char *data;
    uint64_t size, capacity;
    uint32_t random;
    int count;
} weights;

static inline void add_weight(weights *w, const tiny *t, const char *name, int64_t rows, int64_t columns)
{
    static const char *const types[] = {[DP_F32] = "F32", [DP_F16] = "F16", [DP_F64] = "F64", [DP_BF16] = "BF16"};
    const int32_t type = t->retype && strcmp(t->retype, name) == 0 ? DP_F64 : t->type;
    const int64_t width = columns ? columns : 1;

    if (t->drop && strcmp(t->drop, name) == 0)
        return;
    if (t->reshape && strcmp(t->reshape, name) == 0)
        rows--;
    if (t->from && strcmp(t->from, name) == 0)
        name = t->to;
    const uint64_t begin = w->size;
    for (int64_t i = 0; i < rows * width; i++) {
        w->random = w->random * 1664525u + 1013904223u;
        float value = (float)(w->random >> 8) / 16777216.0f - 0.5f;
        if (t->poison != 0 && w->count == 1 && i == 2)
            value = t->poison;
        ck_assert_uint_le(w->size + 8, w->capacity);
        dpi_from_f32(type, &value, 1, w->data + w->size);
        w->size += type == DP_F64 ? 8 : type == DP_F32 ? 4 : 2;
    }
    char shape[64];
    if (columns)
        snprintf(shape, sizeof shape, "%lld,%lld", (long long)rows, (long long)columns);
    else
        snprintf(shape, sizeof shape, "%lld", (long long)rows);
    w->header_size += (size_t)snprintf(w->header + w->header_size, sizeof w->header - w->header_size,
                                       "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%llu,%llu]}",
                                       w->count++ ? "," : "", name, types[type], shape, (unsigned long long)begin,
                                       (unsigned long long)w->size);
}

static inline void add_block(weights *w, const tiny *t, int32_t block)
{
    const int64_t query = (int64_t)t->heads * t->head_dim, key = (int64_t)t->kv_heads * t->head_dim;
    const struct {
        const char *name;
        int64_t rows, columns;
    } list[] = {
        {"input_layernorm.weight", t->hidden, 0},      {"self_attn.q_proj.weight", query, t->hidden},
        {"self_attn.k_proj.weight", key, t->hidden},   {"self_attn.v_proj.weight", key, t->hidden},
        {"self_attn.o_proj.weight", t->hidden, query}, {"post_attention_layernorm.weight", t->hidden, 0},
        {"mlp.gate_proj.weight", t->ffn, t->hidden},   {"mlp.up_proj.weight", t->ffn, t->hidden},
        {"mlp.down_proj.weight", t->hidden, t->ffn},   {"self_attn.q_proj.bias", query, 0},
        {"self_attn.k_proj.bias", key, 0},             {"self_attn.v_proj.bias", key, 0},
        {"self_attn.o_proj.bias", t->hidden, 0},
    };
    const size_t count = t->family == TINY_BIASED ? 13 : t->family == TINY_QWEN2 ? 12 : 9;

    for (size_t i = 0; i < count; i++) {
        char name[128];
        snprintf(name, sizeof name, "model.layers.%d.%s", block, list[i].name);
        add_weight(w, t, name, list[i].rows, list[i].columns);
    }
}

// FOLDER/NAME as a Hugging Face directory.
static inline void write_tiny(const scene *s, const char *name, const tiny *t)
{
    char folder[PATH_ROOM], path[PATH_ROOM + 32];
    weights *w = calloc(1, sizeof *w);

    snprintf(folder, sizeof folder, "%s/%s", s->folder, name);
    ck_assert_int_eq(mkdir(folder, 0777), 0);
    write_config(folder, t);
    w->capacity = 8 << 20;
    w->data = malloc(w->capacity);
    w->random = 7;
    w->header_size = (size_t)snprintf(w->header, sizeof w->header, "{");
    add_weight(w, t, "model.embed_tokens.weight", t->vocab, t->hidden);
    for (int32_t block = 0; block < t->blocks; block++)
        add_block(w, t, block);
    add_weight(w, t, "model.norm.weight", t->hidden, 0);
    if (!t->tied)
        add_weight(w, t, "lm_head.weight", t->vocab, t->hidden);
    if (t->add)
        add_weight(w, t, t->add, t->hidden, 0);
    w->header[w->header_size++] = '}';
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    FILE *file = fopen(path, "wb");
    const uint64_t header = w->header_size;
    fwrite(&header, 1, 8, file);
    fwrite(w->header, 1, w->header_size, file);
    fwrite(w->data, 1, w->size, file);
    fclose(file);
    if (t->cut)
        ck_assert_int_eq(truncate(path, (off_t)(8 + header + w->size) - (off_t)t->cut), 0);
    free(w->data);
    free(w);
}

static inline dp_model *open_model(scene *s, const char *name)
{
    dp_model *model = NULL;
    const int rc =
        dp_model_open(s->context, name[0] == '/' ? name : path_in(s, name), NULL, NULL, &model, &s->error);

    ck_assert_msg(rc == DP_OK, "%s: %s: %s", s->error.file, s->error.item, s->error.message);
    return model;
}

// Opening must fail and leave nothing behind.
static inline int open_fails(scene *s, const char *path)
{
    dp_model *model = NULL;
    const uint64_t used = s->context->memory.used;
    const int rc = dp_model_open(s->context, path, NULL, NULL, &model, &s->error);

    ck_assert_int_ne(rc, DP_OK);
    ck_assert_ptr_null(model);
    ck_assert_int_eq(rc, s->error.code);
    ck_assert_uint_eq(s->context->memory.used, used);
    return rc;
}

// Save with a format and a type; the options' other fields are defaults but for overwrite.
static inline int save_model(scene *s, const dp_model *model, const char *name, int32_t format, int32_t type)
{
    dp_save_options options;

    dp_save_options_init(&options, sizeof options);
    options.format = format;
    options.type = type;
    return dp_model_save(model, path_in(s, name), &options, NULL, NULL, &s->error);
}

static inline void must_save(scene *s, const dp_model *model, const char *name, int32_t format, int32_t type)
{
    const int rc = save_model(s, model, name, format, type);

    ck_assert_msg(rc == DP_OK, "%s: %s: %s", s->error.file, s->error.item, s->error.message);
}

// Every weight of two models is the same by name, type, shape and bytes.
static inline void assert_same_weights(const dp_model *a, const dp_model *b)
{
    ck_assert_uint_eq(dp_model_weight_count(a), dp_model_weight_count(b));
    for (size_t i = 0; i < dp_model_weight_count(a); i++) {
        dp_weight left = {.size = sizeof left}, right = {.size = sizeof right};
        ck_assert_int_eq(dp_model_weight(a, i, &left, NULL), DP_OK);
        ck_assert_int_eq(dp_model_weight(b, i, &right, NULL), DP_OK);
        ck_assert_str_eq(left.name, right.name);
        ck_assert_int_eq(left.type, right.type);
        ck_assert_int_eq(left.rows, right.rows);
        ck_assert_int_eq(left.columns, right.columns);
        ck_assert_uint_eq(left.bytes, right.bytes);
        ck_assert_msg(memcmp(left.data, right.data, left.bytes) == 0, "%s", left.name);
    }
}

// Larger real data, or NULL where it is not to be had.
static inline const char *data_root(void)
{
    const char *root = getenv("DEPTHPRUNE_TEST_DATA");

    if (!root || !*root)
        root = "../shared";
    return access(root, R_OK) == 0 ? root : NULL;
}

#endif
