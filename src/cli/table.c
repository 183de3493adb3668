// Aligned columns: two spaces between, widths counted in characters, nothing behind the last.
#include "cli/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static size_t characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

void cli_table_add(cli_table *table, const char *format, ...)
{
    char **cells = realloc(table->cells, (table->count + 1) * sizeof *cells);
    char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (cells == NULL || vasprintf(&text, format, arguments) < 0)
        table->failed = 1;
    va_end(arguments);
    if (cells)
        table->cells = cells;
    if (!table->failed)
        table->cells[table->count++] = text;
}

enum { MOST_COLUMNS = 16 };

static void measure(const cli_table *table, size_t columns, size_t *widths)
{
    memset(widths, 0, MOST_COLUMNS * sizeof *widths);
    for (size_t i = 0; i < table->count; i++) {
        const size_t length = characters(table->cells[i]);
        if (length > widths[i % columns])
            widths[i % columns] = length;
    }
}

void cli_table_print(cli_table *table, FILE *stream)
{
    const size_t columns = strlen(table->alignment);
    size_t widths[MOST_COLUMNS];

    measure(table, columns, widths);
    for (size_t i = 0; i < table->count; i++) {
        const size_t column = i % columns;
        const int pad = (int)(widths[column] - characters(table->cells[i]));
        const int last = column + 1 == columns || i + 1 == table->count;
        if (table->alignment[column] == 'r')
            fprintf(stream, "%*s%s", pad, "", table->cells[i]);
        else
            fprintf(stream, "%s%*s", table->cells[i], last ? 0 : pad, "");
        fputs(last ? "\n" : "  ", stream);
    }
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (cli_table){.alignment = table->alignment};
}
