// Checkpoints in several files: the same model as in one, and each way in which index and files can disagree.
#include <math.h>

#include "test/unit/model/shard_support.h"

#define ONE "model-00001-of-00002.safetensors"
#define TWO "model-00002-of-00002.safetensors"
#define FIRST "model.embed_tokens.weight"              // in ONE
#define SECOND "model.layers.0.input_layernorm.weight" // in TWO

static void assert_same_digest(dp_model *a, dp_model *b)
{
    char left[65], right[65];

    ck_assert_int_eq(dp_model_digest(a, NULL, left, NULL), DP_OK);
    ck_assert_int_eq(dp_model_digest(b, NULL, right, NULL), DP_OK);
    ck_assert_str_eq(left, right);
}

// Saved from shards and from one file: the same bytes.
static void assert_same_saved(scene *s, const dp_model *a, const dp_model *b)
{
    static const char *const files[][2] = {
        {"a/model.safetensors", "b/model.safetensors"}, {"a/config.json", "b/config.json"}, {"a.gguf", "b.gguf"}};

    must_save(s, a, "a", DP_FORMAT_HF, -1);
    must_save(s, b, "b", DP_FORMAT_HF, -1);
    must_save(s, a, "a.gguf", DP_FORMAT_GGUF, -1);
    must_save(s, b, "b.gguf", DP_FORMAT_GGUF, -1);
    ck_assert(!is_there(s, "a/" INDEX));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t sizes[2];
        char *left = read_file(path_in(s, files[i][0]), &sizes[0]);
        char *right = read_file(path_in(s, files[i][1]), &sizes[1]);
        ck_assert_uint_eq(sizes[0], sizes[1]);
        ck_assert_msg(memcmp(left, right, sizes[0]) == 0, "%s", files[i][0]);
        free(left);
        free(right);
    }
}

static void compare_with_one_file(scene *s, const char *from, int parts)
{
    dp_model *smaller[2];
    const int32_t kept[] = {0, 2};
    char name[64];

    snprintf(name, sizeof name, "in_parts/%s", strrchr(from, '/') ? strrchr(from, '/') + 1 : from);
    ck_assert_int_eq(mkdir(path_in(s, "in_parts"), 0777), 0);
    write_shards(s, name, from, parts, 0); // of the same name, which GGUF keeps
    dp_model *whole = open_model(s, from), *model = open_model(s, name);
    ck_assert_uint_eq(model->source->shard_count, (size_t)parts);
    ck_assert_str_eq(s->log, "");
    assert_same_weights(whole, model);
    assert_same_digest(whole, model);
    ck_assert_int_eq(dp_model_check(model, NULL, &s->error), DP_OK);
    ck_assert_int_eq(dpi_model_keep(whole, kept, 2, NULL, &smaller[0], NULL), DP_OK);
    ck_assert_int_eq(dpi_model_keep(model, kept, 2, NULL, &smaller[1], NULL), DP_OK);
    dp_model_free(whole);
    dp_model_free(model); // the smaller ones hold the files
    assert_same_digest(smaller[0], smaller[1]);
    s->log[0] = 0;
    assert_same_saved(s, smaller[0], smaller[1]);
    dp_model_free(smaller[0]);
    dp_model_free(smaller[1]);
}

START_TEST(equals_the_same_model_in_one_file)
{
    for (int parts = 1; parts <= 4; parts++) {
        scene s;
        tiny t = TINY;
        open_scene(&s);
        t.tied = parts % 2;
        write_tiny(&s, "m", &t);
        compare_with_one_file(&s, "m", parts);
        close_scene(&s);
    }
}
END_TEST

START_TEST(equals_tiny_a_in_one_file)
{
    char path[PATH_ROOM];

    for (int parts = 2; parts <= 3; parts++) {
        scene s;
        open_scene(&s);
        snprintf(path, sizeof path, "%s/golden/tinyA_gqa_tied/model", data_root());
        char *from = realpath(path, NULL);
        ck_assert_ptr_nonnull(from);
        compare_with_one_file(&s, from, parts);
        free(from);
        close_scene(&s);
    }
}
END_TEST

