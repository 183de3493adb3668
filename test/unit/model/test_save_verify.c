// What was staged is compared with what was meant before it gets its name.
#include "model/save.h"

#include "test/unit/model/support.h"

static void plan_save(scene *s, dpi_save *save, const dp_model *model, int32_t format, int32_t type)
{
    *save = (dpi_save){.model = model, .path = path_in(s, "out"), .format = format, .type = type};
    ck_assert_int_eq(dpi_save_plan(save, &s->error), DP_OK);
}

static int write_and_verify(scene *s, const dpi_save *written, const dpi_save *meant)
{
    dpi_stage *stage;

    ck_assert_int_eq(
        dpi_stage_open(&stage, s->context, path_in(s, "out"), written->format == DP_FORMAT_HF, 0, NULL), DP_OK);
    const int wrote = written->format == DP_FORMAT_HF ? dpi_save_hf(written, stage, &s->error)
                                                      : dpi_save_gguf(written, stage, &s->error);
    ck_assert_int_eq(wrote, DP_OK);
    const int rc = dpi_save_verify(meant, stage, &s->error);
    dpi_stage_abandon(stage);
    return rc;
}

START_TEST(sees_what_differs)
{
    scene s;
    const int32_t kept[] = {0, 2};
    tiny t = TINY;
    dp_model *smaller;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    t.ffn = 20;
    write_tiny(&s, "narrow", &t);
    dp_model *model = open_model(&s, "m"), *narrow = open_model(&s, "narrow");
    ck_assert_int_eq(dpi_model_keep(model, kept, 2, NULL, &smaller, NULL), DP_OK);
    for (int32_t format = DP_FORMAT_HF; format <= DP_FORMAT_GGUF; format++) {
        dpi_save whole, pruned, half, other;
        plan_save(&s, &whole, model, format, -1);
        plan_save(&s, &pruned, smaller, format, -1);
        plan_save(&s, &half, model, format, DP_F16);
        plan_save(&s, &other, narrow, format, -1);
        ck_assert_int_eq(write_and_verify(&s, &whole, &whole), DP_OK);
        ck_assert_int_eq(write_and_verify(&s, &pruned, &pruned), DP_OK);
        ck_assert_int_eq(write_and_verify(&s, &pruned, &whole), DP_E_INTERNAL);
        ck_assert_ptr_nonnull(strstr(s.error.message, "the configuration"));
        ck_assert_int_eq(write_and_verify(&s, &other, &whole), DP_E_INTERNAL);
        ck_assert_int_eq(write_and_verify(&s, &half, &whole), DP_E_INTERNAL);
        ck_assert_ptr_nonnull(strstr(s.error.message, "the tensor's type"));
        ck_assert_int_ne(s.error.item[0], 0);
        dpi_save_clear(&whole);
        dpi_save_clear(&pruned);
        dpi_save_clear(&half);
        dpi_save_clear(&other);
    }
    dp_model_free(model);
    dp_model_free(narrow);
    dp_model_free(smaller);
    close_scene(&s);
}
END_TEST

START_TEST(counts_tensors)
{
    scene s;
    tiny t = TINY;
    dpi_save save;

    open_scene(&s);
    t.add = "model.layers.0.self_attn.rotary_emb.inv_freq";
    write_tiny(&s, "m", &t);
    dp_model *model = open_model(&s, "m");
    plan_save(&s, &save, model, DP_FORMAT_HF, -1);
    ck_assert_int_eq(write_and_verify(&s, &save, &save), DP_OK); // the unknown tensor is not written
    save.count--;
    dpi_save shorter = save;
    save.count++;
    ck_assert_int_eq(write_and_verify(&s, &save, &shorter), DP_E_INTERNAL);
    ck_assert_ptr_nonnull(strstr(s.error.message, "the number of tensors"));
    dpi_save_clear(&save);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {sees_what_differs, counts_tensors};
    return dpt_run("model/save_verify", tests, sizeof tests / sizeof *tests);
}
