// safetensors: round trip, files that must open although they look odd, and files that must not.
#include "base/error.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "tensor/dtype.h"
#include "test/unit/io/support.h"

static bytes file_of(const char *header, size_t data)
{
    static bytes file;

    file.size = 0;
    add_le(&file, 8, strlen(header));
    add(&file, header, strlen(header));
    for (size_t i = 0; i < data; i++)
        add_le(&file, 1, i & 0xff);
    return file;
}

static int read_bytes(dp_context *context, const bytes *file, dpi_safetensors **out, dp_error *error)
{
    const uint64_t used = context->memory.used;
    dpi_storage *storage = exact_storage(context, file->at, file->size);
    const int rc = dpi_safetensors_read(out, &context->memory, storage, "m.safetensors", error);

    dpi_storage_drop(storage);
    if (rc)
        ck_assert_uint_eq(context->memory.used, used); // a failure leaves nothing allocated
    return rc;
}

typedef struct hostile {
    const char *header;
    size_t data;
    int32_t code;
    const char *item;
    int64_t offset;
    const char *message; // a part of it
} hostile;

#define ENTRY(dtype, shape, range) "{\"w\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" range "}}"
#define F32(name, shape, range) "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" range "}"

static const hostile cases[] = {
    {"", 0, DP_E_FORMAT, "", 8, "does not begin with '{'"},
    {"[]", 0, DP_E_FORMAT, "", 8, "does not begin with '{'"},
    {" {}", 0, DP_E_FORMAT, "", 8, "does not begin with '{'"},
    {"\xef\xbb\xbf{}", 0, DP_E_FORMAT, "", 8, "does not begin with '{'"},
    {"{}{}", 0, DP_E_FORMAT, "", -2, "not json"},
    {"{\"w\":", 0, DP_E_FORMAT, "", -2, "not json"},
    {"{\"w\":1}", 0, DP_E_FORMAT, "w", 9, "entry is not an object"},
    {"{\"w\":[\"F32\",[1],[0,4]]}", 4, DP_E_FORMAT, "w", 9, "entry is not an object"},
    {"{\"__metadata__\":[]}", 0, DP_E_FORMAT, "__metadata__", 9, "is not an object"},
    {"{\"__metadata__\":{\"format\":1}}", 0, DP_E_FORMAT, "format", 25, "metadata is not a string"},
    {"{" F32("w", "[1]", "[0,4]") "," F32("w", "[1]", "[4,8]") "}", 8, DP_E_FORMAT, "w", -2, "duplicate"},
    {"{" F32("w", "[1]", "[0,4]") "," F32("\\u0077", "[1]", "[4,8]") "}", 8, DP_E_FORMAT, "\\u0077", -2, "duplicate"},
    {ENTRY("null", "[1]", "[0,4]"), 4, DP_E_FORMAT, "w", 9, "dtype is missing"},
    {ENTRY("\"f32\"", "[1]", "[0,4]"), 4, DP_E_FORMAT, "w", 9, "dtype \"f32\" is unknown"},
    {ENTRY("\"I64\"", "[1]", "[0,8]"), 8, DP_E_UNSUPPORTED, "w", 9, "dtype I64 is not read"},
    {ENTRY("\"F8_E4M3\"", "[1]", "[0,1]"), 1, DP_E_UNSUPPORTED, "w", 9, "dtype F8_E4M3 is not read"},
    {ENTRY("\"F32\"", "1", "[0,4]"), 4, DP_E_FORMAT, "w", 9, "shape is missing or not an array"},
    {ENTRY("\"F32\"", "[1,1,1,1,1]", "[0,4]"), 4, DP_E_UNSUPPORTED, "w", 9, "has 5 dimensions, at most 4"},
    {ENTRY("\"F32\"", "[-1,-1]", "[0,4]"), 4, DP_E_FORMAT, "w", 9, "not a whole number from 0 up"},
    {ENTRY("\"F32\"", "[1.0]", "[0,4]"), 4, DP_E_FORMAT, "w", 9, "not a whole number from 0 up"},
    {ENTRY("\"F32\"", "[\"1\"]", "[0,4]"), 4, DP_E_FORMAT, "w", 9, "not a whole number from 0 up"},
    {ENTRY("\"F32\"", "[[1]]", "[0,4]"), 4, DP_E_FORMAT, "w", 9, "not a whole number from 0 up"},
    {ENTRY("\"F32\"", "[18446744073709551616]", "[0,4]"), 4, DP_E_FORMAT, "", -2, "not json: too big integer"},
    {ENTRY("\"F32\"", "[144115188075855872,32]", "[0,0]"), 0, DP_E_FORMAT, "w", 9, "larger than 64 bits"},
    {ENTRY("\"F32\"", "[576460752303423488,32]", "[0,0]"), 0, DP_E_FORMAT, "w", 9, "larger than 64 bits"},
    {ENTRY("\"F32\"", "[4294967296,4294967296]", "[0,0]"), 0, DP_E_FORMAT, "w", 9, "larger than 64 bits"},
    {ENTRY("\"F32\"", "[2]", "[0,4]"), 4, DP_E_FORMAT, "w", 9, "span 4 bytes, dtype and shape make 8"},
    {ENTRY("\"F32\"", "[1]", "null"), 4, DP_E_FORMAT, "w", 9, "not an array of two integers"},
    {ENTRY("\"F32\"", "[1]", "[0]"), 4, DP_E_FORMAT, "w", 9, "not an array of two integers"},
    {ENTRY("\"F32\"", "[1]", "[0,4,8]"), 4, DP_E_FORMAT, "w", 9, "not an array of two integers"},
    {ENTRY("\"F32\"", "[1]", "[0.0,4]"), 4, DP_E_FORMAT, "w", 9, "not an array of two integers"},
    {ENTRY("\"F32\"", "[1]", "[0,\"4\"]"), 4, DP_E_FORMAT, "w", 9, "not an array of two integers"},
    {ENTRY("\"F32\"", "[1]", "[4,0]"), 4, DP_E_FORMAT, "w", 9, "[4, 0] is not a range"},
    {ENTRY("\"F32\"", "[1]", "[-4,0]"), 4, DP_E_FORMAT, "w", 9, "[-4, 0] is not a range"},
    {ENTRY("\"F32\"", "[2]", "[0,8]"), 7, DP_E_FORMAT, "w", 9, "end at 8, the file has 7 bytes of data"},
    {ENTRY("\"F32\"", "[1]", "[4,8]"), 8, DP_E_FORMAT, "w", 66, "begins at byte 66, after a hole from byte 62"},
    {ENTRY("\"F32\"", "[1]", "[0,4]"), 5, DP_E_FORMAT, "", 66, "1 bytes follow the last tensor"},
    {"{}", 8, DP_E_FORMAT, "", 10, "8 bytes follow the last tensor"},
    {"{" F32("a", "[2]", "[0,8]") "," F32("b", "[1]", "[4,8]") "}", 8, DP_E_FORMAT, "b", 119, "inside \"a\""},
    {"{" F32("a", "[1]", "[0,4]") "," F32("b", "[1]", "[0,4]") "}", 4, DP_E_FORMAT, "b", 115, "inside \"a\""},
    {"{" F32("a", "[1]", "[8,12]") "," F32("b", "[1]", "[0,4]") "}", 12, DP_E_FORMAT, "a", 124, "after a hole"},
    {"{\"\\ud800\":1}", 0, DP_E_FORMAT, "", -2, "not json"},
    {"{\"w\\u0000\":1}", 0, DP_E_FORMAT, "", -2, "not json"},
    {"{\"\xff\":1}", 0, DP_E_FORMAT, "", -2, "not json"},
};

