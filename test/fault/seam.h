// The file calls of the library, by functions of this program that stand before the C library's: each can be made to
// fail, to transfer half or to end the process, and what changes a disk can be written to a log.
#ifndef TEST_FAULT_SEAM_H
#define TEST_FAULT_SEAM_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SEAM_SHORT = -1, SEAM_KILL = -2, SEAM_KILL_HALF = -3, SEAM_MOST_FILES = 1024, SEAM_MOST_CALLS = 1024 };

typedef struct seam_report {
    int calls;     // while armed
    int hits;      // calls that were made to fail
    char name[16]; // the first of them
    int lost;      // one of them stood for bytes that may not have reached the disk: a sync, a close after writing
    int uncertain; // one of them may return EINTR by POSIX, or is a transfer: an interruption is no error
    int renamed;   // the target is in place
    int removal;   // a hit took away the means to clean up
    char does[SEAM_MOST_CALLS]; // of each call: 't' transfers, 'c' changes the disk, ' ' neither
} seam_report;

static struct {
    int armed, fatal, how, for_good, limit;
    FILE *log;
    char written[SEAM_MOST_FILES]; // descriptors that bytes went to
    seam_report *report;           // shared with the parent
} seam;

static inline int seam_is(const char *name, const char *names)
{
    const char *at = strstr(names, name);

    return at && at[strlen(name)] == ' ';
}

static inline int seam_fails(const char *name, int retried)
{
    seam_report *r = seam.report;

    if (!seam.armed)
        return 0;
    const int call = ++r->calls;
    if (call < SEAM_MOST_CALLS)
        r->does[call] = seam_is(name, "read write ") ? 't' : seam_is(name, "open close rename unlink mkdir ") ? 'c' : ' ';
    if (!seam.fatal || call < seam.fatal || (call > seam.fatal && !seam.for_good) || r->hits >= seam.limit)
        return 0;
    if (!r->hits++)
        snprintf(r->name, sizeof r->name, "%s", name);
    r->lost |= strcmp(name, "fsync") == 0;
    r->removal |= r->renamed || strcmp(name, "unlink") == 0;
    r->uncertain = r->hits == 1 ? retried : r->uncertain && retried;
    if (seam.how == SEAM_KILL)
        syscall(SYS_kill, getpid(), 9);
    if (seam.how > 0)
        errno = seam.how;
    return 1;
}

// After the call of a process that is to die half-way; else gives `result` on.
static inline int64_t seam_passed(int hit, int64_t result)
{
    const int saved = errno;

    if (hit && seam.how == SEAM_KILL_HALF)
        syscall(SYS_kill, getpid(), 9);
    errno = saved;
    return result;
}

// What -1 stands for: the call was made to fail with an errno.
static inline int seam_refuses(int hit)
{
    return hit && seam.how > 0;
}

static inline size_t seam_size(int hit, size_t size)
{
    return hit && (seam.how == SEAM_SHORT || seam.how == SEAM_KILL_HALF) ? (size + 1) / 2 : size;
}

static inline void seam_path(int folder, const char *name, char out[1200])
{
    char link[64];
    ssize_t size = 0;

    if ((!name || name[0] != '/') && folder == AT_FDCWD)
        size = readlink("/proc/self/cwd", out, 599);
    else if (!name || name[0] != '/') {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        size = readlink(link, out, 599);
    }
    out[size < 0 ? 0 : size] = 0;
    if (name)
        snprintf(out + (size < 0 ? 0 : size), 600, "%s%s", name[0] == '/' ? "" : "/", name);
}

static inline void seam_note(const char *what, int folder, const char *name, const char *more)
{
    char path[1200];

    if (!seam.log || !seam.armed)
        return;
    seam_path(folder, name, path);
    fprintf(seam.log, "%s\t%s\t%s\n", what, path, more ? more : "");
}

// ---- the calls

static inline int seam_open(int folder, const char *name, int flags, mode_t mode)
{
    const int hit = seam_fails("open", 1);

    if (seam_refuses(hit))
        return -1;
    const int file = (int)seam_passed(hit, syscall(SYS_openat, folder, name, flags, mode));
    if (file >= 0 && file < SEAM_MOST_FILES)
        seam.written[file] = 0;
    if (file >= 0 && flags & (O_CREAT | O_TRUNC))
        seam_note("create", folder, name, flags & O_TRUNC ? "cut" : "");
    return file;
}