// As in the hub's cache: the directory has links only, the bytes lie elsewhere.
START_TEST(follows_links_out_of_the_directory)
{
    scene s;
    dp_model_options options;
    dp_save_options save;
    dp_model *copied;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_shards(&s, "shards", "m", 2, 0);
    ck_assert_int_eq(mkdir(path_in(&s, "blobs"), 0777), 0);
    ck_assert_int_eq(rename(path_in(&s, "shards/" ONE), path_in(&s, "blobs/1")), 0);
    ck_assert_int_eq(rename(path_in(&s, "shards/" INDEX), path_in(&s, "blobs/i")), 0);
    ck_assert_int_eq(symlink("../blobs/1", path_in(&s, "shards/" ONE)), 0);
    ck_assert_int_eq(symlink("../blobs/i", path_in(&s, "shards/" INDEX)), 0);
    dp_model_options_init(&options, sizeof options);
    options.load = DP_LOAD_READ;
    ck_assert_int_eq(dp_model_open(s.context, path_in(&s, "shards"), &options, NULL, &copied, &s.error), DP_OK);
    dp_model *model = open_model(&s, "shards"), *whole = open_model(&s, "m");
    assert_same_digest(whole, model);
    dp_save_options_init(&save, sizeof save);
    save.format = DP_FORMAT_GGUF;
    save.overwrite = 1; // never over a file that is being read
    ck_assert_int_eq(dp_model_save(model, path_in(&s, "blobs/1"), &save, NULL, NULL, &s.error), DP_E_ARGUMENT);
    ck_assert_int_eq(truncate(path_in(&s, "blobs/1"), 0), 0);
    assert_same_digest(whole, copied);
    dp_model_free(model);
    dp_model_free(whole);
    dp_model_free(copied);
    close_scene(&s);
}
END_TEST

