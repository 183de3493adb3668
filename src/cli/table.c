// Aligned columns: two spaces between, widths counted in characters, nothing behind the last.
#include "cli/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json_memory.h"

static size_t characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

// What documents and paths say may hold control characters, which would reach the terminal.
static void make_plain(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at; at++)
        if (*at < 32 || *at == 127 || (*at == 0xC2 && at[1] < 0xA0)) { // C2 80 to C2 9F are such, too
            if (*at == 0xC2 && at[1])
                at[1] = '?';
            *at = '?';
        }
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
    if (table->failed) {
        cli_json_memory_is_short();
        return;
    }
    make_plain(text);
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

// Nothing but empty cells from `cell` to the end of its row?
static int blank_from(const cli_table *table, size_t cell, size_t columns)
{
    for (; cell < table->count; cell++) {
        if (table->cells[cell][0])
            return 0;
        if (cell % columns + 1 == columns)
            break;
    }
    return 1;
}

static void print_cell(const cli_table *table, size_t cell, size_t column, size_t width, FILE *stream)
{
    const char *text = table->cells[cell];
    const int pad = (int)(width - characters(text));
    const size_t columns = strlen(table->alignment);
    const int last = column + 1 == columns;

    if (column > 0)
        fputs("  ", stream);
    if (table->alignment[column] == 'r')
        fprintf(stream, "%*s%s", pad, "", text);
    else
        fprintf(stream, "%s%*s", text, last || blank_from(table, cell + 1, columns) ? 0 : pad, "");
}

void cli_table_print(cli_table *table, FILE *stream)
{
    const size_t columns = strlen(table->alignment);
    size_t widths[MOST_COLUMNS];

    measure(table, columns, widths);
    for (size_t i = 0; i < table->count; i++) {
        const size_t column = i % columns;
        if (!blank_from(table, i, columns))
            print_cell(table, i, column, widths[column], stream);
        if (column + 1 == columns || i + 1 == table->count)
            fputc('\n', stream);
    }
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (cli_table){.alignment = table->alignment};
}
