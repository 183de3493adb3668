// What torch.save writes, made anew byte for byte: the zip archive and the pickle of a state dict, for tests to
// open and to break.  Files of PyTorch itself are in torch_golden.h.
#ifndef TEST_IO_TORCH_SUPPORT_H
#define TEST_IO_TORCH_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/bytes.h"
#include "test/run.h"

// Bytes that grow; free(at) when done.
typedef struct pile {
    unsigned char *at;
    size_t size, capacity;
} pile;

static inline void pile_add(pile *p, const void *from, size_t size)
{
    if (p->size + size > p->capacity) {
        p->capacity = 2 * (p->size + size);
        p->at = realloc(p->at, p->capacity);
        ck_assert_ptr_nonnull(p->at);
    }
    if (size)
        memcpy(p->at + p->size, from, size);
    p->size += size;
}

static inline void pile_le(pile *p, int width, uint64_t value)
{
    unsigned char raw[8];

    dpi_le_write(raw, width, value);
    pile_add(p, raw, (size_t)width);
}

static inline void pile_text(pile *p, const char *text)
{
    pile_add(p, text, strlen(text));
}

// How an archive is written; zero is as PyTorch does.
typedef struct zip_style {
    int plain;     // sizes in the members' own headers, no padding, no zip64 end record: as most programs do
    int wide;      // sizes and offsets in zip64 fields
    int unaligned; // padding leaves each member at an odd byte
    int deflated;  // the members say that they are compressed
    const char *comment;
} zip_style;

typedef struct zip_out {
    zip_style style;
    pile file, directory;
    uint64_t count;
} zip_out;

