// The opcodes of the pickle machine that collect values of the stack in tuples, lists and dicts.
#include "base/error.h"
#include "io/pickle_parts.h"

int dpi_pickle_mark(dpi_pickle *p)
{
    return dpi_pickle_push(p, DPI_PICKLE_MARK, 0, 0);
}

// Where the values above the last mark begin.  They are taken from the stack at once, so that none is passed twice.
static int above_mark(const dpi_pickle *p, size_t *first)
{
    const dpi_pickle_value *values = p->stack.items;
    size_t at = p->stack.count;

    while (at > 0 && values[at - 1].kind != DPI_PICKLE_MARK)
        at--;
    if (at == 0)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "the opcode needs a mark on the stack");
    *first = at;
    return DP_OK;
}

// A tuple of the stack's values from `first` on, instead of them and of what lies from `keep` to there.
static int make_tuple(dpi_pickle *p, size_t first, size_t keep)
{
    const size_t begin = p->members.count, count = p->stack.count - first;

    for (size_t i = 0; i < count; i++) {
        dpi_pickle_value *member = dpi_pickle_add(p, &p->members, sizeof *member);
        if (!member)
            return DP_E_MEMORY;
        *member = ((const dpi_pickle_value *)p->stack.items)[first + i];
    }
    p->stack.count = keep;
    return dpi_pickle_push(p, DPI_PICKLE_TUPLE, count, (int64_t)begin);
}

int dpi_pickle_tuple(dpi_pickle *p)
{
    size_t first = 0;
    const int rc = above_mark(p, &first);

    return rc ? rc : make_tuple(p, first, first - 1);
}

static int tuple_of(dpi_pickle *p, size_t count)
{
    const dpi_pickle_value *values = p->stack.items;

    for (size_t i = 1; i <= count; i++)
        if (i > p->stack.count || values[p->stack.count - i].kind == DPI_PICKLE_MARK)
            return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "the opcode takes a value from an empty stack");
    return make_tuple(p, p->stack.count - count, p->stack.count - count);
}

int dpi_pickle_tuple_0(dpi_pickle *p)
{
    return tuple_of(p, 0);
}

int dpi_pickle_tuple_1(dpi_pickle *p)
{
    return tuple_of(p, 1);
}

int dpi_pickle_tuple_2(dpi_pickle *p)
{
    return tuple_of(p, 2);
}

int dpi_pickle_tuple_3(dpi_pickle *p)
{
    return tuple_of(p, 3);
}

int dpi_pickle_list(dpi_pickle *p)
{
    return dpi_pickle_push(p, DPI_PICKLE_LIST, 0, 0);
}

// The container below `first` values must be there and of the kind.
static int check_below(const dpi_pickle *p, size_t below, int32_t kind)
{
    const dpi_pickle_value *values = p->stack.items;

    if (below == 0)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "the opcode takes a value from an empty stack");
    if (values[below - 1].kind != kind)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "the opcode adds to %s, expected %s",
                               dpi_pickle_kind_name(values[below - 1].kind), dpi_pickle_kind_name(kind));
    return DP_OK;
}

int dpi_pickle_append(dpi_pickle *p)
{
    dpi_pickle_value value;
    const int rc = dpi_pickle_pop(p, DPI_PICKLE_NOTHING, &value);

    return rc ? rc : check_below(p, p->stack.count, DPI_PICKLE_LIST);
}

int dpi_pickle_appends(dpi_pickle *p)
{
    size_t first = 0;
    const int rc = above_mark(p, &first);

    if (rc)
        return rc;
    p->stack.count = first - 1;
    return check_below(p, p->stack.count, DPI_PICKLE_LIST);
}

int dpi_pickle_dict(dpi_pickle *p)
{
    return dpi_pickle_push_dict(p, 0);
}

// Pairs from `first` on into the dict below `keep`, which is left on top.
static int add_pairs(dpi_pickle *p, size_t first, size_t keep)
{
    const dpi_pickle_value *values = p->stack.items;
    int rc = check_below(p, keep, DPI_PICKLE_DICT);

    if (!rc && (p->stack.count - first) % 2)
        rc = dpi_pickle_fail(p, DP_E_FORMAT, NULL, "a key of a dict has no value");
    if (rc)
        return rc;
    dpi_pickle_object *to = dpi_pickle_dict_of(p, &values[keep - 1]);
    for (size_t i = first; i < p->stack.count; i += 2) {
        dpi_pickle_entry *entry = dpi_pickle_add(p, &p->entries, sizeof *entry);
        if (!entry)
            return DP_E_MEMORY;
        const int64_t here = (int64_t)p->entries.count - 1;
        *entry = (dpi_pickle_entry){.key = values[i], .value = values[i + 1], .next = -1};
        if (to->last >= 0)
            ((dpi_pickle_entry *)p->entries.items)[to->last].next = here;
        else
            to->first = here;
        to->last = here;
    }
    p->stack.count = keep;
    return DP_OK;
}

int dpi_pickle_set_item(dpi_pickle *p)
{
    const dpi_pickle_value *values = p->stack.items;
    const size_t count = p->stack.count;

    if (count < 3 || values[count - 1].kind == DPI_PICKLE_MARK || values[count - 2].kind == DPI_PICKLE_MARK)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "the opcode takes a value from an empty stack");
    return add_pairs(p, count - 2, count - 2);
}

int dpi_pickle_set_items(dpi_pickle *p)
{
    size_t first = 0;
    const int rc = above_mark(p, &first);

    return rc ? rc : add_pairs(p, first, first - 1);
}
