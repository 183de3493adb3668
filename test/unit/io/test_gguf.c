// GGUF in: files that must open although they look odd, and files that must not.
#include "test/unit/io/gguf_support.h"

// A key "a" at byte 24, its type at 33, its value at 37; tensors "t" and "u" follow.
static void good(bytes *to)
{
    add_head(to, 3, 2, 1);
    add_u32(to, "a", 7);
    add_info(to, "t", 3, 2, DP_F32, 0);    // at 41: name, 50: dims, 54 and 62: extents, 70: type, 74: offset
    add_info(to, "u", 32, 2, DP_Q4_1, 32); // at 82; 91; 95, 103; 111; 115
    pad_bytes(to, 32);                     // data at 128: 24 bytes in 32, then 40
    add_zeros(to, 32 + 40);
}

enum {
    KEY = 24,
    VALUE_TYPE = 33,
    VALUE = 37,
    INFO = 41,
    DIMS = 50,
    COLUMNS = 54,
    ROWS = 62,
    TYPE = 70,
    OFFSET = 74,
    SECOND = 82,
    SECOND_COLUMNS = 95,
    SECOND_OFFSET = 115,
    DATA = 128,
    GOOD = 200
};

// The good file with one number replaced.
typedef struct lie {
    size_t at;
    int width;
    uint64_t value;
    int32_t code;
    const char *item;
    int64_t offset;
    const char *message; // a part of it
} lie;

#define TWO(power) ((uint64_t)1 << (power))

