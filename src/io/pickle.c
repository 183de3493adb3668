// The pickle machine: begins, does opcode after opcode without ever going back, ends with one dict, whose tensors
// it gives out.
#include "io/pickle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "io/pickle_parts.h"

enum {
    PROTO = 0x80,
    FIRST_PROTOCOL = 2,
    LAST_PROTOCOL = 5,
    MOST_BYTES = 8 << 20,
    MOST_DEPTH = 1 << 20,
    LABEL = 128
};

int dpi_pickle_fail(const dpi_pickle *p, int32_t code, const char *item, const char *format, ...)
{
    const dpi_place place = {
        .file = p->input->file, .item = item, .offset = (int64_t)(p->input->offset + p->opcode)};
    char message[512];
    va_list args;

    va_start(args, format);
    dpi_vformat(message, sizeof message, format, args);
    va_end(args);
    return dpi_fail_at(p->error, code, &place, "%s", message);
}

const char *dpi_pickle_kind_name(int32_t kind)
{
    static const char *const names[DPI_PICKLE_KINDS] = {
        "nothing", "a mark", "None",   "a boolean", "an integer", "a float", "a text",
        "a tuple", "a list", "a dict", "a name",    "a storage",  "a tensor"};

    return names[kind];
}

void *dpi_pickle_add(dpi_pickle *p, dpi_pickle_array *array, size_t width)
{
    if (array->count == array->capacity) {
        const size_t more = array->capacity ? array->capacity * 2 : 64;
        if (dpi_grow(p->memory, &array->items, array->capacity, more, width, p->error))
            return NULL;
        array->capacity = more;
    }
    return (char *)array->items + array->count++ * width;
}

int dpi_pickle_push(dpi_pickle *p, int32_t kind, size_t count, int64_t number)
{
    if (p->stack.count == MOST_DEPTH)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "more than %d values wait on the stack", MOST_DEPTH);
    dpi_pickle_value *value = dpi_pickle_add(p, &p->stack, sizeof *value);
    if (!value)
        return DP_E_MEMORY;
    *value = (dpi_pickle_value){.kind = kind, .count = (uint32_t)count, .number = number};
    return DP_OK;
}

int dpi_pickle_pop(dpi_pickle *p, int32_t kind, dpi_pickle_value *out)
{
    const dpi_pickle_value *values = p->stack.items;

    if (p->stack.count == 0 || values[p->stack.count - 1].kind == DPI_PICKLE_MARK)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "the opcode takes a value from an empty stack");
    *out = values[p->stack.count - 1];
    if (kind != DPI_PICKLE_NOTHING && out->kind != kind)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "the opcode takes %s, expected %s",
                               dpi_pickle_kind_name(out->kind), dpi_pickle_kind_name(kind));
    p->stack.count--;
    return DP_OK;
}

int dpi_pickle_push_dict(dpi_pickle *p, int32_t ordered)
{
    dpi_pickle_object *dict = dpi_pickle_add(p, &p->dicts, sizeof *dict);

    if (!dict)
        return DP_E_MEMORY;
    *dict = (dpi_pickle_object){.first = -1, .last = -1, .ordered = ordered};
    return dpi_pickle_push(p, DPI_PICKLE_DICT, 0, (int64_t)p->dicts.count - 1);
}

const char *dpi_pickle_text(const dpi_pickle *p, const dpi_pickle_value *value)
{
    return (const char *)p->input->bytes + value->number;
}

int dpi_pickle_is_text(const dpi_pickle *p, const dpi_pickle_value *value, const char *text)
{
    return value->kind == DPI_PICKLE_TEXT && value->count == strlen(text) &&
           memcmp(dpi_pickle_text(p, value), text, value->count) == 0;
}

dpi_pickle_value *dpi_pickle_members(const dpi_pickle *p, const dpi_pickle_value *tuple)
{
    return tuple->kind == DPI_PICKLE_TUPLE && tuple->count ? (dpi_pickle_value *)p->members.items + tuple->number
                                                           : NULL;
}

dpi_pickle_object *dpi_pickle_dict_of(const dpi_pickle *p, const dpi_pickle_value *value)
{
    return (dpi_pickle_object *)p->dicts.items + value->number;
}

