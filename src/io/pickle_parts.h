// What the parts of the pickle machine share: values, objects and the stack.
#ifndef DPI_IO_PICKLE_PARTS_H
#define DPI_IO_PICKLE_PARTS_H

#include "io/pickle.h"

enum {
    DPI_PICKLE_NOTHING, // an empty place of the memo
    DPI_PICKLE_MARK,
    DPI_PICKLE_NONE,
    DPI_PICKLE_FLAG,
    DPI_PICKLE_INTEGER,
    DPI_PICKLE_REAL,
    DPI_PICKLE_TEXT,
    DPI_PICKLE_TUPLE,
    DPI_PICKLE_LIST, // what it holds is not kept
    DPI_PICKLE_DICT,
    DPI_PICKLE_GLOBAL,
    DPI_PICKLE_STORAGE,
    DPI_PICKLE_TENSOR,
    DPI_PICKLE_KINDS
};

typedef struct dpi_pickle_value {
    int32_t kind;
    uint32_t count; // bytes of a text, members of a tuple
    int64_t number; // an integer, or where the object is: in the bytes, the members, dicts, storages or tensors
} dpi_pickle_value;

typedef struct dpi_pickle_array {
    void *items;
    size_t count, capacity;
} dpi_pickle_array;

typedef struct dpi_pickle_object {
    int64_t first, last; // of its entries; -1: none
    int32_t ordered;     // a collections.OrderedDict
} dpi_pickle_object;

typedef struct dpi_pickle_entry {
    dpi_pickle_value key, value;
    int64_t next;
} dpi_pickle_entry;

typedef struct dpi_pickle_storage {
    const char *type_name;
    int32_t type, width;
    dpi_pickle_value key;
    int64_t elements;
} dpi_pickle_storage;

typedef struct dpi_pickle_tensor {
    int64_t storage, first;
    int64_t shape[DPI_MAX_DIMS], strides[DPI_MAX_DIMS];
    int32_t dims;
    size_t at;
} dpi_pickle_tensor;

typedef struct dpi_pickle {
    dpi_memory *memory;
    const dpi_pickle_input *input;
    size_t at;                    // the next byte
    size_t opcode;                // where the opcode stands that is being done
    int done;                     // it was the last
    dpi_pickle_array stack, memo; // of values
    dpi_pickle_array members;     // of tuples: values
    dpi_pickle_array dicts, entries, storages, tensors;
    dp_error *error;
} dpi_pickle;

// Fail at the opcode with an item, which may be NULL.
int dpi_pickle_fail(const dpi_pickle *p, int32_t code, const char *item, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
const char *dpi_pickle_kind_name(int32_t kind); // "a tensor"
// A new zeroed element at the end; NULL with the error filled.
void *dpi_pickle_add(dpi_pickle *p, dpi_pickle_array *array, size_t width);
int dpi_pickle_push(dpi_pickle *p, int32_t kind, size_t count, int64_t number);
// The topmost value, which must be there, not a mark, and of this kind (NOTHING: of any).
int dpi_pickle_pop(dpi_pickle *p, int32_t kind, dpi_pickle_value *out);
// A new dict on the stack.
int dpi_pickle_push_dict(dpi_pickle *p, int32_t ordered);
int dpi_pickle_is_text(const dpi_pickle *p, const dpi_pickle_value *value, const char *text);
const char *dpi_pickle_text(const dpi_pickle *p, const dpi_pickle_value *value);
// NULL when it has none, or is no tuple.
dpi_pickle_value *dpi_pickle_members(const dpi_pickle *p, const dpi_pickle_value *tuple);
dpi_pickle_object *dpi_pickle_dict_of(const dpi_pickle *p, const dpi_pickle_value *value);
const dpi_pickle_entry *dpi_pickle_entry_at(const dpi_pickle *p, int64_t index); // NULL after the last

// The opcodes that collect.
int dpi_pickle_mark(dpi_pickle *p);
int dpi_pickle_tuple(dpi_pickle *p); // of what is above the mark
int dpi_pickle_tuple_0(dpi_pickle *p);
int dpi_pickle_tuple_1(dpi_pickle *p);
int dpi_pickle_tuple_2(dpi_pickle *p);
int dpi_pickle_tuple_3(dpi_pickle *p);
int dpi_pickle_list(dpi_pickle *p);
int dpi_pickle_append(dpi_pickle *p);
int dpi_pickle_appends(dpi_pickle *p);
int dpi_pickle_dict(dpi_pickle *p);
int dpi_pickle_set_item(dpi_pickle *p);
int dpi_pickle_set_items(dpi_pickle *p);

// The opcodes that would call something in Python.
int dpi_pickle_global(dpi_pickle *p);
int dpi_pickle_stack_global(dpi_pickle *p);
int dpi_pickle_reduce(dpi_pickle *p);
int dpi_pickle_build(dpi_pickle *p);
int dpi_pickle_persistent(dpi_pickle *p);

// The opcode's work; NULL for one that is not known.
typedef int (*dpi_pickle_opcode)(dpi_pickle *p);
dpi_pickle_opcode dpi_pickle_opcode_of(unsigned char code);
// `count` bytes from here on.
int dpi_pickle_take(dpi_pickle *p, size_t count, const unsigned char **out);

#endif
