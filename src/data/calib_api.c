// The public functions of calib.h.
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "base/sha256.h"
#include "base/size.h"
#include "data/calib.h"
#include "io/bytes.h"

static const dpi_option options_table[] = {
    {"samples", "windows", offsetof(dp_calib_options, samples), DPI_INT32, 1, INT32_MAX, 10, NULL},
    {"length", "tokens a window", offsetof(dp_calib_options, length), DPI_INT32, 2, INT32_MAX, 128, NULL},
    {"rows", "what a row of a text is", offsetof(dp_calib_options, rows), DPI_INT32, DP_ROWS_AUTO, DP_ROWS_JSONL,
     DP_ROWS_AUTO, NULL},
    {"seed", "of Python's generator", offsetof(dp_calib_options, seed), DPI_UINT64, 0, 0, 1234, NULL},
    {"bos_each", "every window begins with BOS", offsetof(dp_calib_options, bos_each), DPI_INT32, 0, 1, 0, NULL},
    {"encode", "how rows are read", offsetof(dp_calib_options, encode), DPI_UINT32, 0,
     DP_ENCODE_SPECIAL | DP_ENCODE_BOS, DP_ENCODE_SPECIAL, NULL},
    {"row_bos", "rows get BOS where the model's convention adds it", offsetof(dp_calib_options, row_bos), DPI_INT32,
     0, 1, 1, NULL},
};
static const dpi_schema schema = {"dp_calib_options", sizeof(dp_calib_options),
                                  sizeof options_table / sizeof *options_table, options_table};

void dp_calib_options_init(dp_calib_options *options, size_t size)
{
    dpi_options_init(&schema, options, size);
}

static void make_digest(dp_calib *calib)
{
    const size_t count = (size_t)calib->samples * (size_t)calib->length;
    unsigned char bytes[1024 * sizeof(int32_t)];
    dpi_sha256 hash;
    size_t filled = 0;

    dpi_sha256_begin(&hash);
    for (size_t i = 0; i < count; i++) {
        dpi_le_write(bytes + filled, 4, (uint32_t)calib->ids[i]);
        filled += 4;
        if (filled < sizeof bytes && i + 1 < count)
            continue;
        dpi_sha256_add(&hash, bytes, filled);
        filled = 0;
    }
    dpi_sha256_end(&hash, calib->digest);
}

// A set without ids yet.
static int make(dp_context *context, int32_t samples, int32_t length, const char *source, dp_calib **out,
                dp_error *error)
{
    dpi_memory *const memory = &context->memory;
    size_t count = 0;

    if (dpi_mul_size((size_t)samples, (size_t)length, &count))
        return dpi_fail(error, DP_E_MEMORY, "%d samples of %d tokens are more than can be addressed", samples,
                        length);
    dp_calib *const made = dpi_alloc(memory, 1, sizeof *made, error);
    if (!made)
        return DP_E_MEMORY;
    made->context = dpi_context_keep(context);
    made->samples = samples;
    made->length = length;
    made->source = dpi_copy_text(memory, source, error);
    made->ids = made->source ? dpi_alloc(memory, count, sizeof *made->ids, error) : NULL;
    if (!made->ids) {
        dp_calib_free(made);
        return DP_E_MEMORY;
    }
    *out = made;
    return DP_OK;
}

// Rows as the options want them; *rows is what was used.
static int draw_any(const dpi_draw *draw, int32_t *ids, int32_t *rows, dp_error *error)
{
    const int32_t wanted = draw->options->rows;
    int suffices = 1, rc = DP_OK;

    *rows = wanted == DP_ROWS_AUTO ? DP_ROWS_PARAGRAPH : wanted;
    if (draw->corpus->jsonl && wanted != DP_ROWS_STREAM)
        *rows = DP_ROWS_JSONL;
    if (*rows != DP_ROWS_STREAM)
        rc = dpi_corpus_cut(draw->corpus, *rows, error);
    if (!rc && wanted == DP_ROWS_AUTO)
        rc = dpi_draw_suffices(draw, &suffices, error);
    if (rc)
        return rc;
    *rows = suffices ? *rows : DP_ROWS_STREAM;
    dpi_watch_begin(draw->watch, "calibration", (uint64_t)draw->options->samples);
    return *rows == DP_ROWS_STREAM ? dpi_draw_stream(draw, ids, error) : dpi_draw_rows(draw, ids, error);
}

