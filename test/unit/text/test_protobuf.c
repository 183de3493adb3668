// Protocol buffers: fields inside their message, and each way that one is cut off or is none.
#include "test/unit/text/support.h"

START_TEST(reads_fields_of_each_kind)
{
    static const unsigned char bytes[] = {0x08, 0xac, 0x02, 0x11, 1,   0,    0, 0, 0, 0, 0,
                                          2,    0x1a, 2,    'h',  'i', 0x25, 4, 3, 2, 1};
    static const uint64_t values[] = {300, 0x0200000000000001, 0, 0x01020304};
    dpi_wire wire = {bytes, bytes + sizeof bytes, bytes, "m"};
    dpi_field field;
    int more = 0;

    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_int_eq(dpi_wire_next(&wire, &field, &more, NULL), DP_OK);
        ck_assert(more && field.number == i + 1 && field.value == values[i]);
        if (field.wire == 2)
            ck_assert(field.bytes.end - field.bytes.at == 2 && memcmp(field.bytes.at, "hi", 2) == 0);
    }
    ck_assert_int_eq(dpi_wire_next(&wire, &field, &more, NULL), DP_OK);
    ck_assert_int_eq(more, 0);
}
END_TEST

START_TEST(refuses_what_is_cut_or_no_field)
{
    static const struct {
        unsigned char bytes[14];
        size_t size;
        int64_t offset;
        const char *message;
    } cases[] = {
        {{0x80}, 1, 1, "a number is cut off"},
        {{0x08}, 1, 1, "a number is cut off"},
        {{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0},
         12,
         11,
         "a number has more than ten bytes"},
        {{0x09, 1, 2, 3, 4, 5, 6, 7}, 8, 1, "a number is cut off"},
        {{0x0d, 1, 2, 3}, 4, 1, "a number is cut off"},
        {{0x0a, 3, 1, 2}, 4, 2, "a field is longer than the bytes that remain"},
        {{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
         11,
         11,
         "a field is longer than the bytes that remain"},
        {{0x0b}, 1, 1, "not a field of a protocol buffer"}, // a group
        {{0x02, 0}, 2, 1, "not a field of a protocol buffer"},
        {{0x8a, 0x80, 0x80, 0x80, 0x10, 0}, 6, 5, "not a field of a protocol buffer"},
    };
    dp_error error;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char *const exact = malloc(cases[i].size); // a sanitizer sees a step beyond it
        dpi_wire wire = {exact, exact + cases[i].size, exact, "m"};
        dpi_field field;
        int more = 0;

        ck_assert_ptr_nonnull(exact);
        memcpy(exact, cases[i].bytes, cases[i].size);
        ck_assert_msg(dpi_wire_next(&wire, &field, &more, &error) == DP_E_FORMAT, "case %zu", i);
        ck_assert_str_eq(error.message, cases[i].message);
        ck_assert_int_eq(error.offset, cases[i].offset);
        ck_assert_str_eq(error.file, "m");
        free(exact);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {reads_fields_of_each_kind, refuses_what_is_cut_or_no_field};

    return dpt_run("text/protobuf", tests, sizeof tests / sizeof *tests);
}
