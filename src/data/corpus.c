// Text files and JSON lines as rows.  A paragraph is what stands between lines of white space only.
#include "data/corpus.h"

#include <string.h>

#include "base/error.h"
#include "io/file.h"
#include "io/json.h"

enum { LOOK = 1 << 10 }; // lines between two looks at the watch

static int add_row(dpi_corpus *corpus, size_t begin, size_t end, dp_error *error)
{
    if (corpus->count == corpus->capacity) {
        const size_t capacity = corpus->capacity ? corpus->capacity * 2 : 256;
        void *rows = corpus->rows;
        if (dpi_grow(corpus->memory, &rows, corpus->count, capacity, sizeof *corpus->rows, error))
            return DP_E_MEMORY;
        corpus->rows = rows;
        corpus->capacity = capacity;
    }
    corpus->rows[corpus->count++] = (dpi_row){begin, end - begin, -1};
    return DP_OK;
}

// Where the line that begins at `at` ends: at its LF, or at the end of the text.
static size_t line_end(const char *text, size_t size, size_t at)
{
    const char *const feed = at < size ? memchr(text + at, '\n', size - at) : NULL;

    return feed ? (size_t)(feed - text) : size;
}

static int is_blank(const char *text, size_t begin, size_t end)
{
    while (begin < end && (text[begin] == ' ' || (text[begin] >= '\t' && text[begin] <= '\r')))
        begin++;
    return begin == end;
}

// Copy with CR LF as LF.
static int copy_text(dpi_corpus *corpus, const char *bytes, size_t size, dp_error *error)
{
    int rc = DP_OK;

    for (size_t at = 0; !rc && at < size;) {
        const char *const back = memchr(bytes + at, '\r', size - at);
        const size_t end = back ? (size_t)(back - bytes) : size;
        const int pair = end + 1 < size && bytes[end + 1] == '\n';
        rc = dpi_text_add(&corpus->text, bytes + at, end - at + (back && !pair), error);
        at = end + (back != NULL);
    }
    return rc;
}

static int place_line(dp_error *error, const dpi_corpus *corpus, int rc, int32_t line, size_t begin)
{
    if (!error || rc != DP_E_FORMAT)
        return rc;
    char message[sizeof error->message], item[sizeof error->item];
    memcpy(message, error->message, sizeof message);
    memcpy(item, error->item, sizeof item);
    const dpi_place place = {.file = corpus->name,
                             .item = item,
                             .offset = error->offset < 0 ? (int64_t)begin : (int64_t)begin + error->offset,
                             .line = line,
                             .column = error->column};
    return dpi_fail_at(error, rc, &place, "%s", message);
}

static int keep_object(dpi_corpus *corpus, const json_t *object, dp_error *error)
{
    const char *text = NULL;

    if (!json_is_object(object))
        return dpi_fail(error, DP_E_FORMAT, "this line is not a JSON object");
    int rc = dpi_json_string(object, "text", 1, &text, corpus->name, error);
    if (!rc && corpus->count)
        rc = dpi_text_add(&corpus->text, "\n\n", 2, error);
    const size_t begin = corpus->text.size;
    if (!rc)
        rc = dpi_text_add(&corpus->text, text, json_string_length(json_object_get(object, "text")), error);
    return rc ? rc : add_row(corpus, begin, corpus->text.size, error);
}

static int keep_lines(dpi_corpus *corpus, const char *bytes, size_t size, dpi_watch *watch, dp_error *error)
{
    int32_t line = 1;
    int rc = DP_OK;

    for (size_t at = 0, end; !rc && at < size; at = end + 1, line++) {
        json_t *object = NULL;
        end = line_end(bytes, size, at);
        if (is_blank(bytes, at, end))
            continue;
        rc = dpi_json_parse(&object, bytes + at, end - at, corpus->name, error);
        if (!rc)
            rc = keep_object(corpus, object, error);
        json_decref(object);
        rc = place_line(error, corpus, rc, line, at);
        if (!rc && line % LOOK == 0)
            rc = dpi_watch_advance(watch, 0, error);
    }
    return rc;
}

static int ends_with(const char *text, const char *end)
{
    const size_t size = strlen(text), tail = strlen(end);

    return size >= tail && !strcmp(text + size - tail, end);
}

int dpi_corpus_open(dpi_corpus *corpus, dp_context *context, const char *path, int jsonl, dpi_watch *watch,
                    dp_error *error)
{
    dpi_memory *const memory = &context->memory;
    dpi_storage *storage = NULL;

    *corpus = (dpi_corpus){.memory = memory, .text = {.memory = memory}};
    corpus->jsonl = jsonl || ends_with(path, ".jsonl") || ends_with(path, ".json");
    corpus->name = dpi_copy_text(memory, path, error);
    int rc = corpus->name ? dpi_text_add(&corpus->text, "", 0, error) : DP_E_MEMORY; // so that it is never NULL
    if (!rc)
        rc = dpi_file_read(&storage, context, path, DPI_CORPUS_MOST, error);
    if (rc)
        return rc;
    const char *const bytes = (const char *)dpi_storage_bytes(storage);
    const size_t size = (size_t)dpi_storage_size(storage);
    rc = corpus->jsonl ? keep_lines(corpus, bytes, size, watch, error) : copy_text(corpus, bytes, size, error);
    dpi_storage_drop(storage);
    return rc;
}

void dpi_corpus_close(dpi_corpus *corpus)
{
    dpi_text_clear(&corpus->text);
    dpi_free(corpus->memory, corpus->rows);
    dpi_free(corpus->memory, corpus->name);
}

static int cut_lines(dpi_corpus *corpus, dp_error *error)
{
    const char *const text = corpus->text.data;
    const size_t size = corpus->text.size;
    int rc = DP_OK;

    for (size_t at = 0, end; !rc && at < size; at = end + 1) {
        end = line_end(text, size, at);
        rc = add_row(corpus, at, end, error);
    }
    return rc;
}

static int cut_paragraphs(dpi_corpus *corpus, dp_error *error)
{
    const char *const text = corpus->text.data;
    const size_t size = corpus->text.size;
    size_t begin = SIZE_MAX; // of the paragraph that is open, if one is
    size_t last = 0;         // end of its last line
    int rc = DP_OK;

    for (size_t at = 0, end; !rc && at < size; at = end + 1) {
        end = line_end(text, size, at);
        if (!is_blank(text, at, end)) {
            begin = begin == SIZE_MAX ? at : begin;
            last = end;
        } else if (begin != SIZE_MAX) {
            rc = add_row(corpus, begin, last, error);
            begin = SIZE_MAX;
        }
    }
    return rc || begin == SIZE_MAX ? rc : add_row(corpus, begin, last, error);
}

int dpi_corpus_cut(dpi_corpus *corpus, int32_t rows, dp_error *error)
{
    if (corpus->jsonl)
        return DP_OK;
    corpus->count = 0;
    return rows == DP_ROWS_LINE ? cut_lines(corpus, error) : cut_paragraphs(corpus, error);
}
