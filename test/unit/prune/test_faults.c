// Every allocation of a run fails once, and once for good: the answer is DP_E_MEMORY, nothing leaks, nothing crashes.
#include <stdatomic.h>

#include "test/unit/prune/support.h"

typedef struct faults {
    _Atomic int64_t calls, held;
    int64_t fail_at; // the call that fails, from 1; 0: none
    int for_good;    // and all after it
} faults;

static void *take(void *user, uint64_t size, uint64_t align)
{
    faults *f = user;
    const int64_t call = ++f->calls;
    void *memory = NULL;

    if (f->fail_at && (call == f->fail_at || (f->for_good && call > f->fail_at)))
        return NULL;
    if (posix_memalign(&memory, align < sizeof(void *) ? sizeof(void *) : align, size ? size : 1))
        return NULL;
    f->held++;
    return memory;
}

static void give(void *user, void *memory, uint64_t size)
{
    faults *f = user;

    (void)size;
    f->held--;
    free(memory);
}

typedef struct things {
    dp_context *context;
    dp_model *model, *pruned;
    dp_calib *calib;
    dp_scorer *scorer;
    dp_scores *scores;
    dp_pruner *pruner;
    dp_plan *plan, *copy;
} things;

static int score_and_prune(things *t, const char *directory, const char *criterion, dp_error *error)
{
    const dp_scorer_options options = test_options(criterion);
    dp_pruner_options amount;
    int32_t ids[2 * 6];
    char text[8192];
    size_t needed = 0;

    plain_ids(ids, 12, 3);
    dp_pruner_options_init(&amount, sizeof amount);
    amount.blocks = 2;
    int rc = dp_model_open(t->context, directory, NULL, NULL, &t->model, error);
    if (!rc)
        rc = dp_calib_from_ids(t->context, ids, 2, 6, &t->calib, error);
    if (!rc)
        rc = dp_scorer_new(t->context, &options, &t->scorer, error);
    if (!rc)
        rc = dp_scorer_run(t->scorer, t->model, t->calib, NULL, &t->scores, error);
    if (!rc)
        rc = dp_pruner_new(t->context, &amount, &t->pruner, error);
    if (!rc)
        rc = dp_pruner_plan(t->pruner, t->model, t->scores, &t->plan, error);
    if (!rc)
        rc = dp_plan_write(t->plan, text, sizeof text, &needed, error);
    if (!rc)
        rc = dp_plan_read(t->context, text, needed - 1, NULL, &t->copy, error);
    return rc ? rc : dp_pruner_run(t->pruner, t->model, t->copy, &t->pruned, error);
}

static void free_all(things *t)
{
    dp_context_free(t->context); // any order
    dp_model_free(t->model);
    dp_scores_free(t->scores);
    dp_scorer_free(t->scorer);
    dp_calib_free(t->calib);
    dp_plan_free(t->plan);
    dp_plan_free(t->copy);
    dp_pruner_free(t->pruner);
    dp_model_free(t->pruned);
}

// Returns what the run returned.
static int run_once(faults *f, const char *directory, const char *criterion)
{
    const dp_allocator allocator = {.alloc = take, .free = give, .user = f};
    dp_context_options options;
    things t = {.context = NULL};
    dp_error error = {.code = DP_OK};

    dp_context_options_init(&options, sizeof options);
    options.backend = "cpu";
    options.threads = 1;
    options.allocator = &allocator;
    int rc = dp_context_new(&options, &t.context, &error);
    if (!rc)
        rc = score_and_prune(&t, directory, criterion, &error);
    ck_assert_int_eq(rc, error.code);
    ck_assert_msg(rc == DP_OK || error.message[0], "a failure without a word");
    free_all(&t);
    ck_assert_int_eq(f->held, 0);
    return rc;
}

START_TEST(every_allocation_may_fail)
{
    static const char *const names[] = {"ppl", "bi", "mag"};
    char directory[] = "/tmp/depthprune-faults-XXXXXX";
    plain_model *plain = plain_new(3);
    faults counted = {.fail_at = 0};

    plain_save(plain, directory);
    ck_assert_int_eq(run_once(&counted, directory, names[_i]), DP_OK);
    ck_assert_int_gt(counted.calls, 40);
    for (int64_t at = 1; at <= counted.calls; at++)
        for (int for_good = 0; for_good < 2; for_good++) {
            faults f = {.fail_at = at, .for_good = for_good};
            const int rc = run_once(&f, directory, names[_i]);
            ck_assert_msg(rc == DP_E_MEMORY || (rc == DP_OK && !for_good), "allocation %lld: %d", (long long)at, rc);
        }
    plain_remove(directory);
    free(plain);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prune/faults");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 300);
    tcase_add_loop_test(all, every_allocation_may_fail, 0, 3);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
