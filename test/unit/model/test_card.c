// What a saved model says of itself: the card, the plans of its ancestors, and the general.* keys of GGUF.
#include "io/gguf.h"
#include "io/json.h"
#include "model/count.h"
#include "test/unit/model/support.h"

static const char parents_card[] = "---\n# a comment\nlanguage:\n- en\nlicense:\n  - other\nlicense_name: \"llama 3 (community)\"\r\n"
                                   "license_link: https://example.org/LICENSE?a=b\nbase_model: x/y\n---\n# Parent\nlicense: mit\n";

static dp_model *without(scene *s, const dp_model *model, int32_t gone, const char *plan)
{
    int32_t kept[16], count = 0;
    dp_model *smaller = NULL;

    for (int32_t i = 0; i < model->config.blocks; i++)
        if (i != gone)
            kept[count++] = i;
    ck_assert_msg(dpi_model_keep(model, kept, count, plan, &smaller, &s->error) == DP_OK, "%s", s->error.message);
    return smaller;
}

static void holds(const scene *s, const char *name, const char *part)
{
    char *text = read_file(path_in(s, name), NULL);

    ck_assert_msg(strstr(text, part) != NULL, "%s has no \"%s\":\n%s", name, part, text);
    free(text);
}

static void lacks(const scene *s, const char *name, const char *part)
{
    char *text = read_file(path_in(s, name), NULL);

    ck_assert_msg(strstr(text, part) == NULL, "%s has \"%s\":\n%s", name, part, text);
    free(text);
}

static void drop(dp_model *one, dp_model *two, dp_model *three)
{
    dp_model_free(one);
    dp_model_free(two);
    dp_model_free(three);
}

static const char plan_of_3[] = "{\n  \"blocks\": 3,\n  \"removed\": [1],\n  \"criterion\": \"ppl\",\n  \"scores\": [9, 1.5, 4],\n"
                                "  \"parent\": {\"digest\": null, \"path\": \"/somewhere/m\"},\n"
                                "  \"calibration\": {\"samples\": 10}\n}\n";
static const char plan_of_2[] = "{\"blocks\": 2, \"removed\": [0], \"parent\": {\"path\": \"out/\"}}";

START_TEST(the_card_of_a_pruned_model)
{
    static const char front[] = "---\nbase_model: \"m\"\nlibrary_name: transformers\npipeline_tag: text-generation\n"
                                "tags:\n- depth-pruned\nlicense: \"other\"\nlicense_name: \"llama 3 (community)\"\n"
                                "license_link: \"https://example.org/LICENSE?a=b\"\n---\n\n# `out`\n\n`m` without 1 of its 3 "
                                "Transformer blocks; what is left is as it was, not trained again.\n\n";
    static const char body[] = "Removed: 1.\nKept: 0, 2.\n\nCriterion: `ppl`. A block with a low score is missed least.\n\n"
                               "| block | score | |\n|---|---|---|\n| 0 | 9 |  |\n| 1 | 1.5 | removed |\n| 2 | 4 |  |\n\n"
                               "Calibration:\n\n```json\n{\n  \"samples\": 10\n}\n```\n\n## Made again\n\n```sh\n"
                               "depthprune prune m --plan depthprune.json -o out\n```\n";
    scene s;
    char text[128];
    uint64_t whole, left, bytes;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_file(path_in(&s, "m/README.md"), parents_card, sizeof parents_card - 1);
    dp_model *model = open_model(&s, "m"), *smaller = without(&s, model, 1, plan_of_3);
    must_save(&s, smaller, "out", -1, -1);
    dpi_model_count(model, &whole, &bytes);
    dpi_model_count(smaller, &left, &bytes);
    snprintf(text, sizeof text, "| blocks | 3 | 2 |\n| parameters | %d | %d (%.1f %%) |\n", (int)whole, (int)left,
             100.0 * (double)left / (double)whole);
    char *card = read_file(path_in(&s, "out/README.md"), NULL);
    ck_assert_msg(strncmp(card, front, sizeof front - 1) == 0, "%s", card);
    free(card);
    holds(&s, "out/README.md", text);
    holds(&s, "out/README.md", body);
    drop(model, smaller, NULL);
    close_scene(&s);
}
END_TEST

