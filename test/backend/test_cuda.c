// The CUDA kernels on the emulated GPU against the reference, by the trials that the CPU backend has to pass: threads and
// blocks forwards, backwards and in random order give the same bits, streams run at once or as late as they may.
#include "test/unit/backend/row_cases.h"

const dp_backend *dpc_table(void);
size_t cuemu_in_use(void);
size_t cuemu_kernels_run(void);

// Required slots that the kernels do not have yet; no trial calls them.
static int not_built(void)
{
    return DP_E_UNSUPPORTED;
}

static dp_backend whole_table(void)
{
    int (*const filler)(void) = not_built;
    dp_backend table = *dpc_table();

    for (size_t at = offsetof(dp_backend, open); at < offsetof(dp_backend, embed_grad); at += sizeof filler) {
        void *slot;
        memcpy(&slot, (char *)&table + at, sizeof slot);
        if (!slot)
            memcpy((char *)&table + at, &filler, sizeof filler);
    }
    return table;
}

static void on_every_device(void (*body)(bench *b), size_t least_kernels)
{
    const dp_backend table = whole_table();
    bench b = {.name = "cuda", .same_bits = 1};
    dp_error error;

    b.contexts[0] = open_context("ref", "auto", "auto", 1);
    for (b.count = 1; b.count < 4; b.count++) {
        b.contexts[b.count] = open_context("ref", "auto", "auto", 1);
        ck_assert_msg(dpi_device_open(b.contexts[b.count], &table, b.count - 1, NULL, &error) == DP_OK, "%s",
                      error.message);
    }
    body(&b);
    ck_assert_uint_gt(cuemu_kernels_run(), least_kernels);
    close_bench(&b);
    ck_assert_uint_eq(cuemu_in_use(), 0);
}

START_TEST(rmsnorm_conforms)
{
    on_every_device(rmsnorm_cases, 100);
}
END_TEST

START_TEST(rope_conforms)
{
    on_every_device(rope_cases, 100);
}
END_TEST

START_TEST(softmax_conforms)
{
    on_every_device(softmax_cases, 100);
}
END_TEST

enum { ROWS = 6, DIM = 8 };

// Three turns of x by different positions; the host's arrays are changed as soon as each call returns.
static void turn_thrice(dpi_device *device, const float *x, float *back)
{
    int32_t positions[ROWS];
    float frequencies[DIM / 2];
    dp_rope_args args = {{NULL, ROWS, DIM, DIM, DP_F32, 0}, positions, frequencies, DIM, 0, 0, 0};

    ck_assert_int_eq(dpi_op_alloc(device, sizeof *x * ROWS * DIM, &args.x.data, NULL), DP_OK);
    ck_assert_int_eq(dpi_op_upload(device, args.x.data, x, sizeof *x * ROWS * DIM, NULL), DP_OK);
    for (int turn = 0; turn < 3; turn++) {
        for (int r = 0; r < ROWS; r++)
            positions[r] = r + 10 * turn;
        for (int p = 0; p < DIM / 2; p++)
            frequencies[p] = 1 / (float)(1 + p + turn);
        ck_assert_int_eq(dpi_op_rope(device, &args, NULL), DP_OK);
        memset(positions, 0, sizeof positions);
        memset(frequencies, 0, sizeof frequencies);
    }
    ck_assert_int_eq(dpi_op_download(device, back, args.x.data, sizeof *x * ROWS * DIM, NULL), DP_OK);
    dpi_op_free(device, args.x.data);
    ck_assert_int_eq(dpi_op_sync(device, NULL), DP_OK);
}

static void stream_order(bench *b)
{
    float x[ROWS * DIM], want[ROWS * DIM], got[ROWS * DIM];

    for (int i = 0; i < ROWS * DIM; i++)
        x[i] = real();
    turn_thrice(dpi_device_of(b->contexts[0]), x, want);
    for (int k = 1; k < b->count; k++) {
        turn_thrice(dpi_device_of(b->contexts[k]), x, got);
        for (int i = 0; i < ROWS * DIM; i++)
            ck_assert_float_eq_tol(got[i], want[i], 2e-6F);
    }
}

START_TEST(host_arrays_may_change_after_the_call)
{
    on_every_device(stream_order, 8);
}
END_TEST

static void failures(bench *b)
{
    dpi_device *const device = dpi_device_of(b->contexts[2]);
    float host[4] = {0};
    const dp_mat here = {host, 2, 2, 2, DP_F32, 0};
    const dp_softmax_args on_host = {here, here, 1, 1, 0};
    dp_error error;
    void *memory;

    ck_assert_int_eq(dpi_op_alloc(device, (uint64_t)1 << 40, &memory, &error), DP_E_MEMORY);
    ck_assert_str_eq(error.message, "out of memory (2)");
    ck_assert_int_eq(dpi_op_softmax(device, &on_host, &error), DP_E_BACKEND);
    ck_assert_str_eq(error.message, "an illegal memory access was encountered (700)");
    ck_assert_int_eq(dpi_op_upload(device, host, host, 4, &error), DP_E_BACKEND);
    ck_assert_int_eq(dpi_device_open(b->contexts[2], &(dp_backend){0}, 0, NULL, &error), DP_E_VERSION);
    const dp_backend table = whole_table();
    ck_assert_int_eq(dpi_device_open(b->contexts[2], &table, 7, NULL, &error), DP_E_BACKEND);
    ck_assert_str_eq(error.message, "there is no device 7: this machine has 3");
    rope_cases(b); // all still works
}

START_TEST(refusals_leave_the_device_usable)
{
    on_every_device(failures, 100);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {rmsnorm_conforms, rope_conforms, softmax_conforms,
                                  host_arrays_may_change_after_the_call, refusals_leave_the_device_usable};

    return dpt_run("backend/cuda", tests, sizeof tests / sizeof *tests);
}
