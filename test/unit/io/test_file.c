// Files in: mapped and read, and what is no file.
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/error.h"
#include "io/folder.h"
#include "test/unit/io/support.h"

static dp_context *context;
static const char *folder;
static uint64_t used;

static void set_up(void)
{
    context = new_context();
    used = context->memory.used;
    folder = new_folder();
}

static void tear_down(void)
{
    ck_assert_int_eq(dpi_folder_remove(AT_FDCWD, folder), 0);
    end_context(context, used);
}

START_TEST(maps_and_copies_the_same_bytes)
{
    const char *path = under(folder, "file"), *link = under(folder, "link");
    char text[3000];
    dpi_storage *mapped = NULL, *copied = NULL;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    write_text(path, text);
    ck_assert_int_eq(symlink("file", link), 0);
    ck_assert_int_eq(dpi_file_open(&mapped, context, link, 0, NULL), DP_OK);
    ck_assert_uint_lt(context->memory.used - used, 1000); // mapped bytes do not count
    ck_assert_int_eq(dpi_file_open(&copied, context, path, 1, NULL), DP_OK);
    ck_assert_uint_ge(context->memory.used - used, 2999);
    ck_assert_uint_eq(dpi_storage_size(mapped), 2999);
    ck_assert_uint_eq(dpi_storage_size(copied), 2999);
    ck_assert_mem_eq(dpi_storage_bytes(mapped), text, 2999);
    ck_assert_mem_eq(dpi_storage_bytes(copied), text, 2999);
    dpi_storage_drop(mapped);
    dpi_storage_drop(copied);
}
END_TEST

START_TEST(an_empty_file_is_empty)
{
    const char *path = under(folder, "empty");

    write_text(path, "");
    for (int copy = 0; copy < 2; copy++) {
        dpi_storage *storage = NULL;
        ck_assert_int_eq(dpi_file_open(&storage, context, path, copy, NULL), DP_OK);
        ck_assert_uint_eq(dpi_storage_size(storage), 0);
        ck_assert_ptr_nonnull(dpi_storage_bytes(storage));
        dpi_storage_drop(storage);
    }
}
END_TEST

static void refused(const char *path, int code, int system_error, const char *message)
{
    dpi_storage *storage = NULL;
    dp_error error = {.code = 0};

    for (int copy = 0; copy < 2; copy++) {
        ck_assert_msg(dpi_file_open(&storage, context, path, copy, &error) == code, "%s", path);
        ck_assert_ptr_null(storage);
        ck_assert_str_eq(error.file, path);
        ck_assert_msg(strstr(error.message, message), "%s", error.message);
        ck_assert_int_eq(error.system_error, system_error);
    }
}

START_TEST(what_is_no_file_is_an_error_and_never_a_wait)
{
    const char *fifo = under(folder, "fifo"), *dangling = under(folder, "dangling"), *loop = under(folder, "loop");

    ck_assert_int_eq(mkfifo(fifo, 0666), 0);
    ck_assert_int_eq(symlink("nothing", dangling), 0);
    ck_assert_int_eq(symlink("loop", loop), 0);
    refused(fifo, DP_E_IO, 0, "is not a regular file");
    refused("/dev/zero", DP_E_IO, 0, "is not a regular file");
    refused(folder, DP_E_IO, 0, "is a directory, not a file");
    refused(dangling, DP_E_IO, ENOENT, "cannot open");
    refused(loop, DP_E_IO, ELOOP, "cannot open");
    refused("", DP_E_IO, ENOENT, "cannot open");
}
END_TEST

START_TEST(a_file_too_large_is_refused_before_it_is_read)
{
    const char *path = under(folder, "file");
    dpi_storage *storage = NULL;
    dp_error error;

    write_text(path, "12345");
    ck_assert_int_eq(dpi_file_read(&storage, context, path, 4, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "is 5 bytes long, at most 4 are read");
    ck_assert_int_eq(dpi_file_read(&storage, context, path, 5, &error), DP_OK);
    dpi_storage_drop(storage);
    ck_assert_int_eq(truncate(path, (off_t)1 << 40), 0);
    storage = NULL;
    context->memory.limit = 1 << 20;
    ck_assert_int_eq(dpi_file_open(&storage, context, path, 1, &error), DP_E_MEMORY);
    ck_assert_ptr_null(storage);
}
END_TEST

START_TEST(paths_join_and_compare)
{
    static const struct {
        const char *directory, *name, *joined;
    } cases[] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"", "b", "b"}};
    const char *file = under(folder, "file"), *link = under(folder, "link"), *dangling = under(folder, "dangling");

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = dpi_path_join(&context->memory, cases[i].directory, cases[i].name, NULL);
        ck_assert_str_eq(path, cases[i].joined);
        dpi_free(&context->memory, path);
    }
    write_text(file, "");
    ck_assert_int_eq(symlink("file", link), 0);
    ck_assert_int_eq(symlink("nothing", dangling), 0);
    ck_assert(dpi_path_same(file, link) && dpi_path_same(folder, under(folder, ".")));
    ck_assert(!dpi_path_same(file, folder) && !dpi_path_same(dangling, dangling));
    ck_assert(dpi_path_exists(file) && dpi_path_exists(dangling) && !dpi_path_exists(under(folder, "no")));
    char long_name[600]; // no file system holds it, which is not that there is none
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    ck_assert(dpi_path_exists(long_name));
    ck_assert(dpi_path_is_directory(folder) && !dpi_path_is_directory(file));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io/file");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, maps_and_copies_the_same_bytes);
    tcase_add_test(all, an_empty_file_is_empty);
    tcase_add_test(all, what_is_no_file_is_an_error_and_never_a_wait);
    tcase_add_test(all, a_file_too_large_is_refused_before_it_is_read);
    tcase_add_test(all, paths_join_and_compare);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