const dpi_pickle_entry *dpi_pickle_entry_at(const dpi_pickle *p, int64_t index)
{
    return index < 0 ? NULL : (const dpi_pickle_entry *)p->entries.items + index;
}

int dpi_pickle_take(dpi_pickle *p, size_t count, const unsigned char **out)
{
    if (count > p->input->size - p->at)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "the opcode needs %zu bytes, %zu are left", count,
                               p->input->size - p->at);
    *out = p->input->bytes + p->at;
    p->at += count;
    return DP_OK;
}

static int begin(dpi_pickle *p)
{
    const dpi_pickle_input *input = p->input;

    if (input->size > MOST_BYTES)
        return dpi_pickle_fail(p, DP_E_UNSUPPORTED, NULL, "a pickle of %zu bytes, at most %d are read", input->size,
                               MOST_BYTES);
    if (input->size < 2 || input->bytes[0] != PROTO)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "does not begin as a pickle of protocol 2 to 5");
    if (input->bytes[1] < FIRST_PROTOCOL || input->bytes[1] > LAST_PROTOCOL)
        return dpi_pickle_fail(p, DP_E_UNSUPPORTED, NULL, "is a pickle of protocol %d, 2 to 5 are read",
                               input->bytes[1]);
    p->at = 2;
    return DP_OK;
}

static int run(dpi_pickle *p)
{
    int rc = begin(p);

    while (!rc && !p->done) {
        p->opcode = p->at;
        if (p->at == p->input->size)
            return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "the pickle ends without its last opcode");
        const unsigned char code = p->input->bytes[p->at++];
        const dpi_pickle_opcode work = dpi_pickle_opcode_of(code);
        rc = work ? work(p)
                  : dpi_pickle_fail(p, DP_E_UNSUPPORTED, NULL, "opcode 0x%02x is no part of a state dict", code);
    }
    if (!rc && p->at != p->input->size)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "%zu bytes follow the pickle's last opcode",
                               p->input->size - p->at);
    return rc;
}

static size_t count_kind(const dpi_pickle *p, const dpi_pickle_value *dict, int32_t kind)
{
    size_t count = 0;
    const dpi_pickle_entry *entry = dpi_pickle_entry_at(p, dpi_pickle_dict_of(p, dict)->first);

    for (; entry; entry = dpi_pickle_entry_at(p, entry->next))
        count += kind == DPI_PICKLE_NOTHING || entry->value.kind == kind;
    return count;
}

// The dict that stands under a key, or NULL.
static const dpi_pickle_value *dict_under(const dpi_pickle *p, const dpi_pickle_value *dict, const char *key)
{
    const dpi_pickle_entry *entry = dpi_pickle_entry_at(p, dpi_pickle_dict_of(p, dict)->first);

    for (; entry; entry = dpi_pickle_entry_at(p, entry->next))
        if (entry->value.kind == DPI_PICKLE_DICT && dpi_pickle_is_text(p, &entry->key, key))
            return &entry->value;
    return NULL;
}

// The dict of tensors: the whole, or the part of a training checkpoint that has the weights.
static int find_state(dpi_pickle *p, dpi_pickle_value *state)
{
    const dpi_pickle_value *inner;

    if (p->stack.count != 1)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "%zu values are left on the stack, expected one",
                               p->stack.count);
    int rc = dpi_pickle_pop(p, DPI_PICKLE_NOTHING, state);
    if (!rc && state->kind != DPI_PICKLE_DICT)
        rc = dpi_pickle_fail(p, DP_E_FORMAT, NULL, "holds %s, expected a dict of tensors",
                             dpi_pickle_kind_name(state->kind));
    if (rc || count_kind(p, state, DPI_PICKLE_TENSOR) > 0)
        return rc;
    inner = dict_under(p, state, "state_dict");
    if (!inner)
        inner = dict_under(p, state, "model");
    if (!inner || count_kind(p, inner, DPI_PICKLE_TENSOR) == 0)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL,
                               "holds no tensors, neither itself nor in a dict \"state_dict\" or \"model\"");
    *state = *inner;
    return DP_OK;
}

