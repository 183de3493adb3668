// Storages: bytes are released once, with the last reference; and shapes of tensors.
#include "tensor/storage.h"

#include "tensor/tensor.h"
#include "test/run.h"

typedef struct released {
    int times;
    const void *bytes;
    uint64_t size;
} released;

static void release(void *user, const void *bytes, uint64_t size)
{
    released *const r = user;

    r->times++;
    r->bytes = bytes;
    r->size = size;
}

START_TEST(releases_once_with_the_last_reference)
{
    static const char text[] = "weights";
    released r = {0};
    dpi_memory memory;
    dpi_storage *storage = NULL;

    dpi_memory_init(&memory, NULL, 0);
    ck_assert_int_eq(dpi_storage_new(&storage, &memory, text, sizeof text, release, &r, NULL), DP_OK);
    ck_assert_ptr_eq(dpi_storage_bytes(storage), (const unsigned char *)text);
    ck_assert_uint_eq(dpi_storage_size(storage), sizeof text);
    ck_assert_ptr_eq(dpi_storage_keep(storage), storage);
    dpi_storage_drop(storage);
    ck_assert_int_eq(r.times, 0);
    dpi_storage_drop(storage);
    ck_assert_int_eq(r.times, 1);
    ck_assert_ptr_eq(r.bytes, text);
    ck_assert_uint_eq(r.size, sizeof text);
    dpi_storage_drop(NULL);
    ck_assert_uint_eq(atomic_load(&memory.used), 0);
}
END_TEST

START_TEST(leaves_the_bytes_alone_when_it_fails)
{
    released r = {0};
    dpi_memory memory;
    dpi_storage *storage = NULL;

    dpi_memory_init(&memory, NULL, 10);
    ck_assert_int_eq(dpi_storage_new(&storage, &memory, "x", 1, release, &r, NULL), DP_E_MEMORY);
    ck_assert_ptr_null(storage);
    ck_assert_int_eq(r.times, 0);
}
END_TEST

START_TEST(does_without_a_release)
{
    dpi_memory memory;
    dpi_storage *storage = NULL;

    dpi_memory_init(&memory, NULL, 0);
    ck_assert_int_eq(dpi_storage_new(&storage, &memory, "x", 1, NULL, NULL, NULL), DP_OK);
    dpi_storage_drop(storage);
    ck_assert_uint_eq(atomic_load(&memory.used), 0);
}
END_TEST

START_TEST(takes_the_last_dimension_for_a_row)
{
    const dpi_tensor cube = {.shape = {2, 3, 5}, .dims = 3}, vector = {.shape = {7}, .dims = 1}, one = {.dims = 0};

    ck_assert_int_eq(dpi_tensor_count(&cube), 30);
    ck_assert_int_eq(dpi_tensor_rows(&cube), 6);
    ck_assert_int_eq(dpi_tensor_columns(&cube), 5);
    ck_assert_int_eq(dpi_tensor_count(&vector), 7);
    ck_assert_int_eq(dpi_tensor_rows(&vector), 1);
    ck_assert_int_eq(dpi_tensor_columns(&vector), 7);
    ck_assert_int_eq(dpi_tensor_count(&one), 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {releases_once_with_the_last_reference, leaves_the_bytes_alone_when_it_fails,
                                  does_without_a_release, takes_the_last_dimension_for_a_row};
    return dpt_run("tensor/storage", tests, sizeof tests / sizeof *tests);
}