static const lie lies[] = {
    {0, 4, 0x46554746, DP_E_FORMAT, "", 0, "does not begin with \"GGUF\""},
    {0, 4, 0, DP_E_FORMAT, "", 0, "does not begin with \"GGUF\""},
    {4, 4, 0, DP_E_FORMAT, "", 4, "has gguf version 0"},
    {4, 4, 1, DP_E_UNSUPPORTED, "", 4, "has gguf version 1"},
    {4, 4, 4, DP_E_FORMAT, "", 4, "has gguf version 4; versions 2 and 3 are read"},
    {4, 4, 0x03000000, DP_E_UNSUPPORTED, "", 4, "big-endian"},
    {8, 8, TWO(60), DP_E_FORMAT, "", 8, "says 1152921504606846976 tensors"},
    {8, 8, TWO(63), DP_E_FORMAT, "", 8, "says 9223372036854775808 tensors"},
    {8, 8, UINT64_MAX, DP_E_FORMAT, "", 8, "tensors"},
    {8, 8, TWO(32), DP_E_FORMAT, "", 8, "tensors"},
    {8, 8, 3, DP_E_FORMAT, "", 123, "a tensor name of 0 bytes is empty"},
    {8, 8, 1, DP_E_FORMAT, "", 128, "72 bytes follow the last tensor"},
    {16, 8, TWO(60), DP_E_FORMAT, "", 16, "says 1152921504606846976 keys, 176 bytes remain"},
    {16, 8, UINT64_MAX, DP_E_FORMAT, "", 16, "keys"},
    {16, 8, TWO(32), DP_E_FORMAT, "", 16, "keys"},
    {16, 8, 0, DP_E_FORMAT, "a", 45, "has more elements than 64 bits"},
    {KEY, 8, 0, DP_E_FORMAT, "", KEY, "a key of 0 bytes, expected 1 to 65535"},
    {KEY, 8, TWO(63), DP_E_FORMAT, "", KEY, "a key of 9223372036854775808 bytes, 168 remain"},
    {KEY, 8, UINT64_MAX, DP_E_FORMAT, "", KEY, "a key of 18446744073709551615 bytes, 168 remain"},
    {KEY, 8, TWO(32), DP_E_FORMAT, "", KEY, "a key of 4294967296 bytes"},
    {KEY + 8, 1, 0, DP_E_FORMAT, "", KEY + 8, "a key holds a zero byte"},
    {VALUE_TYPE, 4, 13, DP_E_FORMAT, "a", VALUE_TYPE, "has the unknown value type 13"},
    {VALUE_TYPE, 4, UINT32_MAX, DP_E_FORMAT, "a", VALUE_TYPE, "has the unknown value type 4294967295"},
    {VALUE_TYPE, 4, DPI_GGUF_STRING, DP_E_FORMAT, "a", VALUE, "a string of 4294967303 bytes, 155 remain"},
    {VALUE_TYPE, 4, DPI_GGUF_ARRAY, DP_E_FORMAT, "", DIMS, "a tensor name of 12884901890 bytes, 142 remain"},
    {INFO, 8, 0, DP_E_FORMAT, "", INFO, "a tensor name of 0 bytes is empty"},
    {INFO, 8, TWO(63), DP_E_FORMAT, "", INFO, "a tensor name of 9223372036854775808 bytes, 151 remain"},
    {INFO + 8, 1, 0, DP_E_FORMAT, "", INFO, "a tensor name of 1 bytes"},
    {INFO + 8, 1, 'u', DP_E_FORMAT, "u", 123, "two tensors have this name"},
    {DIMS, 4, 0, DP_E_FORMAT, "t", DIMS, "has 0 dimensions, expected 1 to 4"},
    {DIMS, 4, 5, DP_E_FORMAT, "t", DIMS, "has 5 dimensions, expected 1 to 4"},
    {DIMS, 4, UINT32_MAX, DP_E_FORMAT, "t", DIMS, "has 4294967295 dimensions, expected 1 to 4"},
    {DIMS, 4, 1, DP_E_FORMAT, "t", ROWS, "has rows of 3 elements, q4_0 has blocks of 32"},
    {COLUMNS, 8, 0, DP_E_FORMAT, "t", COLUMNS, "has a dimension of 0"},
    {COLUMNS, 8, UINT64_MAX, DP_E_FORMAT, "t", COLUMNS, "has a dimension of -1"},
    {ROWS, 8, TWO(63), DP_E_FORMAT, "t", ROWS, "has a dimension of -9223372036854775808"},
    {ROWS, 8, TWO(62), DP_E_FORMAT, "t", ROWS, "more elements than 64 bits"},
    {ROWS, 8, TWO(61), DP_E_FORMAT, "t", TYPE, "more bytes than 64 bits"},
    {ROWS, 8, TWO(32), DP_E_FORMAT, "t", DATA, "has 51539607552 bytes at offset 0, the data ends at 72"},
    {TYPE, 4, 99, DP_E_UNSUPPORTED, "t", TYPE, "is of tensor type 99, which is not read"},
    {TYPE, 4, UINT32_MAX, DP_E_UNSUPPORTED, "t", TYPE, "is of tensor type 4294967295"},
    {TYPE, 4, DP_Q8_0, DP_E_FORMAT, "t", TYPE, "has rows of 3 elements, q8_0 has blocks of 32"},
    {SECOND_COLUMNS, 8, 48, DP_E_FORMAT, "u", 111, "has rows of 48 elements, q4_1 has blocks of 32"},
    {OFFSET, 8, 1, DP_E_FORMAT, "t", DATA, "has offset 1, which is no multiple of the alignment 32"},
    {OFFSET, 8, 32, DP_E_FORMAT, "t", DATA + 32, "has offset 32, expected 0: it leaves a hole"},
    {SECOND_OFFSET, 8, 36, DP_E_FORMAT, "u", DATA, "has offset 36, which is no multiple"},
    {SECOND_OFFSET, 8, 0, DP_E_FORMAT, "u", DATA, "has offset 0, expected 32: it overlaps the tensor before"},
    {SECOND_OFFSET, 8, 64, DP_E_FORMAT, "u", DATA, "has 40 bytes at offset 64, the data ends at 72"},
    {SECOND_OFFSET, 8, TWO(63), DP_E_FORMAT, "u", DATA, "has 40 bytes at offset 9223372036854775808"},
    {SECOND_OFFSET, 8, UINT64_MAX - 31, DP_E_FORMAT, "u", DATA, "has 40 bytes at offset 18446744073709551584"},
};

START_TEST(refuses_numbers_that_lie)
{
    const lie *l = &lies[_i];
    dp_context *context = new_context();
    static bytes file;
    dpi_gguf *out = NULL;
    dp_error error = {.code = 0};

    good(&file);
    dpi_le_write(file.at + l->at, l->width, l->value);
    ck_assert_msg(read_gguf(context, &file, &out, &error) == l->code, "%s: %d", l->message, error.code);
    ck_assert_ptr_null(out);
    ck_assert_str_eq(error.file, "m.gguf");
    ck_assert_msg(strstr(error.message, l->message), "%s instead of %s", error.message, l->message);
    ck_assert_str_eq(error.item, l->item);
    ck_assert_msg(error.offset == l->offset, "%s at %ld", error.message, (long)error.offset);
    dpi_context_drop(context);
}
END_TEST

START_TEST(fails_at_every_cut)
{
    dp_context *context = new_context();
    static bytes file;
    dpi_gguf *out = NULL;
    dp_error error;

    good(&file);
    ck_assert_uint_eq(file.size, GOOD);
    while (file.size-- > 0) {
        error = (dp_error){.code = 0};
        ck_assert_msg(read_gguf(context, &file, &out, &error) == DP_E_FORMAT, "%zu bytes", file.size);
        ck_assert(error.message[0] && error.offset >= 0 && error.offset <= DATA);
    }
    dpi_context_drop(context);
}
END_TEST