START_TEST(the_card_of_a_copy)
{
    scene s;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    dp_model *model = open_model(&s, "m");
    must_save(&s, model, "half", -1, DP_F16);
    holds(&s, "half/README.md", "`m`, converted; no weight was left out.\n\n## Made again\n\n```sh\ndepthprune convert m --dtype f16 -o half\n");
    lacks(&s, "half/README.md", "depth-pruned");
    lacks(&s, "half/README.md", "license");
    drop(model, NULL, NULL);
    close_scene(&s);
}
END_TEST

static size_t ancestors(const scene *s, const char *name, const char *paths[], size_t most)
{
    size_t size = 0;
    char *text = read_file(path_in(s, name), &size);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const json_t *const list = json_object_get(root, "ancestors");

    ck_assert_msg(root != NULL, "%s", text);
    for (size_t i = 0; i < json_array_size(list) && i < most; i++) {
        const json_t *const one = json_array_get(list, i);
        ck_assert_ptr_null(json_object_get(one, "ancestors"));
        ck_assert_str_eq(json_string_value(json_object_get(json_object_get(one, "parent"), "path")), paths[i]);
    }
    const size_t count = json_array_size(list);
    json_decref(root);
    free(text);
    return count;
}

// Saved in between or not, as a directory or as GGUF: every step is told, oldest first.
START_TEST(pruned_again_and_again)
{
    static const char *paths[] = {"/somewhere/m", "out/", "again"};
    static const char last[] = "{\"blocks\": 2, \"removed\": [1], \"parent\": {\"path\": \"again\"}}";
    scene s;
    tiny t = TINY;

    t.blocks = 4;
    open_scene(&s);
    write_tiny(&s, "m", &t);
    dp_model *model = open_model(&s, "m"), *three = without(&s, model, 1, plan_of_3), *two = without(&s, three, 0, plan_of_2);
    must_save(&s, two, "out", -1, -1);
    ck_assert_uint_eq(ancestors(&s, "out/depthprune.json", paths, 1), 1);
    holds(&s, "out/README.md", "Removed: 0, 1.");
    holds(&s, "out/README.md", "--remove 0,1 -o out"); // no one plan says it
    holds(&s, "out/README.md", "## Before that\n\n1. From `m`, of 3 blocks, removed: 1 (`ppl`).\n");
    lacks(&s, "out/README.md", "| block | score");
    drop(model, three, two);
    model = open_model(&s, "out");
    two = without(&s, model, 0, last);
    must_save(&s, two, "third", -1, -1);
    ck_assert_uint_eq(ancestors(&s, "third/depthprune.json", paths, 2), 2);
    holds(&s, "third/README.md", "base_model: \"out\"\n");
    holds(&s, "third/README.md", "1. From `m`, of 3 blocks, removed: 1 (`ppl`).\n1. From `out`, of 2 blocks, removed: 0.\n");
    must_save(&s, two, "third.gguf", DP_FORMAT_GGUF, -1);
    drop(model, two, NULL);
    model = open_model(&s, "third.gguf");
    must_save(&s, model, "back", DP_FORMAT_HF, -1);
    ck_assert_uint_eq(ancestors(&s, "back/depthprune.json", paths, 2), 2);
    holds(&s, "back/README.md", "## How it came to be\n\n1. From `m`, of 3 blocks, removed: 1 (`ppl`).\n1. From `out`, of 2 blocks, "
                                "removed: 0.\n1. From `again`, of 2 blocks, removed: 1.\n");
    drop(model, NULL, NULL);
    close_scene(&s);
}
END_TEST

