// Models from the host's own memory: the same as from files, nothing copied, each array released once whatever
// fails.
#include "test/unit/model/build_support.h"

START_TEST(is_the_model_of_the_file)
{
    static const int32_t types[] = {DP_F32, DP_F16, DP_BF16};
    scene s;
    host h;
    tiny t = TINY;
    dp_model_info info = {.size = sizeof info}, wanted = {.size = sizeof wanted};
    char digest[65], same[65];

    t.type = types[_i % 3];
    t.tied = _i / 3;
    dp_model *file = open_both(&s, &h, &t, 0);
    dp_model *model = build(&s, &h);
    assert_same_weights(file, model);
    for (size_t i = 0; i < h.count; i++) { // the very arrays
        dp_weight weight = {.size = sizeof weight};
        ck_assert_int_eq(dp_model_weight(model, i, &weight, NULL), DP_OK);
        ck_assert_ptr_eq(weight.data, h.arrays[i].memory);
    }
    ck_assert_int_eq(dp_model_describe(model, &info, NULL), DP_OK);
    ck_assert_int_eq(dp_model_describe(file, &wanted, NULL), DP_OK);
    ck_assert_str_eq(info.path, "");
    ck_assert_int_eq(info.format, DP_FORMAT_HF);
    ck_assert_int_eq(memcmp(&info.type, &wanted.type, sizeof info - offsetof(dp_model_info, type)), 0);
    ck_assert_int_eq(dp_model_digest(model, NULL, digest, NULL), DP_OK);
    ck_assert_int_eq(dp_model_digest(file, NULL, same, NULL), DP_OK);
    ck_assert_str_eq(digest, same);
    ck_assert_int_eq(dp_model_check(model, NULL, NULL), DP_OK);
    assert_released(&h, 0);
    dp_model_free(model);
    assert_released(&h, 1);
    dp_model_free(file);
    close_host(&h);
    close_scene(&s);
}
END_TEST

// The order of frees must not matter: bit 0 of the case frees the dense model first, bit 1 the context's handle.
START_TEST(releases_with_the_last_model)
{
    const int32_t kept[] = {0, 2};
    scene s;
    host h;
    dp_model *shorter = NULL;

    dp_model_free(open_both(&s, &h, &TINY, 0));
    dp_model *model = build(&s, &h);
    ck_assert_int_eq(dpi_model_keep(model, kept, 2, NULL, &shorter, &s.error), DP_OK);
    dp_model_free(_i & 1 ? model : shorter);
    assert_released(&h, 0);
    if (_i & 2)
        dpi_context_drop(dpi_context_keep(s.context));
    dp_model_free(_i & 1 ? shorter : model);
    assert_released(&h, 1);
    close_host(&h);
    close_scene(&s);
}
END_TEST

START_TEST(releases_with_an_unfinished_builder)
{
    scene s;
    host h;

    dp_model_free(open_both(&s, &h, &TINY, 0));
    dp_model_builder *builder = begin(&s, &h);
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(add(builder, &h.arrays[i], &s.error), DP_OK);
    dp_model_builder_free(builder);
    for (size_t i = 0; i < h.count; i++)
        ck_assert_int_eq(h.arrays[i].released, i < 5);
    dp_model_builder_free(NULL);
    close_host(&h);
    close_scene(&s);
}
END_TEST

START_TEST(has_an_end)
{
    scene s;
    host h;
    dp_model *model = NULL, *again = NULL;

    dp_model_free(open_both(&s, &h, &TINY, 0));
    dp_model_builder *builder = begin(&s, &h);
    for (size_t i = 1; i < h.count; i++)
        ck_assert_int_eq(add(builder, &h.arrays[i], &s.error), DP_OK);
    ck_assert_int_eq(dp_model_builder_finish(builder, &model, &s.error), DP_E_FORMAT);
    ck_assert_ptr_null(model);
    ck_assert_str_eq(s.error.item, h.arrays[0].name);
    ck_assert_str_eq(s.error.file, "");
    assert_released(&h, 0);
    ck_assert_int_eq(add(builder, &h.arrays[0], &s.error), DP_OK); // the builder is as it was
    ck_assert_int_eq(dp_model_builder_finish(builder, &model, &s.error), DP_OK);
    ck_assert_int_eq(dp_model_builder_finish(builder, &again, &s.error), DP_E_STATE);
    ck_assert_int_eq(add(builder, &h.arrays[0], &s.error), DP_E_STATE);
    ck_assert_ptr_null(again);
    dp_model_free(model);
    assert_released(&h, 1);
    dp_model_builder_free(builder);
    assert_released(&h, 1);
    close_host(&h);
    close_scene(&s);
}
END_TEST

