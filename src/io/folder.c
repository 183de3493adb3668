// Folders as descriptors.  Removal is iterative: subfolders that are not empty are moved up into the folder being
// removed, so that any depth takes two descriptors and no stack.  It takes no memory either: what a save staged goes
// away when memory has run out.
#include "io/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

enum { FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

int dpi_open(int folder, const char *name, int flags)
{
    int file;

    do {
        file = openat(folder, name, flags, 0666);
    } while (file < 0 && errno == EINTR);
    return file;
}

int dpi_folder_lacks(int folder, const char *name)
{
    struct stat facts;

    return fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

static int is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

// The names of a folder being read.
typedef struct list {
    int folder;
    size_t at, size;
    _Alignas(struct dirent64) char entries[4096];
} list;

// 0 or an errno.
static int open_list(list *l, int folder, const char *name)
{
    l->at = l->size = 0;
    l->folder = dpi_open(folder, name, FOLDER);
    return l->folder < 0 ? errno : 0;
}

static void close_list(const list *l)
{
    close(l->folder);
}

// The next name, dots left out; NULL at the end, with errno 0, or on failure.
static const char *next_name(list *l)
{
    const struct dirent64 *entry;

    do {
        errno = 0;
        if (l->at == l->size) {
            const ssize_t got = getdents64(l->folder, l->entries, sizeof l->entries);
            if (got <= 0)
                return NULL;
            l->at = 0;
            l->size = (size_t)got;
        }
        entry = (const struct dirent64 *)(const void *)(l->entries + l->at);
        l->at += entry->d_reclen;
    } while (is_dots(entry->d_name));
    return entry->d_name;
}

// Unlink a file or an empty folder: 0, ENOTEMPTY for a folder that holds something, or another errno.
static int remove_leaf(int folder, const char *name)
{
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return errno;
    if (unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    return errno == EEXIST ? ENOTEMPTY : errno;
}

// Move `name` of folder `from` into `to`, under a name that is free.
static int move_up(int from, const char *name, int to, unsigned *serial)
{
    char fresh[32];

    do {
        snprintf(fresh, sizeof fresh, ".moved-%u", (*serial)++);
    } while (!dpi_folder_lacks(to, fresh));
    return renameat(from, name, to, fresh) == 0 ? 0 : errno;
}

// Empty `name`, a folder inside `top`: files go, folders that hold something move up into `top`.
static int flatten(int top, const char *name, unsigned *serial)
{
    list l;
    const char *inner;
    int failed = open_list(&l, top, name);

    if (failed)
        return failed;
    while (!failed && (inner = next_name(&l))) {
        failed = remove_leaf(l.folder, inner);
        if (failed == ENOTEMPTY)
            failed = move_up(l.folder, inner, top, serial);
    }
    if (!failed)
        failed = errno;
    close_list(&l);
    return failed ? failed : remove_leaf(top, name);
}

int dpi_folder_remove(int folder, const char *name)
{
    unsigned serial = 0;
    int failed = remove_leaf(folder, name);

    while (failed == ENOTEMPTY) { // once for every level of nesting
        list l;
        const char *inner;
        if ((failed = open_list(&l, folder, name)) != 0)
            return failed;
        while (!failed && (inner = next_name(&l))) {
            failed = remove_leaf(l.folder, inner);
            if (failed == ENOTEMPTY)
                failed = flatten(l.folder, inner, &serial);
        }
        if (!failed)
            failed = errno;
        close_list(&l);
        if (!failed)
            failed = remove_leaf(folder, name);
    }
    return failed;
}

static int ends_with(const char *name, const char *tail)
{
    const size_t size = strlen(name), end = strlen(tail);

    return size > end && strcmp(name + size - end, tail) == 0;
}

int dpi_folder_holds(int folder, const char *name, int *holds)
{
    list l;
    const char *inner;
    int failed = open_list(&l, folder, name);

    if (failed)
        return failed;
    *holds = DPI_FOLDER_EMPTY;
    while (*holds != DPI_FOLDER_MODEL && (inner = next_name(&l))) {
        const int model = strcmp(inner, "config.json") == 0 || ends_with(inner, ".safetensors");
        *holds = model ? DPI_FOLDER_MODEL : DPI_FOLDER_OTHER;
    }
    failed = *holds == DPI_FOLDER_MODEL ? 0 : errno;
    close_list(&l);
    return failed;
}

int dpi_folder_make(int folder, const char *name, int *out)
{
    if (mkdirat(folder, name, 0777) != 0 && errno != EEXIST)
        return errno;
    const int fd = dpi_open(folder, name, FOLDER);
    if (fd < 0)
        return errno;
    *out = fd;
    return 0;
}

int dpi_sync(int file)
{
    int rc;

    do {
        rc = fsync(file);
    } while (rc != 0 && errno == EINTR);
    return rc == 0 || errno == EINVAL ? 0 : errno;
}

// Nobody holds the lock that a save keeps on what it writes, wherever its process runs.
static int is_unlocked(int folder, const char *name)
{
    const int fd = dpi_open(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const int unlocked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;

    if (fd >= 0)
        close(fd);
    return unlocked;
}

void dpi_folder_sweep(int folder, const char *prefix, const char *restore)
{
    const size_t head = strlen(prefix);
    list l;
    const char *name;

    if (open_list(&l, folder, "."))
        return;
    while ((name = next_name(&l))) {
        int64_t process;
        if (strncmp(name, prefix, head) != 0)
            continue;
        const size_t digits = dpi_parse_i64(name + head, strlen(name + head), &process);
        if (digits == 0 || name[head + digits] != '-' || process < 1 || process > INT32_MAX)
            continue;
        if (kill((pid_t)process, 0) == 0 || errno != ESRCH || !is_unlocked(folder, name))
            continue;
        if (!restore || renameat2(folder, name, folder, restore, RENAME_NOREPLACE) != 0)
            dpi_folder_remove(folder, name);
    }
    close_list(&l);
}
