// Protocol buffers on the wire: fields of a message, each checked to lie inside it.
#ifndef DPI_TEXT_PROTOBUF_H
#define DPI_TEXT_PROTOBUF_H

#include "base/text.h"

typedef struct dpi_wire {
    const unsigned char *at, *end;
    const unsigned char *start; // of the file, for offsets
    const char *name;           // the file, for errors
} dpi_wire;

typedef struct dpi_field {
    uint32_t number;
    int wire;       // 0 varint, 1 eight bytes, 2 bytes, 5 four bytes
    uint64_t value; // of a number
    dpi_wire bytes; // of wire type 2
} dpi_field;

// Read the next field: DP_OK and *more = 1, or *more = 0 at the end of the message.
int dpi_wire_next(dpi_wire *wire, dpi_field *field, int *more, dp_error *error);
// A failure at the place where `field` ended.
int dpi_wire_refuse(const dpi_wire *wire, int code, const char *fact, dp_error *error);

// Writing.
int dpi_wire_put_number(dpi_text *out, uint32_t number, uint64_t value, dp_error *error);
int dpi_wire_put_float(dpi_text *out, uint32_t number, float value, dp_error *error);
int dpi_wire_put_bytes(dpi_text *out, uint32_t number, const void *bytes, size_t size, dp_error *error);

#endif
