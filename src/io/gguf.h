// GGUF files: read from bytes, written in order.
#ifndef DPI_IO_GGUF_H
#define DPI_IO_GGUF_H

#include "io/stage.h"
#include "tensor/tensor.h"

enum {
    DPI_GGUF_U8,
    DPI_GGUF_I8,
    DPI_GGUF_U16,
    DPI_GGUF_I16,
    DPI_GGUF_U32,
    DPI_GGUF_I32,
    DPI_GGUF_F32,
    DPI_GGUF_BOOL,
    DPI_GGUF_STRING,
    DPI_GGUF_ARRAY,
    DPI_GGUF_U64,
    DPI_GGUF_I64,
    DPI_GGUF_F64
};

// One key and its value, checked to lie inside the file; strings are borrowed from the storage, not terminated.
typedef struct dpi_gguf_entry {
    const char *key;
    uint64_t key_size;
    int32_t type;              // DPI_GGUF_*
    int32_t element;           // element type of an array
    uint64_t count;            // elements of an array, else 1
    const unsigned char *data; // the value (a string: its length prefix; an array: its first element)
    uint64_t bytes;            // bytes of the value from data on
    uint64_t offset;           // of data in the file, for errors
} dpi_gguf_entry;

typedef struct dpi_gguf {
    dpi_memory *memory;
    dpi_storage *storage; // one reference held
    char *name;           // the file, for errors
    dpi_gguf_entry *entries;
    size_t entry_count;
    dpi_tensor *tensors; // in file order; shapes reversed to ours
    size_t tensor_count;
    uint32_t version;
    uint32_t alignment;
} dpi_gguf;

int dpi_gguf_read(dpi_gguf **out, dpi_memory *memory, dpi_storage *storage, const char *name, dp_error *error);
void dpi_gguf_free(dpi_gguf *file); // NULL is allowed

const dpi_gguf_entry *dpi_gguf_find(const dpi_gguf *file, const char *key); // NULL when absent
// Readers as in json.h: absent leaves *out untouched unless required; a wrong type or range is DP_E_FORMAT with
// the key as item and the byte offset.  Any integer width is read.
int dpi_gguf_int(const dpi_gguf *file, const char *key, int required, int64_t least, int64_t most, int64_t *out,
                 dp_error *error);
int dpi_gguf_real(const dpi_gguf *file, const char *key, int required, double *out, dp_error *error);
int dpi_gguf_bool(const dpi_gguf *file, const char *key, int required, int *out, dp_error *error);
// Borrowed bytes, not terminated.
int dpi_gguf_string(const dpi_gguf *file, const char *key, int required, const char **out, size_t *size,
                    dp_error *error);
// Arrays.  `element` must match; *count gets the number.  Strings of an array are walked with dpi_gguf_next.
int dpi_gguf_array(const dpi_gguf *file, const char *key, int required, int32_t element, const dpi_gguf_entry **out,
                   dp_error *error); // *out untouched when absent
// Walk a string array: *cursor starts as entry->data and moves on; bounds were checked at reading.
void dpi_gguf_next(const unsigned char **cursor, const char **string, size_t *size);

// Writing: build a list of entries, then header and tensor bytes.
typedef struct dpi_gguf_out dpi_gguf_out;
int dpi_gguf_out_open(dpi_gguf_out **out, dpi_memory *memory, uint32_t alignment, dp_error *error);
void dpi_gguf_out_free(dpi_gguf_out *out); // NULL is allowed
int dpi_gguf_put_u32(dpi_gguf_out *out, const char *key, uint32_t value, dp_error *error);
int dpi_gguf_put_f32(dpi_gguf_out *out, const char *key, float value, dp_error *error);
int dpi_gguf_put_bool(dpi_gguf_out *out, const char *key, int value, dp_error *error);
int dpi_gguf_put_string(dpi_gguf_out *out, const char *key, const char *value, size_t size, dp_error *error);
// An array of `count` fixed-size elements, `data` little-endian as in the file.
int dpi_gguf_put_array(dpi_gguf_out *out, const char *key, int32_t element, const void *data, uint64_t count,
                       dp_error *error);
int dpi_gguf_put_strings(dpi_gguf_out *out, const char *key, const char *const *strings, const size_t *sizes,
                         uint64_t count, dp_error *error);
int dpi_gguf_put_entry(dpi_gguf_out *out, const dpi_gguf_entry *entry, dp_error *error); // copied byte for byte
// A later put of a key replaces the earlier one in place.
// Header for tensors (name, type, shape read); the caller then adds each tensor's bytes with
// dpi_writer_add, in the same order, and calls dpi_gguf_pad after each.
int dpi_gguf_header(dpi_gguf_out *out, dpi_writer *writer, const dpi_tensor *tensors, size_t count,
                    uint64_t *bytes_out, dp_error *error);
int dpi_gguf_pad(dpi_gguf_out *out, dpi_writer *writer, dp_error *error); // to the alignment, after each tensor

#endif
