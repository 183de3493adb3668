// Folders as descriptors.  Removal is iterative: subfolders that are not empty are moved up into the folder being
// removed, so that any depth takes two descriptors and no stack.
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

int dpi_folder_lacks(int folder, const char *name)
{
    struct stat facts;

    return fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

static int is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static DIR *open_list(int folder, const char *name)
{
    const int fd = openat(folder, name, FOLDER);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);

    if (!list && fd >= 0)
        close(fd);
    return list;
}

// The next name, dots left out; NULL at the end, with errno 0, or on failure.
static const char *next_name(DIR *list)
{
    struct dirent *entry;

    do {
        errno = 0;
        entry = readdir(list);
    } while (entry && is_dots(entry->d_name));
    return entry ? entry->d_name : NULL;
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
    DIR *list = open_list(top, name);
    const char *inner;
    int failed = 0;

    if (!list)
        return errno;
    while (!failed && (inner = next_name(list))) {
        failed = remove_leaf(dirfd(list), inner);
        if (failed == ENOTEMPTY)
            failed = move_up(dirfd(list), inner, top, serial);
    }
    if (!failed)
        failed = errno;
    closedir(list);
    return failed ? failed : remove_leaf(top, name);
}

int dpi_folder_remove(int folder, const char *name)
{
    unsigned serial = 0;
    int failed = remove_leaf(folder, name);

    while (failed == ENOTEMPTY) { // once for every level of nesting
        DIR *list = open_list(folder, name);
        const char *inner;
        if (!list)
            return errno;
        failed = 0;
        while (!failed && (inner = next_name(list))) {
            failed = remove_leaf(dirfd(list), inner);
            if (failed == ENOTEMPTY)
                failed = flatten(dirfd(list), inner, &serial);
        }
        if (!failed)
            failed = errno;
        closedir(list);
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
    DIR *list = open_list(folder, name);
    const char *inner;

    if (!list)
        return errno;
    *holds = DPI_FOLDER_EMPTY;
    while (*holds != DPI_FOLDER_MODEL && (inner = next_name(list))) {
        const int model = strcmp(inner, "config.json") == 0 || ends_with(inner, ".safetensors");
        *holds = model ? DPI_FOLDER_MODEL : DPI_FOLDER_OTHER;
    }
    const int failed = *holds == DPI_FOLDER_MODEL ? 0 : errno;
    closedir(list);
    return failed;
}

int dpi_folder_make(int folder, const char *name, int *out)
{
    if (mkdirat(folder, name, 0777) != 0 && errno != EEXIST)
        return errno;
    const int fd = openat(folder, name, FOLDER);
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
    const int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const int unlocked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;

    if (fd >= 0)
        close(fd);
    return unlocked;
}

void dpi_folder_sweep(int folder, const char *prefix, const char *restore)
{
    const size_t head = strlen(prefix);
    DIR *list = open_list(folder, ".");
    const char *name;

    while (list && (name = next_name(list))) {
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
    if (list)
        closedir(list);
}