static int give(dpi_pickle *p, const dpi_pickle_entry *entry, dpi_pickled *out)
{
    char label[LABEL];

    if (entry->key.kind != DPI_PICKLE_TEXT)
        return dpi_pickle_fail(p, DP_E_FORMAT, NULL, "a key of the state dict is %s, expected a text",
                               dpi_pickle_kind_name(entry->key.kind));
    out->name = dpi_pickle_text(p, &entry->key);
    out->name_size = entry->key.count;
    if (entry->value.kind != DPI_PICKLE_TENSOR) {
        snprintf(label, sizeof label, "%.*s", (int)(out->name_size < LABEL ? out->name_size : LABEL), out->name);
        return dpi_pickle_fail(p, DP_E_FORMAT, label, "is %s, expected a tensor",
                               dpi_pickle_kind_name(entry->value.kind));
    }
    const dpi_pickle_tensor *tensor = (dpi_pickle_tensor *)p->tensors.items + entry->value.number;
    const dpi_pickle_storage *storage = (dpi_pickle_storage *)p->storages.items + tensor->storage;
    out->key = dpi_pickle_text(p, &storage->key);
    out->key_size = storage->key.count;
    out->type_name = storage->type_name;
    out->type = storage->type;
    out->width = storage->width;
    out->elements = storage->elements;
    out->first = tensor->first;
    memcpy(out->shape, tensor->shape, sizeof out->shape);
    memcpy(out->strides, tensor->strides, sizeof out->strides);
    out->dims = tensor->dims;
    out->at = tensor->at;
    return DP_OK;
}

static int by_name(const void *a, const void *b)
{
    const dpi_pickled *x = a, *y = b;

    if (x->name_size != y->name_size)
        return x->name_size < y->name_size ? -1 : 1;
    return x->name == y->name ? 0 : memcmp(x->name, y->name, x->name_size);
}

// The same name again in other places, or the same place again: Python would let the last win.
static int check_names(dpi_pickle *p, dpi_pickled *all, size_t count)
{
    char label[LABEL];

    qsort(all, count, sizeof *all, by_name);
    for (size_t i = 1; i < count; i++) {
        if (by_name(&all[i - 1], &all[i]) != 0)
            continue;
        p->opcode = all[i].at;
        snprintf(label, sizeof label, "%.*s", (int)(all[i].name_size < LABEL ? all[i].name_size : LABEL),
                 all[i].name);
        return dpi_pickle_fail(p, DP_E_FORMAT, label, "the state dict has this tensor twice");
    }
    return DP_OK;
}

static int give_all(dpi_pickle *p, dpi_pickled **out, size_t *count)
{
    dpi_pickle_value state = {.kind = DPI_PICKLE_NOTHING};
    int rc = find_state(p, &state);

    if (rc)
        return rc;
    const size_t most = count_kind(p, &state, DPI_PICKLE_NOTHING);
    dpi_pickled *all = dpi_alloc(p->memory, most, sizeof *all, p->error);
    if (!all)
        return DP_E_MEMORY;
    const dpi_pickle_entry *entry = dpi_pickle_entry_at(p, dpi_pickle_dict_of(p, &state)->first);
    for (size_t i = 0; !rc && i < most; entry = dpi_pickle_entry_at(p, entry->next))
        rc = give(p, entry, &all[i++]);
    if (!rc)
        rc = check_names(p, all, most);
    if (rc) {
        dpi_free(p->memory, all);
        return rc;
    }
    *out = all;
    *count = most;
    return DP_OK;
}

int dpi_pickle_read(dpi_pickled **out, size_t *count, dpi_memory *memory, const dpi_pickle_input *input,
                    dp_error *error)
{
    dpi_pickle p = {.memory = memory, .input = input, .error = error};
    dpi_pickle_array *const arrays[] = {&p.stack,   &p.memo,     &p.members, &p.dicts,
                                        &p.entries, &p.storages, &p.tensors};
    int rc = run(&p);

    if (!rc)
        rc = give_all(&p, out, count);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        dpi_free(memory, arrays[i]->items);
    return rc;
}
