// PyTorch checkpoints: files of PyTorch itself, then archive and pickle that disagree about sizes, places and
// kinds.
#include "io/torch.h"
#include "test/unit/io/support.h"
#include "test/unit/io/torch_golden.h"
#include "test/unit/io/torch_support.h"

static int read_file(dp_context *context, const void *from, size_t size, dpi_safetensors **out, dp_error *error)
{
    const uint64_t used = context->memory.used;
    dpi_storage *storage = exact_storage(context, from, size);
    const int rc = dpi_torch_read(out, &context->memory, storage, "m.bin", error);

    dpi_storage_drop(storage);
    if (rc)
        ck_assert_uint_eq(context->memory.used, used);
    return rc;
}

static const dpi_tensor *tensor_of(const dpi_safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    ck_abort_msg("no tensor %s", name);
    return NULL;
}

static void check_floats(const dpi_safetensors *file, const char *name, float first, int64_t count)
{
    const dpi_tensor *tensor = tensor_of(file, name);
    float values[16];

    ck_assert_int_eq(tensor->type, DP_F32);
    ck_assert_uint_eq(tensor->bytes, (uint64_t)count * 4);
    memcpy(values, tensor->data, tensor->bytes);
    for (int64_t i = 0; i < count; i++)
        ck_assert_float_eq(values[i], first + (float)i);
}

START_TEST(reads_files_of_pytorch)
{
    dp_context *context = new_context();
    const uint64_t used = context->memory.used;
    dpi_safetensors *file = NULL;
    dp_error error;

    ck_assert_msg(read_file(context, golden_mixed, sizeof golden_mixed, &file, &error) == 0, "%s", error.message);
    ck_assert_uint_eq(file->count, 7);
    check_floats(file, "weight", 0, 12);
    check_floats(file, "slice", 2, 2);
    check_floats(file, "scalar", 7, 1);
    check_floats(file, "parameter", 3, 1);
    ck_assert_ptr_eq(tensor_of(file, "tied")->data, tensor_of(file, "weight")->data);
    ck_assert_int_eq(tensor_of(file, "weight")->shape[0], 4);
    ck_assert_int_eq(tensor_of(file, "weight")->shape[1], 3);
    ck_assert_int_eq(tensor_of(file, "scalar")->dims, 0);
    ck_assert_int_eq(tensor_of(file, "half")->type, DP_F16);
    ck_assert_mem_eq(tensor_of(file, "half")->data, "\x00\x3c\x00\xc0", 4);
    ck_assert_int_eq(tensor_of(file, "brain")->type, DP_BF16);
    ck_assert_mem_eq(tensor_of(file, "brain")->data, "\xc0\x3f\x80\xbe", 4);
    for (size_t i = 0; i < file->count; i++) {
        ck_assert_ptr_eq(file->tensors[i].storage, file->tensors[0].storage); // nothing was copied
        ck_assert(i == 0 || file->tensors[i - 1].offset <= file->tensors[i].offset);
        ck_assert_mem_eq(golden_mixed + file->tensors[i].offset, file->tensors[i].data, file->tensors[i].bytes);
    }
    dpi_safetensors_free(file);
    ck_assert_int_eq(read_file(context, golden_module, sizeof golden_module, &file, NULL), DP_OK); // protocol 5
    ck_assert_uint_eq(file->count, 2);
    check_floats(file, "weight", 1, 2);
    check_floats(file, "bias", 3, 1);
    dpi_safetensors_free(file);
    ck_assert_int_eq(read_file(context, golden_training, sizeof golden_training, &file, NULL), DP_OK);
    ck_assert_uint_eq(file->count, 1);
    check_floats(file, "weight", 0, 12);
    dpi_safetensors_free(file);
    end_context(context, used);
}
END_TEST

