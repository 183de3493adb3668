// GGUF values by key, and files that are written and read back.
#include "io/file.h"
#include "test/unit/io/gguf_support.h"

START_TEST(reads_values_by_type_and_range)
{
    dp_context *context = new_context();
    const uint64_t used = context->memory.used;
    static bytes file;
    dpi_gguf *g = NULL;
    int64_t number = -1;
    double real = -1;
    int flag = -1;
    const char *string = NULL;
    size_t size = 0;
    dp_error error;

    add_head(&file, 3, 0, 10);
    add_text(&file, "i8"), add_le(&file, 4, DPI_GGUF_I8), add_le(&file, 1, 0xfe);
    add_text(&file, "i64"), add_le(&file, 4, DPI_GGUF_I64), add_le(&file, 8, (uint64_t)-5);
    add_text(&file, "u64"), add_le(&file, 4, DPI_GGUF_U64), add_le(&file, 8, UINT64_MAX);
    add_text(&file, "f"), add_le(&file, 4, DPI_GGUF_F32), add_le(&file, 4, 0x3fc00000);
    add_text(&file, "nan"), add_le(&file, 4, DPI_GGUF_F32), add_le(&file, 4, 0x7fc00000);
    add_text(&file, "b"), add_le(&file, 4, DPI_GGUF_BOOL), add_le(&file, 1, 2);
    add_text(&file, "s"), add_le(&file, 4, DPI_GGUF_STRING), add_text(&file, "text");
    add_text(&file, "i16"), add_le(&file, 4, DPI_GGUF_I16), add_le(&file, 2, 0xfffd);
    add_text(&file, "i32"), add_le(&file, 4, DPI_GGUF_I32), add_le(&file, 4, 0xfffffffc);
    add_text(&file, "f64"), add_le(&file, 4, DPI_GGUF_F64), add_le(&file, 8, 0x4004000000000000);
    ck_assert_int_eq(read_gguf(context, &file, &g, NULL), DP_OK);

    ck_assert_int_eq(dpi_gguf_int(g, "i8", 1, -2, -2, &number, NULL), DP_OK);
    ck_assert_int_eq(number, -2);
    ck_assert_int_eq(dpi_gguf_int(g, "i16", 1, -9, 9, &number, NULL), DP_OK);
    ck_assert_int_eq(number, -3);
    ck_assert_int_eq(dpi_gguf_int(g, "i32", 1, -9, 9, &number, NULL), DP_OK);
    ck_assert_int_eq(number, -4);
    ck_assert_int_eq(dpi_gguf_real(g, "f64", 1, &real, NULL), DP_OK);
    ck_assert(real == 2.5);
    ck_assert_int_eq(dpi_gguf_real(g, "u64", 1, &real, NULL), DP_OK);
    ck_assert(real == 18446744073709551616.0);
    ck_assert_int_eq(dpi_gguf_real(g, "i64", 1, &real, NULL), DP_OK);
    ck_assert(real == -5);
    ck_assert_int_eq(dpi_gguf_int(g, "i64", 1, -9, 9, &number, NULL), DP_OK);
    ck_assert_int_eq(number, -5);
    ck_assert_int_eq(dpi_gguf_real(g, "f", 1, &real, NULL), DP_OK);
    ck_assert(real == 1.5);
    ck_assert_int_eq(dpi_gguf_string(g, "s", 1, &string, &size, NULL), DP_OK);
    ck_assert(size == 4 && memcmp(string, "text", 4) == 0);

    number = -1, real = -1;
    ck_assert_int_eq(dpi_gguf_int(g, "i8", 1, 0, 9, &number, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "\"i8\" is -2, expected 0 to 9");
    ck_assert_int_eq(error.offset, 24 + 8 + 2 + 4);
    ck_assert_int_eq(dpi_gguf_int(g, "u64", 1, 0, INT64_MAX, &number, &error), DP_E_FORMAT);
    ck_assert_msg(strstr(error.message, "is 18446744073709551615"), "%s", error.message);
    ck_assert_int_eq(dpi_gguf_int(g, "f", 1, 0, 9, &number, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "\"f\" is of type f32, expected an integer");
    ck_assert_int_eq(dpi_gguf_int(g, "absent", 1, 0, 9, &number, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "\"absent\" is missing");
    ck_assert_str_eq(error.item, "absent");
    ck_assert_int_eq(dpi_gguf_int(g, "absent", 0, 0, 9, &number, &error), DP_OK);
    ck_assert_int_eq(dpi_gguf_real(g, "nan", 1, &real, &error), DP_E_FORMAT);
    ck_assert_int_eq(dpi_gguf_real(g, "s", 1, &real, &error), DP_E_FORMAT);
    ck_assert_int_eq(dpi_gguf_bool(g, "b", 1, &flag, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.message, "\"b\" is 2, expected 0 or 1");
    ck_assert_int_eq(dpi_gguf_bool(g, "f", 1, &flag, &error), DP_E_FORMAT);
    ck_assert_int_eq(dpi_gguf_string(g, "f", 1, &string, &size, &error), DP_E_FORMAT);
    ck_assert(number == -1 && real == -1 && flag == -1);
    dpi_gguf_free(g);
    end_context(context, used);
}
END_TEST

static void write_file(dp_context *context, dpi_gguf_out *out, const char *path, const dpi_tensor *tensors,
                       const void *const *data, size_t count)
{
    dpi_stage *stage = NULL;
    dpi_writer *writer = NULL;
    uint64_t promised = 0;

    ck_assert_int_eq(dpi_stage_open(&stage, context, path, 0, 1, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_file(stage, NULL, &writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_header(out, writer, tensors, count, &promised, NULL), DP_OK);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(dpi_writer_add(writer, data[i], tensors[i].bytes, NULL), DP_OK);
        ck_assert_int_eq(dpi_gguf_pad(out, writer, NULL), DP_OK);
    }
    ck_assert_uint_eq(dpi_writer_size(writer), promised);
    ck_assert_int_eq(dpi_writer_end(writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_commit(stage, NULL), DP_OK);
}

static dpi_gguf *read_path(dp_context *context, const char *path)
{
    dpi_storage *storage = NULL;
    dpi_gguf *file = NULL;
    dp_error error = {.code = 0};

    ck_assert_int_eq(dpi_file_open(&storage, context, path, 0, NULL), DP_OK);
    ck_assert_msg(dpi_gguf_read(&file, &context->memory, storage, path, &error) == DP_OK, "%s", error.message);
    dpi_storage_drop(storage);
    return file;
}

static void put_samples(dpi_gguf_out *out)
{
    static const char *const strings[] = {"one", "", "three\xe2\x96\x81"};
    static const size_t sizes[] = {3, 0, 8};
    static const uint32_t numbers[] = {5, 6};

    ck_assert_int_eq(dpi_gguf_put_string(out, "first", "x", 1, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_put_u32(out, "count", 1, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_put_f32(out, "eps", 1e-5f, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_put_bool(out, "flag", 4, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_put_strings(out, "words", strings, sizes, 3, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_put_array(out, "list", DPI_GGUF_I32, numbers, 2, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_put_u32(out, "count", 24, NULL), DP_OK); // replaces in place
    ck_assert_int_eq(dpi_gguf_put_array(out, "none", DPI_GGUF_STRING, numbers, 2, NULL), DP_E_ARGUMENT);
}

static void check_samples(const dpi_gguf *file)
{
    const dpi_gguf_entry *entry = NULL;
    const char *string;
    int64_t count = 0;
    double eps = 0;
    int flag = 0;
    size_t size;

    ck_assert_int_eq(dpi_gguf_int(file, "count", 1, 0, 99, &count, NULL), DP_OK);
    ck_assert_int_eq(count, 24);
    ck_assert_int_eq(dpi_gguf_real(file, "eps", 1, &eps, NULL), DP_OK);
    ck_assert(eps == (double)1e-5f);
    ck_assert_int_eq(dpi_gguf_bool(file, "flag", 1, &flag, NULL), DP_OK);
    ck_assert_int_eq(flag, 1);
    ck_assert_int_eq(dpi_gguf_array(file, "words", 1, DPI_GGUF_U32, &entry, NULL), DP_E_FORMAT);
    ck_assert_int_eq(dpi_gguf_array(file, "count", 1, DPI_GGUF_U8, &entry, NULL), DP_E_FORMAT);
    ck_assert_ptr_null(entry);
    ck_assert_int_eq(dpi_gguf_array(file, "words", 1, DPI_GGUF_STRING, &entry, NULL), DP_OK);
    ck_assert_uint_eq(entry->count, 3);
    const unsigned char *cursor = entry->data;
    dpi_gguf_next(&cursor, &string, &size);
    ck_assert(size == 3 && memcmp(string, "one", 3) == 0);
    dpi_gguf_next(&cursor, &string, &size);
    ck_assert_uint_eq(size, 0);
    dpi_gguf_next(&cursor, &string, &size);
    ck_assert(size == 8 && memcmp(string, "three\xe2\x96\x81", 8) == 0);
    ck_assert_int_eq(dpi_gguf_array(file, "list", 1, DPI_GGUF_I32, &entry, NULL), DP_OK);
    ck_assert_uint_eq(dpi_le_read(entry->data + 4, 4), 6);
    ck_assert_uint_eq(file->entries[1].key_size, 5); // "count" kept its place
    ck_assert_mem_eq(file->entries[1].key, "count", 5);
}

START_TEST(reads_what_it_wrote)
{
    static const uint32_t alignments[] = {32, 64, 1};
    const float values[6] = {1, 2, 3, 4, 5, 6};
    unsigned char blocks[20] = {1, 2, 3};
    const dpi_tensor tensors[] = {
        {.name = (char[]){"q"}, .shape = {1, 32}, .dims = 2, .type = DP_Q4_1, .bytes = sizeof blocks},
        {.name = (char[]){"w"}, .shape = {2, 3}, .dims = 2, .type = DP_F32, .bytes = sizeof values},
    };
    const void *const data[] = {blocks, values};
    dp_context *context = new_context();
    const uint64_t used = context->memory.used;
    const char *folder = new_folder(), *path = under(folder, "m.gguf");

    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++) {
        dpi_gguf_out *out = NULL;
        ck_assert_int_eq(dpi_gguf_out_open(&out, &context->memory, alignments[i], NULL), DP_OK);
        put_samples(out);
        write_file(context, out, path, tensors, data, 2);
        dpi_gguf_out_free(out);
        dpi_gguf *file = read_path(context, path);
        check_samples(file);
        ck_assert_uint_eq(file->alignment, alignments[i]);
        ck_assert_uint_eq(file->entry_count, alignments[i] == 32 ? 6 : 7);
        ck_assert_int_eq(file->tensors[0].shape[1], 32);
        ck_assert_mem_eq(file->tensors[0].data, blocks, sizeof blocks);
        ck_assert_mem_eq(file->tensors[1].data, values, sizeof values);
        ck_assert_uint_eq((uintptr_t)file->tensors[1].data % 4, 0);
        dpi_gguf_free(file);
    }
    end_context(context, used);
    unlink(path);
    rmdir(folder);
}
END_TEST

START_TEST(copies_entries_byte_for_byte)
{
    dp_context *context = new_context();
    const uint64_t used = context->memory.used;
    const char *folder = new_folder(), *first = under(folder, "a.gguf"), *second = under(folder, "b.gguf");
    dpi_gguf_out *out = NULL;

    ck_assert_int_eq(dpi_gguf_out_open(&out, &context->memory, 64, NULL), DP_OK);
    put_samples(out);
    write_file(context, out, first, NULL, NULL, 0);
    dpi_gguf_out_free(out);
    dpi_gguf *from = read_path(context, first);
    ck_assert_int_eq(dpi_gguf_out_open(&out, &context->memory, 64, NULL), DP_OK);
    for (size_t i = 0; i < from->entry_count; i++)
        ck_assert_int_eq(dpi_gguf_put_entry(out, &from->entries[i], NULL), DP_OK);
    write_file(context, out, second, NULL, NULL, 0);
    dpi_gguf_out_free(out);
    dpi_gguf *to = read_path(context, second);
    ck_assert_uint_eq(dpi_storage_size(from->storage), dpi_storage_size(to->storage));
    ck_assert_mem_eq(dpi_storage_bytes(from->storage), dpi_storage_bytes(to->storage),
                     (size_t)dpi_storage_size(to->storage));
    dpi_gguf_free(from);
    dpi_gguf_free(to);
    end_context(context, used);
    unlink(first);
    unlink(second);
    rmdir(folder);
}
END_TEST

// A copied alignment must not contradict the layout.
START_TEST(states_its_own_alignment)
{
    dp_context *context = new_context();
    const char *folder = new_folder(), *path = under(folder, "m.gguf");
    dpi_gguf_out *out = NULL;

    ck_assert_int_eq(dpi_gguf_out_open(&out, &context->memory, 3, NULL), DP_E_ARGUMENT);
    ck_assert_int_eq(dpi_gguf_out_open(&out, &context->memory, 32, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_put_u32(out, "general.alignment", 128, NULL), DP_OK);
    write_file(context, out, path, NULL, NULL, 0);
    dpi_gguf_out_free(out);
    dpi_gguf *file = read_path(context, path);
    ck_assert_uint_eq(file->alignment, 32);
    ck_assert_uint_eq(file->entry_count, 1);
    dpi_gguf_free(file);
    dpi_context_drop(context);
    unlink(path);
    rmdir(folder);
}
END_TEST

START_TEST(writes_no_tensor_that_readers_refuse)
{
    char long_name[65];
    const struct {
        dpi_tensor tensor;
        int code;
    } cases[] = {
        {{.name = long_name, .shape = {32}, .dims = 1, .type = DP_F32}, DP_E_UNSUPPORTED},
        {{.name = (char[]){""}, .shape = {32}, .dims = 1, .type = DP_F32}, DP_E_UNSUPPORTED},
        {{.name = (char[]){"w"}, .shape = {1}, .dims = 0, .type = DP_F32}, DP_E_ARGUMENT},
        {{.name = (char[]){"w"}, .shape = {2, 33}, .dims = 2, .type = DP_Q4_1}, DP_E_ARGUMENT},
        {{.name = (char[]){"w"}, .shape = {0, 32}, .dims = 2, .type = DP_F32}, DP_E_ARGUMENT},
        {{.name = (char[]){"w"}, .shape = {INT64_MAX, 32}, .dims = 2, .type = DP_F32}, DP_E_ARGUMENT},
    };
    dp_context *context = new_context();
    const char *folder = new_folder();
    dpi_gguf_out *out = NULL;
    dpi_stage *stage = NULL;
    dpi_writer *writer = NULL;

    memset(long_name, 'n', 64);
    long_name[64] = 0;
    ck_assert_int_eq(dpi_gguf_out_open(&out, &context->memory, 32, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_open(&stage, context, under(folder, "m.gguf"), 0, 0, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_file(stage, NULL, &writer, NULL), DP_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dp_error error = {.code = 0};
        ck_assert_int_eq(dpi_gguf_header(out, writer, &cases[i].tensor, 1, NULL, &error), cases[i].code);
        ck_assert_str_eq(error.item, cases[i].tensor.name);
    }
    ck_assert_uint_eq(dpi_writer_size(writer), 0);
    dpi_writer_abandon(writer);
    dpi_stage_abandon(stage);
    dpi_gguf_out_free(out);
    ck_assert_int_eq(rmdir(folder), 0);
    dpi_context_drop(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {reads_values_by_type_and_range, reads_what_it_wrote, copies_entries_byte_for_byte,
                                  states_its_own_alignment, writes_no_tensor_that_readers_refuse};

    return dpt_run("io/gguf values", tests, sizeof tests / sizeof *tests);
}
