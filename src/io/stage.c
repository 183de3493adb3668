// Files out, all or nothing: ".NAME.partial-PID-N" beside the target, synced, then one rename; an old target is
// exchanged with the new one and then removed.
#include "io/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/size.h"
#include "io/folder.h"
#include "io/writer.h"

enum {
    MOST_NAME = 200,  // bytes of the target's name in the hidden name, which may have 255
    MOST_TRIES = 1000 // hidden names tried
};

struct dpi_stage {
    dp_context *context;
    dpi_memory *memory;
    char *target; // as the caller wrote it, without slashes at its end
    char *parent_path;
    const char *name; // last part of target
    char hidden[256]; // name of what is being written, in the parent
    char *path;       // what dpi_stage_path gave last
    int parent;       // the folder of the target
    int held;         // the staged folder or file, locked
    int directory, overwrite;
    int made; // `hidden` exists
    dpi_written written;
};

static int refuse(const dpi_stage *stage, const char *why, dp_error *error)
{
    const dpi_place place = {.file = stage->target, .offset = -1};

    return dpi_fail_at(error, DP_E_ARGUMENT, &place, "%s", why);
}

static void free_stage(dpi_stage *stage)
{
    dp_context *context = stage->context;

    if (stage->held >= 0)
        close(stage->held);
    if (stage->parent >= 0)
        close(stage->parent);
    dpi_free(stage->memory, stage->path);
    dpi_free(stage->memory, stage->parent_path);
    dpi_free(stage->memory, stage->target);
    dpi_free(stage->memory, stage);
    dpi_context_drop(context);
}

