// Every system call of reading and saving made to fail in turn, by functions of this program that stand before the
// C library's: the target is the old one or the new one, whole; interruptions and short transfers are no errors.
#undef _FORTIFY_SOURCE // its inline functions stand in the way of ours
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "io/file.h"
#include "test/unit/io/stage_support.h"

static int armed;        // calls are counted
static int calls, fatal; // which call fails, from 1; 0: none
static int with;         // its errno; 0: a transfer of half the bytes
static const char *hit;  // the call that failed

static int fails(const char *name)
{
    if (!armed || ++calls != fatal)
        return 0;
    hit = name;
    errno = with;
    return 1;
}

ssize_t read(int file, void *to, size_t size)
{
    if (!fails("read"))
        return syscall(SYS_read, file, to, size);
    return with ? -1 : syscall(SYS_read, file, to, (size + 1) / 2);
}

ssize_t write(int file, const void *from, size_t size)
{
    if (!fails("write"))
        return syscall(SYS_write, file, from, size);
    return with ? -1 : syscall(SYS_write, file, from, (size + 1) / 2);
}

int fsync(int file)
{
    return fails("fsync") && with ? -1 : (int)syscall(SYS_fsync, file);
}

int close(int file)
{
    const int failed = fails("close") && with;
    const int rc = (int)syscall(SYS_close, file); // closed either way, as Linux does it

    if (failed)
        errno = with;
    return failed ? -1 : rc;
}

int mkdirat(int folder_of, const char *name, mode_t mode)
{
    return fails("mkdirat") && with ? -1 : (int)syscall(SYS_mkdirat, folder_of, name, mode);
}