START_TEST(reads_tensors_and_their_bytes)
{
    dp_context *context = new_context();
    const uint64_t used = context->memory.used;
    static bytes file;
    dpi_gguf *out = NULL;

    for (uint64_t version = 2; version <= 3; version++) {
        good(&file);
        dpi_le_write(file.at + 4, 4, version);
        file.at[DATA] = 11;
        file.at[DATA + 32] = 22;
        pad_bytes(&file, 32); // writers pad the last tensor too
        ck_assert_int_eq(read_gguf(context, &file, &out, NULL), DP_OK);
        ck_assert_uint_eq(out->version, version);
        ck_assert_uint_eq(out->alignment, 32);
        ck_assert_uint_eq(out->tensor_count, 2);
        ck_assert_str_eq(out->tensors[0].name, "t");
        ck_assert_int_eq(out->tensors[0].shape[0], 2);
        ck_assert_int_eq(out->tensors[0].shape[1], 3);
        ck_assert_uint_eq(out->tensors[0].bytes, 24);
        ck_assert_uint_eq(out->tensors[0].offset, DATA);
        ck_assert_uint_eq(out->tensors[0].data[0], 11);
        ck_assert_int_eq(out->tensors[1].type, DP_Q4_1);
        ck_assert_uint_eq(out->tensors[1].bytes, 40);
        ck_assert_uint_eq(out->tensors[1].data[0], 22);
        dpi_gguf_free(out);
    }
    add_zeros(&file, 1);
    ck_assert_int_eq(read_gguf(context, &file, &out, NULL), DP_E_FORMAT);
    end_context(context, used);
}
END_TEST

// A file of one key and no tensor.
static int read_key(const char *key, int32_t type, const bytes *value, dp_error *error)
{
    dp_context *context = new_context();
    static bytes file;
    dpi_gguf *out = NULL;

    add_head(&file, 3, 0, 1);
    add_text(&file, key);
    add_le(&file, 4, (uint64_t)type);
    add(&file, value->at, value->size);
    const int rc = read_gguf(context, &file, &out, error);
    dpi_gguf_free(out);
    dpi_context_drop(context);
    return rc;
}

START_TEST(refuses_array_lengths_that_lie)
{
    static const struct {
        uint64_t element, count;
        int32_t code;
        const char *message;
    } arrays[] = {
        {DPI_GGUF_U8, TWO(60), DP_E_FORMAT, "is an array of 1152921504606846976 elements, 16 bytes remain"},
        {DPI_GGUF_U64, TWO(61), DP_E_FORMAT, "is an array of 2305843009213693952 elements"},
        {DPI_GGUF_U64, TWO(61) + 1, DP_E_FORMAT, "elements, 16 bytes remain"},
        {DPI_GGUF_F32, 1000000000, DP_E_FORMAT, "is an array of 1000000000 elements, 16 bytes remain"},
        {DPI_GGUF_F32, 5, DP_E_FORMAT, "is an array of 5 elements, 16 bytes remain"},
        {DPI_GGUF_STRING, 1000000000, DP_E_FORMAT, "is an array of 1000000000 elements, 16 bytes remain"},
        {DPI_GGUF_STRING, 3, DP_E_FORMAT, "is an array of 3 elements, 16 bytes remain"},
        {DPI_GGUF_STRING, 1, DP_E_FORMAT, "a string of the array of 9 bytes, 8 remain"},
        {DPI_GGUF_ARRAY, 1, DP_E_UNSUPPORTED, "is an array of arrays"},
        {13, 1, DP_E_FORMAT, "is an array of unknown type 13"},
        {UINT32_MAX, 1, DP_E_FORMAT, "is an array of unknown type 4294967295"},
    };
    static bytes value;
    dp_error error;

    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        value.size = 0;
        add_le(&value, 4, arrays[i].element);
        add_le(&value, 8, arrays[i].count);
        add_le(&value, 8, 9);
        add_zeros(&value, 8);
        ck_assert_int_eq(read_key("list", DPI_GGUF_ARRAY, &value, &error), arrays[i].code);
        ck_assert_msg(strstr(error.message, arrays[i].message), "%s", error.message);
        ck_assert_str_eq(error.item, "list");
    }
}
END_TEST