// Open the folder that the target's name stands in; `slash` is before the name, NULL for the working directory.
static int open_parent(dpi_stage *stage, const char *slash, dp_error *error)
{
    const size_t head = slash == stage->target ? 1 : slash ? (size_t)(slash - stage->target) : 0;

    stage->parent_path =
        head ? dpi_copy_bytes(stage->memory, stage->target, head, error) : dpi_copy_text(stage->memory, ".", error);
    if (!stage->parent_path)
        return DP_E_MEMORY;
    stage->parent = dpi_open(AT_FDCWD, stage->parent_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (stage->parent < 0)
        return dpi_fail_system(error, errno, stage->parent_path, "cannot open the folder to save in");
    return DP_OK;
}

// Cut the target into its folder and its name, and open the folder.
static int split_target(dpi_stage *stage, const char *target, dp_error *error)
{
    size_t size = strlen(target);
    const int slashes = size > 0 && target[size - 1] == '/';

    while (size > 1 && target[size - 1] == '/')
        size--;
    stage->target = dpi_copy_bytes(stage->memory, target, size, error);
    if (!stage->target)
        return DP_E_MEMORY;
    const char *slash = strrchr(stage->target, '/');
    stage->name = slash ? slash + 1 : stage->target;
    if (size == 0)
        return refuse(stage, "the target has no name", error);
    if (!stage->name[0] || strcmp(stage->name, ".") == 0 || strcmp(stage->name, "..") == 0)
        return refuse(stage, "the target must end in a name of its own, not in '/', '.' or '..'", error);
    if (slashes && !stage->directory)
        return refuse(stage, "the target is a file, its name ends in '/'", error);
    return open_parent(stage, slash, error);
}

// May what stands at the target be replaced?  *there: something does.
static int check_target(const dpi_stage *stage, int *there, dp_error *error)
{
    struct stat facts;
    int holds = DPI_FOLDER_OTHER;

    *there = fstatat(stage->parent, stage->name, &facts, AT_SYMLINK_NOFOLLOW) == 0;
    if (!*there)
        return errno == ENOENT ? DP_OK : dpi_fail_system(error, errno, stage->target, "cannot examine the target");
    if (S_ISDIR(facts.st_mode)) {
        if (!stage->directory)
            return refuse(stage, "exists and is a directory; a file is to be written", error);
        const int failed = dpi_folder_holds(stage->parent, stage->name, &holds);
        if (failed)
            return dpi_fail_system(error, failed, stage->target, "cannot read the target");
        if (holds == DPI_FOLDER_EMPTY)
            return DP_OK;
    } else if (S_ISREG(facts.st_mode) && stage->directory) {
        return refuse(stage, "exists and is a file; a directory is to be written", error);
    } else if (!S_ISREG(facts.st_mode) && !S_ISLNK(facts.st_mode)) {
        return refuse(stage, "exists and is neither a file nor a directory", error);
    }
    if (!stage->overwrite)
        return refuse(stage, "exists already; overwriting was not asked for", error);
    if (S_ISDIR(facts.st_mode) && holds != DPI_FOLDER_MODEL)
        return refuse(stage, "holds files but no model (config.json, *.safetensors); not replaced", error);
    return DP_OK;
}

// Clean up after saves of the same target whose processes died.
static void sweep(const dpi_stage *stage)
{
    char prefix[256];

    snprintf(prefix, sizeof prefix, ".%.*s.old-", MOST_NAME, stage->name);
    dpi_folder_sweep(stage->parent, prefix, stage->name);
    snprintf(prefix, sizeof prefix, ".%.*s.partial-", MOST_NAME, stage->name);
    dpi_folder_sweep(stage->parent, prefix, NULL);
}

// Make the staged folder or file, under a hidden name that is free, and lock it.
static int make_hidden(dpi_stage *stage, dp_error *error)
{
    const int file_flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const int folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

    for (int n = 0; !stage->made && n < MOST_TRIES; n++) {
        snprintf(stage->hidden, sizeof stage->hidden, ".%.*s.partial-%ld-%d", MOST_NAME, stage->name,
                 (long)getpid(), n);
        if (stage->directory)
            stage->made = mkdirat(stage->parent, stage->hidden, 0777) == 0;
        else
            stage->made = (stage->held = dpi_open(stage->parent, stage->hidden, file_flags)) >= 0;
        if (!stage->made && errno != EEXIST)
            break;
    }
    if (!stage->made)
        return dpi_fail_system(error, errno, stage->parent_path, "cannot write into the folder to save in");
    if (stage->directory)
        stage->held = dpi_open(stage->parent, stage->hidden, folder_flags);
    if (stage->held < 0)
        return dpi_fail_system(error, errno, stage->target, "cannot open the staged folder");
    flock(stage->held, LOCK_EX | LOCK_NB); // where the file system has no locks the process id must do
    return DP_OK;
}

// A stage that is held to look with: nothing made yet.
static int look(dpi_stage **out, dp_context *context, const char *target, int directory, int overwrite,
                dp_error *error)
{
    dpi_stage *stage = dpi_alloc(&context->memory, 1, sizeof *stage, error);

    if (!stage)
        return DP_E_MEMORY;
    stage->context = dpi_context_keep(context);
    stage->memory = &context->memory;
    stage->parent = stage->held = -1;
    stage->directory = directory;
    stage->overwrite = overwrite;
    const int rc = split_target(stage, target, error);
    if (rc) {
        dpi_stage_abandon(stage);
        return rc;
    }
    *out = stage;
    return DP_OK;
}

int dpi_stage_check(dp_context *context, const char *target, int directory, int overwrite, uint64_t *room,
                    dp_error *error)
{
    struct statvfs facts;
    dpi_stage *stage;
    int there, asked;
    int rc = look(&stage, context, target, directory, overwrite, error);

    if (rc)
        return rc;
    rc = check_target(stage, &there, error);
    do {
        asked = rc ? 0 : fstatvfs(stage->parent, &facts);
    } while (asked != 0 && errno == EINTR);
    if (asked != 0)
        rc = dpi_fail_system(error, errno, stage->parent_path, "cannot ask how much space is free");
    if (!rc && dpi_mul_u64(facts.f_bavail, facts.f_frsize, room))
        *room = UINT64_MAX;
    dpi_stage_abandon(stage);
    return rc;
}

int dpi_stage_open(dpi_stage **out, dp_context *context, const char *target, int directory, int overwrite,
                   dp_error *error)
{
    int there;
    dpi_stage *stage;
    int rc = look(&stage, context, target, directory, overwrite, error);

    if (rc)
        return rc;
    sweep(stage);
    rc = check_target(stage, &there, error);
    if (!rc)
        rc = make_hidden(stage, error);
    if (rc) {
        dpi_stage_abandon(stage);
        return rc;
    }
    *out = stage;
    return DP_OK;
}

static int is_plain(const char *name, size_t size)
{
    return size > 0 && size < 256 && !memchr(name, '/', size) && strncmp(name, "..", size) != 0;
}

int dpi_stage_file(dpi_stage *stage, const char *name, dpi_writer **out, dp_error *error)
{
    const dpi_place place = {.file = stage->target, .item = name, .offset = -1};
    dpi_writer_start start = {.memory = stage->memory,
                              .written = &stage->written,
                              .folder = stage->parent,
                              .name = stage->hidden,
                              .flags = O_TRUNC,
                              .shown = stage->target};

    if (!stage->directory)
        return dpi_writer_open(out, &start, error);
    const char *slash = name ? strchr(name, '/') : NULL;
    const char *last = slash ? slash + 1 : name;
    const size_t head = slash ? (size_t)(slash - name) : 0;
    if (!name || (slash && !is_plain(name, head)) || !is_plain(last, strlen(last)))
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "\"%s\" is not a plain file name", name ? name : "");
    start.folder = stage->held;
    start.name = name;
    start.flags = O_EXCL;
    start.shown = dpi_path_join(stage->memory, stage->target, name, error);
    if (!start.shown)
        return DP_E_MEMORY;
    const int rc = dpi_writer_open(out, &start, error);
    dpi_free(stage->memory, (void *)(uintptr_t)start.shown);
    return rc;
}

