// Writing files whole (temporary beside the target, sync, rename), reading them, and the JSON documents.
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/json_memory.h"
#include "cli/protocol.h"

enum { MOST_TRIES = 1000 }; // hidden names tried

static const off_t LARGEST_INPUT = (off_t)1 << 30;

static int system_failure(cli_session *session, const char *path, const char *what)
{
    return cli_fail(session, DP_E_IO, (cli_place){.file = path, .system_error = errno}, "%s", what);
}

static int out_of_memory(cli_session *session)
{
    return cli_fail(session, DP_E_MEMORY, (cli_place){0}, "out of memory");
}

// The folder that `path` lies in, or would; free() it.
static char *folder_of(const char *path)
{
    char *copy = strdup(path);
    char *folder = copy ? strdup(dirname(copy)) : NULL;

    free(copy);
    return folder;
}

static int same(const char *path, const struct stat *other)
{
    struct stat status;

    return stat(path, &status) == 0 && status.st_dev == other->st_dev && status.st_ino == other->st_ino;
}

// Is `path` the model's file, or anywhere inside the model's folder?
static int in_model(const cli_session *session, const char *path, const char *folder)
{
    const cli_list *operands = &session->settings->operands;
    struct stat model;

    if (operands->count == 0 || stat(operands->items[0], &model))
        return 0;
    if (same(path, &model))
        return 1;
    char *above = realpath(folder, NULL), *slash = above;
    int inside = 0;
    while (slash && !inside) {
        inside = same(above, &model);
        slash = strrchr(above, '/');
        if (slash)
            *slash = 0;
    }
    free(above);
    return inside;
}

static int check_target(cli_session *session, const char *path)
{
    struct stat status;

    if (lstat(path, &status)) // the folder is there
        return errno == ENOENT ? DP_OK : system_failure(session, path, "cannot be written");
    if (S_ISDIR(status.st_mode))
        return cli_fail(session, DP_E_ARGUMENT, (cli_place){.file = path}, "is a folder; give a file's name");
    if (!S_ISREG(status.st_mode)) // a rename would take its place, and be it /dev/stdout
        return cli_fail(session, DP_E_ARGUMENT, (cli_place){.file = path},
                        "is not a plain file and is not replaced; --json prints the document");
    if (!session->settings->force)
        return cli_fail(session, DP_E_ARGUMENT, (cli_place){.file = path}, "exists already; --force replaces it");
    return DP_OK;
}

int cli_output_folder_check(cli_session *session, const char *path)
{
    char *folder = folder_of(path);

    if (folder == NULL)
        return out_of_memory(session);
    const int refused = access(folder, W_OK | X_OK);
    const int rc = refused ? system_failure(session, path, "cannot be written") : DP_OK;
    free(folder);
    return rc;
}

int cli_output_check(cli_session *session, const char *path)
{
    if (path == NULL)
        return DP_OK;
    char *folder = folder_of(path);
    int rc = DP_OK;

    if (folder == NULL)
        return out_of_memory(session);
    if (in_model(session, path, folder))
        rc = cli_fail(session, DP_E_ARGUMENT, (cli_place){.file = path},
                      "is part of the model that is read; choose another output");
    free(folder);
    if (rc == DP_OK)
        rc = cli_output_folder_check(session, path); // before hours of work
    return rc ? rc : check_target(session, path);
}

static char *partial_name(const char *path, int serial)
{
    const char *slash = strrchr(path, '/');
    const int folder = slash ? (int)(slash - path) + 1 : 0;
    char *name = NULL;

    if (asprintf(&name, "%.*s.%s.partial-%ld-%d", folder, path, path + folder, (long)getpid(), serial) < 0)
        return NULL;
    return name;
}

