// The opcodes by which a pickle has Python import and call something.  Here they only recognise what PyTorch writes
// for tensors: the names below, with arguments of the right kinds.  All else is refused by name.
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "io/pickle_parts.h"

enum { LABEL = 200, MOST_KEY = 255 };

#define REBUILD "torch._utils._rebuild_tensor_v2"

typedef struct known {
    const char *module, *name;
    int32_t type, width; // of the elements of a storage; width 0: not a storage
} known;

enum { ORDERED_DICT, TENSOR, PARAMETER };

static const known names[] = {
    [ORDERED_DICT] = {"collections", "OrderedDict", -1, 0},
    [TENSOR] = {"torch._utils", "_rebuild_tensor_v2", -1, 0},
    [PARAMETER] = {"torch._utils", "_rebuild_parameter", -1, 0},
    {"torch", "FloatStorage", DP_F32, 4},
    {"torch", "HalfStorage", DP_F16, 2},
    {"torch", "BFloat16Storage", DP_BF16, 2},
    {"torch", "DoubleStorage", DP_F64, 8},
    {"torch", "IntStorage", DP_I32, 4},
    {"torch", "LongStorage", -1, 8},
    {"torch", "ShortStorage", -1, 2},
    {"torch", "CharStorage", -1, 1},
    {"torch", "ByteStorage", -1, 1},
    {"torch", "BoolStorage", -1, 1},
    {"torch", "ComplexFloatStorage", -1, 8},
    {"torch", "ComplexDoubleStorage", -1, 16},
    {"torch.storage", "UntypedStorage", -1, 1},
    {"torch", "UntypedStorage", -1, 1},
};

typedef struct label {
    char text[LABEL];
} label;

// module.name, cut.
static label label_of(const char *module, size_t module_size, const char *name, size_t name_size)
{
    label out;

    snprintf(out.text, sizeof out.text, "%.*s.%.*s", (int)(module_size < LABEL ? module_size : LABEL), module,
             (int)(name_size < LABEL ? name_size : LABEL), name);
    return out;
}

static label label_at(int64_t index)
{
    return label_of(names[index].module, strlen(names[index].module), names[index].name, strlen(names[index].name));
}

static int same(const char *text, size_t size, const char *other)
{
    return strlen(other) == size && memcmp(text, other, size) == 0;
}

static int push_name(dpi_pickle *p, const char *module, size_t module_size, const char *name, size_t name_size)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (same(module, module_size, names[i].module) && same(name, name_size, names[i].name))
            return dpi_pickle_push(p, DPI_PICKLE_GLOBAL, 0, (int64_t)i);
    return dpi_pickle_fail(p, DP_E_UNSUPPORTED, label_of(module, module_size, name, name_size).text,
                           "the pickle asks Python for this, which is no part of a state dict and is not run");
}

static int take_line(dpi_pickle *p, const char **line, size_t *size)
{
    const unsigned char *begin = p->input->bytes + p->at;
    const unsigned char *end = memchr(begin, '\n', p->input->size - p->at);

    if (!end)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "the opcode's name does not end");
    *line = (const char *)begin;
    *size = (size_t)(end - begin);
    p->at += *size + 1;
    return DP_OK;
}

int dpi_pickle_global(dpi_pickle *p)
{
    const char *module = NULL, *name = NULL;
    size_t module_size = 0, name_size = 0;
    int rc = take_line(p, &module, &module_size);

    if (!rc)
        rc = take_line(p, &name, &name_size);
    return rc ? rc : push_name(p, module, module_size, name, name_size);
}

int dpi_pickle_stack_global(dpi_pickle *p)
{
    dpi_pickle_value module, name;
    int rc = dpi_pickle_pop(p, DPI_PICKLE_TEXT, &name);

    if (!rc)
        rc = dpi_pickle_pop(p, DPI_PICKLE_TEXT, &module);
    return rc ? rc : push_name(p, dpi_pickle_text(p, &module), module.count, dpi_pickle_text(p, &name), name.count);
}

static int is_empty_dict(const dpi_pickle *p, const dpi_pickle_value *value)
{
    return value->kind == DPI_PICKLE_DICT && dpi_pickle_dict_of(p, value)->first < 0;
}