static int read_info(const dp_tokenizer *tokenizer, const dp_calib_options *options, dpi_draw *draw,
                     dp_error *error)
{
    dp_tokenizer_info info = {.size = sizeof info};
    const dpi_place place = {.item = "bos_each", .offset = -1};
    const int rc = dp_tokenizer_describe(tokenizer, &info, error);

    if (rc)
        return rc;
    if (options->bos_each && info.bos < 0)
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "this tokenizer has no beginning-of-sequence id");
    draw->bos = info.bos;
    draw->flags = options->encode | (options->row_bos && info.adds_bos ? DP_ENCODE_BOS : 0u);
    if (options->bos_each)
        draw->flags &= ~(uint32_t)DP_ENCODE_BOS;
    return DP_OK;
}

static int open_calib(dp_context *context, const char *path, dpi_draw *draw, dp_calib **out, dp_error *error)
{
    const dpi_place place = {.file = path, .item = "rows", .offset = -1};
    dp_calib *calib = NULL;
    dpi_corpus corpus;
    int rc = dpi_corpus_open(&corpus, context, path, draw->options->rows == DP_ROWS_JSONL, draw->watch, error);

    draw->corpus = &corpus;
    if (!rc && corpus.jsonl && draw->options->rows == DP_ROWS_PARAGRAPH)
        rc = dpi_fail_at(error, DP_E_ARGUMENT, &place, "JSON lines have no paragraphs; each line is a row");
    if (!rc)
        rc = make(context, draw->options->samples, draw->options->length, path, &calib, error);
    if (!rc)
        rc = draw_any(draw, calib->ids, &calib->rows, error);
    dpi_corpus_close(&corpus);
    if (rc) {
        dp_calib_free(calib);
        return rc;
    }
    calib->seed = draw->options->seed;
    make_digest(calib);
    *out = calib;
    return DP_OK;
}

int dp_calib_open(dp_context *context, const dp_tokenizer *tokenizer, const char *path,
                  const dp_calib_options *options, const dp_monitor *monitor, dp_calib **out, dp_error *error)
{
    dp_calib_options known;
    dpi_watch watch;

    if (!context || !tokenizer || !path || !out)
        return dpi_fail(error, DP_E_ARGUMENT, "context, tokenizer, path and out must not be NULL");
    dpi_draw draw = {.tokenizer = tokenizer, .options = &known, .watch = &watch};
    int rc = dpi_options_read(&schema, options, &known, error);
    if (!rc)
        rc = dpi_watch_open(&watch, monitor, error);
    if (!rc)
        rc = read_info(tokenizer, &known, &draw, error);
    if (rc)
        return rc;
    dpi_watch_begin(&watch, "tokenize", 0);
    return open_calib(context, path, &draw, out, error);
}

int dp_calib_from_ids(dp_context *context, const int32_t *ids, int32_t samples, int32_t length, dp_calib **out,
                      dp_error *error)
{
    dp_calib *calib = NULL;

    if (!context || !ids || !out)
        return dpi_fail(error, DP_E_ARGUMENT, "context, ids and out must not be NULL");
    if (samples < 1 || length < 2)
        return dpi_fail(error, DP_E_ARGUMENT, "%d rows of %d ids: at least 1 row of 2 is wanted", samples, length);
    const int rc = make(context, samples, length, "", &calib, error);
    if (rc)
        return rc;
    const size_t count = (size_t)samples * (size_t)length;
    for (size_t i = 0; i < count; i++) {
        if (ids[i] < 0) {
            dp_calib_free(calib);
            return dpi_fail(error, DP_E_ARGUMENT, "id %d at %zu is negative", ids[i], i);
        }
        calib->ids[i] = ids[i];
    }
    calib->rows = -1;
    make_digest(calib);
    *out = calib;
    return DP_OK;
}

int dp_calib_describe(const dp_calib *calib, dp_calib_info *info, dp_error *error)
{
    if (!calib || !info)
        return dpi_fail(error, DP_E_ARGUMENT, "calib and info must not be NULL");
    const dp_calib_info known = {.samples = calib->samples,
                                 .length = calib->length,
                                 .rows = calib->rows,
                                 .seed = calib->seed,
                                 .digest = calib->digest,
                                 .source = calib->source};
    return dpi_info_give(&known, sizeof known, info, error);
}

const int32_t *dp_calib_ids(const dp_calib *calib)
{
    return calib ? calib->ids : NULL;
}

void dp_calib_free(dp_calib *calib)
{
    if (!calib)
        return;
    dp_context *const context = calib->context;
    dpi_free(&context->memory, calib->ids);
    dpi_free(&context->memory, calib->source);
    dpi_free(&context->memory, calib);
    dpi_context_drop(context);
}
