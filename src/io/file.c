// Files in: mapped, or read whole into memory of the context.  Opened without waiting; regular files only.
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/size.h"
#include "io/bytes.h"
#include "io/folder.h"

enum { MOST_READ = 1 << 30, MOST_HEAD = 1 << 28 }; // bytes asked of one read call, bytes of a header

typedef struct extent {
    uint64_t size, head; // of the file, and of its header; head 0: all or nothing
} extent;

// A mapped file, to be found again: the name from the root, links followed.
typedef struct mapping {
    dpi_memory *memory;
    dev_t device;
    ino_t node;
    char path[];
} mapping;

static void unmap(void *user, const void *bytes, uint64_t size)
{
    mapping *mapped = user;

    munmap((void *)(uintptr_t)bytes, (size_t)size);
    dpi_free(mapped->memory, mapped);
}

static void free_block(void *user, const void *bytes, uint64_t size)
{
    (void)size;
    dpi_free(user, (void *)(uintptr_t)bytes);
}

static int open_regular(const char *path, int *file, uint64_t *size, dp_error *error)
{
    const dpi_place place = {.file = path, .offset = -1};
    struct stat facts;
    const int fd = dpi_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return dpi_fail_system(error, errno, path, "cannot open");
    int rc = DP_OK;
    if (fstat(fd, &facts) != 0)
        rc = dpi_fail_system(error, errno, path, "cannot examine");
    else if (S_ISDIR(facts.st_mode))
        rc = dpi_fail_at(error, DP_E_IO, &place, "is a directory, not a file");
    else if (!S_ISREG(facts.st_mode))
        rc = dpi_fail_at(error, DP_E_IO, &place, "is not a regular file");
    if (rc) {
        close(fd);
        return rc;
    }
    *file = fd;
    *size = (uint64_t)facts.st_size;
    return DP_OK;
}

static int read_all(int file, unsigned char *to, uint64_t size, const char *path, dp_error *error)
{
    uint64_t have = 0;

    while (have < size) {
        const uint64_t left = size - have;
        const ssize_t got = read(file, to + have, left < MOST_READ ? (size_t)left : MOST_READ);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return dpi_fail_system(error, errno, path, "cannot read");
        if (got == 0) {
            const dpi_place place = {.file = path, .offset = (int64_t)have};
            return dpi_fail_at(error, DP_E_IO, &place, "shrank while it was read: %llu of %llu bytes came",
                               (unsigned long long)have, (unsigned long long)size);
        }
        have += (uint64_t)got;
    }
    return DP_OK;
}

static int read_whole(dpi_storage **out, dpi_memory *memory, int file, uint64_t size, const char *path,
                      dp_error *error)
{
    unsigned char *bytes = dpi_alloc_raw(memory, 1, (size_t)size, error);

    if (!bytes)
        return DP_E_MEMORY;
    int rc = read_all(file, bytes, size, path, error);
    if (!rc)
        rc = dpi_storage_new(out, memory, bytes, size, free_block, memory, error);
    if (rc)
        dpi_free(memory, bytes);
    return rc;
}

static int remember(mapping **out, dpi_memory *memory, int file, const char *path, dp_error *error)
{
    char place[PATH_MAX];
    struct stat facts;

    if (fstat(file, &facts) != 0)
        return dpi_fail_system(error, errno, path, "cannot examine");
    const char *name = realpath(path, place) ? place : path;
    mapping *mapped = dpi_alloc(memory, 1, sizeof *mapped + strlen(name) + 1, error);
    if (!mapped)
        return DP_E_MEMORY;
    mapped->memory = memory;
    mapped->device = facts.st_dev;
    mapped->node = facts.st_ino;
    memcpy(mapped->path, name, strlen(name) + 1);
    *out = mapped;
    return DP_OK;
}

// Bytes that the header of a file of weights may take: what safetensors says in its first 8, or MOST_HEAD.
static uint64_t head_of(int file)
{
    unsigned char start[8];

    if (pread(file, start, sizeof start, 0) != (ssize_t)sizeof start || memcmp(start, "GGUF", 4) == 0)
        return MOST_HEAD;
    const uint64_t length = dpi_le_read(start, sizeof start);
    return length < MOST_HEAD - sizeof start ? length + sizeof start : MOST_HEAD;
}