int openat(int folder_of, const char *name, int flags, ...)
{
    va_list more;

    va_start(more, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    return fails("openat") && with ? -1 : (int)syscall(SYS_openat, folder_of, name, flags, mode);
}

int renameat(int from, const char *old, int to, const char *fresh)
{
    return fails("renameat") && with ? -1 : (int)syscall(SYS_renameat2, from, old, to, fresh, 0);
}

int renameat2(int from, const char *old, int to, const char *fresh, unsigned flags)
{
    return fails("renameat2") && with ? -1 : (int)syscall(SYS_renameat2, from, old, to, fresh, flags);
}

int unlinkat(int folder_of, const char *name, int flags)
{
    return fails("unlinkat") && with ? -1 : (int)syscall(SYS_unlinkat, folder_of, name, flags);
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    if (fails("mmap") && with)
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}

static void arm(int call, int failure)
{
    calls = 0;
    fatal = call;
    with = failure;
    hit = NULL;
    armed = 1;
}

static int is_hidden_rest(const char *name)
{
    return name[0] == '.' && (strstr(name, ".partial-") || strstr(name, ".old-"));
}

// Names in `path` that are not remains of a removal that was made to fail.
static int visible_names(const char *path)
{
    DIR *list = opendir(path);
    int count = 0;

    for (struct dirent *entry = readdir(list); entry; entry = readdir(list))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            count += !is_hidden_rest(entry->d_name);
    closedir(list);
    return count;
}

static int add_file(dpi_stage *stage, const char *name, const char *text, dp_error *error)
{
    dpi_writer *writer = NULL;
    int rc = dpi_stage_file(stage, name, &writer, error);

    if (rc)
        return rc;
    rc = dpi_writer_add(writer, text, strlen(text), error);
    if (!rc)
        return dpi_writer_end(writer, error);
    dpi_writer_abandon(writer);
    return rc;
}

static int save(const char *target, int directory, const char *text, dp_error *error)
{
    dpi_stage *stage = NULL;
    int rc = dpi_stage_open(&stage, context, target, directory, 1, error);

    if (rc)
        return rc;
    rc = add_file(stage, "config.json", text, error);
    if (!rc && directory)
        rc = add_file(stage, "templates/inner", text, error);
    if (rc)
        dpi_stage_abandon(stage);
    else
        rc = dpi_stage_commit(stage, error);
    return rc;
}

// One save over an old target with call number `call` failing; 0 when no such call was made.
static int try_save(int directory, int call, int failure)
{
    const uint64_t before = context->memory.used;
    char place[600], target[700], inner[800]; // a file in the target
    dp_error error = {.code = 0};

    snprintf(place, sizeof place, "%s/place", folder);
    ck_assert_int_eq(mkdir(place, 0777), 0);
    snprintf(target, sizeof target, "%s/target", place);
    snprintf(inner, sizeof inner, "%s%s", target, directory ? "/config.json" : "");
    ck_assert_int_eq(save(target, directory, "old", NULL), DP_OK);
    arm(call, failure);
    const int rc = save(target, directory, "new", &error);
    armed = 0;
    const int arrived = holds_text(inner, "new");
    ck_assert_msg(arrived || (rc && holds_text(inner, "old")), "%s %d", hit, call);
    ck_assert_msg(visible_names(place) == 1, "%s %d", hit, call);
    snprintf(inner, sizeof inner, "%s/templates/inner", target);
    ck_assert_msg(!directory || holds_text(inner, rc && !arrived ? "old" : "new"), "%s %d", hit, call);
    ck_assert_uint_eq(context->memory.used, before);
    if (rc) {
        ck_assert_msg(error.code == rc && error.message[0], "%s %d", hit, call);
        ck_assert_msg(error.system_error == failure, "%s %d: %s", hit, call, error.message);
    }
    if (hit && (strcmp(hit, "write") == 0 || (strcmp(hit, "fsync") == 0 && failure)) && failure != EINTR)
        ck_assert_int_eq(rc, failure ? DP_E_IO : DP_OK);
    ck_assert_int_eq(dpi_folder_remove(AT_FDCWD, place), 0);
    return hit ? 1 + (rc != 0) : 0;
}

static void sweep_saves(int failure, int least_failed, int most_failed)
{
    for (int directory = 0; directory < 2; directory++) {
        int tried, failed = 0;
        for (int call = 1; (tried = try_save(directory, call, failure)) != 0; call++)
            failed += tried == 2;
        ck_assert_msg(failed >= least_failed && failed <= most_failed, "%d saves failed", failed);
    }
}

START_TEST(a_save_leaves_the_old_or_the_new)
{
    sweep_saves(EIO, 5, 99);
    sweep_saves(ENOSPC, 5, 99);
}
END_TEST

START_TEST(a_short_write_is_no_error)
{
    sweep_saves(0, 0, 0);
}
END_TEST

// Only changes of names that are interrupted, which Linux does not do on disks, may fail.
START_TEST(an_interruption_of_a_transfer_is_no_error)
{
    for (int directory = 0; directory < 2; directory++)
        for (int call = 1, tried = 1; tried; call++) {
            tried = try_save(directory, call, EINTR);
            if (hit && (strcmp(hit, "write") == 0 || strcmp(hit, "fsync") == 0 || strcmp(hit, "close") == 0 ||
                        strcmp(hit, "openat") == 0))
                ck_assert_msg(tried == 1, "%s", hit);
        }
}
END_TEST

static int try_read(const char *path, int copy, int call, int failure, dp_error *error)
{
    dpi_storage *storage = NULL;

    arm(call, failure);
    const int rc = dpi_file_open(&storage, context, path, copy, error);
    armed = 0;
    if (!rc)
        ck_assert_mem_eq(dpi_storage_bytes(storage), "0123456789", 10);
    else
        ck_assert_ptr_null(storage);
    dpi_storage_drop(storage);
    return rc;
}

START_TEST(a_read_is_whole_or_an_error)
{
    const char *path = under(folder, "file");
    dp_error error = {.code = 0};

    write_text(path, "0123456789");
    ck_assert_int_eq(try_read(path, 1, 1, EINTR, NULL), DP_OK);
    ck_assert_str_eq(hit, "openat");
    ck_assert_int_eq(try_read(path, 1, 2, EINTR, NULL), DP_OK);
    ck_assert_str_eq(hit, "read");
    ck_assert_int_eq(try_read(path, 1, 2, 0, NULL), DP_OK);
    ck_assert_int_eq(calls, 4); // open, half, the other half, close
    ck_assert_int_eq(try_read(path, 1, 2, EIO, &error), DP_E_IO);
    ck_assert_int_eq(error.system_error, EIO);
    ck_assert_str_eq(error.file, path);
    ck_assert_int_eq(try_read(path, 0, 2, ENODEV, &error), DP_E_IO);
    ck_assert_str_eq(hit, "mmap");
    ck_assert_int_eq(try_read(path, 0, 2, ENOMEM, &error), DP_E_MEMORY);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_save_leaves_the_old_or_the_new, a_short_write_is_no_error,
                                  an_interruption_of_a_transfer_is_no_error, a_read_is_whole_or_an_error};

    return run_stage_tests("io/system calls", tests, sizeof tests / sizeof *tests);
}
