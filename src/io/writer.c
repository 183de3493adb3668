// One file being written: buffered, every byte accounted for, synced before it is closed.
#include "io/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "io/folder.h"

enum {
    BUFFER = 256 << 10,
    MOST_WRITE = 1 << 30 // bytes handed to one write call
};

struct dpi_writer {
    dpi_memory *memory;
    dpi_written *written;
    char *shown;
    unsigned char *buffer;
    size_t waiting; // bytes in the buffer
    uint64_t size;  // bytes added, the waiting ones included
    int file;
};

static void free_writer(dpi_writer *writer)
{
    dpi_free(writer->memory, writer->buffer);
    dpi_free(writer->memory, writer->shown);
    dpi_free(writer->memory, writer);
}

// Create the file.  What a folder inside the stage holds is synced here: commit syncs only the stage itself.
static int create(const dpi_writer_start *start, int *file, dp_error *error)
{
    const int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | start->flags;
    const char *slash = strchr(start->name, '/');
    int folder = start->folder, failed = 0;
    char inner[256];

    *file = -1;
    if (slash) {
        snprintf(inner, sizeof inner, "%.*s", (int)(slash - start->name), start->name);
        failed = dpi_folder_make(start->folder, inner, &folder);
    }
    if (!failed)
        *file = dpi_open(folder, slash ? slash + 1 : start->name, flags);
    if (!failed && *file < 0)
        failed = errno;
    if (!failed && slash)
        failed = dpi_sync(folder);
    if (folder != start->folder)
        close(folder);
    if (!failed)
        return DP_OK;
    if (*file >= 0)
        close(*file);
    return dpi_fail_system(error, failed, start->shown, "cannot create");
}

int dpi_writer_open(dpi_writer **out, const dpi_writer_start *start, dp_error *error)
{
    dpi_writer *writer = dpi_alloc(start->memory, 1, sizeof *writer, error);

    if (!writer)
        return DP_E_MEMORY;
    writer->memory = start->memory;
    writer->written = start->written;
    writer->shown = dpi_copy_text(start->memory, start->shown, error);
    writer->buffer = writer->shown ? dpi_alloc_raw(start->memory, 1, BUFFER, error) : NULL;
    int rc = writer->buffer ? DP_OK : DP_E_MEMORY;
    if (!rc)
        rc = create(start, &writer->file, error);
    if (rc) {
        free_writer(writer);
        return rc;
    }
    *out = writer;
    return DP_OK;
}

static int write_out(dpi_writer *writer, const unsigned char *bytes, uint64_t size, dp_error *error)
{
    while (size > 0) {
        const ssize_t put = write(writer->file, bytes, size < MOST_WRITE ? (size_t)size : MOST_WRITE);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return dpi_fail_system(error, put < 0 ? errno : EIO, writer->shown, "cannot write");
        bytes += put;
        size -= (uint64_t)put;
    }
    return DP_OK;
}

static int flush(dpi_writer *writer, dp_error *error)
{
    const size_t waiting = writer->waiting;

    writer->waiting = 0;
    return write_out(writer, writer->buffer, waiting, error);
}

int dpi_writer_add(dpi_writer *writer, const void *bytes, uint64_t size, dp_error *error)
{
    if (size > BUFFER - writer->waiting) {
        const int rc = flush(writer, error);
        if (rc)
            return rc;
    }
    writer->size += size;
    if (size >= BUFFER)
        return write_out(writer, bytes, size, error);
    if (size > 0)
        memcpy(writer->buffer + writer->waiting, bytes, (size_t)size);
    writer->waiting += (size_t)size;
    return DP_OK;
}

uint64_t dpi_writer_size(const dpi_writer *writer)
{
    return writer->size;
}

int dpi_writer_end(dpi_writer *writer, dp_error *error)
{
    int rc = flush(writer, error);

    if (!rc) {
        const int failed = dpi_sync(writer->file);
        if (failed)
            rc = dpi_fail_system(error, failed, writer->shown, "cannot sync");
    }
    if (close(writer->file) != 0 && errno != EINTR && !rc)
        rc = dpi_fail_system(error, errno, writer->shown, "cannot close");
    if (!rc) {
        writer->written->bytes += writer->size;
        writer->written->files++;
    }
    free_writer(writer);
    return rc;
}

void dpi_writer_abandon(dpi_writer *writer)
{
    if (!writer)
        return;
    close(writer->file);
    free_writer(writer);
}
