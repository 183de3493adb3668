// Normalization form C: take characters apart, put marks in order, compose.  Text below U+0300 is in that form and
// nothing composes with what stands before it, so the work is done between such characters.
#include "text/nfc.h"

#include <stdlib.h>

#include "text/unicode_tables.h"

enum { FIRST_MARK = 0x300, LOOK = 1 << 16 }; // code points between two looks at the watch
enum { L_BASE = 0x1100, V_BASE = 0x1161, T_BASE = 0x11a7, S_BASE = 0xac00 }; // Hangul
enum { L_COUNT = 19, V_COUNT = 21, T_COUNT = 28, S_COUNT = L_COUNT * V_COUNT * T_COUNT };

// A character taken apart: class, place and code point in one number, so that sorting keeps equal classes in place.
typedef struct letters {
    dpi_memory *memory;
    uint64_t *data;
    size_t count, capacity;
} letters;

static uint32_t point_of(uint64_t letter)
{
    return (uint32_t)letter & 0x1fffff;
}

static uint32_t class_of(uint64_t letter)
{
    return (uint32_t)(letter >> 52);
}

// The row of `width` numbers that begins with `point`, or NULL.
static const uint32_t *find_row(const uint32_t *rows, size_t count, size_t width, uint32_t point)
{
    size_t low = 0, high = count;

    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (rows[middle * width] == point)
            return rows + middle * width;
        if (rows[middle * width] < point)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static uint32_t combining_class(uint32_t point)
{
    size_t low = 0, high = DPI_NFC_CLASSES;

    while (low < high) {
        const size_t middle = (low + high) / 2;
        const uint32_t *const row = dpi_nfc_classes + middle * 3;
        if (point >= row[0] && point <= row[1])
            return row[2];
        if (row[1] < point)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static int add_letter(letters *list, uint32_t point, dp_error *error)
{
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity ? list->capacity * 2 : 256;
        void *data = list->data;
        if (dpi_grow(list->memory, &data, list->count, capacity, sizeof *list->data, error))
            return DP_E_MEMORY;
        list->data = data;
        list->capacity = capacity;
    }
    const uint64_t class = point < FIRST_MARK ? 0 : combining_class(point);
    list->data[list->count] = class << 52 | (uint64_t)list->count << 21 | point;
    list->count++;
    return DP_OK;
}

static int add_hangul(letters *list, uint32_t index, dp_error *error)
{
    int rc = add_letter(list, L_BASE + index / (V_COUNT * T_COUNT), error);

    if (!rc)
        rc = add_letter(list, V_BASE + index / T_COUNT % V_COUNT, error);
    return rc || index % T_COUNT == 0 ? rc : add_letter(list, T_BASE + index % T_COUNT, error);
}

// Only a first half is taken apart again, so the second halves wait in `marks`.
static int take_apart(letters *list, uint32_t point, dp_error *error)
{
    enum { DEEPEST = 4 };
    uint32_t marks[DEEPEST];
    int count = 0, rc;

    if (point >= S_BASE && point < S_BASE + S_COUNT)
        return add_hangul(list, point - S_BASE, error);
    for (const uint32_t *row; point >= 0xc0; point = row[1]) {
        row = find_row(dpi_nfc_singles, DPI_NFC_SINGLES, 2, point);
        if (row)
            continue;
        row = find_row(dpi_nfc_pairs, DPI_NFC_PAIRS, 3, point);
        if (!row || count == DEEPEST)
            break;
        marks[count++] = row[2];
    }
    rc = add_letter(list, point, error);
    while (!rc && count)
        rc = add_letter(list, marks[--count], error);
    return rc;
}

static int by_class(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

// Runs of marks by class.
static void put_in_order(letters *list)
{
    for (size_t at = 0; at < list->count;) {
        const size_t begin = at;
        int sorted = 1;
        for (; at < list->count && class_of(list->data[at]); at++)
            sorted = sorted && (at == begin || list->data[at - 1] < list->data[at]);
        if (!sorted)
            qsort(list->data + begin, at - begin, sizeof *list->data, by_class);
        at += at == begin;
    }
}

static uint32_t compose_hangul(uint32_t first, uint32_t second)
{
    const uint32_t syllable = first - S_BASE, leading = first - L_BASE, vowel = second - V_BASE,
                   trailing = second - T_BASE;

    if (leading < L_COUNT && vowel < V_COUNT)
        return S_BASE + (leading * V_COUNT + vowel) * T_COUNT;
    return syllable < S_COUNT && syllable % T_COUNT == 0 && trailing > 0 && trailing < T_COUNT ? first + trailing : 0;
}

// What two code points become, or 0.
static uint32_t compose_pair(uint32_t first, uint32_t second)
{
    const uint64_t wanted = (uint64_t)first << 32 | second;
    size_t low = 0, high = DPI_NFC_ORDER;

    while (low < high) {
        const size_t middle = (low + high) / 2;
        const uint32_t *const row = dpi_nfc_pairs + (size_t)dpi_nfc_order[middle] * 3;
        const uint64_t here = (uint64_t)row[1] << 32 | row[2];
        if (here == wanted)
            return row[0];
        if (here < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return compose_hangul(first, second);
}

// In place: a letter takes up what follows it, unless a mark of the same or a higher class stands between.
static void compose(letters *list)
{
    size_t kept = 0, starter = SIZE_MAX;

    for (size_t i = 0; i < list->count; i++) {
        const uint64_t letter = list->data[i];
        const int blocked = starter != SIZE_MAX && starter + 1 < kept &&
                            class_of(list->data[kept - 1]) >= class_of(letter);
        const uint32_t whole = starter == SIZE_MAX || blocked
                                   ? 0
                                   : compose_pair(point_of(list->data[starter]), point_of(letter));
        if (whole) {
            list->data[starter] = whole;
            continue;
        }
        if (!class_of(letter))
            starter = kept;
        list->data[kept++] = letter;
    }
    list->count = kept;
}

static int add_composed(letters *list, dpi_text *out, dp_error *error)
{
    char utf8[4];
    int rc = DP_OK;

    put_in_order(list);
    compose(list);
    for (size_t i = 0; !rc && i < list->count; i++)
        rc = dpi_text_add(out, utf8, dpi_utf8_encode(point_of(list->data[i]), utf8), error);
    list->count = 0;
    return rc;
}

int dpi_nfc_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] >= 0xcc) // the first byte of U+0300
            return 0;
    return 1;
}

// Bytes at the beginning that stay as they are whatever follows: all characters below U+0300 but the last.
static size_t unchanged(const char *text, size_t size)
{
    size_t end = 0;

    while (end < size && (unsigned char)text[end] < 0xcc)
        end++;
    if (end == size || !end)
        return end;
    do
        end--;
    while (((unsigned char)text[end] & 0xc0) == 0x80 && end);
    return end;
}

int dpi_nfc_add(const char *text, size_t size, dpi_text *out, dpi_watch *watch, dp_error *error)
{
    letters list = {.memory = out->memory};
    uint32_t point = 0;
    int rc = DP_OK;

    for (size_t at = 0, work = 0; !rc && at < size; work++) {
        const size_t same = unchanged(text + at, size - at);
        if (same) {
            rc = add_composed(&list, out, error);
            if (!rc)
                rc = dpi_text_add(out, text + at, same, error);
            at += same;
            continue;
        }
        at += dpi_utf8_decode(text + at, size - at, &point);
        if (point < FIRST_MARK)
            rc = add_composed(&list, out, error);
        if (!rc)
            rc = take_apart(&list, point, error);
        if (!rc && work % LOOK == 0)
            rc = dpi_watch_advance(watch, 0, error);
    }
    if (!rc)
        rc = add_composed(&list, out, error);
    dpi_free(list.memory, list.data);
    return rc;
}
