// PyTorch checkpoints in a model's directory: the same model as from safetensors, in one file or several, saved as
// safetensors; and each way in which index, files and configuration can disagree.
#include <math.h>

#include "test/unit/io/torch_support.h"
#include "test/unit/model/shard_support.h"

#define WHOLE "pytorch_model.bin"
#define BIN_INDEX "pytorch_model.bin.index.json"
#define ONE "pytorch_model-00001-of-00002.bin"
#define TWO "pytorch_model-00002-of-00002.bin"
#define FIRST "model.embed_tokens.weight"              // in ONE
#define SECOND "model.layers.0.input_layernorm.weight" // in TWO
#define INV_FREQ "model.layers.1.self_attn.rotary_emb.inv_freq"

enum { MOST_TENSORS = 64 };

// What a checkpoint is to hold, and how.
typedef struct checkpoint {
    zip_style style;
    int parts;           // 0: one file
    int share;           // lm_head.weight lies where the embedding lies
    int buffers;         // INV_FREQ is there too
    const char *renamed; // this tensor's name is "renamed"
} checkpoint;

typedef struct listing {
    saved tensors[MOST_TENSORS];
    stored storages[MOST_TENSORS];
    size_t count, storage_count;
    char keys[MOST_TENSORS][8];
} listing;

static void list_tensor(listing *l, const char *name, const dpi_tensor *from)
{
    const char *class = from->type == DP_F32   ? "FloatStorage"
                        : from->type == DP_F16 ? "HalfStorage"
                        : from->type == DP_F64 ? "DoubleStorage"
                                               : "BFloat16Storage";
    saved *t = &l->tensors[l->count];
    int64_t stride = 1;

    ck_assert_uint_lt(l->count, MOST_TENSORS);
    snprintf(l->keys[l->count], sizeof l->keys[0], "%d", (int)l->count);
    *t = (saved){.name = name, .class = class, .key = l->keys[l->count], .dims = from->dims};
    t->elements = dpi_tensor_count(from);
    for (int32_t i = from->dims; i-- > 0; stride *= from->shape[i]) {
        t->shape[i] = from->shape[i];
        t->strides[i] = stride;
    }
    l->storages[l->storage_count++] = (stored){t->key, from->data, from->bytes};
    l->count++;
}

static void write_archive(const char *path, const checkpoint *c, listing *l)
{
    if (c->share) { // the first is the embedding
        l->tensors[l->count] = l->tensors[0];
        l->tensors[l->count++].name = "lm_head.weight";
    }
    const pile pickle = pickle_of(l->tensors, l->count);
    const pile file = archive_of(&c->style, &pickle, l->storages, l->storage_count);
    write_file(path, file.at, file.size);
    free(pickle.at);
    free(file.at);
}

static void write_part_of(const char *folder, const dpi_safetensors *file, const checkpoint *c, int part,
                          FILE *index)
{
    static const float frequencies[2] = {1, 0.01f};
    const dpi_tensor buffer = {.data = (const unsigned char *)frequencies,
                               .bytes = sizeof frequencies,
                               .shape = {2, 1, 1, 1},
                               .dims = 1,
                               .type = DP_F32};
    char path[PATH_ROOM + 64], name[64] = WHOLE;
    listing l = {.count = 0};

    if (c->parts)
        snprintf(name, sizeof name, "pytorch_model-%05d-of-%05d.bin", part + 1, c->parts);
    for (size_t i = (size_t)part; i < file->count; i += c->parts ? (size_t)c->parts : 1) {
        const char *own = file->tensors[i].name;
        list_tensor(&l, c->renamed && strcmp(own, c->renamed) == 0 ? "renamed" : own, &file->tensors[i]);
    }
    if (c->buffers && part == 0)
        list_tensor(&l, INV_FREQ, &buffer);
    checkpoint here = *c;
    here.share = c->share && part == 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    write_archive(path, &here, &l);
    for (size_t i = 0; index && i < l.count; i++)
        fprintf(index, "%s\n    \"%s\": \"%s\"", part || i ? "," : "", l.tensors[i].name, name);
}