static inline uint32_t crc_of(const void *data, size_t size)
{
    const unsigned char *from = data;
    uint32_t crc = ~0u;

    for (size_t i = 0; i < size; i++) {
        crc ^= from[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

// As PyTorch, data begins at a multiple of 64, after an extra field of the letter Z.
static inline void zip_local(zip_out *z, const char *name, size_t size, uint32_t crc)
{
    const size_t name_size = strlen(name), start = z->file.size + 30 + name_size + 4;
    const size_t padding = (64 - start % 64) % 64 + (z->style.unaligned ? 1 : 0);
    const int plain = z->style.plain;

    pile_add(&z->file, "PK\3\4\0\0", 6);
    pile_le(&z->file, 2, plain ? 0 : 0x808);
    pile_le(&z->file, 2, z->style.deflated ? 8 : 0);
    pile_le(&z->file, 4, 0);
    pile_le(&z->file, 4, plain ? crc : 0);
    pile_le(&z->file, 4, plain ? z->style.wide ? UINT32_MAX : size : 0);
    pile_le(&z->file, 4, plain ? z->style.wide ? UINT32_MAX : size : 0);
    pile_le(&z->file, 2, name_size);
    pile_le(&z->file, 2, plain ? z->style.wide ? 20 : 0 : padding + 4);
    pile_text(&z->file, name);
    if (plain && z->style.wide) {
        pile_le(&z->file, 4, 1 | 16 << 16);
        pile_le(&z->file, 8, size);
        pile_le(&z->file, 8, size);
    } else if (!plain) {
        pile_add(&z->file, "FB", 2);
        pile_le(&z->file, 2, padding);
        for (size_t i = 0; i < padding; i++)
            pile_add(&z->file, "Z", 1);
    }
}

static inline void zip_central(zip_out *z, const char *name, size_t size, uint32_t crc, size_t offset)
{
    const int wide = z->style.wide;

    pile_add(&z->directory, "PK\1\2\0\0\0\0", 8);
    pile_le(&z->directory, 2, z->style.plain ? 0 : 0x808);
    pile_le(&z->directory, 2, z->style.deflated ? 8 : 0);
    pile_le(&z->directory, 4, 0);
    pile_le(&z->directory, 4, crc);
    pile_le(&z->directory, 4, wide ? UINT32_MAX : size);
    pile_le(&z->directory, 4, wide ? UINT32_MAX : size);
    pile_le(&z->directory, 2, strlen(name));
    pile_le(&z->directory, 2, wide ? 34 : 0);
    pile_le(&z->directory, 8, 0); // comment, disk, attributes
    pile_le(&z->directory, 2, 0);
    pile_le(&z->directory, 4, wide ? UINT32_MAX : offset);
    pile_text(&z->directory, name);
    if (wide) { // after a field that is not zip64's
        pile_add(&z->directory, "UX\2\0ab", 6);
        pile_le(&z->directory, 4, 1 | 24 << 16);
        pile_le(&z->directory, 8, size);
        pile_le(&z->directory, 8, size);
        pile_le(&z->directory, 8, offset);
    }
}

static inline void zip_add(zip_out *z, const char *name, const void *data, size_t size)
{
    const size_t offset = z->file.size;
    const uint32_t crc = crc_of(data, size);

    zip_local(z, name, size, crc);
    pile_add(&z->file, data, size);
    if (!z->style.plain) {
        pile_add(&z->file, "PK\7\10", 4);
        pile_le(&z->file, 4, crc);
        pile_le(&z->file, 4, size);
        pile_le(&z->file, 4, size);
    }
    zip_central(z, name, size, crc, offset);
    z->count++;
}

// The whole file; the writer is used up.
static inline pile zip_end(zip_out *z)
{
    const size_t begin = z->file.size, size = z->directory.size;
    const char *comment = z->style.comment ? z->style.comment : "";

    pile_add(&z->file, z->directory.at, size);
    const size_t end = z->file.size;
    if (!z->style.plain || z->style.wide) {
        pile_add(&z->file, "PK\6\6", 4);
        pile_le(&z->file, 8, 44);
        pile_le(&z->file, 4, 0x031e | 45 << 16);
        pile_le(&z->file, 8, 0);
        pile_le(&z->file, 8, z->count);
        pile_le(&z->file, 8, z->count);
        pile_le(&z->file, 8, size);
        pile_le(&z->file, 8, begin);
        pile_add(&z->file, "PK\6\7\0\0\0\0", 8);
        pile_le(&z->file, 8, end);
        pile_le(&z->file, 4, 1);
    }
    pile_add(&z->file, "PK\5\6\0\0\0\0", 8);
    pile_le(&z->file, 2, z->style.wide ? 0xffff : z->count);
    pile_le(&z->file, 2, z->style.wide ? 0xffff : z->count);
    pile_le(&z->file, 4, z->style.wide ? UINT32_MAX : size);
    pile_le(&z->file, 4, z->style.wide ? UINT32_MAX : begin);
    pile_le(&z->file, 2, strlen(comment));
    pile_text(&z->file, comment);
    free(z->directory.at);
    return z->file;
}

enum { SAVED_DIMS = 5 };

// A tensor as the pickle is to describe it.
typedef struct saved {
    const char *name, *class, *key;
    int64_t elements, first;
    int32_t dims;
    int64_t shape[SAVED_DIMS], strides[SAVED_DIMS];
} saved;

// A pickle of protocol 2, each name and text remembered as Python's pickler does.
typedef struct pickler {
    pile out;
    uint32_t count;                                       // values remembered
    uint32_t ordered, rebuild, storage, cpu, classes[16]; // where, + 1
    const char *class_names[16];
} pickler;

static inline void pickle_put(pickler *p)
{
    if (p->count < 256)
        pile_le(&p->out, 2, 'q' | p->count << 8);
    else {
        pile_le(&p->out, 1, 'r');
        pile_le(&p->out, 4, p->count);
    }
    p->count++;
}

// Recall what was remembered; 0 when it was not, and is to be made and remembered now.
static inline int pickle_get(pickler *p, uint32_t *place)
{
    if (!*place) {
        *place = p->count + 1;
        return 0;
    }
    if (*place <= 256)
        pile_le(&p->out, 2, 'h' | (uint64_t)(*place - 1) << 8);
    else {
        pile_le(&p->out, 1, 'j');
        pile_le(&p->out, 4, *place - 1);
    }
    return 1;
}

static inline void pickle_text(pickler *p, const char *text)
{
    pile_le(&p->out, 1, 'X');
    pile_le(&p->out, 4, strlen(text));
    pile_text(&p->out, text);
    pickle_put(p);
}

static inline void pickle_integer(pickler *p, int64_t value)
{
    int width = 1;

    if (value >= 0 && value < 256) {
        pile_le(&p->out, 2, 'K' | (uint64_t)value << 8);
    } else if (value >= 0 && value < 65536) {
        pile_le(&p->out, 3, 'M' | (uint64_t)value << 8);
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
        pile_le(&p->out, 1, 'J');
        pile_le(&p->out, 4, (uint64_t)value);
    } else {
        while (width < 8 && value >> (8 * width - 1) != 0 && value >> (8 * width - 1) != -1)
            width++;
        pile_le(&p->out, 2, 0x8a | (uint64_t)width << 8);
        pile_le(&p->out, width, (uint64_t)value);
    }
}

static inline void pickle_global(pickler *p, const char *module, const char *name)
{
    pile_text(&p->out, "c");
    pile_text(&p->out, module);
    pile_text(&p->out, "\n");
    pile_text(&p->out, name);
    pile_text(&p->out, "\n");
    pickle_put(p);
}

static inline void pickle_ordered(pickler *p)
{
    if (!pickle_get(p, &p->ordered))
        pickle_global(p, "collections", "OrderedDict");
    pile_text(&p->out, ")R");
    pickle_put(p);
}

static inline void pickle_numbers(pickler *p, const int64_t *numbers, int32_t count)
{
    static const char opcodes[] = {0, (char)0x85, (char)0x86, (char)0x87};

    if (count > 3)
        pile_text(&p->out, "(");
    for (int32_t i = 0; i < count; i++)
        pickle_integer(p, numbers[i]);
    if (count == 0)
        pile_text(&p->out, ")");
    else if (count <= 3)
        pile_add(&p->out, &opcodes[count], 1);
    else
        pile_text(&p->out, "t");
    if (count)
        pickle_put(p);
}

static inline void pickle_storage(pickler *p, const saved *t)
{
    int class = 0;

    while (p->class_names[class] && strcmp(p->class_names[class], t->class) != 0)
        class ++;
    ck_assert_int_lt(class, 16);
    p->class_names[class] = t->class;
    pile_text(&p->out, "(");
    if (!pickle_get(p, &p->storage))
        pickle_text(p, "storage");
    if (!pickle_get(p, &p->classes[class]))
        pickle_global(p, "torch", t->class);
    pickle_text(p, t->key);
    if (!pickle_get(p, &p->cpu))
        pickle_text(p, "cpu");
    pickle_integer(p, t->elements);
    pile_text(&p->out, "t");
    pickle_put(p);
    pile_text(&p->out, "Q");
}

static inline void pickle_tensor(pickler *p, const saved *t)
{
    if (!pickle_get(p, &p->rebuild))
        pickle_global(p, "torch._utils", "_rebuild_tensor_v2");
    pile_text(&p->out, "(");
    pickle_storage(p, t);
    pickle_integer(p, t->first);
    pickle_numbers(p, t->shape, t->dims);
    pickle_numbers(p, t->strides, t->dims);
    pile_text(&p->out, "\x89");
    pickle_ordered(p);
    pile_text(&p->out, "t");
    pickle_put(p);
    pile_text(&p->out, "R");
    pickle_put(p);
}

static inline void pickle_begin(pickler *p)
{
    pile_text(&p->out, "\x80\2");
    pickle_ordered(p);
}

// The tensors into the dict on top, a thousand at a time.
static inline void pickle_items(pickler *p, const saved *tensors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const size_t batch = i - i % 1000, size = count - batch < 1000 ? count - batch : 1000;
        if (i % 1000 == 0 && size > 1)
            pile_text(&p->out, "(");
        pickle_text(p, tensors[i].name);
        pickle_tensor(p, &tensors[i]);
        if (i + 1 == batch + size)
            pile_text(&p->out, size > 1 ? "u" : "s");
    }
}

// The pickle of an OrderedDict of tensors.
static inline pile pickle_of(const saved *tensors, size_t count)
{
    pickler p = {.count = 0};

    pickle_begin(&p);
    pickle_items(&p, tensors, count);
    pile_text(&p.out, ".");
    return p.out;
}

// Bytes of a storage.
typedef struct stored {
    const char *key;
    const void *data;
    size_t size;
} stored;

// An archive round a pickle and storages, with the members that PyTorch adds.
static inline pile archive_of(const zip_style *style, const pile *pickle, const stored *storages, size_t count)
{
    zip_out z = {.style = style ? *style : (zip_style){.plain = 0}};
    char name[64];

    zip_add(&z, "archive/data.pkl", pickle->at, pickle->size);
    zip_add(&z, "archive/.format_version", "1", 1);
    zip_add(&z, "archive/.storage_alignment", "64", 2);
    zip_add(&z, "archive/byteorder", "little", 6);
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "archive/data/%s", storages[i].key);
        zip_add(&z, name, storages[i].data, storages[i].size);
    }
    zip_add(&z, "archive/version", "3\n", 2);
    zip_add(&z, "archive/.data/serialization_id", "0123456789012345678901234567890123456789", 40);
    return zip_end(&z);
}

#endif
