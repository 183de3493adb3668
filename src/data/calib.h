// The calibration set's inside.
#ifndef DPI_DATA_CALIB_H
#define DPI_DATA_CALIB_H

#include <depthprune/calib.h>

#include "base/context.h"
#include "data/corpus.h"

struct dp_calib {
    dp_context *context;
    int32_t *ids;
    int32_t samples, length, rows;
    uint64_t seed;
    char *source;
    char digest[65];
};

// What is drawn from, and how.
typedef struct dpi_draw {
    const dp_tokenizer *tokenizer;
    dpi_corpus *corpus;
    const dp_calib_options *options;
    uint32_t flags; // DP_ENCODE_* for a row
    int32_t bos;
    dpi_watch *watch;
} dpi_draw;

// Fill samples × length ids from rows, or from the token stream of the whole text.
int dpi_draw_rows(const dpi_draw *draw, int32_t *ids, dp_error *error);
int dpi_draw_stream(const dpi_draw *draw, int32_t *ids, dp_error *error);
// Whether at least as many rows as samples are long enough.  Rows that were looked at keep their length.
int dpi_draw_suffices(const dpi_draw *draw, int *suffices, dp_error *error);

#endif