// Map `size` bytes, or, where they do not fit and there is a smaller `head`, that.
static int map(dpi_storage **out, dpi_memory *memory, int file, const extent *wanted, const char *path,
               dp_error *error)
{
    mapping *mapped = NULL;
    uint64_t size = wanted->size;
    int rc = remember(&mapped, memory, file, path, error);

    if (rc)
        return rc;
    void *bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED && errno == ENOMEM && wanted->head && wanted->head < size) {
        size = wanted->head;
        bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, file, 0);
    }
    if (bytes == MAP_FAILED)
        rc = dpi_fail_system(error, errno, path, "cannot map");
    else
        rc = dpi_storage_new(out, memory, bytes, size, unmap, mapped, error);
    if (!rc)
        dpi_storage_set_whole(*out, wanted->size);
    if (rc && bytes != MAP_FAILED)
        munmap(bytes, (size_t)size);
    if (rc)
        dpi_free(memory, mapped);
    return rc;
}

// A name that is gone, or another file's, is no harm: what was mapped lives on.
int dpi_file_intact(const dpi_storage *storage, dp_error *error)
{
    const mapping *mapped = dpi_storage_user(storage, unmap);
    struct stat facts;

    if (!mapped || stat(mapped->path, &facts) != 0 || facts.st_dev != mapped->device ||
        facts.st_ino != mapped->node || (uint64_t)facts.st_size >= dpi_storage_size(storage))
        return DP_OK;
    const dpi_place place = {.file = mapped->path, .offset = (int64_t)facts.st_size};
    return dpi_fail_at(error, DP_E_IO, &place, "shrank while it was open: %llu bytes are left of %llu",
                       (unsigned long long)facts.st_size, (unsigned long long)dpi_storage_size(storage));
}

int dpi_file_open(dpi_storage **out, dp_context *context, const char *path, int copy, dp_error *error)
{
    extent wanted = {.head = 0};
    int file;
    int rc = open_regular(path, &file, &wanted.size, error);

    if (rc)
        return rc;
    if (copy || wanted.size == 0) // an empty file cannot be mapped
        rc = read_whole(out, &context->memory, file, wanted.size, path, error);
    else
        rc = map(out, &context->memory, file, &wanted, path, error);
    close(file);
    return rc;
}

int dpi_file_open_weights(dpi_storage **out, dp_context *context, const char *path, int copy, dp_error *error)
{
    extent wanted = {.head = 0};
    int file;

    if (copy)
        return dpi_file_open(out, context, path, copy, error);
    int rc = open_regular(path, &file, &wanted.size, error);
    if (rc)
        return rc;
    wanted.head = wanted.size > MOST_HEAD ? head_of(file) : 0;
    if (wanted.size == 0)
        rc = read_whole(out, &context->memory, file, wanted.size, path, error);
    else
        rc = map(out, &context->memory, file, &wanted, path, error);
    close(file);
    return rc;
}

int dpi_file_read(dpi_storage **out, dp_context *context, const char *path, uint64_t most, dp_error *error)
{
    const dpi_place place = {.file = path, .offset = -1};
    uint64_t size;
    int file;
    int rc = open_regular(path, &file, &size, error);

    if (rc)
        return rc;
    if (size > most)
        rc = dpi_fail_at(error, DP_E_FORMAT, &place, "is %llu bytes long, at most %llu are read",
                         (unsigned long long)size, (unsigned long long)most);
    else
        rc = read_whole(out, &context->memory, file, size, path, error);
    close(file);
    return rc;
}

int dpi_path_is_directory(const char *path)
{
    struct stat facts;

    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

int dpi_path_exists(const char *path)
{
    struct stat facts;

    return lstat(path, &facts) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

int dpi_path_same(const char *a, const char *b)
{
    struct stat first, second;

    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

char *dpi_path_join(dpi_memory *memory, const char *directory, const char *name, dp_error *error)
{
    const size_t head = strlen(directory), tail = strlen(name);
    const int slash = head > 0 && directory[head - 1] != '/';
    char *path = dpi_alloc(memory, 1, head + tail + 2, error);

    if (!path)
        return NULL;
    memcpy(path, directory, head);
    if (slash)
        path[head] = '/';
    memcpy(path + head + (size_t)slash, name, tail);
    return path;
}