START_TEST(refuses_hostile_headers)
{
    const hostile *c = &cases[_i];
    const bytes file = file_of(c->header, c->data);
    dp_context *context = new_context();
    dpi_safetensors *out = NULL;
    dp_error error = {.code = 0};

    ck_assert_msg(read_bytes(context, &file, &out, &error) == c->code, "%s: %d %s", c->header, error.code,
                  error.message);
    ck_assert_ptr_null(out);
    ck_assert_str_eq(error.file, "m.safetensors");
    ck_assert_str_eq(error.item, c->item);
    ck_assert_msg(strstr(error.message, c->message), "%s: %s", c->header, error.message);
    if (c->offset >= 0)
        ck_assert_msg(error.offset == c->offset, "%s: %s at %ld", c->header, error.message, (long)error.offset);
    else // the parser's position, counted from the header
        ck_assert_msg(error.offset >= 8 && error.offset <= (int64_t)file.size, "%ld", (long)error.offset);
    dpi_context_drop(context);
}
END_TEST

START_TEST(refuses_header_lengths_that_lie)
{
    static const struct {
        uint64_t length;
        const char *message;
    } lies[] = {
        {0, "does not begin with '{'"},
        {3, "header of 3 bytes in a file that has 2 after it"},
        {100000000, "header of 100000000 bytes in a file that has 2 after it"},
        {100000001, "at most 100000000 are allowed"},
        {(uint64_t)1 << 31, "at most 100000000 are allowed"},
        {((uint64_t)1 << 32) + 2, "at most 100000000 are allowed"},
        {(uint64_t)1 << 63, "at most 100000000 are allowed"},
        {UINT64_MAX - 7, "at most 100000000 are allowed"},
        {UINT64_MAX, "at most 100000000 are allowed"},
        {(uint64_t)2 << 56, "at most 100000000 are allowed"},
    };
    dp_context *context = new_context();
    dpi_safetensors *out = NULL;
    dp_error error;

    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        bytes file = file_of("{}", 0);
        dpi_le_write(file.at, 8, lies[i].length);
        ck_assert_int_eq(read_bytes(context, &file, &out, &error), DP_E_FORMAT);
        ck_assert_msg(strstr(error.message, lies[i].message), "%s", error.message);
    }
    for (size_t size = 0; size < 8; size++) {
        bytes file = file_of("{}", 0);
        file.size = size;
        ck_assert_int_eq(read_bytes(context, &file, &out, &error), DP_E_FORMAT);
        ck_assert_msg(strstr(error.message, "are no safetensors file"), "%s", error.message);
    }
    ck_assert_ptr_null(out);
    dpi_context_drop(context);
}
END_TEST

