// Arguments that a defect of ours would send to a backend are refused, by operation, operand and numbers.
#include <string.h>

#include "backend/ops.h"
#include "test/run.h"

static dp_context *context;
static dpi_device *device;
static dp_error error;
static float memory[64];
static double sums[8];
static const int32_t ids[8] = {0, 1, 2, 3, 0, 1, 2, DP_IGNORE};
static const float frequencies[4] = {1, 1, 1, 1};

static dp_mat mat(int64_t rows, int64_t cols)
{
    return (dp_mat){memory, rows, cols, cols, DP_F32, 0};
}

static void refused(int rc, const char *operation, const char *words)
{
    ck_assert_msg(rc == DP_E_INTERNAL, "%s: %d, expected a refusal that says '%s'", operation, rc, words);
    ck_assert_str_eq(error.item, operation);
    ck_assert_msg(strstr(error.message, words) != NULL, "'%s' does not say '%s'", error.message, words);
    memset(&error, 0, sizeof error);
}

static void set_up(void)
{
    dp_context_options options;

    dp_context_options_init(&options, sizeof options);
    options.backend = "ref";
    ck_assert_int_eq(dp_context_new(&options, &context, &error), DP_OK);
    device = dpi_device_of(context);
}

static void tear_down(void)
{
    dp_context_free(context);
}

// Every rule of an operand, by way of fill.
START_TEST(an_operand_is_there_typed_shaped_and_addressable)
{
    const struct {
        dp_mat mat;
        const char *words;
    } cases[] = {
        {{NULL, 2, 2, 2, DP_F32, 0}, "operand 'x' is absent"},
        {{memory, 2, 2, 2, DP_I32, 0}, "operand 'x' may not be of type i32 (26)"},
        {{memory, 2, 32, 32, DP_Q4_0, 0}, "operand 'x' may not be of type q4_0 (2)"},
        {{memory, 2, 2, 2, 77, 0}, "operand 'x' may not be of type unknown type (77)"},
        {{memory, 0, 2, 2, DP_F32, 0}, "operand 'x' is 0 x 2, expected -1 x -1 (-1: any)"},
        {{memory, 2, -3, 2, DP_F32, 0}, "is 2 x -3"},
        {{memory, 2, 3, 2, DP_F32, 0}, "has 3 columns and stride 2 of f32, which comes in blocks of 1"},
        {{memory, INT64_MAX / 4, 3, 8, DP_F32, 0}, "is too large"},
        {{memory, 1, INT64_MAX, INT64_MAX, DP_F64, 0}, "is too large"},
    };

    set_up();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(dpi_op_fill(device, &cases[i].mat, 0, &error), "fill", cases[i].words);
    tear_down();
}
END_TEST

START_TEST(products_agree)
{
    dp_gemm_args good = {.a = mat(2, 3), .b = mat(4, 3), .c = mat(2, 4), .batch = 1, .alpha = 1, .transpose_b = 1}, bad;

    set_up();
    ck_assert_int_eq(dpi_op_gemm(device, &good, &error), DP_OK);
#define BAD(change, words) (bad = good, bad.change, refused(dpi_op_gemm(device, &bad, &error), "gemm", words))
    BAD(a.cols = 2, "operand 'b' is 4 x 3, expected -1 x 2");
    BAD(transpose_b = 0, "operand 'b' is 4 x 3, expected 3 x -1");
    BAD(transpose_b = 2, "'transpose_b' is 2, expected 0 to 1");
    BAD(c.rows = 3, "operand 'c' is 3 x 4, expected 2 x 4");
    BAD(bias = mat(1, 3), "operand 'bias' is 1 x 3, expected 1 x 4");
    BAD(batch = 0, "'batch' is 0, expected 1 to 2147483647");
    BAD(a_step = -1, "'a' has a step of -1 for a batch of 1");
    BAD(alpha = 1.0F / 0.0F, "'alpha' is inf");
    bad = good;
    bad.batch = 1 << 30;
    bad.c_step = INT64_MAX / 1024;
    refused(dpi_op_gemm(device, &bad, &error), "gemm", "'c' has a step of");
    bad = good;
    bad.b = (dp_mat){memory, 4, 3, 32, DP_Q8_0, 0};
    refused(dpi_op_gemm(device, &bad, &error), "gemm", "3 columns and stride 32 of q8_0, which comes in blocks of 32");
#undef BAD
    tear_down();
}
END_TEST