// A stranger's depthprune.json: left out with a warning when it is no plan, and never more than text.
START_TEST(strange_plans_of_a_parent)
{
    static const char *const plans[] = {"", "[]", "{", "{\"a\":1,\"a\":2}", "7", "\xff"};
    static const char odd[] = "{\"ancestors\": {\"a\": [1]}, \"parent\": 5, \"removed\": \"x\", \"blocks\": [], \"criterion\": \"`\\n\"}";
    scene s;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    dp_model *model = open_model(&s, "m"), *smaller = without(&s, model, 1, plan_of_3);
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        char name[32];
        snprintf(name, sizeof name, "out%zu/depthprune.json", i);
        write_file(path_in(&s, "m/depthprune.json"), plans[i], strlen(plans[i]));
        s.log[0] = 0;
        *strchr(name, '/') = 0;
        must_save(&s, smaller, name, -1, -1);
        ck_assert_msg(!plans[i][0] == !strstr(s.log, "its plan cannot be read"), "%s", plans[i]);
        name[strlen(name)] = '/';
        ck_assert_uint_eq(ancestors(&s, name, NULL, 0), 0);
    }
    write_file(path_in(&s, "m/depthprune.json"), odd, sizeof odd - 1);
    must_save(&s, smaller, "odd", -1, -1);
    ck_assert_uint_eq(ancestors(&s, "odd/depthprune.json", NULL, 0), 1);
    holds(&s, "odd/README.md", "1. From `?`, of 0 blocks, removed: (`'?`).\n");
    drop(model, smaller, NULL);
    close_scene(&s);
}
END_TEST

static void is_utf8(const char *text)
{
    uint32_t point = 0;

    for (const char *at = text; *at;) {
        const size_t size = dpi_utf8_decode(at, strlen(at), &point);
        ck_assert_msg(size > 0 && (point >= 0x20 || point == '\n') && point != 0x7f && (point < 0x80 || point >= 0xa0) &&
                          point != 0xfffe && point != 0xffff,
                      "%s", text);
        at += size;
    }
}

// Whatever the names: the front matter has its lines and no others, each a string in JSON's spelling.
static void check_front(const char *card)
{
    const char *at = card;
    int lines = 0;

    ck_assert_msg(strncmp(at, "---\n", 4) == 0, "%s", card);
    for (at += 4; strncmp(at, "---\n", 4) != 0; at = strchr(at, '\n') + 1, lines++) {
        const char *const value = strchr(at, ' ') + 1, *const end = strchr(at, '\n');
        char line[700];
        snprintf(line, sizeof line, "[%.*s]", (int)(end - value), value);
        json_t *const parsed = *value == '"' ? json_loads(line, 0, NULL) : json_array();
        ck_assert_msg(parsed != NULL, "%s", card);
        json_decref(parsed);
    }
    ck_assert_int_le(lines, 5);
    for (int fences = 0; at; at = strstr(at + 1, "\n```"), fences++)
        ck_assert_msg(fences < 3, "%s", card);
}

START_TEST(hostile_names)
{
    static const char *const names[] = {"a\nb: c", "\"", "'; rm -rf ~ #", "`x`", "```", "- a", "\xff\xfe\x80", "\xef\xbf\xbe\xef\xbf\xbf",
                                        "a\x7f\xc2\x85\xe2\x80\xa8", "](javascript:x) <b>", "--remove", "---", "{a: b}", "\\", "%s%n",
                                        "models--a--b"};
    static const char evil[] = "---\nlicense: mit\\n\"evil\nlicense_name: [a, b]\nlicense_link: javascript:alert('1')\n---\n";
    scene s;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char out[64], file[96];
        open_scene(&s);
        write_tiny(&s, names[i], &TINY);
        snprintf(file, sizeof file, "%s/README.md", names[i]);
        write_file(path_in(&s, file), evil, sizeof evil - 1);
        dp_model *model = open_model(&s, names[i]), *smaller = without(&s, model, 1, NULL);
        snprintf(out, sizeof out, "%s.out", names[i]);
        must_save(&s, smaller, out, -1, -1);
        snprintf(file, sizeof file, "%s/README.md", out);
        char *card = read_file(path_in(&s, file), NULL);
        is_utf8(card);
        check_front(card);
        ck_assert_msg(!strstr(card, "license"), "%s", card);
        free(card);
        must_save(&s, smaller, "m.gguf", DP_FORMAT_GGUF, -1);
        drop(model, smaller, open_model(&s, "m.gguf"));
        close_scene(&s);
    }
}
END_TEST

