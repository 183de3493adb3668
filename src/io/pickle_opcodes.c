// The opcodes of the pickle machine that make values and remember them; the table of all.
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "io/bytes.h"
#include "io/pickle_parts.h"

static int none(dpi_pickle *p)
{
    return dpi_pickle_push(p, DPI_PICKLE_NONE, 0, 0);
}

static int yes(dpi_pickle *p)
{
    return dpi_pickle_push(p, DPI_PICKLE_FLAG, 0, 1);
}

static int no(dpi_pickle *p)
{
    return dpi_pickle_push(p, DPI_PICKLE_FLAG, 0, 0);
}

// An unsigned number of `width` bytes that belongs to the opcode.
static int take_number(dpi_pickle *p, int width, uint64_t *out)
{
    const unsigned char *bytes;
    const int rc = dpi_pickle_take(p, (size_t)width, &bytes);

    if (!rc)
        *out = dpi_le_read(bytes, width);
    return rc;
}

static int integer(dpi_pickle *p, int width)
{
    uint64_t number = 0;
    const int rc = take_number(p, width, &number);

    return rc ? rc : dpi_pickle_push(p, DPI_PICKLE_INTEGER, 0, (int64_t)number);
}

static int integer_1(dpi_pickle *p)
{
    return integer(p, 1);
}

static int integer_2(dpi_pickle *p)
{
    return integer(p, 2);
}

static int integer_4(dpi_pickle *p)
{
    uint64_t number = 0;
    const int rc = take_number(p, 4, &number);

    return rc ? rc : dpi_pickle_push(p, DPI_PICKLE_INTEGER, 0, (int32_t)(uint32_t)number);
}

// Two's complement of any length.
static int long_integer(dpi_pickle *p)
{
    const unsigned char *bytes = NULL;
    uint64_t size = 0;
    int rc = take_number(p, 1, &size);

    if (!rc)
        rc = dpi_pickle_take(p, (size_t)size, &bytes);
    if (!rc && size > 8)
        rc = dpi_pickle_fail(p, DP_E_FORMAT, NULL, "an integer of %d bytes, at most 8 are read", (int)size);
    if (rc)
        return rc;
    uint64_t number = dpi_le_read(bytes, (int)size);
    if (size > 0 && size < 8 && bytes[size - 1] & 0x80)
        number |= ~(uint64_t)0 << 8 * size;
    return dpi_pickle_push(p, DPI_PICKLE_INTEGER, 0, (int64_t)number);
}

static int real(dpi_pickle *p)
{
    uint64_t bits;
    const int rc = take_number(p, 8, &bits);

    return rc ? rc : dpi_pickle_push(p, DPI_PICKLE_REAL, 0, 0);
}

static int text(dpi_pickle *p, int width)
{
    const unsigned char *bytes = NULL;
    uint64_t size = 0;
    int rc = take_number(p, width, &size);

    if (!rc)
        rc = dpi_pickle_take(p, (size_t)size, &bytes);
    if (rc)
        return rc;
    for (size_t i = 0; i < size;) {
        uint32_t point;
        const size_t step = dpi_utf8_decode((const char *)bytes + i, (size_t)size - i, &point);
        if (step == 0 || point == 0)
            return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "a text is not UTF-8 without zero bytes");
        i += step;
    }
    return dpi_pickle_push(p, DPI_PICKLE_TEXT, (size_t)size, bytes - p->input->bytes);
}

static int text_1(dpi_pickle *p)
{
    return text(p, 1);
}

static int text_4(dpi_pickle *p)
{
    return text(p, 4);
}

static int text_8(dpi_pickle *p)
{
    return text(p, 8);
}