START_TEST(host_arrays_are_read_before_the_device)
{
    dp_embed_args embed = {mat(4, 2), mat(7, 2), ids};
    dp_xent_args xent = {.x = mat(8, 4), .loss = mat(8, 1), .labels = ids};
    dp_rope_args rope = {mat(2, 8), ids, frequencies, 4, 0, 0, 0};

    set_up();
    embed.y.data = memory + 32;
    ck_assert_int_eq(dpi_op_embed(device, &embed, &error), DP_OK);
    embed.y.rows = 8;
    refused(dpi_op_embed(device, &embed, &error), "embed", "entry 7 is -100, expected 0 to 3");
    embed.ids = NULL;
    refused(dpi_op_embed(device, &embed, &error), "embed", "'ids' is NULL");
    xent.loss.data = memory + 48;
    ck_assert_int_eq(dpi_op_xent(device, &xent, &error), DP_OK);
    xent.x.cols = 3;
    refused(dpi_op_xent(device, &xent, &error), "xent", "entry 3 is 3, expected 0 to 2");
    rope.head_dim = 3;
    refused(dpi_op_rope(device, &rope, &error), "rope", "'head_dim mod 2' is 1, expected 0 to 0");
    rope.head_dim = 6;
    refused(dpi_op_rope(device, &rope, &error), "rope", "'columns mod head_dim' is 2");
    rope.head_dim = 0;
    refused(dpi_op_rope(device, &rope, &error), "rope", "'head_dim' is 0, expected 2 to 8");
    rope = (dp_rope_args){mat(2, 8), ids, frequencies, 4, 2, 0, 0};
    refused(dpi_op_rope(device, &rope, &error), "rope", "'pairing' is 2, expected 0 to 1");
    rope.positions = NULL;
    refused(dpi_op_rope(device, &rope, &error), "rope", "'positions' is NULL");
    tear_down();
}
END_TEST

START_TEST(rows_agree)
{
    const dp_rmsnorm_args norm = {.x = mat(2, 3), .weight = mat(3, 1), .y = mat(2, 3)};
    const dp_glu_args glu = {mat(2, 3), mat(2, 4), mat(2, 3), 0, 0}, gate = {mat(2, 3), mat(2, 3), mat(2, 3), 5, 0};
    const dp_axpby_args add = {mat(2, 3), mat(3, 2), 1, 1};
    const dp_cast_args cast = {mat(2, 3), {memory, 2, 32, 32, DP_Q8_0, 0}};
    dp_softmax_args softmax = {mat(5, 4), mat(5, 4), 2, 1, 1};
    dp_reduce_args reduce = {.x = mat(2, 3), .result = {sums, 2, 1, 1, DP_F64, 0}, .kind = DP_REDUCTION_DOT};
    const dp_mat from = mat(2, 2), to = {sums, 2, 2, 2, DP_F64, 0};

    set_up();
    refused(dpi_op_rmsnorm(device, &norm, &error), "rmsnorm", "operand 'weight' is 3 x 1, expected 1 x 3");
    refused(dpi_op_glu(device, &glu, &error), "glu", "operand 'b' is 2 x 4, expected 2 x 3");
    refused(dpi_op_glu(device, &gate, &error), "glu", "'gate' is 5, expected 0 to 1");
    refused(dpi_op_axpby(device, &add, &error), "axpby", "operand 'x' is 2 x 3, expected 3 x 2");
    refused(dpi_op_cast(device, &cast, &error), "cast", "operand 'x' is 2 x 3, expected 2 x 32");
    refused(dpi_op_softmax(device, &softmax, &error), "softmax", "'rows mod queries' is 1");
    softmax.queries = 5;
    refused(dpi_op_softmax(device, &softmax, &error), "softmax", "'queries' is 5, expected 1 to 4");
    refused(dpi_op_reduce(device, &reduce, &error), "reduce", "operand 'y' is absent");
    reduce.kind = DP_REDUCTION_SUM;
    reduce.y = mat(2, 3);
    refused(dpi_op_reduce(device, &reduce, &error), "reduce", "'y beside a kind of one operand' is 1");
    reduce.y.data = NULL;
    reduce.result.type = DP_F32;
    refused(dpi_op_reduce(device, &reduce, &error), "reduce", "operand 'result' may not be of type f32");
    refused(dpi_op_copy2d(device, &from, &to, &error), "copy2d", "'type of from' is 0, expected 28 to 28");
    refused(dpi_op_upload(device, NULL, memory, 4, &error), "upload", "'to' is NULL");
    refused(dpi_op_download(device, memory, NULL, 4, &error), "download", "'from' is NULL");
    tear_down();
}
END_TEST