const char *dpi_stage_path(dpi_stage *stage, const char *name)
{
    char *hidden = dpi_path_join(stage->memory, stage->parent_path, stage->hidden, NULL);
    char *path = hidden;

    if (hidden && stage->directory) {
        path = dpi_path_join(stage->memory, hidden, name, NULL);
        dpi_free(stage->memory, hidden);
    }
    dpi_free(stage->memory, stage->path);
    stage->path = path;
    return path;
}

uint64_t dpi_stage_bytes(const dpi_stage *stage)
{
    return stage->written.bytes;
}

int32_t dpi_stage_files(const dpi_stage *stage)
{
    return stage->written.files;
}

void dpi_stage_abandon(dpi_stage *stage)
{
    if (!stage)
        return;
    if (stage->made) {
        const int failed = dpi_folder_remove(stage->parent, stage->hidden);
        if (failed)
            dpi_log(stage->context, DP_LOG_WARNING, "cannot remove %s/%s (errno %d)", stage->parent_path,
                    stage->hidden, failed);
    }
    free_stage(stage);
}

// Rename to a target that must not be there (an empty folder may): 0 or an errno.
static int rename_fresh(const dpi_stage *stage)
{
    if (stage->directory) // rename replaces only an empty folder
        return renameat(stage->parent, stage->hidden, stage->parent, stage->name) == 0 ? 0 : errno;
    if (renameat2(stage->parent, stage->hidden, stage->parent, stage->name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    if (!dpi_folder_lacks(stage->parent, stage->name))
        return EEXIST;
    return renameat(stage->parent, stage->hidden, stage->parent, stage->name) == 0 ? 0 : errno;
}

// Two renames where the file system cannot exchange: between them the old target has a hidden name.
static int rename_twice(const dpi_stage *stage, char old[256])
{
    for (int n = 0; n < MOST_TRIES; n++) {
        snprintf(old, 256, ".%.*s.old-%ld-%d", MOST_NAME, stage->name, (long)getpid(), n);
        if (dpi_folder_lacks(stage->parent, old))
            break;
    }
    if (renameat(stage->parent, stage->name, stage->parent, old) != 0)
        return errno;
    if (renameat(stage->parent, stage->hidden, stage->parent, stage->name) == 0)
        return 0;
    const int failed = errno;
    renameat(stage->parent, old, stage->parent, stage->name);
    return failed;
}

// Put the staged folder where another folder or a link stands; *old gets the hidden name of that one.
static int exchange(const dpi_stage *stage, char old[256])
{
    memcpy(old, stage->hidden, sizeof stage->hidden);
    if (renameat2(stage->parent, stage->hidden, stage->parent, stage->name, RENAME_EXCHANGE) == 0)
        return 0;
    return errno == EINVAL || errno == ENOSYS ? rename_twice(stage, old) : errno;
}

static int put_in_place(dpi_stage *stage, dp_error *error)
{
    char old[256] = "";
    int there, failed;
    const int rc = check_target(stage, &there, error); // again: much may have happened since the stage was opened

    if (rc)
        return rc;
    if (!there)
        failed = rename_fresh(stage);
    else if (!stage->directory)
        failed = renameat(stage->parent, stage->hidden, stage->parent, stage->name) == 0 ? 0 : errno;
    else
        failed = exchange(stage, old);
    if (failed == EEXIST || failed == ENOTEMPTY)
        return refuse(stage, "appeared while it was being written", error);
    if (failed)
        return dpi_fail_system(error, failed, stage->target, "cannot rename into place");
    stage->made = 0;
    failed = dpi_sync(stage->parent);
    if (old[0]) {
        const int left = dpi_folder_remove(stage->parent, old);
        if (left)
            dpi_log(stage->context, DP_LOG_WARNING, "cannot remove the replaced %s/%s (errno %d)",
                    stage->parent_path, old, left);
    }
    return failed ? dpi_fail_system(error, failed, stage->parent_path, "cannot sync the folder") : DP_OK;
}

int dpi_stage_commit(dpi_stage *stage, dp_error *error)
{
    const dpi_place place = {.file = stage->target, .offset = -1};
    int rc = DP_OK;

    if (stage->directory) {
        const int failed = dpi_sync(stage->held);
        if (failed)
            rc = dpi_fail_system(error, failed, stage->target, "cannot sync the folder");
    } else if (stage->written.files == 0) {
        rc = dpi_fail_at(error, DP_E_STATE, &place, "nothing was written");
    }
    if (!rc)
        rc = put_in_place(stage, error);
    dpi_stage_abandon(stage);
    return rc;
}
