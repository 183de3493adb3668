// The sampler of the paper's reference code.  For each sample: rows are drawn until one has `length` tokens and was
// not taken; then a window of it is drawn.  Each draw, rejected or not, takes from Python's generator.
#include <string.h>

#include "base/error.h"
#include "base/random.h"
#include "data/calib.h"
#include "text/encode.h"

enum { LOOK = 1 << 16 }; // draws between two looks at the watch

static int encode_row(const dpi_draw *draw, const dpi_row *row, int32_t **ids, size_t *count, dp_error *error)
{
    return dpi_tokenizer_ids(draw->tokenizer, draw->corpus->text.data + row->begin, row->size, draw->flags,
                             draw->watch, ids, count, error);
}

// Tokens of a row; counted once.
static int count_row(const dpi_draw *draw, dpi_row *row, dp_error *error)
{
    int32_t *ids = NULL;
    size_t count = 0;

    if (row->tokens >= 0)
        return DP_OK;
    int rc = encode_row(draw, row, &ids, &count, error);
    if (rc)
        return rc;
    dpi_tokenizer_drop_ids(draw->tokenizer, ids);
    row->tokens = (int64_t)count;
    return dpi_watch_advance(draw->watch, 0, error);
}

int dpi_draw_suffices(const dpi_draw *draw, int *suffices, dp_error *error)
{
    int32_t enough = 0;
    int rc = DP_OK;

    for (size_t i = 0; !rc && i < draw->corpus->count && enough < draw->options->samples; i++) {
        rc = count_row(draw, &draw->corpus->rows[i], error);
        enough += !rc && draw->corpus->rows[i].tokens >= draw->options->length;
    }
    *suffices = enough >= draw->options->samples;
    return rc;
}

static int too_few(const dpi_draw *draw, dp_error *error)
{
    const dpi_corpus *const corpus = draw->corpus;
    const dpi_place place = {.file = corpus->name, .offset = -1};
    int64_t longest = 0;
    int32_t enough = 0;

    for (size_t i = 0; i < corpus->count; i++) {
        longest = corpus->rows[i].tokens > longest ? corpus->rows[i].tokens : longest;
        enough += corpus->rows[i].tokens >= draw->options->length;
    }
    return dpi_fail_at(
        error, DP_E_FORMAT, &place,
        "too little text: %d of %zu rows have %d tokens or more, %d are wanted, %d are missing; the longest "
        "row has %lld tokens",
        enough, corpus->count, draw->options->length, draw->options->samples, draw->options->samples - enough,
        (long long)longest);
}

// Draw until a row is long enough.  Taken rows have 0 tokens, so they are passed over like short ones.
static int draw_row(const dpi_draw *draw, dpi_random *random, size_t *row, dp_error *error)
{
    for (uint64_t draws = 1;; draws++) {
        const size_t at = (size_t)dpi_random_between(random, 0, (int64_t)draw->corpus->count - 1);
        int rc = count_row(draw, &draw->corpus->rows[at], error);
        if (!rc && draws % LOOK == 0)
            rc = dpi_watch_advance(draw->watch, 0, error);
        if (rc)
            return rc;
        if (draw->corpus->rows[at].tokens >= draw->options->length) {
            *row = at;
            return DP_OK;
        }
    }
}

// A window of `count` ids; with bos_each it begins with BOS and loses its last id.
static void take_window(const dpi_draw *draw, dpi_random *random, const int32_t *ids, size_t count, int32_t *out)
{
    const size_t length = (size_t)draw->options->length, bos = draw->options->bos_each != 0;
    const size_t begin = (size_t)dpi_random_between(random, 0, (int64_t)(count - length));

    if (bos)
        out[0] = draw->bos;
    memcpy(out + bos, ids + begin, (length - bos) * sizeof *out);
}

int dpi_draw_rows(const dpi_draw *draw, int32_t *ids, dp_error *error)
{
    const size_t length = (size_t)draw->options->length;
    dpi_random random;
    int suffices = 0;
    int rc = dpi_draw_suffices(draw, &suffices, error);

    if (rc || !suffices)
        return rc ? rc : too_few(draw, error);
    dpi_random_seed(&random, draw->options->seed);
    for (int32_t sample = 0; !rc && sample < draw->options->samples; sample++) {
        int32_t *row = NULL;
        size_t at = 0, count = 0;
        rc = draw_row(draw, &random, &at, error);
        if (!rc)
            rc = encode_row(draw, &draw->corpus->rows[at], &row, &count, error);
        if (rc)
            break;
        draw->corpus->rows[at].tokens = 0;
        take_window(draw, &random, row, count, ids + (size_t)sample * length);
        dpi_tokenizer_drop_ids(draw->tokenizer, row);
        rc = dpi_watch_advance(draw->watch, 1, error);
    }
    return rc;
}

int dpi_draw_stream(const dpi_draw *draw, int32_t *ids, dp_error *error)
{
    const dpi_place place = {.file = draw->corpus->name, .offset = -1};
    const size_t length = (size_t)draw->options->length;
    const dpi_row whole = {0, draw->corpus->text.size, -1};
    int32_t *stream = NULL;
    dpi_random random;
    size_t count = 0;
    int rc = encode_row(draw, &whole, &stream, &count, error);

    if (rc)
        return rc;
    if (count < length)
        rc = dpi_fail_at(error, DP_E_FORMAT, &place,
                         "too little text: it has %zu tokens, a window of %zu is wanted, %zu are missing", count,
                         length, length - count);
    dpi_random_seed(&random, draw->options->seed);
    for (int32_t sample = 0; !rc && sample < draw->options->samples; sample++) {
        take_window(draw, &random, stream, count, ids + (size_t)sample * length);
        rc = dpi_watch_advance(draw->watch, 1, error);
    }
    dpi_tokenizer_drop_ids(draw->tokenizer, stream);
    return rc;
}