// The pickle that the tests write is the one that PyTorch writes.
START_TEST(equals_a_pickle_of_pytorch)
{
    static const saved tensors[] = {{"weight", "FloatStorage", "0", 12, 0, 2, {4, 3}, {3, 1}},
                                    {"half", "HalfStorage", "1", 2, 0, 1, {2}, {1}},
                                    {"brain", "BFloat16Storage", "2", 2, 0, 2, {2, 1}, {1, 1}},
                                    {"slice", "FloatStorage", "3", 5, 2, 1, {2}, {1}},
                                    {"scalar", "FloatStorage", "4", 1, 0, 0, {0}, {0}}};
    pickler p = {.count = 0};

    pickle_begin(&p);
    pile_text(&p.out, "(");
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        pickle_text(&p, tensors[i].name);
        pickle_tensor(&p, &tensors[i]);
        if (i == 0) { // the same object again
            const uint32_t made = p.count - 1;
            pickle_text(&p, "tied");
            pile_le(&p.out, 2, 'h' | made << 8);
        }
    }
    ck_assert_mem_eq(golden_mixed + 64, p.out.at, p.out.size); // then a parameter
    free(p.out.at);
}
END_TEST

static const float numbers[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const stored TWELVE = {"0", numbers, sizeof numbers};

typedef struct hostile {
    saved tensor;
    int32_t code;
    const char *message;
} hostile;

#define BIG ((int64_t)1 << 62)
#define VIEW "is a view with strides"

static const hostile cases[] = {
    {{"w", "FloatStorage", "1", 12, 0, 1, {12}, {1}},
     DP_E_FORMAT,
     "storage \"1\", which the archive does not have"},
    {{"w", "FloatStorage", "", 12, 0, 1, {12}, {1}}, DP_E_FORMAT, "storage \"\", which the archive does not have"},
    {{"w", "FloatStorage", "../data.pkl", 12, 0, 1, {12}, {1}}, DP_E_FORMAT, "which the archive does not have"},
    {{"w", "FloatStorage", "/etc/passwd", 12, 0, 1, {12}, {1}}, DP_E_FORMAT, "which the archive does not have"},
    {{"w", "FloatStorage", "0", 13, 0, 1, {12}, {1}}, DP_E_FORMAT, "13 elements of 4 bytes, its member has 48"},
    {{"w", "FloatStorage", "0", 11, 0, 1, {11}, {1}}, DP_E_FORMAT, "11 elements of 4 bytes, its member has 48"},
    {{"w", "HalfStorage", "0", 12, 0, 1, {12}, {1}}, DP_E_FORMAT, "12 elements of 2 bytes, its member has 48"},
    {{"w", "DoubleStorage", "0", 12, 0, 1, {6}, {1}}, DP_E_FORMAT, "12 elements of 8 bytes, its member has 48"},
    {{"w", "FloatStorage", "0", 0, 0, 1, {0}, {1}}, DP_E_FORMAT, "0 elements of 4 bytes, its member has 48"},
    {{"w", "FloatStorage", "0", BIG + 12, 0, 1, {12}, {1}}, DP_E_FORMAT, "its member has 48"}, // wraps to 48 bytes
    {{"w", "FloatStorage", "0", INT64_MAX, 0, 1, {12}, {1}}, DP_E_FORMAT, "its member has 48"},
    {{"w", "FloatStorage", "0", 12, 0, 1, {13}, {1}}, DP_E_FORMAT, "has 13 elements from 0 on, its storage has 12"},
    {{"w", "FloatStorage", "0", 12, 1, 1, {12}, {1}}, DP_E_FORMAT, "has 12 elements from 1 on, its storage has 12"},
    {{"w", "FloatStorage", "0", 12, 13, 1, {0}, {1}}, DP_E_FORMAT, "has 0 elements from 13 on"},
    {{"w", "FloatStorage", "0", 12, INT64_MAX, 1, {1}, {1}}, DP_E_FORMAT, "from 9223372036854775807 on"},
    {{"w", "FloatStorage", "0", 12, INT64_MAX, 1, {12}, {1}}, DP_E_FORMAT, "from 9223372036854775807 on"},
    {{"w", "FloatStorage", "0", 12, BIG, 1, {12}, {1}}, DP_E_FORMAT, "from 4611686018427387904 on"}, // 2^64 bytes
    {{"w", "FloatStorage", "0", 12, 0, 2, {BIG, 4}, {4, 1}}, DP_E_FORMAT, "larger than 64 bits"},
    {{"w", "FloatStorage", "0", 12, 0, 2, {(int64_t)1 << 32, (int64_t)1 << 32}, {(int64_t)1 << 32, 1}},
     DP_E_FORMAT,
     "larger than 64 bits"},
    {{"w", "FloatStorage", "0", 12, 0, 2, {INT64_MAX, INT64_MAX}, {INT64_MAX, 1}}, DP_E_FORMAT, "larger than 64"},
    {{"w", "FloatStorage", "0", 12, 0, 1, {(int64_t)1 << 61}, {1}}, DP_E_FORMAT, "larger than 64 bits"},
    {{"w", "FloatStorage", "0", 12, 0, 2, {3, 4}, {1, 3}}, DP_E_UNSUPPORTED, VIEW}, // transposed
    {{"w", "FloatStorage", "0", 12, 0, 2, {4, 2}, {3, 1}}, DP_E_UNSUPPORTED, VIEW}, // columns cut off
    {{"w", "FloatStorage", "0", 12, 0, 2, {4, 3}, {0, 1}}, DP_E_UNSUPPORTED, VIEW}, // expanded
    {{"w", "FloatStorage", "0", 12, 0, 1, {6}, {2}}, DP_E_UNSUPPORTED, VIEW},
    {{"w", "FloatStorage", "0", 12, 0, 1, {4}, {0}}, DP_E_UNSUPPORTED, VIEW},
    {{"w", "FloatStorage", "0", 12, 0, 1, {2}, {INT64_MAX}}, DP_E_UNSUPPORTED, VIEW},
    {{"w", "FloatStorage", "0", 12, 0, 2, {4, 3}, {INT64_MAX, 1}}, DP_E_UNSUPPORTED, VIEW},
    {{"w", "LongStorage", "0", 6, 0, 1, {6}, {1}}, DP_E_UNSUPPORTED, "LongStorage is not read"},
    {{"w", "ByteStorage", "0", 48, 0, 1, {48}, {1}}, DP_E_UNSUPPORTED, "ByteStorage is not read"},
    {{"w", "ComplexFloatStorage", "0", 6, 0, 1, {6}, {1}}, DP_E_UNSUPPORTED, "ComplexFloatStorage is not read"},
    {{"w", "UntypedStorage", "0", 48, 0, 1, {48}, {1}}, DP_E_UNSUPPORTED, "UntypedStorage is not read"},
};

START_TEST(refuses_tensors_that_lie)
{
    const hostile *c = &cases[_i];
    const pile pickle = pickle_of(&c->tensor, 1), file = archive_of(NULL, &pickle, &TWELVE, 1);
    dp_context *context = new_context();
    dpi_safetensors *out = NULL;
    dp_error error = {.code = 0};

    ck_assert_msg(read_file(context, file.at, file.size, &out, &error) == c->code, "%d %s", error.code,
                  error.message);
    ck_assert_ptr_null(out);
    ck_assert_str_eq(error.file, "m.bin");
    ck_assert_str_eq(error.item, "w");
    ck_assert_msg(strstr(error.message, c->message), "%s", error.message);
    ck_assert_int_ge(error.offset, 64);
    ck_assert_int_eq(file.at[error.offset], 'R'); // the opcode that made it
    dpi_context_drop(context);
    free(pickle.at);
    free(file.at);
}
END_TEST

START_TEST(accepts_what_looks_odd)
{
    static const saved tensors[] = {
        {"strides of ones", "FloatStorage", "0", 12, 0, 3, {1, 12, 1}, {7, 1, 99}},
        {"empty", "FloatStorage", "0", 12, 12, 2, {0, 5}, {9, 9}},
        {"vast and empty", "FloatStorage", "0", 12, 0, 3, {0, BIG, BIG}, {1, 1, 1}},
        {"last", "FloatStorage", "0", 12, 11, 1, {1}, {1}},
        {"no bytes", "FloatStorage", "1", 0, 0, 1, {0}, {1}},
        {"four", "FloatStorage", "0", 12, 0, 4, {1, 2, 2, 3}, {12, 6, 3, 1}},
        {"whole numbers", "IntStorage", "0", 12, 0, 1, {12}, {1}}, // the same bytes as another type
        {"\xc3\xa9 %n", "FloatStorage", "0", 12, 0, 1, {12}, {1}},
    };
    static const stored storages[] = {{"0", numbers, sizeof numbers}, {"1", "", 0}};
    enum { COUNT = sizeof tensors / sizeof *tensors };
    const zip_style styles[] = {{.plain = 0}, {.plain = 1}, {.plain = 1, .wide = 1}, {.comment = "made by hand"}};
    const pile pickle = pickle_of(tensors, COUNT);
    dp_context *context = new_context();
    dp_error error;

    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        const pile file = archive_of(&styles[i], &pickle, storages, 2);
        dpi_safetensors *out = NULL;
        ck_assert_msg(read_file(context, file.at, file.size, &out, &error) == DP_OK, "%s", error.message);
        ck_assert_uint_eq(out->count, COUNT);
        check_floats(out, "strides of ones", 0, 12);
        check_floats(out, "last", 11, 1);
        check_floats(out, "four", 0, 12);
        check_floats(out, "\xc3\xa9 %n", 0, 12);
        ck_assert_uint_eq(tensor_of(out, "vast and empty")->bytes, 0);
        dpi_safetensors_free(out);
        free(file.at);
    }
    dpi_context_drop(context);
    free(pickle.at);
}
END_TEST

