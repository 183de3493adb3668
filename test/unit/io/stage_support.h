// A folder and a context for each test of saving, and the usual steps.
#ifndef TEST_IO_STAGE_SUPPORT_H
#define TEST_IO_STAGE_SUPPORT_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/error.h"
#include "io/folder.h"
#include "io/stage.h"
#include "test/unit/io/support.h"

static dp_context *context;
static const char *folder; // fresh for each test, removed after it
static uint64_t used;

static inline void set_up(void)
{
    context = new_context();
    used = context->memory.used;
    folder = new_folder();
}

static inline void tear_down(void)
{
    ck_assert_int_eq(dpi_folder_remove(AT_FDCWD, folder), 0);
    end_context(context, used);
}

static inline int names_in(const char *path)
{
    DIR *list = opendir(path);
    int count = 0;

    ck_assert_ptr_nonnull(list);
    for (struct dirent *entry = readdir(list); entry; entry = readdir(list))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(list);
    return count;
}

static inline dpi_stage *open_stage(const char *target, int directory, int overwrite)
{
    dpi_stage *stage = NULL;
    dp_error error = {.code = 0};

    ck_assert_msg(dpi_stage_open(&stage, context, target, directory, overwrite, &error) == DP_OK, "%s",
                  error.message);
    return stage;
}

static inline void put(dpi_stage *stage, const char *name, const char *text)
{
    dpi_writer *writer = NULL;

    ck_assert_int_eq(dpi_stage_file(stage, name, &writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_writer_add(writer, text, strlen(text), NULL), DP_OK);
    ck_assert_int_eq(dpi_writer_end(writer, NULL), DP_OK);
}

static inline void refused(const char *target, int directory, int overwrite, int code, const char *message)
{
    dpi_stage *stage = NULL;
    dp_error error = {.code = 0};

    ck_assert_msg(dpi_stage_open(&stage, context, target, directory, overwrite, &error) == code, "%s", target);
    ck_assert_ptr_null(stage);
    ck_assert_msg(strstr(error.message, message), "%s", error.message);
}

static inline void save_directory(const char *target, int overwrite, const char *text)
{
    dpi_stage *stage = open_stage(target, 1, overwrite);

    put(stage, "config.json", text);
    put(stage, "model.safetensors", "weights");
    ck_assert_int_eq(dpi_stage_files(stage), 2);
    ck_assert_uint_eq(dpi_stage_bytes(stage), strlen(text) + 7);
    ck_assert(holds_text(dpi_stage_path(stage, "config.json"), text));
    ck_assert_int_eq(dpi_stage_commit(stage, NULL), DP_OK);
}

static inline int run_stage_tests(const char *name, const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 120);
    tcase_add_checked_fixture(all, set_up, tear_down);
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
