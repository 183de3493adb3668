// The merge rules of a BPE: which two ids become which third, and in which order.
#ifndef DPI_TEXT_MERGES_H
#define DPI_TEXT_MERGES_H

#include "text/vocab.h"

typedef struct dpi_rule {
    int32_t left, right, id;
} dpi_rule;

typedef struct dpi_merges {
    dpi_memory *memory;
    dpi_rule *rules; // first is applied first
    size_t count, capacity;
    int32_t *slots; // index of a rule by hash of its pair, -1 when free
    size_t slot_count;
} dpi_merges;

enum { DPI_MERGES_MOST = 1 << 26 };

int dpi_merges_open(dpi_merges *merges, dpi_memory *memory, size_t capacity, dp_error *error);
void dpi_merges_close(dpi_merges *merges);
// Add the next rule by the texts of its two parts; each of them and their join must be tokens.
int dpi_merges_add(dpi_merges *merges, const dpi_vocab *vocab, const char *left, size_t left_size,
                   const char *right, size_t right_size, dp_error *error);
// The same from "left right", with exactly one space.
int dpi_merges_add_line(dpi_merges *merges, const dpi_vocab *vocab, const char *line, size_t size, dp_error *error);
int32_t dpi_merges_find(const dpi_merges *merges, int32_t left, int32_t right); // index of the rule, or -1

#endif