// At an odd byte a tensor is moved to memory of its own, with the same numbers.
START_TEST(moves_what_is_not_aligned)
{
    static const saved tensors[] = {{"w", "FloatStorage", "0", 12, 0, 2, {4, 3}, {3, 1}},
                                    {"tied", "FloatStorage", "0", 12, 0, 2, {4, 3}, {3, 1}}};
    const zip_style style = {.unaligned = 1};
    const pile pickle = pickle_of(tensors, 2), file = archive_of(&style, &pickle, &TWELVE, 1);
    dp_context *context = new_context();
    const uint64_t used = context->memory.used;
    dpi_safetensors *out = NULL;

    ck_assert_int_eq(read_file(context, file.at, file.size, &out, NULL), DP_OK);
    for (size_t i = 0; i < out->count; i++) {
        ck_assert_uint_eq(out->tensors[i].offset % 4, 1);
        ck_assert_uint_eq((uintptr_t)out->tensors[i].data % 4, 0);
    }
    check_floats(out, "w", 0, 12);
    check_floats(out, "tied", 0, 12);
    dpi_safetensors_free(out);
    end_context(context, used);
    free(pickle.at);
    free(file.at);
}
END_TEST

typedef struct member {
    const char *name, *data; // NULL data: a state dict
} member;