// FOLDER/NAME: the model of FOLDER/FROM as a checkpoint of PyTorch, tensor i in file i % parts.
static void write_torch(scene *s, const char *name, const char *from, const checkpoint *c)
{
    char folder[PATH_ROOM], path[PATH_ROOM + 64], *index;
    dp_model *model = open_model(s, from);
    size_t size;
    uint64_t total = 0;
    FILE *out = open_memstream(&index, &size);

    snprintf(folder, sizeof folder, "%s", path_in(s, name));
    ck_assert_int_eq(mkdir(folder, 0777), 0);
    snprintf(path, sizeof path, "%s/config.json", from[0] == '/' ? from : path_in(s, from));
    char *config = read_file(path, &size);
    snprintf(path, sizeof path, "%s/config.json", folder);
    write_file(path, config, size);
    free(config);
    for (size_t i = 0; i < model->source->safetensors->count; i++)
        total += model->source->safetensors->tensors[i].bytes;
    fprintf(out, "{\n  \"metadata\": {\n    \"total_size\": %llu\n  },\n  \"weight_map\": {",
            (unsigned long long)total + (c->buffers ? 8 : 0));
    for (int part = 0; part < (c->parts ? c->parts : 1); part++)
        write_part_of(folder, model->source->safetensors, c, part, out);
    fputs("\n  }\n}\n", out);
    fclose(out);
    snprintf(path, sizeof path, "%s/" BIN_INDEX, folder);
    if (c->parts)
        write_file(path, index, size);
    free(index);
    dp_model_free(model);
}

static void assert_same_digest(dp_model *a, dp_model *b)
{
    char left[65], right[65];

    ck_assert_int_eq(dp_model_digest(a, NULL, left, NULL), DP_OK);
    ck_assert_int_eq(dp_model_digest(b, NULL, right, NULL), DP_OK);
    ck_assert_str_eq(left, right);
}

static void assert_same_file(const scene *s, const char *a, const char *b)
{
    size_t sizes[2];
    char *left = read_file(path_in(s, a), &sizes[0]), *right = read_file(path_in(s, b), &sizes[1]);

    ck_assert_uint_eq(sizes[0], sizes[1]);
    ck_assert_msg(memcmp(left, right, sizes[0]) == 0, "%s", a);
    free(left);
    free(right);
}

// FOLDER/in_torch/m holds what FOLDER/m holds: same weights, same digest, same files when saved.
static void compare(scene *s, const checkpoint *c)
{
    dp_model_info info = {.size = sizeof info};

    ck_assert_int_eq(mkdir(path_in(s, "in_torch"), 0777), 0);
    write_torch(s, "in_torch/m", "m", c); // of the same name, which GGUF keeps
    write_file(path_in(s, "in_torch/m/tokenizer_config.json"), "{}", 2);
    write_file(path_in(s, "m/tokenizer_config.json"), "{}", 2);
    dp_model *whole = open_model(s, "m"), *model = open_model(s, "in_torch/m");
    ck_assert_str_eq(s->log, "");
    ck_assert_uint_eq(model->source->shard_count, (size_t)c->parts);
    ck_assert_int_eq(dp_model_describe(model, &info, NULL), DP_OK);
    ck_assert_int_eq(info.format, DP_FORMAT_HF);
    assert_same_weights(whole, model);
    assert_same_digest(whole, model);
    ck_assert_int_eq(dp_model_check(model, NULL, &s->error), DP_OK);
    must_save(s, whole, "a", DP_FORMAT_HF, -1);
    must_save(s, model, "b", DP_FORMAT_HF, -1);
    must_save(s, whole, "a.gguf", DP_FORMAT_GGUF, -1);
    must_save(s, model, "b.gguf", DP_FORMAT_GGUF, -1);
    assert_same_file(s, "a/model.safetensors", "b/model.safetensors");
    assert_same_file(s, "a/config.json", "b/config.json");
    assert_same_file(s, "a.gguf", "b.gguf");
    ck_assert(is_there(s, "b/tokenizer_config.json"));
    ck_assert(!is_there(s, "b/" WHOLE) && !is_there(s, "b/" BIN_INDEX) && !is_there(s, "b/" ONE));
    dp_model_free(whole);
    dp_model_free(model);
}