int open(const char *name, int flags, ...)
{
    va_list more;

    va_start(more, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    return seam_open(AT_FDCWD, name, flags, mode);
}

int openat(int folder, const char *name, int flags, ...)
{
    va_list more;

    va_start(more, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    return seam_open(folder, name, flags, mode);
}

ssize_t read(int file, void *to, size_t size)
{
    const int hit = seam_fails("read", 1);

    return seam_refuses(hit) ? -1 : seam_passed(hit, syscall(SYS_read, file, to, seam_size(hit, size)));
}

ssize_t write(int file, const void *from, size_t size)
{
    const int hit = seam_fails("write", 1);

    if (seam_refuses(hit))
        return -1;
    if (file < SEAM_MOST_FILES)
        seam.written[file] = 1;
    if (seam.log && seam.armed) {
        char path[1200];
        seam_path(file, NULL, path);
        fprintf(seam.log, "write\t%s\t%lld\t", path, (long long)syscall(SYS_lseek, file, 0, SEEK_CUR));
        for (size_t i = 0; i < size; i++)
            fprintf(seam.log, "%02x", ((const unsigned char *)from)[i]);
        fputc('\n', seam.log);
    }
    return seam_passed(hit, syscall(SYS_write, file, from, seam_size(hit, size)));
}

int fsync(int file) // not done: a process that dies loses nothing of what it wrote
{
    const int hit = seam_fails("fsync", 1);

    if (seam_refuses(hit))
        return -1;
    seam_note("sync", file, NULL, NULL);
    return (int)seam_passed(hit, 0);
}

int close(int file)
{
    const int hit = seam_fails("close", 1);

    if (hit && file >= 0 && file < SEAM_MOST_FILES && seam.written[file])
        seam.report->lost = 1;
    const int rc = (int)seam_passed(hit, syscall(SYS_close, file)); // closed either way, as Linux does it
    if (seam_refuses(hit))
        errno = seam.how;
    return seam_refuses(hit) ? -1 : rc;
}

int renameat2(int from, const char *old, int to, const char *fresh, unsigned flags)
{
    const int hit = seam_fails("rename", 0);
    char path[1200];

    if (seam_refuses(hit))
        return -1;
    const int rc = (int)seam_passed(hit, syscall(SYS_renameat2, from, old, to, fresh, flags));
    seam.report->renamed |= rc == 0;
    if (rc == 0) {
        seam_path(to, fresh, path);
        seam_note(flags & RENAME_EXCHANGE ? "exchange" : "rename", from, old, path);
    }
    return rc;
}

int renameat(int from, const char *old, int to, const char *fresh)
{
    return renameat2(from, old, to, fresh, 0);
}

int unlinkat(int folder, const char *name, int flags)
{
    const int hit = seam_fails("unlink", 0);

    if (seam_refuses(hit))
        return -1;
    const int rc = (int)seam_passed(hit, syscall(SYS_unlinkat, folder, name, flags));
    if (rc == 0)
        seam_note("unlink", folder, name, NULL);
    return rc;
}

int mkdirat(int folder, const char *name, mode_t mode)
{
    const int hit = seam_fails("mkdir", 0);

    if (seam_refuses(hit))
        return -1;
    const int rc = (int)seam_passed(hit, syscall(SYS_mkdirat, folder, name, mode));
    if (rc == 0)
        seam_note("mkdir", folder, name, NULL);
    return rc;
}

ssize_t getdents64(int folder, void *entries, size_t size)
{
    const int hit = seam_fails("getdents", 0);

    return seam_refuses(hit) ? -1 : seam_passed(hit, syscall(SYS_getdents64, folder, entries, size));
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    const int hit = file >= 0 && seam_fails("mmap", 0);

    if (seam_refuses(hit))
        return MAP_FAILED;
    return (void *)seam_passed(hit, syscall(SYS_mmap, address, size, protection, flags, file, offset));
}

int fstat(int file, struct stat *facts)
{
    const int hit = seam_fails("fstat", 0);

    return seam_refuses(hit) ? -1 : (int)seam_passed(hit, syscall(SYS_newfstatat, file, "", facts, AT_EMPTY_PATH));
}

int fstatat(int folder, const char *name, struct stat *facts, int flags)
{
    const int hit = seam_fails("fstatat", 0);

    return seam_refuses(hit) ? -1 : (int)seam_passed(hit, syscall(SYS_newfstatat, folder, name, facts, flags));
}

int fstatvfs(int file, struct statvfs *facts)
{
    char link[64];
    const int hit = seam_fails("fstatvfs", 1);

    if (seam_refuses(hit))
        return -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    return (int)seam_passed(hit, statvfs(link, facts));
}

int flock(int file, int operation)
{
    const int hit = seam_fails("flock", 0);

    return seam_refuses(hit) ? -1 : (int)seam_passed(hit, syscall(SYS_flock, file, operation));
}

static inline void seam_arm(int fatal, int how, int for_good)
{
    seam.fatal = fatal;
    seam.how = how;
    seam.for_good = for_good;
    seam.limit = how == EINTR ? 20 : 1 << 30; // nothing is interrupted for ever
    memset(seam.written, 0, sizeof seam.written);
    memset(seam.report, 0, sizeof *seam.report);
    seam.armed = 1;
}

#endif
