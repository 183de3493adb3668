// A text file as rows.
#ifndef DPI_DATA_CORPUS_H
#define DPI_DATA_CORPUS_H

#include <depthprune/calib.h>

#include "base/context.h"
#include "base/monitor.h"
#include "base/text.h"

typedef struct dpi_row {
    size_t begin, size; // bytes of the corpus's text
    int64_t tokens;     // -1: not counted yet
} dpi_row;

typedef struct dpi_corpus {
    dpi_memory *memory;
    char *name;    // the file, for errors
    dpi_text text; // line ends are LF; JSON lines: the texts, a blank line between
    dpi_row *rows;
    size_t count, capacity;
    int jsonl; // the file is JSON lines
} dpi_corpus;

enum { DPI_CORPUS_MOST = 1 << 30 }; // bytes of a file

// Read a file: JSON lines when its name ends in .jsonl or .json or `jsonl` says so, else text.
int dpi_corpus_open(dpi_corpus *corpus, dp_context *context, const char *path, int jsonl, dpi_watch *watch,
                    dp_error *error);
// Cut text into rows: DP_ROWS_PARAGRAPH or DP_ROWS_LINE.  JSON lines have their rows already.
int dpi_corpus_cut(dpi_corpus *corpus, int32_t rows, dp_error *error);
void dpi_corpus_close(dpi_corpus *corpus);

#endif