// Numbers of a tuple, each from 0 up.
static int read_numbers(const dpi_pickle *p, const dpi_pickle_value *tuple, int64_t *to, const char *what)
{
    const dpi_pickle_value *numbers = dpi_pickle_members(p, tuple);

    if (tuple->kind != DPI_PICKLE_TUPLE)
        return dpi_pickle_fail(p, DP_E_FORMAT, REBUILD, "the tensor's %s is %s, expected a tuple", what,
                               dpi_pickle_kind_name(tuple->kind));
    if (tuple->count > DPI_MAX_DIMS)
        return dpi_pickle_fail(p, DP_E_UNSUPPORTED, REBUILD, "the tensor's %s has %u numbers, at most %d are read",
                               what, tuple->count, DPI_MAX_DIMS);
    for (uint32_t i = 0; i < tuple->count; i++) {
        if (numbers[i].kind != DPI_PICKLE_INTEGER || numbers[i].number < 0)
            return dpi_pickle_fail(p, DP_E_FORMAT, REBUILD,
                                   "the tensor's %s holds what is no whole number from 0 up", what);
        to[i] = numbers[i].number;
    }
    return DP_OK;
}

static int check_arguments(const dpi_pickle *p, const dpi_pickle_value *arguments)
{
    const dpi_pickle_value *a = dpi_pickle_members(p, arguments);

    if (arguments->count < 6 || arguments->count > 7)
        return dpi_pickle_fail(p, DP_E_FORMAT, REBUILD, "has %u arguments, expected 6 or 7", arguments->count);
    if (a[0].kind != DPI_PICKLE_STORAGE)
        return dpi_pickle_fail(p, DP_E_FORMAT, REBUILD, "the tensor's storage is %s, expected a storage",
                               dpi_pickle_kind_name(a[0].kind));
    if (a[1].kind != DPI_PICKLE_INTEGER || a[1].number < 0)
        return dpi_pickle_fail(p, DP_E_FORMAT, REBUILD, "the tensor's first element is no whole number from 0 up");
    if (a[4].kind != DPI_PICKLE_FLAG || !is_empty_dict(p, &a[5]))
        return dpi_pickle_fail(p, DP_E_UNSUPPORTED, REBUILD, "the tensor has hooks, expected an empty dict");
    if (arguments->count == 7 && a[6].kind != DPI_PICKLE_NONE && !is_empty_dict(p, &a[6]))
        return dpi_pickle_fail(p, DP_E_UNSUPPORTED, REBUILD, "the tensor has metadata, expected none");
    return DP_OK;
}

// (storage, first element, shape, strides, requires_grad, hooks[, metadata])
static int make_tensor(dpi_pickle *p, const dpi_pickle_value *arguments)
{
    const dpi_pickle_value *a = dpi_pickle_members(p, arguments);
    dpi_pickle_tensor tensor = {.at = p->opcode, .shape = {1, 1, 1, 1}};
    int rc = check_arguments(p, arguments);

    if (!rc)
        rc = read_numbers(p, &a[2], tensor.shape, "shape");
    if (!rc)
        rc = read_numbers(p, &a[3], tensor.strides, "list of strides");
    if (!rc && a[2].count != a[3].count)
        rc = dpi_pickle_fail(p, DP_E_FORMAT, REBUILD, "the tensor has %u dimensions and %u strides", a[2].count,
                             a[3].count);
    if (rc)
        return rc;
    tensor.dims = (int32_t)a[2].count;
    tensor.storage = a[0].number;
    tensor.first = a[1].number;
    dpi_pickle_tensor *made = dpi_pickle_add(p, &p->tensors, sizeof *made);
    if (!made)
        return DP_E_MEMORY;
    *made = tensor;
    return dpi_pickle_push(p, DPI_PICKLE_TENSOR, 0, (int64_t)p->tensors.count - 1);
}

// (tensor, requires_grad, hooks): the tensor itself.
static int make_parameter(dpi_pickle *p, const dpi_pickle_value *arguments)
{
    const dpi_pickle_value *a = dpi_pickle_members(p, arguments);

    if (arguments->count != 3 || a[0].kind != DPI_PICKLE_TENSOR || a[1].kind != DPI_PICKLE_FLAG ||
        !is_empty_dict(p, &a[2]))
        return dpi_pickle_fail(p, DP_E_FORMAT, "torch._utils._rebuild_parameter",
                               "the arguments are not a tensor, a boolean and an empty dict");
    return dpi_pickle_push(p, DPI_PICKLE_TENSOR, 0, a[0].number);
}