START_TEST(refuses_alignment_and_splits_it_cannot_serve)
{
    static const struct {
        const char *key;
        int32_t type;
        uint64_t value;
        int32_t code;
        const char *message;
    } keys[] = {
        {"general.alignment", DPI_GGUF_U32, 0, DP_E_FORMAT, "\"general.alignment\" is 0, expected 1 to 1048576"},
        {"general.alignment", DPI_GGUF_U32, 3, DP_E_FORMAT, "is 3, expected a power of two"},
        {"general.alignment", DPI_GGUF_U32, TWO(31), DP_E_FORMAT, "expected 1 to 1048576"},
        {"general.alignment", DPI_GGUF_U64, 32, DP_E_FORMAT, "is of type u64, expected u32"},
        {"general.alignment", DPI_GGUF_BOOL, 1, DP_E_FORMAT, "is of type bool, expected u32"},
        {"split.count", DPI_GGUF_U16, 3, DP_E_UNSUPPORTED, "is one part of a file split into 3; merge them first"},
        {"split.count", DPI_GGUF_F32, 0, DP_E_FORMAT, "is of type f32, expected an integer"},
        {"split.count", DPI_GGUF_U16, 1, DP_OK, ""},
    };
    static const int widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8};
    static bytes value;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        dp_error error = {.code = 0};
        value.size = 0;
        add_le(&value, widths[keys[i].type], keys[i].value);
        ck_assert_int_eq(read_key(keys[i].key, keys[i].type, &value, &error), keys[i].code);
        ck_assert_msg(strstr(error.message, keys[i].message), "%s", error.message);
        ck_assert_int_eq(error.offset, keys[i].code ? 24 + 8 + (int)strlen(keys[i].key) + 4 : 0);
    }
}
END_TEST

// Sorted, not compared each with each: this many take milliseconds.
START_TEST(names_a_duplicate_among_many)
{
    enum { MANY = 50000, LAST = MANY - 1 };
    dp_context *context = new_context();
    unsigned char *at = malloc((size_t)MANY * 64 + 24);
    size_t size = 24;
    char name[16];
    dpi_storage *storage = NULL;
    dpi_gguf *out = NULL;
    dp_error error;

    memcpy(at, "GGUF\3\0\0", 8);
    dpi_le_write(at + 8, 8, 0);
    dpi_le_write(at + 16, 8, MANY);
    for (int i = 0; i < MANY; i++) {
        const int length = snprintf(name, sizeof name, "key.%d", i == LAST ? 5 : i);
        dpi_le_write(at + size, 8, (uint64_t)length);
        memcpy(at + size + 8, name, (size_t)length);
        dpi_le_write(at + size + 8 + length, 4, DPI_GGUF_BOOL);
        at[size + 12 + (size_t)length] = 1;
        size += 13 + (size_t)length;
    }
    ck_assert_int_eq(dpi_storage_new(&storage, &context->memory, at, size, NULL, NULL, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_read(&out, &context->memory, storage, "many", &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "the key stands twice");
    ck_assert_str_eq(error.item, "key.5");
    ck_assert_int_eq(error.offset, (int64_t)size - 1);
    dpi_storage_drop(storage);
    dpi_context_drop(context);
    free(at);
}
END_TEST

START_TEST(survives_any_allocation_that_fails)
{
    static bytes bytes_of;
    dp_context *context = new_context();
    dpi_gguf *out = NULL;
    int rc = DP_E_MEMORY, failures = 0;

    good(&bytes_of);
    dpi_storage *storage = exact_storage(context, bytes_of.at, bytes_of.size);
    const uint64_t used = context->memory.used;
    for (uint64_t limit = used + 1; rc == DP_E_MEMORY; limit += 8, failures += rc != DP_OK) {
        context->memory.limit = limit;
        rc = dpi_gguf_read(&out, &context->memory, storage, "m", NULL);
        if (rc)
            ck_assert_uint_eq(context->memory.used, used);
    }
    ck_assert_int_eq(rc, DP_OK);
    ck_assert_int_gt(failures, 4);
    dpi_gguf_free(out);
    dpi_storage_drop(storage);
    dpi_context_drop(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {fails_at_every_cut,
                                  reads_tensors_and_their_bytes,
                                  refuses_array_lengths_that_lie,
                                  refuses_alignment_and_splits_it_cannot_serve,
                                  names_a_duplicate_among_many,
                                  survives_any_allocation_that_fails};
    Suite *suite = suite_create("io/gguf hostile");
    TCase *hostile = tcase_create("numbers");

    tcase_add_loop_test(hostile, refuses_numbers_that_lie, 0, (int)(sizeof lies / sizeof *lies));
    suite_add_tcase(suite, hostile);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return dpt_run("io/gguf", tests, sizeof tests / sizeof *tests) || failed;
}
