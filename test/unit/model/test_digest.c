// The content hash and the search for numbers that are not finite.
#include <math.h>

#include "test/unit/model/gguf_support.h"

static void digest_of(scene *s, const char *name, char digest[65])
{
    dp_model *model = open_model(s, name);

    ck_assert_int_eq(dp_model_digest(model, NULL, digest, &s->error), DP_OK);
    ck_assert_uint_eq(strlen(digest), 64);
    dp_model_free(model);
}

START_TEST(depends_on_content_only)
{
    scene s;
    tiny t = TINY;
    char a[65], b[65], c[65], d[65];

    open_scene(&s);
    write_tiny(&s, "a", &TINY);
    write_tiny(&s, "b", &TINY);
    t.key = "rope_theta";
    t.value = "10001";
    write_tiny(&s, "c", &t);
    t = TINY;
    t.poison = 0.25f;
    write_tiny(&s, "d", &t);
    digest_of(&s, "a", a);
    digest_of(&s, "b", b);
    digest_of(&s, "c", c);
    digest_of(&s, "d", d);
    ck_assert_str_eq(a, b);
    ck_assert_str_ne(a, c);
    ck_assert_str_ne(a, d);
    close_scene(&s);
}
END_TEST

// The same bytes read as another type are another content.
START_TEST(depends_on_types)
{
    scene s;
    tiny t = TINY;
    char a[65], b[65];

    open_scene(&s);
    t.type = DP_F16;
    write_tiny(&s, "m", &t);
    dp_model *model = open_model(&s, "m"), *other = open_model(&s, "m");
    ((dpi_tensor *)(uintptr_t)other->norm)->type = DP_BF16;
    ck_assert_int_eq(dp_model_digest(model, NULL, a, NULL), DP_OK);
    ck_assert_int_eq(dp_model_digest(other, NULL, b, NULL), DP_OK);
    ck_assert_str_ne(a, b);
    dp_model_free(model);
    dp_model_free(other);
    close_scene(&s);
}
END_TEST

// A pruned model in memory and the same saved and opened again are one content.
START_TEST(survives_a_save)
{
    scene s;
    const int32_t kept[] = {0, 2};
    char before[65], after[65], whole[65];
    dp_model *smaller;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    dp_model *model = open_model(&s, "m");
    ck_assert_int_eq(dp_model_digest(model, NULL, whole, NULL), DP_OK);
    ck_assert_int_eq(dpi_model_keep(model, kept, 2, NULL, &smaller, NULL), DP_OK);
    ck_assert_str_eq(smaller->parent, whole);
    ck_assert_int_eq(dp_model_digest(smaller, NULL, before, NULL), DP_OK);
    ck_assert_str_ne(before, whole);
    must_save(&s, smaller, "out", -1, -1);
    digest_of(&s, "out", after);
    ck_assert_str_eq(before, after);
    dp_model_free(model);
    dp_model_free(smaller);
    close_scene(&s);
}
END_TEST

static int32_t count_calls(void *user, const dp_progress *now)
{
    int32_t *calls = user;

    ck_assert_str_eq(now->phase, "digest");
    ++*calls;
    return *calls > 1000;
}

START_TEST(reports_remembers_and_stops)
{
    scene s;
    int32_t calls = 0, stop = 1;
    char digest[65] = "untouched";
    const dp_monitor watched = {.size = sizeof watched, .progress = count_calls, .user = &calls};
    const dp_monitor stopped = {.size = sizeof stopped, .cancel = &stop};

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    dp_model *model = open_model(&s, "m");
    ck_assert_int_eq(dp_model_digest(model, &stopped, digest, &s.error), DP_E_CANCELLED);
    ck_assert_str_eq(digest, "untouched");
    ck_assert_int_eq(dp_model_digest(model, &watched, digest, &s.error), DP_OK);
    ck_assert_int_gt(calls, 0);
    calls = 0;
    ck_assert_int_eq(dp_model_digest(model, &watched, digest, &s.error), DP_OK);
    ck_assert_int_eq(calls, 0);
    ck_assert_int_eq(dp_model_digest(model, NULL, NULL, &s.error), DP_E_ARGUMENT);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(finds_what_is_not_finite)
{
    static const int32_t types[] = {DP_F32, DP_F16, DP_BF16};
    const float bad[] = {NAN, INFINITY, -INFINITY};

    for (int i = 0; i < 3; i++) {
        scene s;
        tiny t = TINY;
        open_scene(&s);
        t.type = types[i];
        write_tiny(&s, "good", &t);
        t.poison = bad[i];
        write_tiny(&s, "bad", &t);
        dp_model *model = open_model(&s, "good");
        ck_assert_int_eq(dp_model_check(model, NULL, &s.error), DP_OK);
        dp_model_free(model);
        model = open_model(&s, "bad");
        ck_assert_int_eq(dp_model_check(model, NULL, &s.error), DP_E_NUMERIC);
        ck_assert_str_eq(s.error.item, "model.layers.0.input_layernorm.weight");
        ck_assert_ptr_nonnull(strstr(s.error.message, "element 2 "));
        ck_assert_int_gt(s.error.offset, 0);
        dp_model_free(model);
        close_scene(&s);
    }
}
END_TEST

// One block of each kind with the scale at the place where the format has it.
START_TEST(looks_at_the_scales_of_blocks)
{
    static const struct {
        int32_t type;
        int64_t block;
        uint64_t bytes;
        int scale; // byte of the last f16 scale
    } kinds[] = {{DP_Q4_0, 32, 18, 0},   {DP_Q4_1, 32, 20, 2},    {DP_Q5_0, 32, 22, 0},     {DP_Q5_1, 32, 24, 2},
                 {DP_Q8_0, 32, 34, 0},   {DP_Q2_K, 256, 84, 82},  {DP_Q3_K, 256, 110, 108}, {DP_Q4_K, 256, 144, 2},
                 {DP_Q5_K, 256, 176, 2}, {DP_Q6_K, 256, 210, 208}};
    scene s;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    dp_model *model = open_model(&s, "m");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        unsigned char bytes[3 * 256];
        char name[] = "w";
        const dpi_tensor tensor = {.name = name,
                                   .data = bytes,
                                   .bytes = 3 * kinds[i].bytes,
                                   .shape = {3, kinds[i].block},
                                   .dims = 2,
                                   .type = kinds[i].type};
        memset(bytes, 0xff, sizeof bytes); // codes may be anything
        for (int b = 0; b < 3; b++) {
            unsigned char *block = bytes + (uint64_t)b * kinds[i].bytes;
            memset(block + kinds[i].scale, 0, 2);
            if (kinds[i].scale == 2 || kinds[i].scale == 82)
                memset(block + kinds[i].scale - 2, 0, 2);
        }
        ck_assert_int_eq(dpi_model_check_weight(model, &tensor, NULL, &s.error), DP_OK);
        bytes[2 * kinds[i].bytes + (uint64_t)kinds[i].scale + 1] = 0x7c; // infinity
        ck_assert_int_eq(dpi_model_check_weight(model, &tensor, NULL, &s.error), DP_E_NUMERIC);
        char wanted[64];
        snprintf(wanted, sizeof wanted, "the scale of element %lld is not finite", (long long)(2 * kinds[i].block));
        ck_assert_str_eq(s.error.message, wanted);
    }
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {depends_on_content_only,  depends_on_types,
                                  survives_a_save,          reports_remembers_and_stops,
                                  finds_what_is_not_finite, looks_at_the_scales_of_blocks};
    return dpt_run("model/digest", tests, sizeof tests / sizeof *tests);
}