int cli_output_open(cli_session *session, const char *path, cli_output *output)
{
    *output = (cli_output){.path = path, .fd = -1};
    for (int n = 0; output->fd < 0 && n < MOST_TRIES; n++) { // in a container process ids come again
        free(output->partial);
        output->partial = partial_name(path, n);
        if (output->partial == NULL)
            return out_of_memory(session);
        output->fd = open(output->partial, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (output->fd < 0 && errno != EEXIST)
            break;
    }
    if (output->fd >= 0)
        return DP_OK;
    const int rc = system_failure(session, path, "cannot be written");
    free(output->partial);
    output->partial = NULL;
    return rc;
}

void cli_output_abandon(cli_output *output)
{
    if (output->partial == NULL)
        return;
    if (output->fd >= 0)
        close(output->fd);
    unlink(output->partial);
    free(output->partial);
    output->partial = NULL;
}

// The new name itself reaches the disk; a folder without sync is no error.
static int sync_folder(cli_session *session, const char *path)
{
    char *folder = folder_of(path);
    const int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    const int rc = fd >= 0 && fsync(fd) && errno != EINVAL ? system_failure(session, path, "cannot be synced") : DP_OK;

    if (fd >= 0)
        close(fd);
    free(folder);
    return rc;
}

int cli_output_commit(cli_session *session, cli_output *output)
{
    const int synced = fsync(output->fd) == 0 || errno == EINVAL;
    const int sync_error = errno;
    const int closed = close(output->fd) == 0;

    output->fd = -1;
    if (!synced)
        errno = sync_error;
    int rc = DP_OK;
    if (!synced || !closed || rename(output->partial, output->path))
        rc = system_failure(session, output->path, "cannot be written");
    cli_output_abandon(output);
    return rc ? rc : sync_folder(session, output->path);
}

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t n = write(fd, bytes, size);
        if (n == 0)
            errno = EIO;
        if (n == 0 || (n < 0 && errno != EINTR))
            return -1;
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

static int write_file(cli_session *session, const char *path, const char *bytes, size_t size)
{
    cli_output output;
    int rc = cli_output_open(session, path, &output);

    if (rc)
        return rc;
    if (write_all(output.fd, bytes, size)) {
        rc = system_failure(session, path, "cannot be written");
        cli_output_abandon(&output);
        return rc;
    }
    return cli_output_commit(session, &output);
}

static int read_all(cli_session *session, int fd, const char *path, char **text, size_t *size)
{
    struct stat status;

    if (fstat(fd, &status))
        return system_failure(session, path, "cannot be read");
    if (!S_ISREG(status.st_mode))
        return cli_fail(session, DP_E_IO, (cli_place){.file = path}, "is not a plain file");
    if (status.st_size > LARGEST_INPUT)
        return cli_fail(session, DP_E_FORMAT, (cli_place){.file = path}, "has %lld bytes, more than 1 GiB",
                        (long long)status.st_size);
    const size_t whole = (size_t)status.st_size;
    char *bytes = malloc(whole + 1);
    size_t have = 0;
    ssize_t n = 1;

    if (bytes == NULL)
        return out_of_memory(session);
    while (have < whole && n != 0) {
        n = read(fd, bytes + have, whole - have);
        if (n < 0 && errno != EINTR) {
            free(bytes);
            return system_failure(session, path, "cannot be read");
        }
        have += n > 0 ? (size_t)n : 0;
    }
    bytes[have] = 0;
    *text = bytes;
    *size = have;
    return DP_OK;
}

int cli_file_read(cli_session *session, const char *path, char **text, size_t *size)
{
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return system_failure(session, path, "cannot be opened");
    const int rc = read_all(session, fd, path, text, size);
    close(fd);
    return rc;
}

int cli_json_parse(cli_session *session, const char *text, size_t size, const char *name, json_t **out)
{
    json_error_t error;
    json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);

    if (cli_json_memory_was_short()) { // what jansson says is not to be trusted then
        json_decref(value);
        return out_of_memory(session);
    }
    if (value == NULL)
        return cli_fail(session, DP_E_FORMAT, (cli_place){.file = name, .line = error.line, .column = error.column},
                        "%s", error.text);
    *out = value;
    return DP_OK;
}

int cli_json_read(cli_session *session, const char *path, json_t **out)
{
    char *text = NULL;
    size_t size = 0;
    int rc = cli_file_read(session, path, &text, &size);

    if (rc == DP_OK)
        rc = cli_json_parse(session, text, size, path, out);
    free(text);
    return rc;
}

json_t *cli_json_path(const char *path)
{
    json_t *text = json_string(path);
    char *plain = text ? NULL : strdup(path);

    for (char *at = plain; at && *at; at++)
        if ((unsigned char)*at >= 128)
            *at = '?';
    if (plain)
        text = json_string(plain);
    free(plain);
    return text;
}

json_t *cli_document_new(const char *name)
{
    return json_pack("{s:s++}", "schema", "depthprune.", name, "/1");
}

static int emit(cli_session *session, const json_t *document, const char *path)
{
    char *text = json_dumps(document, JSON_INDENT(2));
    int rc = DP_OK;

    if (text == NULL || cli_json_memory_was_short()) { // something may be missing in it
        free(text);
        return out_of_memory(session);
    }
    const size_t size = strlen(text);
    text[size] = '\n'; // in place of the terminator
    if (path)
        rc = write_file(session, path, text, size + 1);
    if (rc == DP_OK && session->settings->json && fwrite(text, 1, size + 1, stdout) != size + 1)
        rc = system_failure(session, "standard output", "cannot be written");
    free(text);
    return rc;
}

int cli_document_emit(cli_session *session, json_t *document, const char *path)
{
    json_t *protocol = document ? json_object_get(document, "protocol") : NULL;
    int rc = document ? cli_protocol_finish(session) : out_of_memory(session);

    if (rc == DP_OK && protocol)
        rc = json_object_update_missing(protocol, session->protocol) ? out_of_memory(session) : DP_OK;
    else if (rc == DP_OK)
        rc = json_object_set(document, "protocol", session->protocol) ? out_of_memory(session) : DP_OK;
    cli_progress_clear(&session->progress);
    if (rc == DP_OK)
        rc = emit(session, document, path);
    json_decref(document);
    return rc;
}
