// Merging of adjacent symbols, best pair first: the core of both kinds of BPE.
#ifndef DPI_TEXT_MERGER_H
#define DPI_TEXT_MERGER_H

#include "base/monitor.h"
#include "text/merges.h"

typedef struct dpi_symbol {
    uint32_t start, size;  // bytes of the text; size 0: merged away
    int32_t id;            // -1: not looked up, or unknown
    int32_t before, after; // neighbours by index, -1 at the ends
    int32_t frozen;        // never merges
} dpi_symbol;

typedef struct dpi_candidate {
    uint32_t order, size; // bytes of both halves together, to know a stale one
    int32_t left, id;
} dpi_candidate;

// Scratch of one call.  Set memory, vocab, and merges (NULL: any two pieces whose join is a piece, by score).
typedef struct dpi_merger {
    dpi_memory *memory;
    const dpi_vocab *vocab;
    const dpi_merges *merges;
    dpi_watch *watch; // NULL: none
    const char *text;
    dpi_symbol *symbols;
    dpi_candidate *heap;
    size_t count, capacity, heap_count;
    int32_t *splits; // by id of an unused piece: bytes of the left half when last seen; NULL when there are none
} dpi_merger;

// Start on a text of which at most `most` symbols will be added.
int dpi_merger_begin(dpi_merger *merger, const char *text, size_t most, dp_error *error);
void dpi_merger_add(dpi_merger *merger, size_t start, size_t size, int32_t id, int frozen);
// Merge; symbols of size 0 are gone, the others keep their order.  DP_OK or DP_E_CANCELLED.
int dpi_merger_run(dpi_merger *merger, dp_error *error);
void dpi_merger_close(dpi_merger *merger);

#endif