START_TEST(fails_at_every_cut)
{
    const bytes whole = file_of("{" F32("a", "[2]", "[0,8]") "," F32("b", "[1]", "[8,12]") "}", 12);
    dp_context *context = new_context();
    dpi_safetensors *out = NULL;

    for (size_t size = 0; size < whole.size; size++) {
        bytes cut = whole;
        dp_error error = {.code = 0};
        cut.size = size;
        ck_assert_int_eq(read_bytes(context, &cut, &out, &error), DP_E_FORMAT);
        ck_assert_int_le(error.offset, (int64_t)size < 8 ? 8 : (int64_t)size);
    }
    ck_assert_ptr_null(out);
    dpi_context_drop(context);
}
END_TEST

// Order of the header, odd addresses, scalars, empty tensors, spaces at the end.
START_TEST(accepts_what_looks_odd)
{
    const bytes file =
        file_of("{" F32("b", "[1,1]", "[4,8]") ",\"none\":{\"dtype\":\"F16\",\"shape\":[0,9],\"data_offsets\":"
                                               "[8,8]}," F32("a", "[]",
                                                             "[0,4]") ",\"__metadata__\":{\"format\":\"pt\"}}   ",
                8);
    dp_context *context = new_context();
    const uint64_t used = context->memory.used;
    dpi_safetensors *out = NULL;

    ck_assert_int_eq(read_bytes(context, &file, &out, NULL), DP_OK);
    ck_assert_uint_eq(out->count, 3);
    ck_assert_str_eq(out->tensors[0].name, "a");
    ck_assert_int_eq(out->tensors[0].dims, 0);
    ck_assert_int_eq(dpi_tensor_count(&out->tensors[0]), 1);
    ck_assert_uint_eq(out->tensors[0].offset, file.size - 8);
    ck_assert_str_eq(out->tensors[1].name, "b");
    ck_assert_mem_eq(out->tensors[1].data, file.at + file.size - 4, 4);
    ck_assert_uint_eq((uintptr_t)out->tensors[1].data % 4, 0);
    ck_assert_str_eq(out->tensors[2].name, "none");
    ck_assert_uint_eq(out->tensors[2].bytes, 0);
    dpi_safetensors_free(out);
    end_context(context, used);
}
END_TEST