START_TEST(prefers_the_whole_file)
{
    scene s;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_file(path_in(&s, "m/" INDEX), "{", 1);
    dp_model *model = open_model(&s, "m");
    ck_assert_uint_eq(model->source->shard_count, 0);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(does_not_trust_the_total)
{
    scene s;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_shards(&s, "wrong", "m", 2, 12345);
    dp_model_free(open_model(&s, "wrong"));
    ck_assert_ptr_nonnull(strstr(s.log, "total_size is 12345"));
    s.log[0] = 0;
    edit(path_in(&s, "wrong/" INDEX), "{\"total_size\": 12345}", "[\"total_size\"]");
    dp_model_free(open_model(&s, "wrong"));
    edit(path_in(&s, "wrong/" INDEX), "[\"total_size\"]", "{\"total_size\": \"many\"}");
    dp_model_free(open_model(&s, "wrong"));
    ck_assert_str_eq(s.log, "");
    close_scene(&s);
}
END_TEST

START_TEST(names_the_shard_of_a_tensor)
{
    scene s;
    tiny t = TINY;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_shards(&s, "shape", "m", 2, 0);
    edit(path_in(&s, "shape/config.json"), "\"intermediate_size\": 24", "\"intermediate_size\": 25");
    ck_assert_int_eq(open_fails(&s, path_in(&s, "shape")), DP_E_FORMAT);
    ck_assert_str_eq(s.error.item, "model.layers.0.mlp.up_proj.weight"); // the first in ONE
    ck_assert_str_eq(s.error.file, path_in(&s, "shape/" ONE));
    t.poison = HUGE_VALF;
    write_tiny(&s, "inf", &t); // in SECOND
    write_shards(&s, "poison", "inf", 2, 0);
    dp_model *model = open_model(&s, "poison");
    ck_assert_int_eq(dp_model_check(model, NULL, &s.error), DP_E_NUMERIC);
    ck_assert_str_eq(s.error.item, SECOND);
    ck_assert_str_eq(s.error.file, path_in(&s, "poison/" TWO));
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

typedef enum work { EDIT, ALL, REMOVE, CUT, SWAP, FOLDER, FIFO, LOOP, LINK } work;

typedef struct broken {
    work work;
    const char *file; // that is changed
    const char *from, *to;
    int32_t code;
    const char *where, *item, *said; // the error's file and item and part of its message
} broken;

#define BAD_NAME(name, fault)                                                                                      \
    {                                                                                                              \
        EDIT, INDEX, "\"" FIRST "\": \"" ONE "\"", "\"" FIRST "\": \"" name "\"", DP_E_FORMAT, INDEX, FIRST, fault \
    }
#define BAD_INDEX(text, item, said)                                                                                \
    {                                                                                                              \
        ALL, INDEX, "", text, DP_E_FORMAT, INDEX, item, said                                                       \
    }

static const broken cases[] = {
    BAD_NAME("../../etc/passwd", "path separator"),
    BAD_NAME("/etc/passwd", "path separator"),
    BAD_NAME("/proc/self/mem", "path separator"),
    BAD_NAME("../shards/" ONE, "path separator"),
    BAD_NAME("./" ONE, "path separator"),
    BAD_NAME("deep\\\\" ONE, "path separator"),
    BAD_NAME("https://example.org/" ONE, "path separator"),
    BAD_NAME(".", "directory"),
    BAD_NAME("..", "directory"),
    BAD_NAME("", "empty"),
    BAD_NAME(INDEX, "it is the index"),
    BAD_NAME("model\\n.safetensors", "control character"),
    BAD_NAME("model\\u007f.safetensors", "control character"),
    BAD_NAME(ONE "\\u0000/x", "not json"),
    {EDIT, INDEX, "\"" ONE "\"", "7", DP_E_FORMAT, INDEX, FIRST, "not a string"},
    {EDIT, INDEX, "\"" ONE "\"", "null", DP_E_FORMAT, INDEX, FIRST, "not a string"},
    {EDIT, INDEX, "\"" ONE "\"", "[\"" ONE "\"]", DP_E_FORMAT, INDEX, FIRST, "not a string"},
    BAD_INDEX("", "", "not json"),
    BAD_INDEX("{", "", "not json"),
    BAD_INDEX("[]", "weight_map", "the index is not an object"),
    BAD_INDEX("{}", "weight_map", "no weight_map"),
    BAD_INDEX("{\"weight_map\": null}", "weight_map", "not an object"),
    BAD_INDEX("{\"weight_map\": [\"" ONE "\"]}", "weight_map", "not an object"),
    BAD_INDEX("{\"weight_map\": {}}", "weight_map", "empty"),
    BAD_INDEX("{\"weight_map\": {\"a\": \"b\"}, \"weight_map\": {\"a\": \"b\"}}", "weight_map", "duplicate"),
    BAD_INDEX("{\"weight_map\": {\"a\": \"b\", \"a\": \"b\"}}", "a", "duplicate"),
    {EDIT, INDEX, "\"" FIRST "\": \"" ONE "\",", "", DP_E_FORMAT, ONE, FIRST, "the index does not list"},
    {EDIT, INDEX, "\"" FIRST "\": \"" ONE "\"", "\"" FIRST "\": \"" TWO "\"", DP_E_FORMAT, ONE, FIRST,
     "which the index lists in " TWO},
    {EDIT, INDEX, "\"" SECOND "\": \"" TWO "\"", "\"" SECOND "\": \"" ONE "\"", DP_E_FORMAT, ONE, SECOND,
     "does not have it"},
    {EDIT, INDEX, "{\"weight_map\": {", "{\"weight_map\": {\"nowhere\": \"" TWO "\",", DP_E_FORMAT, TWO, "nowhere",
     "does not have it"},
    {EDIT, INDEX, "{\"weight_map\": {", "{\"weight_map\": {\"extra\": \"m3.safetensors\",", DP_E_IO,
     "m3.safetensors", "", "cannot open"},
    {SWAP, ONE, "", "", DP_E_FORMAT, ONE, SECOND, "which the index lists in " TWO},
    {LINK, TWO, "", "", DP_E_FORMAT, TWO, FIRST, "which the index lists in " ONE},
    {REMOVE, TWO, "", "", DP_E_IO, TWO, "", "cannot open"},
    {REMOVE, INDEX, "", "", DP_E_FORMAT, "", "model.safetensors", "no model.safetensors"},
    {ALL, TWO, "", "", DP_E_FORMAT, TWO, "", "0 bytes"},
    {ALL, TWO, "", "PK\003\004 a pickle, not weights", DP_E_FORMAT, TWO, "", "header of"},
    {CUT, TWO, "", "", DP_E_FORMAT, TWO, NULL, "data_offsets end"},
    {FOLDER, TWO, "", "", DP_E_IO, TWO, "", "directory"},
    {FIFO, ONE, "", "", DP_E_IO, ONE, "", "not a regular file"},
    {LOOP, ONE, "", "", DP_E_IO, ONE, "", "cannot open"},
    {FOLDER, INDEX, "", "", DP_E_IO, INDEX, "", "directory"},
    {FIFO, INDEX, "", "", DP_E_IO, INDEX, "", "not a regular file"},
    {LOOP, INDEX, "", "", DP_E_IO, INDEX, "", "cannot open"},
};

static void replace_file(const scene *s, const broken *b, const char *path)
{
    struct stat facts;

    ck_assert_int_eq(stat(path, &facts), 0);
    if (b->work == CUT) {
        ck_assert_int_eq(truncate(path, facts.st_size - 1), 0);
        return;
    }
    if (b->work == SWAP) {
        ck_assert_int_eq(rename(path, path_in(s, "third")), 0);
        ck_assert_int_eq(rename(path_in(s, "shards/" TWO), path), 0);
        ck_assert_int_eq(rename(path_in(s, "third"), path_in(s, "shards/" TWO)), 0);
        return;
    }
    ck_assert_int_eq(unlink(path), 0);
    if (b->work == FOLDER)
        ck_assert_int_eq(mkdir(path, 0777), 0);
    if (b->work == FIFO)
        ck_assert_int_eq(mkfifo(path, 0666), 0);
    if (b->work == LOOP)
        ck_assert_int_eq(symlink(b->file, path), 0);
    if (b->work == LINK)
        ck_assert_int_eq(symlink(ONE, path), 0);
    if (b->work == ALL)
        write_file(path, b->to, strlen(b->to));
}

static void refuse(const broken *b)
{
    scene s;
    char path[PATH_ROOM];

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_shards(&s, "shards", "m", 2, 0);
    snprintf(path, sizeof path, "%s/shards/%s", s.folder, b->file);
    if (b->work == EDIT)
        edit(path, b->from, b->to);
    else
        replace_file(&s, b, path);
    ck_assert_msg(open_fails(&s, path_in(&s, "shards")) == b->code, "%d: %s", s.error.code, s.error.message);
    snprintf(path, sizeof path, "%s/shards%s%s", s.folder, *b->where ? "/" : "", b->where);
    ck_assert_msg(strcmp(s.error.file, path) == 0, "%s: %s", s.error.file, s.error.message);
    // Text that is no JSON has a line, not a key.
    if (b->item && !strstr(b->said, "not json"))
        ck_assert_msg(strcmp(s.error.item, b->item) == 0, "%s: %s", s.error.item, s.error.message);
    ck_assert_msg(strstr(s.error.message, b->said) != NULL, "%s", s.error.message);
    close_scene(&s);
}

START_TEST(refuses_what_disagrees)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(&cases[i]);
}
END_TEST

START_TEST(refuses_a_name_of_5000_letters)
{
    scene s;
    char name[5001];

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_shards(&s, "shards", "m", 2, 0);
    memset(name, 'a', 5000);
    name[5000] = 0;
    edit(path_in(&s, "shards/" INDEX), ONE, name);
    ck_assert_int_eq(open_fails(&s, path_in(&s, "shards")), DP_E_FORMAT);
    ck_assert_str_eq(s.error.item, FIRST);
    ck_assert_ptr_nonnull(strstr(s.error.message, "longer than 255"));
    close_scene(&s);
}
END_TEST

// Names that the family does not have, all in one more shard: read, ignored, in time that grows with their number.
START_TEST(reads_many_names)
{
    enum { NAMES = 40000 };
    scene s;
    const float number = 1;
    dpi_tensor *tensors = calloc(NAMES, sizeof *tensors);
    char(*names)[32] = calloc(NAMES, sizeof *names);
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_shards(&s, "shards", "m", 2, 0);
    fputs("{\"weight_map\": {", out);
    for (int i = 0; i < NAMES; i++) {
        snprintf(names[i], sizeof *names, "extra.%d.numbers", i * 7 % NAMES);
        tensors[i] = (dpi_tensor){.name = names[i],
                                  .data = (const unsigned char *)&number,
                                  .bytes = 4,
                                  .shape = {1, 1, 1, 1},
                                  .dims = 1,
                                  .type = DP_F32};
        fprintf(out, "\"%s\": \"many.safetensors\", ", names[i]);
    }
    fclose(out);
    write_part(&s, path_in(&s, "shards/many.safetensors"), tensors, NAMES);
    edit(path_in(&s, "shards/" INDEX), "{\"weight_map\": {", text);
    dp_model *model = open_model(&s, "shards");
    ck_assert_uint_eq(model->source->safetensors->count, NAMES + 2 + 27);
    ck_assert_ptr_nonnull(strstr(s.log, "40000 tensors"));
    dp_model_free(model);
    free(text);
    free(names);
    free(tensors);
    close_scene(&s);
}
END_TEST

START_TEST(survives_every_failed_allocation)
{
    scene s;
    int rc = DP_E_MEMORY;
    int64_t n = 0;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_shards(&s, "shards", "m", 3, 0);
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
        rc = dp_model_open(context, path_in(&s, "shards"), NULL, NULL, &model, &s.error);
        f.left = INT64_MAX;
        ck_assert_msg(rc == DP_OK || rc == DP_E_MEMORY, "allocation %lld: %s", (long long)n, s.error.message);
        dp_model_free(model);
        ck_assert_uint_eq(context->memory.used, used);
        dpi_context_drop(context);
    }
    ck_assert_int_eq(rc, DP_OK);
    ck_assert_int_gt(n, 50);
    close_scene(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {equals_the_same_model_in_one_file,
                                  follows_links_out_of_the_directory,
                                  prefers_the_whole_file,
                                  does_not_trust_the_total,
                                  names_the_shard_of_a_tensor,
                                  refuses_what_disagrees,
                                  refuses_a_name_of_5000_letters,
                                  reads_many_names,
                                  survives_every_failed_allocation,
                                  equals_tiny_a_in_one_file};
    const size_t count = sizeof tests / sizeof *tests;

    if (!data_root())
        puts("model/shards: no test data, the golden model is left out");
    return dpt_run("model/shards", tests, count - !data_root());
}
