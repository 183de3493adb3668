// Aligned columns of text.
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

// `alignment` has a letter a column, at most 16: l or r.  Cells are added left to right, row after row.
typedef struct cli_table {
    const char *alignment;
    char **cells;
    size_t count;
    int failed; // memory was short
} cli_table;

void cli_table_add(cli_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cli_table_print(cli_table *table, FILE *stream); // frees the cells

#endif