START_TEST(the_hub_s_cache_names_the_parent)
{
    scene s;

    open_scene(&s);
    ck_assert_int_eq(mkdir(path_in(&s, "models--some-org--A-1B"), 0777), 0);
    ck_assert_int_eq(mkdir(path_in(&s, "models--some-org--A-1B/snapshots"), 0777), 0);
    write_tiny(&s, "models--some-org--A-1B/snapshots/0123abc", &TINY);
    dp_model *model = open_model(&s, "models--some-org--A-1B/snapshots/0123abc"), *smaller = without(&s, model, 1, NULL);
    must_save(&s, smaller, "out", -1, -1);
    holds(&s, "out/README.md", "base_model: \"some-org/A-1B\"\n");
    holds(&s, "out/README.md", "[`some-org/A-1B`](https://huggingface.co/some-org/A-1B) without 1 of");
    holds(&s, "out/README.md", "depthprune prune A-1B --remove 1 -o out\n");
    drop(model, smaller, NULL);
    close_scene(&s);
}
END_TEST

static dpi_gguf *read_gguf(const scene *s, const char *name)
{
    dpi_storage *storage = NULL;
    dpi_gguf *file = NULL;

    ck_assert_int_eq(dpi_file_open(&storage, s->context, path_in(s, name), 0, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_read(&file, &s->context->memory, storage, name, NULL), DP_OK);
    dpi_storage_drop(storage);
    return file;
}

static void says(const dpi_gguf *file, const char *key, const char *want)
{
    const char *text = "";
    size_t size = 0;

    ck_assert_int_eq(dpi_gguf_string(file, key, 0, &text, &size, NULL), DP_OK);
    ck_assert_msg(size == strlen(want) && memcmp(text, want, size) == 0, "%s is \"%.*s\"", key, (int)size, text);
}

START_TEST(the_general_keys_of_gguf)
{
    scene s;
    tiny t = TINY;
    int64_t count = 0;

    t.blocks = 4;
    open_scene(&s);
    write_tiny(&s, "parent", &t);
    write_file(path_in(&s, "parent/README.md"), parents_card, sizeof parents_card - 1);
    dp_model *model = open_model(&s, "parent"), *three = without(&s, model, 1, NULL);
    must_save(&s, three, "three.gguf", DP_FORMAT_GGUF, -1);
    must_save(&s, model, "whole.gguf", DP_FORMAT_GGUF, -1);
    dpi_gguf *file = read_gguf(&s, "whole.gguf");
    says(file, "general.name", "parent");
    says(file, "general.base_model.0.name", "");
    says(file, "general.license.link", "https://example.org/LICENSE?a=b");
    dpi_gguf_free(file);
    file = read_gguf(&s, "three.gguf");
    says(file, "general.name", "parent (3 of 4 blocks)");
    says(file, "general.base_model.0.name", "parent");
    says(file, "general.size_label", "6.2K");
    says(file, "general.license", "other");
    dpi_gguf_free(file);
    drop(model, three, NULL);
    model = open_model(&s, "three.gguf");
    three = without(&s, model, 0, NULL);
    must_save(&s, three, "two.gguf", -1, -1);
    file = read_gguf(&s, "two.gguf");
    says(file, "general.name", "parent (2 of 3 blocks)");
    says(file, "general.base_model.0.name", "parent (3 of 4 blocks)");
    says(file, "general.license", "other");
    ck_assert_int_eq(dpi_gguf_int(file, "general.base_model.count", 1, 0, 9, &count, NULL), DP_OK);
    ck_assert_int_eq(count, 1);
    dpi_gguf_free(file);
    must_save(&s, three, "hf", DP_FORMAT_HF, -1);
    holds(&s, "hf/README.md", "base_model: \"parent (3 of 4 blocks)\"\n");
    holds(&s, "hf/README.md", "license_name: \"llama 3 (community)\"\n");
    holds(&s, "hf/README.md", "depthprune prune three.gguf --remove 0 --to hf -o hf\n");
    drop(model, three, NULL);
    close_scene(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_card_of_a_pruned_model, the_card_of_a_copy, pruned_again_and_again,
                                  strange_plans_of_a_parent, hostile_names, the_hub_s_cache_names_the_parent,
                                  the_general_keys_of_gguf};
    return dpt_run("model/card", tests, sizeof tests / sizeof *tests);
}
