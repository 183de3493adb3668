// GGUF's element types that are not computed: opened, carried byte for byte while their block stays and the target is
// GGUF, refused by tensor and type where their numbers are needed.
#include "test/unit/model/gguf_support.h"

static const struct {
    int32_t type, block, bytes;
    const char *name;
} types[] = {
    {9, 32, 40, "q8_1"},     {15, 256, 292, "q8_k"},   {16, 256, 66, "iq2_xxs"}, {17, 256, 74, "iq2_xs"},
    {18, 256, 98, "iq3_xxs"}, {19, 256, 50, "iq1_s"},   {20, 32, 18, "iq4_nl"},   {21, 256, 110, "iq3_s"},
    {22, 256, 82, "iq2_s"},  {23, 256, 136, "iq4_xs"}, {24, 1, 1, "i8"},         {25, 1, 2, "i16"},
    {26, 1, 4, "i32"},       {27, 1, 8, "i64"},        {28, 1, 8, "f64"},        {29, 256, 56, "iq1_m"},
    {34, 256, 54, "tq1_0"},  {35, 256, 66, "tq2_0"},   {39, 32, 17, "mxfp4"},    {40, 64, 36, "nvfp4"},
    {41, 128, 18, "q1_0"},
};

enum { TYPES = sizeof types / sizeof *types, WIDTH = 256 };
static const char carried[] = "blk.1.ffn_down.weight";

// m.gguf, of rows of 256, with one matrix in a type as "t.gguf"; its bytes are given out.
static void write_typed(scene *s, int which, unsigned char *bytes)
{
    const size_t size = (size_t)(WIDTH * WIDTH / types[which].block * types[which].bytes);
    change c = {.retype = carried, .type = types[which].type, .numbers = (const float *)(const void *)bytes};
    uint32_t random = 5;

    for (size_t i = 0; i < size; i++) {
        random = random * 1664525u + 1013904223u;
        bytes[i] = (unsigned char)(random >> 24);
    }
    c.add_count = (int64_t)size;
    rewrite(s, "m.gguf", "t.gguf", &c);
}

static dp_model *kept(const dp_model *model, int32_t first, int32_t second)
{
    const int32_t list[] = {first, second};
    dp_model *out = NULL;

    ck_assert_int_eq(dpi_model_keep(model, list, 2, NULL, &out, NULL), DP_OK);
    return out;
}

static void assert_refused(scene *s, int rc, int which)
{
    ck_assert_msg(rc == DP_E_UNSUPPORTED, "%s: %d %s", types[which].name, rc, s->error.message);
    ck_assert_str_eq(s->error.item, carried);
    ck_assert_ptr_nonnull(strstr(s->error.message, types[which].name));
    ck_assert_int_gt(s->error.offset, 0);
}

START_TEST(carries_what_it_does_not_compute)
{
    scene s;
    tiny t = TINY;
    unsigned char *bytes = malloc((size_t)WIDTH * WIDTH * 8);
    const size_t size = (size_t)(WIDTH * WIDTH / types[_i].block * types[_i].bytes);

    t.hidden = t.ffn = WIDTH;
    open_scene(&s);
    write_gguf(&s, &t);
    write_typed(&s, _i, bytes);
    dp_model *whole = open_model(&s, "t.gguf"), *with = kept(whole, 0, 1), *without = kept(whole, 0, 2);
    must_save(&s, with, "kept.gguf", DP_FORMAT_GGUF, -1);
    dp_model *again = open_model(&s, "kept.gguf");
    const dpi_tensor *tensor = again->blocks[1].weights[DPI_DOWN];
    ck_assert_int_eq(tensor->type, types[_i].type);
    ck_assert_str_eq(dp_type_name(tensor->type), types[_i].name);
    ck_assert_uint_eq(tensor->bytes, size);
    ck_assert_mem_eq(tensor->data, bytes, size);
    assert_refused(&s, save_model(&s, with, "hf", DP_FORMAT_HF, -1), _i);
    assert_refused(&s, save_model(&s, with, "f16.gguf", DP_FORMAT_GGUF, DP_F16), _i);
    assert_refused(&s, dp_model_check(with, NULL, &s.error), _i);
    ck_assert(!is_there(&s, "hf") && !is_there(&s, "f16.gguf"));
    must_save(&s, without, "hf", DP_FORMAT_HF, -1);
    ck_assert_int_eq(dp_model_check(without, NULL, &s.error), DP_OK);
    dp_model_free(again);
    dp_model_free(with);
    dp_model_free(without);
    dp_model_free(whole);
    close_scene(&s);
    free(bytes);
}
END_TEST

// The bytes behind a tensor's name in a file: dimensions, then its type.
static unsigned char *type_field(char *file, size_t size, const char *name, int dims)
{
    const size_t length = strlen(name);

    for (size_t i = 8; i + length < size; i++)
        if (memcmp(file + i, name, length) == 0)
            return (unsigned char *)file + i + length + 4 + 8 * dims;
    ck_abort_msg("no %s", name);
    return NULL;
}

static int open_with_type(scene *s, const char *name, int dims, uint32_t type)
{
    size_t size;
    char *file = read_file(path_in(s, "m.gguf"), &size);

    memcpy(type_field(file, size, name, dims), &type, sizeof type);
    write_file(path_in(s, "bad.gguf"), file, size);
    free(file);
    return open_fails(s, path_in(s, "bad.gguf"));
}

START_TEST(refuses_unknown_numbers_and_odd_vectors)
{
    static const uint32_t unknown[] = {4, 5, 31, 32, 33, 36, 37, 38, 42, 255, 0x7fffffff, 0x80000000, 0xffffffff};
    scene s;

    open_scene(&s);
    write_gguf(&s, &TINY);
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        char number[16];
        ck_assert_int_eq(open_with_type(&s, carried, 2, unknown[i]), DP_E_UNSUPPORTED);
        snprintf(number, sizeof number, "type %u,", unknown[i]);
        ck_assert_msg(strstr(s.error.message, number) != NULL, "%s", s.error.message);
        ck_assert_str_eq(s.error.item, carried);
    }
    ck_assert_int_eq(open_with_type(&s, "blk.1.attn_norm.weight", 1, DP_I32), DP_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(s.error.message, "vector stored as i32"));
    close_scene(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model/carried");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, carries_what_it_does_not_compute, 0, TYPES);
    tcase_add_test(all, refuses_unknown_numbers_and_odd_vectors);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