int dpi_pickle_reduce(dpi_pickle *p)
{
    dpi_pickle_value arguments, callee;
    int rc = dpi_pickle_pop(p, DPI_PICKLE_TUPLE, &arguments);

    if (!rc)
        rc = dpi_pickle_pop(p, DPI_PICKLE_GLOBAL, &callee);
    if (rc)
        return rc;
    const label called = label_at(callee.number);
    switch (callee.number) {
    case ORDERED_DICT:
        if (arguments.count > 0)
            return dpi_pickle_fail(p, DP_E_UNSUPPORTED, called.text, "has %u arguments, expected none",
                                   arguments.count);
        return dpi_pickle_push_dict(p, 1);
    case TENSOR:
        return make_tensor(p, &arguments);
    case PARAMETER:
        return make_parameter(p, &arguments);
    default:
        return dpi_pickle_fail(p, DP_E_UNSUPPORTED, called.text,
                               "the pickle calls this, which is no part of a state dict and is not run");
    }
}

// State of an object: only the versions of modules, which PyTorch hangs on a state dict, and which are not needed.
int dpi_pickle_build(dpi_pickle *p)
{
    const dpi_pickle_value *values;
    dpi_pickle_value state;
    const int rc = dpi_pickle_pop(p, DPI_PICKLE_DICT, &state);

    if (rc)
        return rc;
    values = p->stack.items;
    const dpi_pickle_value *object = p->stack.count ? &values[p->stack.count - 1] : NULL;
    if (!object || object->kind != DPI_PICKLE_DICT || !dpi_pickle_dict_of(p, object)->ordered)
        return dpi_pickle_fail(p, DP_E_UNSUPPORTED, NULL, "the pickle gives state to %s, expected an OrderedDict",
                               dpi_pickle_kind_name(object ? object->kind : DPI_PICKLE_NOTHING));
    const dpi_pickle_entry *entry = dpi_pickle_entry_at(p, dpi_pickle_dict_of(p, &state)->first);
    if (entry && (entry->next >= 0 || !dpi_pickle_is_text(p, &entry->key, "_metadata")))
        return dpi_pickle_fail(p, DP_E_UNSUPPORTED, "collections.OrderedDict",
                               "the pickle gives the dict a member other than _metadata");
    return DP_OK;
}

// ("storage", class, key, location, elements)
int dpi_pickle_persistent(dpi_pickle *p)
{
    static const int32_t kinds[] = {DPI_PICKLE_TEXT, DPI_PICKLE_GLOBAL, DPI_PICKLE_TEXT, DPI_PICKLE_TEXT,
                                    DPI_PICKLE_INTEGER};
    dpi_pickle_value id;
    const int rc = dpi_pickle_pop(p, DPI_PICKLE_TUPLE, &id);

    if (rc)
        return rc;
    const dpi_pickle_value *a = dpi_pickle_members(p, &id);
    int fits = id.count == 5;
    for (uint32_t i = 0; fits && i < id.count; i++)
        fits = a[i].kind == kinds[i];
    if (!fits || !dpi_pickle_is_text(p, &a[0], "storage"))
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL,
                               "the persistent id is not (\"storage\", class, key, location, number of elements)");
    const known *class = &names[a[1].number];
    if (class->width == 0)
        return dpi_pickle_fail(p, DP_E_FORMAT, label_at(a[1].number).text, "is given as a class of storage");
    if (a[2].count > MOST_KEY)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "a storage's key of %u bytes, at most %d are read", a[2].count,
                               MOST_KEY);
    if (a[4].number < 0)
        return dpi_pickle_fail(p, DP_E_FORMAT, label_at(a[1].number).text, "a storage of %lld elements",
                               (long long)a[4].number);
    dpi_pickle_storage *storage = dpi_pickle_add(p, &p->storages, sizeof *storage);
    if (!storage)
        return DP_E_MEMORY;
    *storage = (dpi_pickle_storage){
        .type_name = class->name, .type = class->type, .width = class->width, .key = a[2], .elements = a[4].number};
    return dpi_pickle_push(p, DPI_PICKLE_STORAGE, 0, (int64_t)p->storages.count - 1);
}