static const struct {
    const char *name; // NULL: the array's own
    int32_t type;     // -1: the array's own
    int64_t rows, columns, bytes;
    int code;
    const char *said;
} faults[] = {
    {.type = -1, .rows = -1, .code = DP_E_FORMAT, .said = "rows"},
    {.type = -1, .columns = -16, .code = DP_E_FORMAT, .said = "columns"},
    {.type = -1, .rows = 1, .code = DP_E_FORMAT, .said = "has shape [16, 15], expected [16, 16]"},
    {.type = -1, .rows = INT64_MAX - 16, .code = DP_E_FORMAT, .said = "expected [16, 16]"},
    {.type = -1, .bytes = 1, .code = DP_E_FORMAT, .said = "bytes, 16 rows of 64 make 1024"},
    {.type = DP_F16, .code = DP_E_FORMAT, .said = "bytes, 16 rows of 32 make 512"},
    {.type = DP_Q8_0, .code = DP_E_FORMAT, .said = "has rows of 16 elements, q8_0 has blocks of 32"},
    {.type = DP_F64, .code = DP_E_UNSUPPORTED, .said = "is stored as f64, which is not computed"},
    {.type = 77, .code = DP_E_UNSUPPORTED, .said = "not computed"},
    {.type = -1, .name = "", .code = DP_E_FORMAT, .said = "no weight of this family"},
    {.type = -1, .name = "blk.0.attn_q.weight", .code = DP_E_FORMAT, .said = "no weight of this family"},
    {.type = -1, .name = "model.layers.3.mlp.up_proj.weight", .code = DP_E_FORMAT, .said = "says 3 blocks"},
    {.type = -1, .name = "model.layers.0.mlp.up_proj.bias", .code = DP_E_UNSUPPORTED, .said = "bias"},
    {.type = -1, .name = "model.layers.0.mlp.up_proj.weight", .code = DP_E_FORMAT, .said = "expected [24, 16]"},
    {.type = -1, .name = "model.embed_tokens.weight", .code = DP_E_FORMAT, .said = "given twice"},
};

// A weight with one thing wrong is not taken: it can be given right afterwards, and is released once.
START_TEST(refuses)
{
    scene s;
    host h;

    dp_model_free(open_both(&s, &h, &TINY, 0));
    dp_model_builder *builder = begin(&s, &h);
    ck_assert_int_eq(add(builder, &h.arrays[0], &s.error), DP_OK); // the embedding
    const int twice = strcmp(faults[_i].said, "given twice") == 0;
    array *a = &h.arrays[twice ? 0 : 2]; // or q of block 0
    dp_weight wrong = a->weight;
    wrong.name = faults[_i].name ? faults[_i].name : wrong.name;
    wrong.type = faults[_i].type < 0 ? wrong.type : faults[_i].type;
    wrong.columns = faults[_i].rows == 1 ? wrong.columns - 1 : wrong.columns + faults[_i].columns;
    wrong.rows = faults[_i].rows == 1 ? wrong.rows : faults[_i].rows < 0 ? -1 : wrong.rows + faults[_i].rows;
    wrong.bytes += (uint64_t)faults[_i].bytes;
    ck_assert_int_eq(dp_model_builder_add(builder, &wrong, release, a, &s.error), faults[_i].code);
    ck_assert_msg(strstr(s.error.message, faults[_i].said) != NULL, "%s", s.error.message);
    ck_assert_str_eq(s.error.item, wrong.name);
    ck_assert_int_eq(s.error.offset, -1);
    assert_released(&h, 0);
    if (!twice)
        ck_assert_int_eq(add(builder, a, &s.error), DP_OK);
    dp_model_builder_free(builder);
    ck_assert_int_eq(a->released, 1);
    close_host(&h);
    close_scene(&s);
}
END_TEST

