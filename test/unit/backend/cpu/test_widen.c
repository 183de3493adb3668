// Stored elements to f32 by every kernel set: the bits of the plain decoder, for any bytes.  Scales that are NaN or
// infinite are among them; where one result is NaN the other is, whatever its payload.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cpu/stream.h"
#include "tensor/dtype.h"
#include "test/unit/backend/cpu/cpu_host.h"

enum { BLOCKS = 3000, MOST = BLOCKS * 256 };

static const int32_t types[] = {DP_F32,  DP_F16,  DP_BF16, DP_Q4_0, DP_Q4_1, DP_Q5_0, DP_Q5_1,
                                DP_Q8_0, DP_Q2_K, DP_Q3_K, DP_Q4_K, DP_Q5_K, DP_Q6_K};

static void fill(unsigned char *bytes, size_t size, uint64_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (unsigned char)(seed >> 56);
    }
}

// How many results are not numbers.
static int compare(const float *got, const float *expected, int64_t count, const char *name)
{
    int odd = 0;

    for (int64_t i = 0; i < count; i++) {
        if (isnan(expected[i])) {
            odd++;
            ck_assert_msg(isnan(got[i]), "%s: element %lld is %g, not NaN", name, (long long)i, (double)got[i]);
            continue;
        }
        ck_assert_msg(memcmp(&got[i], &expected[i], sizeof *got) == 0, "%s: element %lld is %a, not %a", name,
                      (long long)i, (double)got[i], (double)expected[i]);
    }
    return odd;
}

// All blocks at once and, for the rests that a vector leaves, a few of them from a place in the middle.
START_TEST(every_byte_pattern_widens_like_the_plain_decoder)
{
    const dpi_dtype *dtype = dpi_dtype_of(types[_i]);
    const size_t step = (size_t)dtype->block_bytes, size = step * BLOCKS;
    unsigned char *stored = malloc(size);
    float *expected = malloc(MOST * sizeof *expected), *got = malloc(MOST * sizeof *got);

    fill(stored, size, (uint64_t)types[_i] + 1);
    dpi_to_f32(types[_i], stored, (int64_t)BLOCKS * dtype->block, expected);
    for (int32_t set = FIRST_SET; set <= LAST_SET; set++) {
        test_host host;

        if (!host_open(&host, set, DP_GEMM_NATIVE, 1))
            continue;
        host.stream->kernels->widen(types[_i], stored, (int64_t)BLOCKS * dtype->block, got);
        const int odd = compare(got, expected, (int64_t)BLOCKS * dtype->block, dtype->name);
        ck_assert_int_gt(odd, 0);
        for (int64_t count = 1; count < 40; count++) {
            host.stream->kernels->widen(types[_i], stored + 100 * step, count * dtype->block, got);
            compare(got, expected + 100 * dtype->block, count * dtype->block, dtype->name);
        }
        host_close(&host);
    }
    free(stored);
    free(expected);
    free(got);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("backend/cpu/widen");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 120);
    tcase_add_loop_test(all, every_byte_pattern_widens_like_the_plain_decoder, 0, (int)(sizeof types / sizeof *types));
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