START_TEST(equals_the_same_model_in_safetensors)
{
    static const int32_t types[] = {DP_F32, DP_F16, DP_BF16};

    for (int i = 0; i < 12; i++) {
        scene s;
        tiny t = TINY;
        checkpoint c = {.parts = i % 4, .style = {.plain = i / 2 % 2, .unaligned = i >= 8 && i / 2 % 2 == 0}};
        open_scene(&s);
        t.tied = i % 2;
        t.type = types[i / 4];
        write_tiny(&s, "m", &t);
        compare(&s, &c);
        close_scene(&s);
    }
}
END_TEST

START_TEST(equals_tiny_a_in_safetensors)
{
    char path[PATH_ROOM];

    for (int parts = 0; parts <= 3; parts += 3) {
        scene s;
        checkpoint c = {.parts = parts};
        open_scene(&s);
        snprintf(path, sizeof path, "%s/golden/tinyA_gqa_tied/model", data_root());
        char *from = realpath(path, NULL);
        ck_assert_ptr_nonnull(from);
        write_torch(&s, "m", from, &c);
        dp_model *whole = open_model(&s, from), *model = open_model(&s, "m");
        assert_same_weights(whole, model);
        assert_same_digest(whole, model);
        dp_model_free(whole);
        dp_model_free(model);
        free(from);
        close_scene(&s);
    }
}
END_TEST

// A tied model saved with its head: two names, one storage.
START_TEST(reads_a_head_that_shares_the_embedding)
{
    for (int parts = 0; parts <= 2; parts += 2) {
        scene s;
        checkpoint c = {.parts = parts, .share = 1};
        open_scene(&s);
        write_tiny(&s, "m", &TINY);
        compare(&s, &c);
        close_scene(&s);
    }
}
END_TEST

// Not tied by its configuration: both are weights, and both are saved.
START_TEST(keeps_a_shared_head_that_is_not_tied)
{
    scene s;
    checkpoint c = {.share = 1};

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_torch(&s, "torch", "m", &c);
    edit(path_in(&s, "torch/config.json"), "\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false");
    dp_model *model = open_model(&s, "torch");
    ck_assert_ptr_eq(model->head->data, model->embedding->data);
    ck_assert_ptr_ne(model->head, model->embedding);
    must_save(&s, model, "saved", DP_FORMAT_HF, -1);
    dp_model *back = open_model(&s, "saved");
    assert_same_weights(model, back);
    dp_model_free(model);
    dp_model_free(back);
    close_scene(&s);
}
END_TEST

START_TEST(ignores_buffers)
{
    for (int parts = 0; parts <= 2; parts += 2) {
        scene s;
        checkpoint c = {.parts = parts, .buffers = 1};
        open_scene(&s);
        write_tiny(&s, "m", &TINY);
        write_torch(&s, "torch", "m", &c);
        dp_model *whole = open_model(&s, "m"), *model = open_model(&s, "torch");
        assert_same_digest(whole, model);
        ck_assert_ptr_nonnull(strstr(s.log, "1 tensors that this family does not have are ignored"));
        ck_assert_ptr_nonnull(strstr(s.log, INV_FREQ));
        dp_model_free(whole);
        dp_model_free(model);
        close_scene(&s);
    }
}
END_TEST

START_TEST(maps_or_copies)
{
    scene s;
    checkpoint c = {.parts = 0};
    dp_model_options options;
    dp_model *copied;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_torch(&s, "torch", "m", &c);
    dp_model *whole = open_model(&s, "m");
    uint64_t before = s.context->memory.used;
    dp_model *mapped = open_model(&s, "torch");
    const uint64_t described = s.context->memory.used - before;
    dp_model_free(mapped);
    before = s.context->memory.used;
    dp_model_options_init(&options, sizeof options);
    options.load = DP_LOAD_READ;
    ck_assert_int_eq(dp_model_open(s.context, path_in(&s, "torch"), &options, NULL, &copied, &s.error), DP_OK);
    struct stat facts;
    ck_assert_int_eq(stat(path_in(&s, "torch/" WHOLE), &facts), 0);
    ck_assert_uint_lt(described, (uint64_t)facts.st_size / 2);
    ck_assert_uint_ge(s.context->memory.used - before, (uint64_t)facts.st_size);
    ck_assert_int_eq(truncate(path_in(&s, "torch/" WHOLE), 0), 0);
    assert_same_digest(whole, copied);
    dp_model_free(copied);
    dp_model_free(whole);
    close_scene(&s);
}
END_TEST