START_TEST(refuses_wrong_calls)
{
    scene s;
    host h;
    dp_model_builder *builder = NULL;
    dp_model *model = NULL;

    dp_model_free(open_both(&s, &h, &TINY, 0));
    ck_assert_int_eq(dp_model_builder_new(NULL, "{}", 2, NULL, &builder, &s.error), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_model_builder_new(s.context, NULL, 2, NULL, &builder, &s.error), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_model_builder_new(s.context, "{}", 2, NULL, NULL, &s.error), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_model_builder_new(s.context, "{}", (4 << 20) + 1, NULL, &builder, &s.error), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_model_builder_new(s.context, "{}", 2, NULL, &builder, &s.error), DP_E_FORMAT);
    ck_assert_int_eq(dp_model_builder_new(s.context, "", 0, NULL, &builder, &s.error), DP_E_FORMAT);
    static const char none[] = "{\n\"num_hidden_layers\": 0,\n\"model_type\": \"llama\"}";
    ck_assert_int_eq(dp_model_builder_new(s.context, none, sizeof none - 1, NULL, &builder, &s.error), DP_E_FORMAT);
    ck_assert_str_eq(s.error.item, "num_hidden_layers");
    ck_assert_int_eq(s.error.line, 2);
    ck_assert_ptr_null(builder);
    builder = begin(&s, &h);
    dp_weight weight = h.arrays[0].weight;
    ck_assert_int_eq(dp_model_builder_add(NULL, &weight, NULL, NULL, &s.error), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_model_builder_add(builder, NULL, NULL, NULL, &s.error), DP_E_ARGUMENT);
    weight.size = 40;
    ck_assert_int_eq(dp_model_builder_add(builder, &weight, NULL, NULL, &s.error), DP_E_ARGUMENT);
    weight.size = sizeof weight;
    weight.name = NULL;
    ck_assert_int_eq(dp_model_builder_add(builder, &weight, NULL, NULL, &s.error), DP_E_ARGUMENT);
    weight.name = h.arrays[0].name;
    weight.data = NULL;
    ck_assert_int_eq(dp_model_builder_add(builder, &weight, NULL, NULL, &s.error), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_model_builder_finish(NULL, &model, &s.error), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_model_builder_finish(builder, NULL, &s.error), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_model_builder_add(builder, &h.arrays[0].weight, NULL, NULL, &s.error), DP_OK);
    dp_model_builder_free(builder);
    close_host(&h);
    close_scene(&s);
}
END_TEST

// An odd address, or the wish, has the arrays copied: released as they are added, and never looked at again.
START_TEST(copies_where_it_must)
{
    scene s;
    host h;
    dp_model_builder *builder;
    dp_model_options options;
    dp_model *model = NULL, *file = open_both(&s, &h, &TINY, _i == 0 ? 1 : 0);

    dp_model_options_init(&options, sizeof options);
    options.load = _i == 0 ? DP_LOAD_MAP : DP_LOAD_READ;
    ck_assert_int_eq(dp_model_builder_new(s.context, h.config, h.config_size, &options, &builder, &s.error), DP_OK);
    for (size_t i = 0; i < h.count; i++) {
        ck_assert_int_eq(add(builder, &h.arrays[i], &s.error), DP_OK);
        ck_assert_int_eq(h.arrays[i].released, 1);
        memset(h.arrays[i].memory, 0xff, h.arrays[i].weight.bytes);
    }
    ck_assert_int_eq(dp_model_builder_finish(builder, &model, &s.error), DP_OK);
    dp_model_builder_free(builder);
    assert_same_weights(file, model);
    dp_model_free(model);
    assert_released(&h, 1);
    dp_model_free(file);
    close_host(&h);
    close_scene(&s);
}
END_TEST

// A tied model may be given its head too; then it must be the embedding.
START_TEST(checks_a_tied_head)
{
    scene s;
    host h;
    dp_model *model = NULL;

    dp_model_free(open_both(&s, &h, &TINY, 0));
    dp_model_builder *builder = begin(&s, &h);
    array head = h.arrays[0];
    snprintf(head.name, sizeof head.name, "lm_head.weight");
    head.weight.name = head.name;
    head.memory = malloc(head.weight.bytes);
    memcpy(head.memory, head.weight.data, head.weight.bytes);
    ((unsigned char *)head.memory)[77] ^= (unsigned char)_i;
    head.weight.data = head.memory;
    add_all(&s, builder, &h);
    ck_assert_int_eq(add(builder, &head, &s.error), DP_OK);
    const int rc = dp_model_builder_finish(builder, &model, &s.error);
    ck_assert_int_eq(rc, _i ? DP_E_FORMAT : DP_OK);
    if (_i)
        ck_assert_str_eq(s.error.item, "lm_head.weight");
    dp_model_builder_free(builder);
    ck_assert_int_eq(head.released, _i);
    dp_model_free(model);
    ck_assert_int_eq(head.released, 1);
    assert_released(&h, 1);
    free(head.memory);
    close_host(&h);
    close_scene(&s);
}
END_TEST

