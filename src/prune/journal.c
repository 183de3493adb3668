// The document "depthprune.journal/1": fingerprint, samples done, sums.  Replaced as a whole each time.
#include "prune/journal.h"

#include <string.h>

#include "backend/device.h"
#include "base/error.h"
#include "base/sha256.h"
#include "io/file.h"
#include "io/stage.h"
#include "prune/document.h"

#define SCHEMA "depthprune.journal/1"

enum { MOST_BYTES = 1 << 26 }; // a sum is at most 24 bytes, and no model has more than 2^20 blocks

static void add_text(dpi_sha256 *hash, const char *text)
{
    dpi_sha256_add(hash, text ? text : "", (text ? strlen(text) : 0) + 1);
}

int dpi_journal_open(dpi_journal *journal, const dpi_scoring *scoring, const char *criterion, const char *digest,
                     dp_error *error)
{
    const dp_backend_info *device = &dpi_device_of(scoring->context)->info;
    const int64_t shape[] = {scoring->samples, scoring->length};
    dpi_sha256 hash;

    *journal = (dpi_journal){.context = scoring->context, .path = scoring->options->journal, .resume = scoring->options->resume};
    if (!journal->path)
        return DP_OK;
    if (!scoring->ids)
        return dpi_fail(error, DP_E_ARGUMENT, "criterion '%s' reads no samples, so that there is no journal to keep",
                        criterion);
    dpi_sha256_begin(&hash);
    add_text(&hash, criterion);
    add_text(&hash, digest);
    add_text(&hash, device->name);
    add_text(&hash, device->kernels);
    dpi_sha256_add(&hash, shape, sizeof shape);
    dpi_sha256_add(&hash, scoring->ids, (size_t)(scoring->samples * scoring->length) * sizeof *scoring->ids);
    dpi_sha256_end(&hash, journal->fingerprint);
    return DP_OK;
}

static int read_sums(const dpi_document *document, double *sums, int64_t count, dp_error *error)
{
    const json_t *list = json_object_get(document->root, "sums");

    if (!json_is_array(list) || json_array_size(list) != (size_t)count)
        return dpi_document_fail(document, DP_E_FORMAT, "sums", error, "is not a list of %lld numbers",
                                 (long long)count);
    for (int64_t i = 0; i < count; i++) {
        const json_t *sum = json_array_get(list, (size_t)i);

        if (!json_is_number(sum))
            return dpi_document_fail(document, DP_E_FORMAT, "sums", error, "element %lld is not a number",
                                     (long long)i);
        sums[i] = json_number_value(sum);
    }
    return DP_OK;
}

static int read_document(const dpi_journal *journal, const dpi_document *document, double *sums, int64_t count,
                         int64_t samples, int64_t *done, dp_error *error)
{
    const char *fingerprint = NULL;
    int64_t some = 0;
    int rc = dpi_json_string(document->root, "fingerprint", 1, &fingerprint, journal->path, error);

    if (!rc && strcmp(fingerprint, journal->fingerprint) != 0)
        return dpi_document_fail(document, DP_E_ARGUMENT, "fingerprint", error,
                                 "this journal belongs to another run (the model, the samples, the criterion or the "
                                 "kernels differ); start anew or remove it");
    if (!rc)
        rc = dpi_json_int(document->root, "samples", 1, 1, samples, &some, journal->path, error);
    if (!rc)
        rc = read_sums(document, sums, count, error);
    if (!rc)
        *done = some;
    return rc;
}

int dpi_journal_read(const dpi_journal *journal, double *sums, int64_t count, int64_t samples, int64_t *done,
                     dp_error *error)
{
    dpi_storage *file = NULL;

    *done = 0;
    if (!journal->path || !dpi_path_exists(journal->path))
        return DP_OK;
    int rc = dpi_file_read(&file, journal->context, journal->path, MOST_BYTES, error);
    if (rc)
        return rc;
    dpi_document document = {.context = journal->context,
                             .text = (const char *)dpi_storage_bytes(file),
                             .size = (size_t)dpi_storage_size(file),
                             .name = journal->path};
    rc = dpi_document_open(&document, SCHEMA, 1, error); // no other file is replaced
    if (!rc && journal->resume)
        rc = read_document(journal, &document, sums, count, samples, done, error);
    dpi_document_close(&document);
    dpi_storage_drop(file);
    return rc;
}

static int write_text(const dpi_journal *journal, dpi_text *text, const double *sums, int64_t count, int64_t done,
                      dp_error *error)
{
    int rc = dpi_text_format(
        text, error, "{\n  \"schema\": \"" SCHEMA "\",\n  \"fingerprint\": \"%s\",\n  \"samples\": %lld,\n  \"sums\": [",
        journal->fingerprint, (long long)done);

    for (int64_t i = 0; i < count && !rc; i++) {
        rc = i ? dpi_text_add(text, ", ", 2, error) : DP_OK;
        if (!rc)
            rc = dpi_document_real(text, sums[i], error);
    }
    return rc ? rc : dpi_text_format(text, error, "]\n}\n");
}

static int write_file(const dpi_journal *journal, const dpi_text *text, dp_error *error)
{
    dpi_stage *stage = NULL;
    dpi_writer *writer = NULL;
    int rc = dpi_stage_open(&stage, journal->context, journal->path, 0, 1, error);

    if (rc)
        return rc;
    rc = dpi_stage_file(stage, "journal", &writer, error);
    if (!rc) {
        rc = dpi_writer_add(writer, text->data, text->size, error);
        if (rc)
            dpi_writer_abandon(writer);
        else
            rc = dpi_writer_end(writer, error);
    }
    if (!rc)
        return dpi_stage_commit(stage, error);
    dpi_stage_abandon(stage);
    return rc;
}

int dpi_journal_write(const dpi_journal *journal, const double *sums, int64_t count, int64_t done, dp_error *error)
{
    dpi_text text = {.memory = &journal->context->memory};

    if (!journal->path)
        return DP_OK;
    int rc = write_text(journal, &text, sums, count, done, error);
    if (!rc)
        rc = write_file(journal, &text, error);
    dpi_text_clear(&text);
    return rc;
}
