// Element types: sizes, names, and every block type bit for bit against gguf (Python, 0.19) on formula blocks.
#include "tensor/dtype.h"

#include <string.h>

#include "base/sha256.h"
#include "test/run.h"

enum { BLOCKS = 8, MOST = 256 };

typedef struct sample {
    int32_t type;
    int d, m;           // where in the block the scale is and, or -1, the second half
    const char *digest; // SHA-256 of the elements as f32
} sample;

static const sample samples[] = {
    {DP_Q4_0, 0, -1, "b367eac9d4445b2da2c9fa10f38dfe314a06260a1ff71cc3de4b1c08b519042c"},
    {DP_Q4_1, 0, 2, "ef39b469165d8ac390e72afc5ba96c4e8de6d935542df07b53c35efdbdd7eae8"},
    {DP_Q5_0, 0, -1, "22012470974e29af977e3b9b7cb7c27752f66431970380165381985ac171a649"},
    {DP_Q5_1, 0, 2, "9762c9cf8206fcae529b7198d5593a36f517c3bde14e95210c13b142e8348bb7"},
    {DP_Q8_0, 0, -1, "5c328b669123e9faa7e70344af9a48233897dac18ef0750fb77406522225a039"},
    {DP_Q2_K, 80, 82, "6f10e838b7559fb1f780f8aaf57f6e9900d583d4d8798f7abeb4c3a5cce12d8c"},
    {DP_Q3_K, 108, -1, "48b7cf7db6ea94a8eef766faf0bd67a13f7113e7ad4ec5a1329c22f2e5ddf833"},
    {DP_Q4_K, 0, 2, "769ab80c1bd7d0fc2de6db9b481ebf5119da7f974be4ebee861d1f31b993cbd2"},
    {DP_Q5_K, 0, 2, "d6932dd82243dcf7f23d21f154035221c9b99b55dd12a39a2f009fb9fb3790d1"},
    {DP_Q6_K, 208, -1, "9880fc73dcefc7fc859fd2693613646154ff146c6c85b62a60c925324b151674"}};

// Byte i is (31 i^2 + 7 i + 13) / 8; scales are 0x2E66 (about 0.1), second halves 0xAA66.
static void fill(const sample *s, const dpi_dtype *dtype, unsigned char *bytes)
{
    for (uint64_t i = 0; i < (uint64_t)dtype->block_bytes * BLOCKS; i++)
        bytes[i] = (unsigned char)((i * i * 31 + i * 7 + 13) >> 3);
    for (int block = 0; block < BLOCKS; block++) {
        unsigned char *const at = bytes + (ptrdiff_t)block * dtype->block_bytes;
        memcpy(at + s->d, "\x66\x2E", 2);
        if (s->m >= 0)
            memcpy(at + s->m, "\x66\xAA", 2);
    }
}

START_TEST(reads_every_block_type_bit_for_bit)
{
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const dpi_dtype *const dtype = dpi_dtype_of(samples[i].type);
        unsigned char bytes[BLOCKS * MOST];
        float values[BLOCKS * MOST];
        char digest[65];
        dpi_sha256 hash;

        fill(&samples[i], dtype, bytes);
        dpi_to_f32(samples[i].type, bytes, BLOCKS * dtype->block, values);
        dpi_sha256_begin(&hash);
        dpi_sha256_add(&hash, values, sizeof(float) * (size_t)(BLOCKS * dtype->block));
        dpi_sha256_end(&hash, digest);
        ck_assert_msg(strcmp(digest, samples[i].digest) == 0, "%s", dtype->name);
    }
}
END_TEST

START_TEST(reads_and_writes_plain_types_at_any_address)
{
    static const int32_t types[] = {DP_F32, DP_F16, DP_BF16, DP_F64};
    const float values[5] = {0, -1.5f, 96, 0.0078125f, -0.0f};
    unsigned char bytes[41];
    float back[5];

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        dpi_from_f32(types[i], values, 5, bytes + 1);
        dpi_to_f32(types[i], bytes + 1, 5, back);
        ck_assert_mem_eq(back, values, sizeof values);
    }
    const int32_t whole[2] = {-7, 1 << 20};
    memcpy(bytes + 1, whole, sizeof whole);
    dpi_to_f32(DP_I32, bytes + 1, 2, back);
    ck_assert(back[0] == -7 && back[1] == 1048576);
}
END_TEST

START_TEST(knows_sizes_of_rows)
{
    uint64_t bytes = 0;

    ck_assert_int_eq(dpi_row_bytes(DP_Q4_1, 576, &bytes), 0);
    ck_assert_uint_eq(bytes, 18 * 20);
    ck_assert_int_eq(dpi_row_bytes(DP_Q6_K, 1536, &bytes), 0);
    ck_assert_uint_eq(bytes, 6 * 210);
    ck_assert_int_eq(dpi_row_bytes(DP_BF16, 0, &bytes), 0);
    ck_assert_uint_eq(bytes, 0);
    ck_assert_int_ne(dpi_row_bytes(DP_Q6_K, 576, &bytes), 0);
    ck_assert_int_ne(dpi_row_bytes(DP_F32, -1, &bytes), 0);
    ck_assert_int_ne(dpi_row_bytes(DP_F32, INT64_MAX, &bytes), 0);
    ck_assert_int_ne(dpi_row_bytes(31, 32, &bytes), 0);
}
END_TEST

START_TEST(names_types)
{
    ck_assert_str_eq(dp_type_name(DP_BF16), "bf16");
    ck_assert_str_eq(dp_type_name(DP_Q4_1), "q4_1");
    ck_assert_str_eq(dp_type_name(DP_Q6_K), "q6_k");
    ck_assert_str_eq(dp_type_name(-1), "unknown type");
    ck_assert_str_eq(dp_type_name(31), "unknown type");
    ck_assert_ptr_null(dpi_dtype_of(31));
    ck_assert_int_eq(dpi_dtype_of(DP_F64)->computed, 0);
    ck_assert_int_eq(dpi_dtype_of(DP_Q4_1)->computed, 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {reads_every_block_type_bit_for_bit, reads_and_writes_plain_types_at_any_address,
                                  knows_sizes_of_rows, names_types};
    return dpt_run("tensor/dtype", tests, sizeof tests / sizeof *tests);
}
