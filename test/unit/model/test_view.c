// Models that share a source: kept blocks, origins, names, references in any order.
#include "test/unit/model/support.h"

static dp_model *keep(scene *s, const dp_model *model, const int32_t *kept, int32_t count, const char *plan)
{
    dp_model *smaller = NULL;
    const int rc = dpi_model_keep(model, kept, count, plan, &smaller, &s->error);

    ck_assert_msg(rc == DP_OK, "%s", s->error.message);
    return smaller;
}

START_TEST(keeps_blocks_and_their_origins)
{
    scene s;
    tiny t = TINY;
    const int32_t first[] = {0, 2, 3, 4}, second[] = {1, 3};
    dp_model_info info = {.size = sizeof info};
    dp_weight weight = {.size = sizeof weight};

    open_scene(&s);
    t.blocks = 5;
    write_tiny(&s, "m", &t);
    dp_model *model = open_model(&s, "m");
    dp_model *once = keep(&s, model, first, 4, "{}");
    dp_model *twice = keep(&s, once, second, 2, NULL);
    ck_assert_int_eq(dp_model_describe(twice, &info, NULL), DP_OK);
    ck_assert_int_eq(info.blocks, 2);
    ck_assert_uint_eq(info.parameters, 2 * info.block_parameters + 20 * 16 + 16);
    ck_assert_int_eq(dp_model_origin(twice, 0), 2);
    ck_assert_int_eq(dp_model_origin(twice, 1), 4);
    ck_assert_int_eq(dp_model_origin(twice, 2), -1);
    ck_assert_str_eq(once->plan, "{}");
    ck_assert_ptr_null(twice->plan);
    ck_assert_ptr_eq(twice->blocks[1].weights[DPI_Q], model->blocks[4].weights[DPI_Q]); // shared, not copied
    ck_assert_uint_eq(dp_model_weight_count(twice), 2 + 18);
    ck_assert_int_eq(dp_model_weight(twice, 10, &weight, NULL), DP_OK); // renumbered
    ck_assert_str_eq(weight.name, "model.layers.1.input_layernorm.weight");
    ck_assert_int_eq(weight.block, 1);
    ck_assert_ptr_eq(weight.data, model->blocks[4].weights[DPI_NORM_1]->data);
    dp_model_free(model);
    dp_model_free(once);
    ck_assert_int_eq(dp_model_check(twice, NULL, NULL), DP_OK);
    dp_model_free(twice);
    close_scene(&s);
}
END_TEST

START_TEST(refuses_wrong_lists)
{
    scene s;
    dp_model *out = NULL;
    const struct {
        int32_t kept[3], count;
        const char *said;
    } bad[] = {
        {{0}, 0, "a model must keep at least one block"},
        {{0, 3}, 2, "block 3 cannot be kept: the model has blocks 0 to 2"},
        {{-1, 1}, 2, "block -1 cannot be kept: the model has blocks 0 to 2"},
        {{1, 1}, 2, "kept blocks must ascend, but 1 follows 1"},
        {{2, 0}, 2, "kept blocks must ascend, but 0 follows 2"},
    };

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    dp_model *model = open_model(&s, "m");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(dpi_model_keep(model, bad[i].kept, bad[i].count, NULL, &out, &s.error), DP_E_ARGUMENT);
        ck_assert_str_eq(s.error.message, bad[i].said);
    }
    ck_assert_ptr_null(out);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(lists_weights_in_order)
{
    scene s;
    tiny t = TINY;
    static const char *const names[] = {"model.embed_tokens.weight",
                                        "model.layers.0.input_layernorm.weight",
                                        "model.layers.0.self_attn.q_proj.weight",
                                        "model.layers.0.self_attn.k_proj.weight",
                                        "model.layers.0.self_attn.v_proj.weight",
                                        "model.layers.0.self_attn.o_proj.weight",
                                        "model.layers.0.post_attention_layernorm.weight",
                                        "model.layers.0.mlp.gate_proj.weight",
                                        "model.layers.0.mlp.up_proj.weight",
                                        "model.layers.0.mlp.down_proj.weight",
                                        "model.norm.weight",
                                        "lm_head.weight"};
    dp_weight weight = {.size = sizeof weight};
    uint64_t bytes = 0;

    open_scene(&s);
    t.blocks = 1;
    t.tied = 0;
    write_tiny(&s, "m", &t);
    dp_model *model = open_model(&s, "m");
    ck_assert_uint_eq(dp_model_weight_count(model), 12);
    for (size_t i = 0; i < 12; i++) {
        ck_assert_int_eq(dp_model_weight(model, i, &weight, NULL), DP_OK);
        ck_assert_str_eq(weight.name, names[i]);
        ck_assert_int_eq(weight.block, i > 0 && i < 10 ? 0 : -1);
        ck_assert_uint_eq(weight.bytes, (uint64_t)(weight.rows * weight.columns) * 4);
        bytes += weight.bytes;
    }
    dp_model_info info = {.size = sizeof info};
    ck_assert_int_eq(dp_model_describe(model, &info, NULL), DP_OK);
    ck_assert_uint_eq(info.bytes, bytes);
    ck_assert_int_eq(dp_model_weight(model, 1, &weight, NULL), DP_OK);
    ck_assert_int_eq(weight.rows, 1); // a vector is one row
    ck_assert_int_eq(weight.columns, 16);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(counts_references)
{
    scene s;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    dp_model *model = open_model(&s, "m");
    ck_assert_ptr_eq(dpi_model_retain(model), model);
    dp_model_free(model);
    ck_assert_int_eq(dp_model_check(model, NULL, NULL), DP_OK);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {keeps_blocks_and_their_origins, refuses_wrong_lists, lists_weights_in_order,
                                  counts_references};
    return dpt_run("model/view", tests, sizeof tests / sizeof *tests);
}