// An archive of these members; the first four may be left empty.
static void refuse_members(const zip_style *style, const member *members, size_t count, int32_t code,
                           const char *item, const char *message)
{
    static const saved tensor = {"w", "FloatStorage", "0", 12, 0, 1, {12}, {1}};
    const pile pickle = pickle_of(&tensor, 1);
    zip_out z = {.style = *style};
    dp_context *context = new_context();
    dpi_safetensors *out = NULL;
    dp_error error = {.code = 0};

    for (size_t i = 0; i < count; i++)
        if (members[i].data)
            zip_add(&z, members[i].name, members[i].data, strlen(members[i].data));
        else
            zip_add(&z, members[i].name, pickle.at, pickle.size);
    zip_add(&z, "r/data/0", numbers, sizeof numbers);
    const pile file = zip_end(&z);
    const int rc = read_file(context, file.at, file.size, &out, &error);
    ck_assert_msg(rc == code, "%d %s", rc, error.message);
    if (rc) {
        ck_assert_str_eq(error.item, item);
        ck_assert_msg(strstr(error.message, message), "%s", error.message);
    }
    dpi_safetensors_free(out);
    dpi_context_drop(context);
    free(pickle.at);
    free(file.at);
}

#define MEMBERS(...) (const member[]){__VA_ARGS__}, sizeof((const member[]){__VA_ARGS__}) / sizeof(member)