START_TEST(names_a_duplicate_among_many)
{
    enum { MANY = 100000 };
    char *text = malloc((size_t)MANY * 64 + 8);
    size_t size = 8;
    dp_context *context = new_context();
    dpi_storage *storage = NULL;
    dpi_safetensors *out = NULL;
    dp_error error;

    for (int i = 0; i < MANY; i++)
        size += (size_t)sprintf(text + size, "%c\"t%d\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}",
                                i ? ',' : '{', i < MANY - 1 ? i : 7);
    text[size++] = '}';
    dpi_le_write((unsigned char *)text, 8, size - 8);
    ck_assert_int_eq(dpi_storage_new(&storage, &context->memory, text, size, NULL, NULL, NULL), DP_OK);
    ck_assert_int_eq(dpi_safetensors_read(&out, &context->memory, storage, "many", &error), DP_E_FORMAT);
    ck_assert_msg(strstr(error.message, "duplicate"), "%s", error.message);
    ck_assert_int_gt(error.offset, (int64_t)size - 100);
    dpi_storage_drop(storage);
    dpi_context_drop(context);
    free(text);
}
END_TEST

START_TEST(reads_what_it_wrote)
{
    static const dpi_pair pairs[] = {{"made_by", "a \"test\"\n"}};
    const float values[6] = {1, 2, 3, 4, 5, 6};
    const uint16_t halves[3] = {0x3c00, 0x4000, 0x7bff};
    const dpi_tensor tensors[] = {
        {.name = (char[]){"odd \"name\" \xc3\xa9"}, .shape = {3}, .dims = 1, .type = DP_BF16},
        {.name = (char[]){"w"}, .shape = {2, 3}, .dims = 2, .type = DP_F32},
    };
    dp_context *context = new_context();
    const uint64_t used = context->memory.used;
    const char *folder = new_folder(), *path = under(folder, "m.safetensors");
    dpi_stage *stage = NULL;
    dpi_writer *writer = NULL;
    dpi_storage *storage = NULL;
    dpi_safetensors *out = NULL;
    uint64_t size = 0;

    ck_assert_int_eq(dpi_stage_open(&stage, context, path, 0, 0, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_file(stage, NULL, &writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_safetensors_header(writer, &context->memory, tensors, 2, pairs, 1, &size, NULL), DP_OK);
    ck_assert_uint_eq(dpi_writer_size(writer) % 8, 0);
    ck_assert_int_eq(dpi_writer_add(writer, halves, sizeof halves, NULL), DP_OK);
    ck_assert_int_eq(dpi_writer_add(writer, values, sizeof values, NULL), DP_OK);
    ck_assert_uint_eq(dpi_writer_size(writer), size);
    ck_assert_int_eq(dpi_writer_end(writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_commit(stage, NULL), DP_OK);

    ck_assert_int_eq(dpi_file_open(&storage, context, path, 0, NULL), DP_OK);
    ck_assert_uint_eq(dpi_storage_size(storage), size);
    ck_assert_ptr_nonnull(memmem(dpi_storage_bytes(storage), size, "{\"__metadata__\":{\"format\":\"pt\",", 31));
    ck_assert_int_eq(dpi_safetensors_read(&out, &context->memory, storage, path, NULL), DP_OK);
    ck_assert_uint_eq(out->count, 2);
    ck_assert_str_eq(out->tensors[0].name, tensors[0].name);
    ck_assert_int_eq(out->tensors[0].type, DP_BF16);
    ck_assert_mem_eq(out->tensors[0].data, halves, sizeof halves);
    ck_assert_int_eq(out->tensors[1].dims, 2);
    ck_assert_int_eq(out->tensors[1].shape[0], 2);
    ck_assert_int_eq(out->tensors[1].shape[1], 3);
    ck_assert_mem_eq(out->tensors[1].data, values, sizeof values);
    ck_assert_uint_eq((uintptr_t)out->tensors[1].data % 4, 0); // moved: 6 bytes of halves stand before it
    dpi_safetensors_free(out);
    dpi_storage_drop(storage);
    end_context(context, used);
    unlink(path);
    rmdir(folder);
}
END_TEST

START_TEST(writes_no_type_that_the_format_lacks)
{
    const dpi_tensor tensor = {.name = (char[]){"w"}, .shape = {1, 32}, .dims = 2, .type = DP_Q4_1};
    dp_context *context = new_context();
    const char *folder = new_folder();
    dpi_stage *stage = NULL;
    dpi_writer *writer = NULL;
    dp_error error;

    ck_assert_int_eq(dpi_stage_open(&stage, context, under(folder, "m.safetensors"), 0, 0, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_file(stage, NULL, &writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_safetensors_header(writer, &context->memory, &tensor, 1, NULL, 0, NULL, &error),
                     DP_E_UNSUPPORTED);
    ck_assert_str_eq(error.message, "type q4_1 cannot be written as safetensors");
    ck_assert_str_eq(error.item, "w");
    dpi_writer_abandon(writer);
    dpi_stage_abandon(stage);
    ck_assert_int_eq(rmdir(folder), 0); // nothing was left in it
    dpi_context_drop(context);
}
END_TEST

// Memory that runs out at any allocation is reported and leaves nothing behind.
START_TEST(survives_any_allocation_that_fails)
{
    const bytes file = file_of("{" F32("a", "[2]", "[0,8]") "," F32("b", "[1]", "[8,12]") "}", 12);
    dp_context *context = new_context();
    dpi_storage *storage = exact_storage(context, file.at, file.size);
    const uint64_t used = context->memory.used;
    dpi_safetensors *out = NULL;
    int rc = DP_E_MEMORY, failures = 0;

    for (uint64_t limit = used + 1; rc == DP_E_MEMORY; limit += 8, failures += rc != DP_OK) {
        context->memory.limit = limit;
        rc = dpi_safetensors_read(&out, &context->memory, storage, "m", NULL);
        if (rc)
            ck_assert_uint_eq(context->memory.used, used);
    }
    ck_assert_int_eq(rc, DP_OK);
    ck_assert_int_gt(failures, 4);
    dpi_safetensors_free(out);
    dpi_storage_drop(storage);
    dpi_context_drop(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        refuses_header_lengths_that_lie,   fails_at_every_cut,  accepts_what_looks_odd,
        names_a_duplicate_among_many,      reads_what_it_wrote, writes_no_type_that_the_format_lacks,
        survives_any_allocation_that_fails};
    Suite *suite = suite_create("io/safetensors hostile");
    TCase *hostile_headers = tcase_create("headers");

    tcase_add_loop_test(hostile_headers, refuses_hostile_headers, 0, (int)(sizeof cases / sizeof *cases));
    suite_add_tcase(suite, hostile_headers);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return dpt_run("io/safetensors", tests, sizeof tests / sizeof *tests) || failed;
}