// The topmost value under a number.  Picklers count from 0 and remember a value at most once, after the opcode that
// made it, so the number is less than the bytes before.
static int remember(dpi_pickle *p, uint64_t number)
{
    const dpi_pickle_value *values = p->stack.items;

    if (p->stack.count == 0 || values[p->stack.count - 1].kind == DPI_PICKLE_MARK)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "the opcode takes a value from an empty stack");
    if (number >= p->opcode)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "value %llu is remembered, the pickle cannot have so many",
                               (unsigned long long)number);
    while (p->memo.count <= number)
        if (!dpi_pickle_add(p, &p->memo, sizeof *values))
            return DP_E_MEMORY;
    ((dpi_pickle_value *)p->memo.items)[number] = values[p->stack.count - 1];
    return DP_OK;
}

static int put(dpi_pickle *p, int width)
{
    uint64_t number = 0;
    const int rc = take_number(p, width, &number);

    return rc ? rc : remember(p, number);
}

static int put_1(dpi_pickle *p)
{
    return put(p, 1);
}

static int put_4(dpi_pickle *p)
{
    return put(p, 4);
}

static int memoize(dpi_pickle *p)
{
    return remember(p, p->memo.count);
}

static int get(dpi_pickle *p, int width)
{
    uint64_t number = 0;
    const int rc = take_number(p, width, &number);

    if (rc)
        return rc;
    const dpi_pickle_value *values = p->memo.items;
    if (number >= p->memo.count || values[number].kind == DPI_PICKLE_NOTHING)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "value %llu is recalled, which was not remembered",
                               (unsigned long long)number);
    return dpi_pickle_push(p, values[number].kind, values[number].count, values[number].number);
}

static int get_1(dpi_pickle *p)
{
    return get(p, 1);
}

static int get_4(dpi_pickle *p)
{
    return get(p, 4);
}

// Frames only say how far to read ahead.
static int frame(dpi_pickle *p)
{
    uint64_t size = 0;
    const int rc = take_number(p, 8, &size);

    if (!rc && size > p->input->size - p->at)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "a frame of %llu bytes, %zu are left",
                               (unsigned long long)size, p->input->size - p->at);
    return rc;
}

static int stop(dpi_pickle *p)
{
    p->done = 1;
    return DP_OK;
}

dpi_pickle_opcode dpi_pickle_opcode_of(unsigned char code)
{
    static const dpi_pickle_opcode opcodes[256] = {['('] = dpi_pickle_mark,
                                                   [')'] = dpi_pickle_tuple_0,
                                                   ['.'] = stop,
                                                   ['G'] = real,
                                                   ['J'] = integer_4,
                                                   ['K'] = integer_1,
                                                   ['M'] = integer_2,
                                                   ['N'] = none,
                                                   ['Q'] = dpi_pickle_persistent,
                                                   ['R'] = dpi_pickle_reduce,
                                                   ['X'] = text_4,
                                                   [']'] = dpi_pickle_list,
                                                   ['a'] = dpi_pickle_append,
                                                   ['b'] = dpi_pickle_build,
                                                   ['c'] = dpi_pickle_global,
                                                   ['e'] = dpi_pickle_appends,
                                                   ['h'] = get_1,
                                                   ['j'] = get_4,
                                                   ['q'] = put_1,
                                                   ['r'] = put_4,
                                                   ['s'] = dpi_pickle_set_item,
                                                   ['t'] = dpi_pickle_tuple,
                                                   ['u'] = dpi_pickle_set_items,
                                                   ['}'] = dpi_pickle_dict,
                                                   [0x85] = dpi_pickle_tuple_1,
                                                   [0x86] = dpi_pickle_tuple_2,
                                                   [0x87] = dpi_pickle_tuple_3,
                                                   [0x88] = yes,
                                                   [0x89] = no,
                                                   [0x8a] = long_integer,
                                                   [0x8c] = text_1,
                                                   [0x8d] = text_8,
                                                   [0x93] = dpi_pickle_stack_global,
                                                   [0x94] = memoize,
                                                   [0x95] = frame};

    return opcodes[code];
}
