// Saving when something goes wrong: races, full disks, processes that were killed.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "test/unit/io/stage_support.h"

// A target that appears while it is written is not overwritten.
START_TEST(a_race_for_the_target_is_lost_politely)
{
    const char *model = under(folder, "model"), *file = under(folder, "m.gguf");
    dpi_stage *first = open_stage(model, 1, 0), *second = open_stage(file, 0, 0);
    dp_error error;

    put(first, "config.json", "mine");
    put(second, NULL, "mine");
    save_directory(model, 0, "theirs");
    write_text(file, "theirs");
    ck_assert_int_eq(dpi_stage_commit(first, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.file, model);
    ck_assert_int_eq(dpi_stage_commit(second, &error), DP_E_ARGUMENT);
    ck_assert(holds_text(under(model, "config.json"), "theirs"));
    ck_assert(holds_text(file, "theirs"));
    ck_assert_int_eq(names_in(folder), 2);
}
END_TEST

// A full disk, played by a limit on the size of files.
START_TEST(a_failed_write_keeps_the_old_file)
{
    const char *target = under(folder, "m.gguf");
    char *zeros = calloc(1, 1 << 20);
    int status;

    write_text(target, "old");
    const pid_t child = fork();
    if (child == 0) {
        dpi_writer *writer = NULL;
        dp_error error = {.code = 0};
        dpi_stage *stage = open_stage(target, 0, 1);
        const struct rlimit limit = {4096, 4096};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        int fine = dpi_stage_file(stage, NULL, &writer, &error) == DP_OK;
        fine = fine && dpi_writer_add(writer, zeros, 1 << 20, &error) == DP_E_IO;
        fine = fine && error.system_error == EFBIG && strcmp(error.file, target) == 0;
        fine = fine && dpi_writer_end(writer, &error) == DP_OK; // what is in the buffer: nothing
        dpi_stage_abandon(stage);
        _exit(!fine);
    }
    ck_assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    ck_assert(holds_text(target, "old"));
    ck_assert_int_eq(names_in(folder), 1);
    free(zeros);
}
END_TEST

START_TEST(what_a_killed_save_left_is_swept)
{
    const char *target = under(folder, "model");
    char stranger[64], other[64];
    int status;

    save_directory(target, 0, "old");
    const pid_t child = fork();
    if (child == 0) { // dies in the middle of a save
        dpi_stage *stage = open_stage(target, 1, 1);
        put(stage, "config.json", "half");
        _exit(0);
    }
    ck_assert(waitpid(child, &status, 0) == child);
    ck_assert_int_eq(names_in(folder), 2);
    ck_assert(holds_text(under(target, "config.json"), "old"));
    snprintf(other, sizeof other, ".zodel.partial-%ld-0", (long)child); // of another target
    ck_assert_int_eq(mkdir(under(folder, other), 0777), 0);
    snprintf(stranger, sizeof stranger, ".model.partial-%ld-0", (long)getpid());
    ck_assert_int_eq(mkdir(under(folder, stranger), 0777), 0);           // of a process that lives
    ck_assert_int_eq(mkdir(under(folder, ".model.partial-x"), 0777), 0); // not ours
    save_directory(target, 1, "new");
    ck_assert_int_eq(names_in(folder), 4);
    ck_assert_int_eq(access(under(folder, stranger), F_OK), 0);
    ck_assert_int_eq(access(under(folder, other), F_OK), 0);
}
END_TEST

// Where names cannot be exchanged a kill may leave the old model under a hidden name only.
START_TEST(an_old_model_that_was_set_aside_comes_back)
{
    const char *target = under(folder, "model");
    char aside[64];
    int status;
    const pid_t child = fork();

    if (child == 0)
        _exit(0);
    ck_assert(waitpid(child, &status, 0) == child);
    snprintf(aside, sizeof aside, ".model.old-%ld-0", (long)child);
    save_directory(target, 0, "old");
    ck_assert_int_eq(rename(target, under(folder, aside)), 0);
    refused(target, 1, 0, DP_E_ARGUMENT, "exists already");
    ck_assert(holds_text(under(target, "config.json"), "old"));
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

#ifdef SYS_renameat // elsewhere plain renames are renameat2 too
// A file system that cannot exchange names, played by a filter on the system call.
START_TEST(an_old_model_is_replaced_without_exchange)
{
    static struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof steps / sizeof *steps, steps};
    const char *target = under(folder, "model"), *file = under(folder, "m.gguf");
    dpi_stage *stage;

    save_directory(target, 0, "old");
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return; // a machine that lends no filters
    ck_assert_int_eq(renameat2(AT_FDCWD, target, AT_FDCWD, target, RENAME_EXCHANGE), -1);
    save_directory(target, 1, "new");
    ck_assert(holds_text(under(target, "config.json"), "new"));
    stage = open_stage(file, 0, 0);
    put(stage, NULL, "text");
    ck_assert_int_eq(dpi_stage_commit(stage, NULL), DP_OK);
    stage = open_stage(under(folder, "b.gguf"), 0, 0);
    put(stage, NULL, "mine");
    write_text(under(folder, "b.gguf"), "theirs");
    ck_assert_int_eq(dpi_stage_commit(stage, NULL), DP_E_ARGUMENT);
    ck_assert(holds_text(under(folder, "b.gguf"), "theirs"));
    ck_assert_int_eq(names_in(folder), 3);
}
END_TEST
#endif

START_TEST(two_saves_at_once_do_not_meet)
{
    const char *target = under(folder, "m.gguf");
    dpi_stage *first = open_stage(target, 0, 1), *second = open_stage(target, 0, 1);

    put(first, NULL, "first");
    put(second, NULL, "second");
    ck_assert_int_eq(dpi_stage_commit(second, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_commit(first, NULL), DP_OK);
    ck_assert(holds_text(target, "first"));
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_race_for_the_target_is_lost_politely,
                                  a_failed_write_keeps_the_old_file,
                                  what_a_killed_save_left_is_swept,
                                  an_old_model_that_was_set_aside_comes_back,
#ifdef SYS_renameat
                                  an_old_model_is_replaced_without_exchange,
#endif
                                  two_saves_at_once_do_not_meet};

    return run_stage_tests("io/stage faults", tests, sizeof tests / sizeof *tests);
}
