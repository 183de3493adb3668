// A scoring run that keeps what is finished: stopped after any group and resumed, it gives the bits of an unbroken one.
#include <sys/stat.h>

#include "test/unit/prune/support.h"

enum { SAMPLES = 6, LENGTH = 12, ROWS = SAMPLES * LENGTH };

typedef struct rig {
    dp_context *context;
    dp_model *model;
    plain_model *plain;
    dp_calib *calib;
    char folder[32], path[64];
} rig;

static struct stop {
    const char *path; // NULL: no stop
    ino_t last;
    int journals; // to be seen before the run is stopped; each is a new file
    int32_t cancel;
} stop;

// The context's allocator sees the run at work: a run takes memory after each journal.
static void *take(void *user, uint64_t size, uint64_t align)
{
    struct stat status;

    (void)user;
    if (stop.path && stat(stop.path, &status) == 0 && status.st_ino != stop.last) {
        stop.last = status.st_ino;
        stop.cancel = --stop.journals <= 0;
    }
    return aligned_alloc(align, (size + align - 1) / align * align);
}
static void give(void *user, void *memory, uint64_t size)
{
    (void)user;
    (void)size;
    free(memory);
}

static dp_context *watched_context(void)
{
    const dp_allocator allocator = {.alloc = take, .free = give};
    dp_context_options options;
    dp_context *context = NULL;
    dp_error error;

    dp_context_options_init(&options, sizeof options);
    options.allocator = &allocator;
    options.threads = 2;
    ck_ok(dp_context_new(&options, &context, &error), error);
    return context;
}

static rig rig_open(void)
{
    rig r = {.context = watched_context(), .plain = plain_new(31), .folder = "/tmp/dp-journal-XXXXXX"};
    int32_t ids[ROWS];

    r.model = test_plain(r.context, r.plain);
    plain_ids(ids, ROWS, 8);
    r.calib = test_calib(r.context, ids, SAMPLES, LENGTH);
    ck_assert_ptr_nonnull(mkdtemp(r.folder));
    snprintf(r.path, sizeof r.path, "%s/journal", r.folder);
    return r;
}

static void rig_close(rig *r)
{
    remove(r->path);
    ck_assert_int_eq(remove(r->folder), 0); // nothing else was left in it
    dp_calib_free(r->calib);
    dp_model_free(r->model);
    dp_context_free(r->context);
    free(r->plain);
}

// `journals` 0: to the end.
static int score(const rig *r, const char *criterion, int32_t resume, int journals, dp_scores **out, dp_error *error)
{
    dp_scorer_options options = test_options(criterion);
    const dp_monitor monitor = {.size = sizeof monitor, .cancel = &stop.cancel};
    struct stat status;
    dp_scorer *scorer = NULL;

    stop = (struct stop){.path = journals ? r->path : NULL, .journals = journals};
    if (stat(r->path, &status) == 0)
        stop.last = status.st_ino;
    options.journal = r->path;
    options.resume = resume;
    options.group_samples = 1;
    ck_ok(dp_scorer_new(r->context, &options, &scorer, error), *error);
    const int rc = dp_scorer_run(scorer, r->model, r->calib, &monitor, out, error);
    dp_scorer_free(scorer);
    stop = (struct stop){0};
    return rc;
}

static void ck_same(const dp_scores *a, const dp_scores *b)
{
    const dp_scores_info x = test_info(a), y = test_info(b);

    ck_assert_mem_eq(x.scores, y.scores, (size_t)x.blocks * sizeof *x.scores);
    if (strcmp(x.criterion, "ppl") == 0)
        ck_assert_mem_eq(&x.dense, &y.dense, sizeof x.dense);
}

START_TEST(stopped_and_resumed_is_unbroken)
{
    static const char *const criteria[] = {"ppl", "bi"};
    rig r = rig_open();
    dp_scores *whole = NULL, *resumed = NULL;
    dp_error error;

    ck_ok(score(&r, criteria[_i], 0, 0, &whole, &error), error);
    remove(r.path);
    for (int resume = 0; resume < 2; resume++) { // a run that is stopped, and a resumed one
        ck_assert_int_eq(score(&r, criteria[_i], resume, 2 - resume, &resumed, &error), DP_E_CANCELLED);
        ck_assert_int_eq(access(r.path, F_OK), 0);
    }
    ck_ok(score(&r, criteria[_i], 1, 0, &resumed, &error), error);
    ck_same(whole, resumed);
    dp_scores_free(resumed);
    ck_ok(score(&r, criteria[_i], 1, 0, &resumed, &error), error); // nothing is left to do
    ck_same(whole, resumed);
    dp_scores_free(resumed);
    dp_scores_free(whole);
    rig_close(&r);
}
END_TEST

static void put(const rig *r, const char *text)
{
    FILE *file = fopen(r->path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

START_TEST(another_runs_journal_is_refused_or_replaced)
{
    rig r = rig_open();
    dp_scores *scores = NULL;
    dp_error error;

    ck_ok(score(&r, "bi", 0, 0, &scores, &error), error);
    dp_scores_free(scores);
    scores = NULL;
    ck_assert_int_eq(score(&r, "ppl", 1, 0, &scores, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.file, r.path);
    ck_assert_str_eq(error.item, "fingerprint");
    ck_ok(score(&r, "ppl", 0, 0, &scores, &error), error);
    dp_scores_free(scores);
    rig_close(&r);
}
END_TEST

// What is no journal stays, whether the run is to be resumed or not.
START_TEST(other_files_are_not_replaced)
{
    static const struct {
        const char *text, *item;
        int32_t resume;
    } cases[] = {{"my notes", "", 0},
                 {"{\"a\": 1}", "schema", 0},
                 {"{\"schema\": \"depthprune.plan/1\"}", "schema", 0},
                 {"{\"schema\": \"depthprune.journal/1\"}", "fingerprint", 1},
                 {"", "", 1}};
    rig r = rig_open();
    dp_scores *scores = NULL;
    dp_error error;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64] = "";

        put(&r, cases[i].text);
        ck_assert_int_eq(score(&r, "ppl", cases[i].resume, 0, &scores, &error), DP_E_FORMAT);
        ck_assert_str_eq(error.file, r.path);
        ck_assert_str_eq(error.item, cases[i].item);
        FILE *file = fopen(r.path, "r");
        ck_assert_uint_eq(fread(text, 1, sizeof text, file), strlen(cases[i].text));
        fclose(file);
        ck_assert_int_eq(strncmp(text, cases[i].text, strlen(cases[i].text)), 0);
    }
    rig_close(&r);
}
END_TEST

START_TEST(magnitude_has_no_samples_to_keep)
{
    rig r = rig_open();
    dp_scores *scores = NULL;
    dp_error error;

    ck_assert_int_eq(score(&r, "mag", 0, 0, &scores, &error), DP_E_ARGUMENT);
    rig_close(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prune/journal");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, stopped_and_resumed_is_unbroken, 0, 2);
    tcase_add_test(all, another_runs_journal_is_refused_or_replaced);
    tcase_add_test(all, other_files_are_not_replaced);
    tcase_add_test(all, magnitude_has_no_samples_to_keep);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