START_TEST(names_a_number_that_is_not_finite)
{
    scene s;
    host h;
    const float nan = __builtin_nanf("");

    dp_model_free(open_both(&s, &h, &TINY, 0));
    memcpy((char *)h.arrays[3].memory + 5 * sizeof nan, &nan, sizeof nan);
    dp_model *model = build(&s, &h);
    ck_assert_int_eq(dp_model_check(model, NULL, &s.error), DP_E_NUMERIC);
    ck_assert_str_eq(s.error.item, h.arrays[3].name);
    ck_assert_str_eq(s.error.file, "");
    ck_assert_int_eq(s.error.offset, -1);
    ck_assert_ptr_nonnull(strstr(s.error.message, "element 5 "));
    dp_model_free(model);
    close_host(&h);
    close_scene(&s);
}
END_TEST

// Allocation `left` fails: the call says so, nothing leaks, and each array is released once or not at all.
static int build_short_of_memory(const host *given, int64_t left, size_t *taken)
{
    static host h;
    failing state = {.left = left};
    const dp_allocator allocator = {fail_later, give_back, &state};
    dp_context_options options;
    dp_context *context = NULL;
    dp_model_builder *builder = NULL;
    dp_model *model = NULL;

    h = *given;
    dp_context_options_init(&options, sizeof options);
    options.threads = 1;
    options.allocator = &allocator;
    *taken = 0;
    if (dpi_context_make(&options, &context, NULL))
        return DP_E_MEMORY;
    const uint64_t used = context->memory.used;
    int rc = dp_model_builder_new(context, h.config, h.config_size, NULL, &builder, NULL);
    for (size_t i = 0; !rc && i < h.count; i++) {
        rc = add(builder, &h.arrays[i], NULL);
        *taken += !rc;
    }
    if (!rc)
        rc = dp_model_builder_finish(builder, &model, NULL);
    assert_released(&h, 0);
    dp_model_builder_free(builder);
    if (!rc)
        assert_released(&h, 0);
    dp_model_free(model);
    for (size_t i = 0; i < h.count; i++)
        ck_assert_int_eq(h.arrays[i].released, i < *taken);
    ck_assert_uint_eq(context->memory.used, used);
    dpi_context_drop(context);
    return rc;
}

START_TEST(survives_every_allocation_failing)
{
    scene s;
    host h;
    int64_t left = 0;
    size_t taken = 0, most = 0;

    dp_model_free(open_both(&s, &h, &TINY, 0));
    for (int rc = DP_E_MEMORY; rc; left++) {
        rc = build_short_of_memory(&h, left, &taken);
        ck_assert_msg(!rc || rc == DP_E_MEMORY, "allocation %lld: %d", (long long)left, rc);
        ck_assert_uint_ge(taken, most);
        most = taken;
    }
    ck_assert_int_gt(left, 60); // two for each of 29 arrays, and the rest
    close_host(&h);
    close_scene(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("build");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 120);
    tcase_add_loop_test(all, is_the_model_of_the_file, 0, 6);
    tcase_add_loop_test(all, releases_with_the_last_model, 0, 4);
    tcase_add_test(all, releases_with_an_unfinished_builder);
    tcase_add_test(all, has_an_end);
    tcase_add_loop_test(all, refuses, 0, sizeof faults / sizeof *faults);
    tcase_add_test(all, refuses_wrong_calls);
    tcase_add_loop_test(all, copies_where_it_must, 0, 2);
    tcase_add_loop_test(all, checks_a_tied_head, 0, 2);
    tcase_add_test(all, names_a_number_that_is_not_finite);
    tcase_add_test(all, survives_every_allocation_failing);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
