// Names of weights in both formats, and shapes.
#include "model/names.h"

#include <string.h>

#include "test/run.h"

START_TEST(reads_what_it_writes)
{
    for (int32_t format = DP_FORMAT_HF; format <= DP_FORMAT_GGUF; format++)
        for (int32_t slot = 0; slot < DPI_SLOTS; slot++) {
            char name[DPI_NAME_SIZE];
            int32_t block;
            const int32_t wanted = slot < DPI_BLOCK_WEIGHTS ? 1234 : -1;

            if (slot == DPI_ROPE_FACTORS && format == DP_FORMAT_HF)
                continue;
            dpi_name_write(format, slot, 1234, name);
            ck_assert_int_eq(dpi_name_read(format, name, &block), slot);
            ck_assert_int_eq(block, wanted);
        }
}
END_TEST

START_TEST(knows_the_blocks_of_unknown_names)
{
    int32_t block;

    ck_assert_int_eq(dpi_name_read(DP_FORMAT_HF, "model.layers.7.self_attn.rotary_emb.inv_freq", &block), -1);
    ck_assert_int_eq(block, 7);
    ck_assert_int_eq(dpi_name_read(DP_FORMAT_GGUF, "blk.99999999999999999999.attn_q.weight", &block), DPI_Q);
    ck_assert_int_eq(block, INT32_MAX);
}
END_TEST

START_TEST(refuses_odd_numbers_and_other_names)
{
    const char *const odd[] = {"model.layers.01.mlp.up_proj.weight",
                               "model.layers..mlp.up_proj.weight",
                               "model.layers.-1.mlp.up_proj.weight",
                               "model.layers.1",
                               "model.layers.1.",
                               "",
                               "layers",
                               "model.layers.0x1.mlp.up_proj.weight",
                               "Lm_head.weight",
                               "rope_freqs.weight"};
    int32_t block;

    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        ck_assert_msg(dpi_name_read(DP_FORMAT_HF, odd[i], &block) == -1, "%s", odd[i]);
    ck_assert_int_eq(dpi_name_read(DP_FORMAT_GGUF, "model.norm.weight", &block), -1);
}
END_TEST

START_TEST(gives_shapes)
{
    const dpi_config config = {.hidden = 48, .heads = 6, .kv_heads = 2, .head_dim = 10, .ffn = 80, .vocab = 160};
    int64_t shape[2];

    ck_assert_int_eq(dpi_slot_shape(&config, DPI_K, shape), 2);
    ck_assert_int_eq(shape[0], 20);
    ck_assert_int_eq(shape[1], 48);
    ck_assert_int_eq(dpi_slot_shape(&config, DPI_O, shape), 2);
    ck_assert_int_eq(shape[0], 48);
    ck_assert_int_eq(shape[1], 60);
    ck_assert_int_eq(dpi_slot_shape(&config, DPI_DOWN, shape), 2);
    ck_assert_int_eq(shape[0], 48);
    ck_assert_int_eq(shape[1], 80);
    ck_assert_int_eq(dpi_slot_shape(&config, DPI_NORM_2, shape), 1);
    ck_assert_int_eq(shape[0], 48);
    ck_assert_int_eq(dpi_slot_shape(&config, DPI_ROPE_FACTORS, shape), 1);
    ck_assert_int_eq(shape[0], 5);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {reads_what_it_writes, knows_the_blocks_of_unknown_names,
                                  refuses_odd_numbers_and_other_names, gives_shapes};
    return dpt_run("model/names", tests, sizeof tests / sizeof *tests);
}
