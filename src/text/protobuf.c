// Protocol buffers: every length is compared with the bytes that remain before it is used.
#include "text/protobuf.h"

#include <string.h>

#include "base/error.h"
#include "io/bytes.h"

int dpi_wire_refuse(const dpi_wire *wire, int code, const char *fact, dp_error *error)
{
    const dpi_place place = {.file = wire->name, .offset = wire->at - wire->start};

    return dpi_fail_at(error, code, &place, "%s", fact);
}

static int read_varint(dpi_wire *wire, uint64_t *out, dp_error *error)
{
    uint64_t value = 0;

    for (int shift = 0; shift < 64; shift += 7) {
        if (wire->at == wire->end)
            return dpi_wire_refuse(wire, DP_E_FORMAT, "a number is cut off", error);
        const unsigned char byte = *wire->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        *out = value;
        return DP_OK;
    }
    return dpi_wire_refuse(wire, DP_E_FORMAT, "a number has more than ten bytes", error);
}

static int read_fixed(dpi_wire *wire, int bytes, uint64_t *out, dp_error *error)
{
    if (wire->end - wire->at < bytes)
        return dpi_wire_refuse(wire, DP_E_FORMAT, "a number is cut off", error);
    *out = dpi_le_read(wire->at, bytes);
    wire->at += bytes;
    return DP_OK;
}

static int read_bytes(dpi_wire *wire, dpi_wire *out, dp_error *error)
{
    uint64_t size = 0;
    const int rc = read_varint(wire, &size, error);

    if (rc)
        return rc;
    if (size > (uint64_t)(wire->end - wire->at))
        return dpi_wire_refuse(wire, DP_E_FORMAT, "a field is longer than the bytes that remain", error);
    *out = (dpi_wire){wire->at, wire->at + size, wire->start, wire->name};
    wire->at += size;
    return DP_OK;
}

int dpi_wire_next(dpi_wire *wire, dpi_field *field, int *more, dp_error *error)
{
    uint64_t key = 0;

    *more = wire->at != wire->end;
    if (!*more)
        return DP_OK;
    const int rc = read_varint(wire, &key, error);
    if (rc)
        return rc;
    if (key > UINT32_MAX || key >> 3 == 0)
        return dpi_wire_refuse(wire, DP_E_FORMAT, "not a field of a protocol buffer", error);
    *field = (dpi_field){.number = (uint32_t)(key >> 3), .wire = (int)(key & 7)};
    switch (field->wire) {
    case 0:
        return read_varint(wire, &field->value, error);
    case 1:
        return read_fixed(wire, 8, &field->value, error);
    case 2:
        return read_bytes(wire, &field->bytes, error);
    case 5:
        return read_fixed(wire, 4, &field->value, error);
    default:
        return dpi_wire_refuse(wire, DP_E_FORMAT, "not a field of a protocol buffer", error);
    }
}

static int put_varint(dpi_text *out, uint64_t value, dp_error *error)
{
    unsigned char bytes[10];
    size_t count = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[count++] = (unsigned char)(value | 0x80);
    bytes[count++] = (unsigned char)value;
    return dpi_text_add(out, bytes, count, error);
}

int dpi_wire_put_number(dpi_text *out, uint32_t number, uint64_t value, dp_error *error)
{
    const int rc = put_varint(out, (uint64_t)number << 3, error);

    return rc ? rc : put_varint(out, value, error);
}

int dpi_wire_put_float(dpi_text *out, uint32_t number, float value, dp_error *error)
{
    unsigned char bytes[4];
    uint32_t bits = 0;
    const int rc = put_varint(out, (uint64_t)number << 3 | 5, error);

    memcpy(&bits, &value, sizeof bits);
    dpi_le_write(bytes, 4, bits);
    return rc ? rc : dpi_text_add(out, bytes, sizeof bytes, error);
}

int dpi_wire_put_bytes(dpi_text *out, uint32_t number, const void *bytes, size_t size, dp_error *error)
{
    int rc = put_varint(out, (uint64_t)number << 3 | 2, error);

    if (!rc)
        rc = put_varint(out, size, error);
    return rc ? rc : dpi_text_add(out, bytes, size, error);
}
