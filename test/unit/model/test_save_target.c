// Where a model may be saved, what a refused or stopped save leaves, and every failed allocation.
#include "test/unit/model/support.h"

static int try_both(scene *s, const dp_model *model, const char *path, const dp_save_options *options)
{
    dp_save_report report = {.size = sizeof report};
    const int estimated = dp_model_save_estimate(model, path, options, &report, &s->error);
    const int saved = dp_model_save(model, path, options, NULL, &report, &s->error);

    ck_assert_int_eq(estimated, saved);
    ck_assert_int_eq(report.files, saved ? 0 : report.files);
    return saved;
}

START_TEST(refuses_the_source_and_around_it)
{
    scene s;
    dp_save_options options;
    static const char *const hf[] = {"a/m", "a/m/",     "a/m/inside", "a/m/deep/er", "a",
                                     "",    "a/m/../m", "link",       "link/x"};
    static const char *const gguf[] = {"m.gguf", "a/../m.gguf", "hard.gguf"};

    open_scene(&s);
    ck_assert_int_eq(mkdir(path_in(&s, "a"), 0777), 0);
    write_tiny(&s, "a/m", &TINY);
    ck_assert_int_eq(symlink(path_in(&s, "a/m"), path_in(&s, "link")), 0);
    dp_model *model = open_model(&s, "a/m");
    dp_save_options_init(&options, sizeof options);
    options.overwrite = 1;
    for (size_t i = 0; i < sizeof hf / sizeof *hf; i++)
        ck_assert_msg(try_both(&s, model, path_in(&s, hf[i]), &options) == DP_E_ARGUMENT, "%s: %s", hf[i],
                      s.error.message);
    ck_assert_int_eq(try_both(&s, model, path_in(&s, "a/m"), &options), DP_E_ARGUMENT);
    ck_assert_str_eq(s.error.message, "the target is the model that is being read");
    options.format = DP_FORMAT_GGUF;
    ck_assert_int_eq(try_both(&s, model, path_in(&s, "a/m/model.safetensors"), &options), DP_E_ARGUMENT);
    ck_assert_int_eq(try_both(&s, model, path_in(&s, "a/m/new.gguf"), &options), DP_E_ARGUMENT);
    ck_assert_int_eq(try_both(&s, model, path_in(&s, "m.gguf"), &options), DP_OK);
    dp_model_free(model);
    model = open_model(&s, "m.gguf");
    ck_assert_int_eq(link(path_in(&s, "m.gguf"), path_in(&s, "hard.gguf")), 0);
    for (size_t i = 0; i < sizeof gguf / sizeof *gguf; i++)
        ck_assert_msg(try_both(&s, model, path_in(&s, gguf[i]), &options) == DP_E_ARGUMENT, "%s", gguf[i]);
    options.format = DP_FORMAT_HF;
    ck_assert_int_eq(try_both(&s, model, s.folder, &options), DP_E_ARGUMENT);
    dp_model_free(model);
    model = open_model(&s, "a/m"); // whole as before
    ck_assert_int_eq(dp_model_check(model, NULL, &s.error), DP_OK);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(refuses_what_exists_unless_told)
{
    scene s;
    dp_save_options options;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_tiny(&s, "old", &TINY);
    ck_assert_int_eq(mkdir(path_in(&s, "empty"), 0777), 0);
    ck_assert_int_eq(mkdir(path_in(&s, "home"), 0777), 0);
    write_file(path_in(&s, "home/letter.txt"), "x", 1);
    write_file(path_in(&s, "file"), "x", 1);
    dp_model *model = open_model(&s, "m");
    dp_save_options_init(&options, sizeof options);
    ck_assert_int_eq(try_both(&s, model, path_in(&s, "old"), &options), DP_E_ARGUMENT);
    ck_assert_int_eq(try_both(&s, model, path_in(&s, "file"), &options), DP_E_ARGUMENT);
    ck_assert_int_eq(try_both(&s, model, path_in(&s, "empty"), &options), DP_OK);
    ck_assert_int_eq(try_both(&s, model, path_in(&s, "no/where"), &options), DP_E_IO);
    ck_assert_int_eq(try_both(&s, model, path_in(&s, "file/x"), &options), DP_E_IO);
    options.overwrite = 1;
    ck_assert_int_eq(try_both(&s, model, path_in(&s, "home"), &options), DP_E_ARGUMENT); // no model there
    ck_assert(is_there(&s, "home/letter.txt"));
    ck_assert_int_eq(try_both(&s, model, path_in(&s, "old"), &options), DP_OK);
    dp_model *fresh = open_model(&s, "old");
    assert_same_weights(model, fresh);
    dp_model_free(fresh);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(checks_arguments)
{
    scene s;
    dp_save_options options;
    dp_save_report report = {.size = 0};

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    dp_model *model = open_model(&s, "m");
    ck_assert_int_eq(dp_model_save(NULL, "x", NULL, NULL, NULL, NULL), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_model_save(model, NULL, NULL, NULL, NULL, NULL), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_model_save(model, path_in(&s, "out"), NULL, NULL, &report, &s.error), DP_E_ARGUMENT);
    ck_assert_str_eq(s.error.item, "report");
    dp_save_options_init(&options, sizeof options);
    options.type = DP_Q4_0;
    ck_assert_int_eq(try_both(&s, model, path_in(&s, "out"), &options), DP_E_ARGUMENT);
    ck_assert_str_eq(s.error.item, "type");
    options.type = -1;
    options.format = 2;
    ck_assert_int_eq(try_both(&s, model, path_in(&s, "out"), &options), DP_E_ARGUMENT);
    ck_assert_str_eq(s.error.item, "format");
    ck_assert(!is_there(&s, "out"));
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

typedef struct brake {
    int32_t left;
    uint64_t total;
} brake;

static int32_t stop_later(void *user, const dp_progress *now)
{
    brake *b = user;

    ck_assert_str_eq(now->phase, "save");
    ck_assert_uint_le(now->done, now->total);
    b->total = now->total;
    return b->left-- == 0;
}

static size_t count_names(const scene *s)
{
    char command[128];
    size_t count = 0;

    snprintf(command, sizeof command, "ls -A %s", s->folder);
    FILE *list = popen(command, "r");
    for (int c = fgetc(list); c != EOF; c = fgetc(list))
        count += c == '\n';
    pclose(list);
    return count;
}

START_TEST(leaves_nothing_when_stopped)
{
    scene s;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    dp_model *model = open_model(&s, "m");
    for (int format = 0; format < 2; format++) {
        brake b = {.left = 0};
        const dp_monitor monitor = {.size = sizeof monitor, .progress = stop_later, .user = &b};
        dp_save_options options;
        dp_save_options_init(&options, sizeof options);
        options.format = format;
        ck_assert_int_eq(dp_model_save(model, path_in(&s, "out"), &options, &monitor, NULL, &s.error),
                         DP_E_CANCELLED);
        ck_assert_uint_eq(count_names(&s), 1); // "m" alone
        b.left = 1000000;
        ck_assert_int_eq(dp_model_save(model, path_in(&s, "out"), &options, &monitor, NULL, &s.error), DP_OK);
        ck_assert_uint_eq(b.total, (3 * (32 + 768 + 1152) + 336) * 4);
        ck_assert_uint_eq(count_names(&s), 2);
        ck_assert_int_eq(nftw(path_in(&s, "out"), remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    }
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(survives_every_failed_allocation)
{
    static const char plan[] = "{\"blocks\": 2, \"removed\": [1], \"criterion\": \"ppl\", \"scores\": [2, 1], \"calibration\": {\"a\": 1}}";
    const int32_t kept = 0;
    scene s;

    open_scene(&s);
    tiny t = TINY;
    t.blocks = 2;
    write_tiny(&s, "m", &t);
    write_file(path_in(&s, "m/LICENSE"), "x", 1);
    write_file(path_in(&s, "m/README.md"), "---\nlicense: mit\n---\n", 21);
    write_file(path_in(&s, "m/depthprune.json"), plan, strlen(plan));
    ck_assert_int_eq(mkdir(path_in(&s, "m/additional_chat_templates"), 0777), 0);
    write_file(path_in(&s, "m/additional_chat_templates/a.jinja"), "x", 1);
    for (int format = 0; format < 2; format++) {
        int rc = DP_E_MEMORY;
        for (int64_t n = 0; rc == DP_E_MEMORY; n++) {
            failing f = {.left = INT64_MAX};
            const dp_allocator allocator = {fail_later, give_back, &f};
            dp_context_options options;
            dp_save_options how;
            dp_context *context;
            dp_model *model, *whole;
            dp_context_options_init(&options, sizeof options);
            options.threads = 1;
            options.allocator = &allocator;
            ck_assert_int_eq(dpi_context_make(&options, &context, NULL), DP_OK);
            ck_assert_int_eq(dp_model_open(context, path_in(&s, "m"), NULL, NULL, &whole, NULL), DP_OK);
            ck_assert_int_eq(dpi_model_keep(whole, &kept, 1, plan, &model, NULL), DP_OK);
            const uint64_t used = context->memory.used;
            dp_save_options_init(&how, sizeof how);
            how.format = format;
            how.type = DP_BF16;
            f.left = n;
            rc = dp_model_save(model, path_in(&s, "out"), &how, NULL, NULL, &s.error);
            f.left = INT64_MAX;
            ck_assert_msg(rc == DP_OK || rc == DP_E_MEMORY, "allocation %lld: %s", (long long)n, s.error.message);
            ck_assert_uint_eq(context->memory.used, used);
            ck_assert_uint_eq(count_names(&s), rc ? 1 : 2);
            dp_model_free(model);
            dp_model_free(whole);
            dpi_context_drop(context);
            ck_assert(rc == DP_OK || n < 5000);
        }
        ck_assert_int_eq(rc, DP_OK);
        ck_assert_int_eq(nftw(path_in(&s, "out"), remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    }
    close_scene(&s);
}
END_TEST

// The source may be renamed or the process may go elsewhere while the model is open.
START_TEST(works_after_a_change_of_directory)
{
    scene s;
    dp_model *model = NULL;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    write_file(path_in(&s, "m/LICENSE"), "x", 1);
    char *here = getcwd(NULL, 0);
    ck_assert_int_eq(chdir(s.folder), 0);
    ck_assert_int_eq(dp_model_open(s.context, "m", NULL, NULL, &model, &s.error), DP_OK);
    ck_assert_int_eq(chdir("/"), 0);
    must_save(&s, model, "out", -1, -1);
    ck_assert(is_there(&s, "out/LICENSE"));
    ck_assert_int_eq(chdir(s.folder), 0);
    ck_assert_int_eq(dp_model_save(model, "relative", NULL, NULL, NULL, &s.error), DP_OK);
    ck_assert(is_there(&s, "relative/config.json"));
    ck_assert_int_eq(dp_model_save(model, "m", NULL, NULL, NULL, &s.error), DP_E_ARGUMENT);
    ck_assert_int_eq(chdir(here), 0);
    free(here);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        refuses_the_source_and_around_it, refuses_what_exists_unless_told,  checks_arguments,
        leaves_nothing_when_stopped,      survives_every_failed_allocation, works_after_a_change_of_directory};
    return dpt_run("model/save_target", tests, sizeof tests / sizeof *tests);
}