START_TEST(fused_shapes_agree)
{
    dp_attention_args attention = {.q = mat(2, 8), .k = mat(3, 4), .v = mat(3, 4), .y = mat(2, 8), .sequences = 1,
                                   .queries = 2, .keys = 3, .heads = 2, .kv_heads = 1, .head_dim = 4, .scale = 1};
    const dp_swiglu_args swiglu = {mat(2, 3), mat(4, 3), mat(5, 3), mat(2, 4), 0, 0};
    const dp_linear_xent_args head = {mat(2, 3), mat(4, 2), mat(2, 1), ids};
    const dp_add_rmsnorm_args add = {.x = mat(2, 3), .delta = mat(2, 2), .weight = mat(1, 3), .y = mat(2, 3)};
    dp_qkv_rope_args qkv = {.x = mat(2, 3), .wq = mat(4, 3), .wk = mat(2, 3), .wv = mat(4, 3), .q = mat(2, 4),
                            .k = mat(2, 2), .v = mat(2, 4), .positions = ids, .inverse_frequencies = frequencies,
                            .head_dim = 2};

    set_up();
#define BAD(change, words)                                                                                           \
    do {                                                                                                             \
        dp_attention_args bad = attention;                                                                          \
        bad.change;                                                                                                  \
        refused(dpi_op_attention(device, &bad, &error), "attention", words);                                        \
    } while (0)
    BAD(heads = 0, "'heads' is 0");
    BAD(kv_heads = 3, "'kv_heads' is 3, expected 1 to 2");
    BAD(queries = 4, "'queries' is 4, expected 1 to 3");
    BAD(sequences = 2, "operand 'q' is 2 x 8, expected 4 x 8");
    BAD(head_dim = 5, "operand 'q' is 2 x 8, expected 2 x 10");
    BAD(v.rows = 2, "operand 'v' is 2 x 4, expected 3 x 4");
    BAD(lse = mat(2, 1), "operand 'lse' is 2 x 1, expected 2 x 2");
#undef BAD
    refused(dpi_op_swiglu(device, &swiglu, &error), "swiglu", "operand 'up_weight' is 5 x 3, expected 4 x 3");
    refused(dpi_op_linear_xent(device, &head, &error), "linear_xent", "operand 'weight' is 4 x 2, expected -1 x 3");
    refused(dpi_op_add_rmsnorm(device, &add, &error), "add_rmsnorm", "operand 'delta' is 2 x 2, expected 2 x 3");
    refused(dpi_op_qkv_rope(device, &qkv, &error), "qkv_rope", "'rows of wv' is 4, expected 2 to 2");
    qkv.bk = mat(1, 3);
    refused(dpi_op_qkv_rope(device, &qkv, &error), "qkv_rope", "operand 'bk' is 1 x 3, expected 1 x 2");
    tear_down();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {an_operand_is_there_typed_shaped_and_addressable, products_agree,
                                  host_arrays_are_read_before_the_device, rows_agree, fused_shapes_agree};

    return dpt_run("backend/checks", tests, sizeof tests / sizeof *tests);
}