// safetensors before PyTorch, one file before several.
START_TEST(prefers_in_order)
{
    scene s;
    checkpoint one = {.parts = 0}, two = {.parts = 2};

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_torch(&s, "torch", "m", &two);
    write_file(path_in(&s, "m/" WHOLE), "x", 1);
    write_file(path_in(&s, "m/" BIN_INDEX), "x", 1);
    dp_model *model = open_model(&s, "m");
    ck_assert_str_eq(strrchr(model->source->weights, '/'), "/model.safetensors");
    dp_model_free(model);
    write_shards(&s, "shards", "m", 2, 0);
    write_file(path_in(&s, "shards/" WHOLE), "x", 1);
    model = open_model(&s, "shards");
    ck_assert_str_eq(strrchr(model->source->weights, '/'), "/model.safetensors.index.json");
    dp_model_free(model);
    write_torch(&s, "one", "m", &one);
    write_file(path_in(&s, "one/" BIN_INDEX), "x", 1);
    model = open_model(&s, "one");
    ck_assert_str_eq(strrchr(model->source->weights, '/'), "/" WHOLE);
    dp_model_free(model);
    model = open_model(&s, "torch");
    ck_assert_str_eq(strrchr(model->source->weights, '/'), "/" BIN_INDEX);
    ck_assert_str_eq(strrchr(dpi_source_file(model->source, model->embedding), '/'), "/" ONE);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

// What is wrong with a weight names the file and the tensor.
START_TEST(names_file_and_tensor)
{
    scene s;
    checkpoint c = {.parts = 0}, two = {.parts = 2}, renamed = {.renamed = "model.norm.weight"};
    tiny t = TINY;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_torch(&s, "shape", "m", &c);
    edit(path_in(&s, "shape/config.json"), "\"intermediate_size\": 24", "\"intermediate_size\": 25");
    ck_assert_int_eq(open_fails(&s, path_in(&s, "shape")), DP_E_FORMAT);
    ck_assert_str_eq(s.error.file, path_in(&s, "shape/" WHOLE));
    ck_assert_ptr_nonnull(strstr(s.error.item, ".mlp."));
    write_torch(&s, "missing", "m", &renamed);
    ck_assert_int_eq(open_fails(&s, path_in(&s, "missing")), DP_E_FORMAT);
    ck_assert_str_eq(s.error.file, path_in(&s, "missing/" WHOLE));
    ck_assert_str_eq(s.error.item, "model.norm.weight");
    t.poison = HUGE_VALF;
    write_tiny(&s, "inf", &t);
    write_torch(&s, "poison", "inf", &two);
    dp_model *model = open_model(&s, "poison");
    ck_assert_int_eq(dp_model_check(model, NULL, &s.error), DP_E_NUMERIC);
    ck_assert_str_eq(s.error.item, SECOND);
    ck_assert_str_eq(s.error.file, path_in(&s, "poison/" TWO));
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(refuses_weights_that_are_not_computed)
{
    scene s;
    float numbers[20 * 16] = {0};
    const saved tensor = {FIRST, "DoubleStorage", "0", 160, 0, 2, {20, 8}, {8, 1}};
    const stored storage = {"0", numbers, sizeof numbers};
    const pile pickle = pickle_of(&tensor, 1), file = archive_of(NULL, &pickle, &storage, 1);
    const tiny t = {.blocks = 1, .hidden = 8, .heads = 2, .kv_heads = 2, .head_dim = 4, .ffn = 8, .vocab = 20};

    open_scene(&s);
    ck_assert_int_eq(mkdir(path_in(&s, "m"), 0777), 0);
    write_config(path_in(&s, "m"), &t);
    write_file(path_in(&s, "m/" WHOLE), file.at, file.size);
    ck_assert_int_eq(open_fails(&s, path_in(&s, "m")), DP_E_UNSUPPORTED);
    ck_assert_str_eq(s.error.item, FIRST);
    ck_assert_ptr_nonnull(strstr(s.error.message, "f64"));
    free(pickle.at);
    free(file.at);
    close_scene(&s);
}
END_TEST

typedef enum work { EDIT, ALL, REMOVE, CUT, COPY, FOLDER, FIFO, LOOP } work;

typedef struct broken {
    work work;
    const char *file; // that is changed
    const char *from, *to;
    int32_t code;
    const char *where, *item, *said; // the error's file and item and part of its message
} broken;

#define BAD_NAME(name, fault)                                                                                      \
    {                                                                                                              \
        EDIT, BIN_INDEX, "\"" FIRST "\": \"" ONE "\"", "\"" FIRST "\": \"" name "\"", DP_E_FORMAT, BIN_INDEX,      \
            FIRST, fault                                                                                           \
    }

static const broken cases[] = {
    BAD_NAME("../x", "path separator"),
    BAD_NAME("../torch/" ONE, "path separator"),
    BAD_NAME("/etc/passwd", "path separator"),
    BAD_NAME("./" ONE, "path separator"),
    BAD_NAME("..\\\\x", "path separator"),
    BAD_NAME("..", "directory"),
    BAD_NAME("", "empty"),
    BAD_NAME(BIN_INDEX, "it is the index"),
    BAD_NAME("a\\n.bin", "control character"),
    {EDIT, BIN_INDEX, "\"" ONE "\"", "7", DP_E_FORMAT, BIN_INDEX, FIRST, "not a string"},
    {ALL, BIN_INDEX, "", "{\"weight_map\": {}}", DP_E_FORMAT, BIN_INDEX, "weight_map", "empty"},
    {EDIT, BIN_INDEX, "\"" FIRST "\": \"" ONE "\",", "", DP_E_FORMAT, ONE, FIRST, "the index does not list"},
    {EDIT, BIN_INDEX, "\"" FIRST "\": \"" ONE "\"", "\"" FIRST "\": \"" TWO "\"", DP_E_FORMAT, ONE, FIRST,
     "which the index lists in " TWO},
    {EDIT, BIN_INDEX, "\"weight_map\": {", "\"weight_map\": {\"nowhere\": \"" TWO "\",", DP_E_FORMAT, TWO,
     "nowhere", "does not have it"},
    {EDIT, BIN_INDEX, "\"weight_map\": {", "\"weight_map\": {\"more\": \"m3.bin\",", DP_E_IO, "m3.bin", "",
     "cannot open"},
    {COPY, TWO, ONE, "", DP_E_FORMAT, TWO, FIRST, "which the index lists in " ONE},
    {REMOVE, TWO, "", "", DP_E_IO, TWO, "", "cannot open"},
    {REMOVE, BIN_INDEX, "", "", DP_E_FORMAT, "", "model.safetensors", "or " BIN_INDEX},
    {ALL, TWO, "", "", DP_E_FORMAT, TWO, "", "does not begin as a zip archive"},
    {ALL, TWO, "", "version https://git-lfs.github.com/spec/v1\n", DP_E_FORMAT, TWO, "", "does not begin as a zip"},
    {ALL, TWO, "", "\x80\4cos\nsystem\n.", DP_E_UNSUPPORTED, TWO, "", "a pickle without a zip archive"},
    {CUT, TWO, "", "", DP_E_FORMAT, TWO, "", "no end record"},
    {EDIT, TWO, "torch._utils\n_rebuild_tensor_v2", "posix\nsystem\nxxxxxxxxxxxxxxxxxx", DP_E_UNSUPPORTED, TWO,
     "posix.system", "is not run"},
    {EDIT, TWO, "collections\nOrderedDict", "collections\nnamedtuple1", DP_E_UNSUPPORTED, TWO,
     "collections.namedtuple1", "is not run"},
    {EDIT, TWO, "torch\nFloatStorage", "torch\nFlootStorage", DP_E_UNSUPPORTED, TWO, "torch.FlootStorage",
     "is not run"},
    {EDIT, TWO, "torch\nFloatStorage", "torch\nHal1Storage\n", DP_E_UNSUPPORTED, TWO, "torch.Hal1Storage",
     "is not run"},
    {EDIT, TWO, "archive/byteorder", "archive/byteordeR", DP_E_FORMAT, TWO, NULL, "another name"},
    {EDIT, TWO, "archive/data/0", "archive/data/9", DP_E_FORMAT, TWO, NULL, "another name"},
    {EDIT, TWO, "little", "LITTLE", DP_E_FORMAT, TWO, "archive/byteorder", "neither"},
    {FOLDER, TWO, "", "", DP_E_IO, TWO, "", "directory"},
    {FIFO, ONE, "", "", DP_E_IO, ONE, "", "not a regular file"},
    {LOOP, ONE, "", "", DP_E_IO, ONE, "", "cannot open"},
    {FIFO, BIN_INDEX, "", "", DP_E_IO, BIN_INDEX, "", "not a regular file"},
};

static void replace_file(const broken *b, const char *path)
{
    struct stat facts;

    ck_assert_int_eq(stat(path, &facts), 0);
    if (b->work == CUT) {
        ck_assert_int_eq(truncate(path, facts.st_size - 1), 0);
        return;
    }
    ck_assert_int_eq(unlink(path), 0);
    if (b->work == COPY)
        ck_assert_int_eq(symlink(b->from, path), 0);
    if (b->work == FOLDER)
        ck_assert_int_eq(mkdir(path, 0777), 0);
    if (b->work == FIFO)
        ck_assert_int_eq(mkfifo(path, 0666), 0);
    if (b->work == LOOP)
        ck_assert_int_eq(symlink(b->file, path), 0);
    if (b->work == ALL)
        write_file(path, b->to, strlen(b->to));
}

START_TEST(refuses_what_disagrees)
{
    const broken *b = &cases[_i];
    scene s;
    checkpoint c = {.parts = 2};
    char path[PATH_ROOM];

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_torch(&s, "torch", "m", &c);
    snprintf(path, sizeof path, "%s/torch/%s", s.folder, b->file);
    if (b->work == EDIT)
        edit(path, b->from, b->to);
    else
        replace_file(b, path);
    ck_assert_msg(open_fails(&s, path_in(&s, "torch")) == b->code, "%d: %s", s.error.code, s.error.message);
    snprintf(path, sizeof path, "%s/torch%s%s", s.folder, *b->where ? "/" : "", b->where);
    ck_assert_msg(strcmp(s.error.file, path) == 0, "%s: %s", s.error.file, s.error.message);
    if (b->item)
        ck_assert_msg(strcmp(s.error.item, b->item) == 0, "%s: %s", s.error.item, s.error.message);
    ck_assert_msg(strstr(s.error.message, b->said) != NULL, "%s", s.error.message);
    close_scene(&s);
}
END_TEST

START_TEST(survives_every_failed_allocation)
{
    scene s;
    checkpoint c = {.parts = 2, .style = {.unaligned = 1}};
    int rc = DP_E_MEMORY;
    int64_t n = 0;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_torch(&s, "torch", "m", &c);
    for (; rc == DP_E_MEMORY; n++) {
        failing f = {.left = INT64_MAX};
        const dp_allocator allocator = {fail_later, give_back, &f};
        dp_context_options options;
        dp_context *context;
        dp_model *model = NULL;
        dp_context_options_init(&options, sizeof options);
        options.threads = 1;
        options.allocator = &allocator;
        ck_assert_int_eq(dpi_context_make(&options, &context, NULL), DP_OK);
        const uint64_t used = context->memory.used;
        f.left = n;
        rc = dp_model_open(context, path_in(&s, "torch"), NULL, NULL, &model, &s.error);
        f.left = INT64_MAX;
        ck_assert_msg(rc == DP_OK || rc == DP_E_MEMORY, "allocation %lld: %s", (long long)n, s.error.message);
        dp_model_free(model);
        ck_assert_uint_eq(context->memory.used, used);
        dpi_context_drop(context);
    }
    ck_assert_int_eq(rc, DP_OK);
    ck_assert_int_gt(n, 100);
    close_scene(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {equals_the_same_model_in_safetensors,
                                  reads_a_head_that_shares_the_embedding,
                                  keeps_a_shared_head_that_is_not_tied,
                                  ignores_buffers,
                                  maps_or_copies,
                                  prefers_in_order,
                                  names_file_and_tensor,
                                  refuses_weights_that_are_not_computed,
                                  survives_every_failed_allocation,
                                  equals_tiny_a_in_safetensors};
    const size_t count = sizeof tests / sizeof *tests;
    Suite *suite = suite_create("model/torch broken");
    TCase *broken_files = tcase_create("files");

    tcase_add_loop_test(broken_files, refuses_what_disagrees, 0, (int)(sizeof cases / sizeof *cases));
    suite_add_tcase(suite, broken_files);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    if (!data_root())
        puts("model/torch: no test data, the golden model is left out");
    return dpt_run("model/torch", tests, count - !data_root()) || failed;
}
