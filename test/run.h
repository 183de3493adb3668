// The one runner of the unit tests: dpt_run(name, tests, count) in main.
#ifndef TEST_RUN_H
#define TEST_RUN_H

#include <check.h>
#include <stddef.h>

static inline int dpt_run(const char *name, const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 120);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(all, tests[i]);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

#endif