START_TEST(refuses_other_archives)
{
    const zip_style stored_style = {.plain = 0}, deflated = {.deflated = 1};
    char name[300];

    memset(name, 'a', sizeof name);
    memcpy(name + sizeof name - 3, "/b", 3);
    refuse_members(&stored_style, MEMBERS({"r/data.pkl", NULL}), DP_OK, "", "");
    refuse_members(&stored_style, MEMBERS({"r/data.pkl", NULL}, {"r/byteorder", "little"}), DP_OK, "", "");
    refuse_members(&stored_style, MEMBERS({"r/data.pkl", NULL}, {"r/byteorder", "big"}), DP_E_UNSUPPORTED,
                   "r/byteorder", "big-endian");
    refuse_members(&stored_style, MEMBERS({"r/data.pkl", NULL}, {"r/byteorder", "middle"}), DP_E_FORMAT,
                   "r/byteorder", "neither");
    refuse_members(&stored_style, MEMBERS({"r/data.pkl", NULL}, {"r/byteorder", "little and big"}), DP_E_FORMAT,
                   "r/byteorder", "neither");
    refuse_members(&stored_style, MEMBERS({"r/data.pkl", NULL}, {"r/byteorder", ""}), DP_E_FORMAT, "r/byteorder",
                   "neither");
    refuse_members(&stored_style, MEMBERS({"r/data.pkl", NULL}, {"r/constants.pkl", "x"}), DP_E_UNSUPPORTED,
                   "r/constants.pkl", "TorchScript");
    refuse_members(&stored_style, MEMBERS({"r/data.pkl", NULL}, {"r/code/__torch__.py", "x"}), DP_E_UNSUPPORTED,
                   "code", "TorchScript");
    refuse_members(&deflated, MEMBERS({"r/data.pkl", NULL}), DP_E_UNSUPPORTED, "r/data.pkl",
                   "compressed (method 8)");
    refuse_members(&stored_style, MEMBERS({"word/document.xml", "<x/>"}), DP_E_FORMAT, "data.pkl", "no data.pkl");
    refuse_members(&stored_style, MEMBERS({"x/data.pkl.txt", "<x/>"}, {"r/data.pkl", NULL}), DP_E_FORMAT,
                   "data.pkl",
                   "no data.pkl"); // the first member's folder counts, as in PyTorch
    refuse_members(&stored_style, MEMBERS({"data.pkl", NULL}), DP_E_FORMAT, "", "no PyTorch checkpoint");
    refuse_members(&stored_style, MEMBERS({name, "x"}, {"r/data.pkl", NULL}), DP_E_FORMAT, "",
                   "no PyTorch checkpoint");
    refuse_members(&stored_style, MEMBERS({"r/data.pkl", ""}), DP_E_FORMAT, "", "does not begin as a pickle");
    refuse_members(&stored_style, MEMBERS({"r/data.pkl", "\x80\2cos\nsystem\n."}), DP_E_UNSUPPORTED, "os.system",
                   "is not run");
}
END_TEST

static void refuse_file(const void *from, size_t size, int32_t code, const char *message)
{
    dp_context *context = new_context();
    dpi_safetensors *out = NULL;
    dp_error error = {.code = 0};

    ck_assert_int_eq(read_file(context, from, size, &out, &error), code);
    ck_assert_msg(strstr(error.message, message), "%s", error.message);
    dpi_context_drop(context);
}

START_TEST(refuses_other_files)
{
    const unsigned char ustar[512] = "archive/data.pkl";

    refuse_file(golden_transposed, sizeof golden_transposed, DP_E_UNSUPPORTED, VIEW);
    refuse_file(golden_legacy, sizeof golden_legacy, DP_E_UNSUPPORTED, "the format of PyTorch before 1.6");
    refuse_file(golden_script, sizeof golden_script, DP_E_UNSUPPORTED, "TorchScript");
    refuse_file("\x80\4}.", 4, DP_E_UNSUPPORTED, "a pickle without a zip archive");
    refuse_file(ustar, sizeof ustar, DP_E_FORMAT, "does not begin as a zip archive");
    refuse_file("", 0, DP_E_FORMAT, "does not begin as a zip archive");
    refuse_file("PK", 2, DP_E_FORMAT, "does not begin as a zip archive");
    refuse_file("PK\3\4", 4, DP_E_FORMAT, "no end record");
    refuse_file("version https://git-lfs", 23, DP_E_FORMAT, "does not begin as a zip archive");
    refuse_file("<!DOCTYPE html>", 15, DP_E_FORMAT, "does not begin as a zip archive");
}
END_TEST

START_TEST(refuses_a_tensor_twice)
{
    static const saved tensors[] = {{"w", "FloatStorage", "0", 12, 0, 1, {12}, {1}},
                                    {"v", "FloatStorage", "0", 12, 0, 1, {12}, {1}},
                                    {"w", "FloatStorage", "0", 12, 6, 1, {6}, {1}}};
    const pile pickle = pickle_of(tensors, 3), file = archive_of(NULL, &pickle, &TWELVE, 1);

    refuse_file(file.at, file.size, DP_E_FORMAT, "has this tensor twice");
    free(pickle.at);
    free(file.at);
}
END_TEST

START_TEST(fails_at_every_cut)
{
    dp_context *context = new_context();
    dpi_safetensors *out = NULL;

    for (size_t size = 0; size < sizeof golden_mixed; size++)
        ck_assert_int_eq(read_file(context, golden_mixed, size, &out, NULL), DP_E_FORMAT);
    ck_assert_ptr_null(out);
    dpi_context_drop(context);
}
END_TEST

// Whatever one byte says, tensors lie in the file.
START_TEST(survives_any_byte_changed)
{
    static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
    unsigned char file[sizeof golden_mixed];
    dp_context *context = new_context();

    memcpy(file, golden_mixed, sizeof file);
    for (size_t at = 0; at < sizeof file * sizeof values; at++) {
        dpi_safetensors *out = NULL;
        file[at / sizeof values] = values[at % sizeof values];
        if (read_file(context, file, sizeof file, &out, NULL) == DP_OK)
            for (size_t i = 0; i < out->count; i++)
                ck_assert_uint_le(out->tensors[i].offset + out->tensors[i].bytes, sizeof file);
        dpi_safetensors_free(out);
        file[at / sizeof values] = golden_mixed[at / sizeof values];
    }
    dpi_context_drop(context);
}
END_TEST

START_TEST(survives_any_allocation_that_fails)
{
    const zip_style style = {.unaligned = 1};
    static const saved tensors[] = {{"w", "FloatStorage", "0", 12, 0, 2, {4, 3}, {3, 1}},
                                    {"v", "FloatStorage", "0", 12, 0, 1, {3}, {1}}};
    const pile pickle = pickle_of(tensors, 2), file = archive_of(&style, &pickle, &TWELVE, 1);
    dp_context *context = new_context();
    dpi_storage *storage = exact_storage(context, file.at, file.size);
    const uint64_t used = context->memory.used;
    dpi_safetensors *out = NULL;
    int rc = DP_E_MEMORY, failures = 0;

    for (uint64_t limit = used + 1; rc == DP_E_MEMORY; limit += 16, failures += rc != DP_OK) {
        context->memory.limit = limit;
        rc = dpi_torch_read(&out, &context->memory, storage, "m", NULL);
        if (rc)
            ck_assert_uint_eq(context->memory.used, used);
    }
    ck_assert_int_eq(rc, DP_OK);
    ck_assert_int_gt(failures, 10);
    dpi_safetensors_free(out);
    dpi_storage_drop(storage);
    dpi_context_drop(context);
    free(pickle.at);
    free(file.at);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {reads_files_of_pytorch,    equals_a_pickle_of_pytorch,
                                  accepts_what_looks_odd,    moves_what_is_not_aligned,
                                  refuses_other_archives,    refuses_other_files,
                                  refuses_a_tensor_twice,    fails_at_every_cut,
                                  survives_any_byte_changed, survives_any_allocation_that_fails};
    Suite *suite = suite_create("io/torch hostile");
    TCase *hostile_tensors = tcase_create("tensors");

    tcase_add_loop_test(hostile_tensors, refuses_tensors_that_lie, 0, (int)(sizeof cases / sizeof *cases));
    suite_add_tcase(suite, hostile_tensors);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return dpt_run("io/torch", tests, sizeof tests / sizeof *tests) || failed;
}
