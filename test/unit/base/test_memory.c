// Memory: alignment, zeroes, the limit with its numbers, the peak, and the host's sized free.
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#include "test/run.h"

typedef struct host {
    int blocks, refuse;
    uint64_t bytes;
} host;

static void *host_alloc(void *user, uint64_t size, uint64_t align)
{
    host *const h = user;

    if (h->refuse)
        return NULL;
    h->blocks++;
    h->bytes += size;
    return memset(aligned_alloc((size_t)align, ((size_t)size + 63) / 64 * 64), 0xAA, (size_t)size);
}

static void host_free(void *user, void *memory, uint64_t size)
{
    host *const h = user;

    h->blocks--;
    h->bytes -= size;
    free(memory);
}

static void lend(dpi_memory *memory, host *h, uint64_t limit)
{
    const dp_allocator allocator = {host_alloc, host_free, h};

    dpi_memory_init(memory, &allocator, limit);
}

START_TEST(gives_aligned_zeroes_and_takes_them_back_by_size)
{
    host h = {0};
    dpi_memory memory;

    lend(&memory, &h, 0);
    for (size_t size = 0; size < 300; size += 37) {
        unsigned char *const bytes = dpi_alloc(&memory, size, 3, NULL);
        ck_assert_ptr_nonnull(bytes);
        ck_assert_uint_eq((uintptr_t)bytes % 64, 0);
        for (size_t i = 0; i < size * 3; i++)
            ck_assert_uint_eq(bytes[i], 0);
        ck_assert_uint_eq(h.bytes, atomic_load(&memory.used));
        dpi_free(&memory, bytes);
    }
    dpi_free(&memory, NULL);
    ck_assert_int_eq(h.blocks, 0);
    ck_assert_uint_eq(h.bytes, 0);
    ck_assert_uint_eq(atomic_load(&memory.used), 0);
}
END_TEST

START_TEST(stops_at_the_limit_and_says_the_numbers)
{
    host h = {0};
    dpi_memory memory;
    dp_error error;

    lend(&memory, &h, 1000);
    void *const first = dpi_alloc(&memory, 600, 1, &error);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(dpi_alloc(&memory, 300, 1, &error));
    ck_assert_int_eq(error.code, DP_E_MEMORY);
    ck_assert_str_eq(error.message, "out of memory: 364 bytes more than the 664 in use pass the limit of 1000");
    ck_assert_int_eq(h.blocks, 1);
    void *const second = dpi_alloc(&memory, 272, 1, &error); // to the byte
    ck_assert_ptr_nonnull(second);
    ck_assert_uint_eq(atomic_load(&memory.peak), 1000);
    dpi_free(&memory, first);
    dpi_free(&memory, second);
    ck_assert_uint_eq(atomic_load(&memory.peak), 1000);
    ck_assert_uint_eq(atomic_load(&memory.used), 0);
}
END_TEST

START_TEST(fails_where_sizes_wrap_or_the_host_refuses)
{
    host h = {.refuse = 1};
    dpi_memory memory;
    dp_error error;

    lend(&memory, &h, 0);
    ck_assert_ptr_null(dpi_alloc(&memory, SIZE_MAX / 2, 3, &error));
    ck_assert_int_eq(error.code, DP_E_MEMORY);
    ck_assert_ptr_null(dpi_alloc(&memory, SIZE_MAX - 10, 1, &error));
    ck_assert_ptr_null(dpi_alloc(&memory, 1, 1, &error));
    ck_assert_str_eq(error.message, "out of memory: 65 bytes were refused, 0 are in use");
    ck_assert_uint_eq(atomic_load(&memory.used), 0);
    ck_assert_ptr_null(dpi_copy_text(&memory, "abc", &error));
}
END_TEST

START_TEST(grows_with_zeroes_or_leaves_what_was)
{
    host h = {0};
    dpi_memory memory;
    void *pointer = NULL;
    dp_error error;

    lend(&memory, &h, 1000);
    ck_assert_int_eq(dpi_grow(&memory, &pointer, 0, 10, 4, &error), DP_OK);
    for (int i = 0; i < 10; i++)
        ((int32_t *)pointer)[i] = i;
    ck_assert_int_eq(dpi_grow(&memory, &pointer, 10, 20, 4, &error), DP_OK);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(((int32_t *)pointer)[i], i < 10 ? i : 0);
    void *const before = pointer;
    ck_assert_int_eq(dpi_grow(&memory, &pointer, 20, 2000, 4, &error), DP_E_MEMORY);
    ck_assert_ptr_eq(pointer, before);
    ck_assert_int_eq(((int32_t *)pointer)[9], 9);
    dpi_free(&memory, pointer);
    ck_assert_int_eq(h.blocks, 0);
}
END_TEST

START_TEST(copies_texts_and_bytes_with_an_end)
{
    host h = {0};
    dpi_memory memory;

    lend(&memory, &h, 0);
    char *const text = dpi_copy_text(&memory, "caf\xC3\xA9", NULL);
    char *const bytes = dpi_copy_bytes(&memory, "a\0b", 3, NULL);
    char *const none = dpi_copy_bytes(&memory, NULL, 0, NULL);
    ck_assert_str_eq(text, "caf\xC3\xA9");
    ck_assert_mem_eq(bytes, "a\0b", 4);
    ck_assert_str_eq(none, "");
    dpi_free(&memory, text);
    dpi_free(&memory, bytes);
    dpi_free(&memory, none);
}
END_TEST

START_TEST(serves_large_blocks_without_an_allocator)
{
    dpi_memory memory;

    dpi_memory_init(&memory, NULL, 0);
    unsigned char *const bytes = dpi_alloc(&memory, 5 << 20, 1, NULL);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq((uintptr_t)bytes % 64, 0);
    bytes[(5 << 20) - 1] = 1;
    dpi_free(&memory, bytes);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {gives_aligned_zeroes_and_takes_them_back_by_size,
                                  stops_at_the_limit_and_says_the_numbers,
                                  fails_where_sizes_wrap_or_the_host_refuses,
                                  grows_with_zeroes_or_leaves_what_was,
                                  copies_texts_and_bytes_with_an_end,
                                  serves_large_blocks_without_an_allocator};
    return dpt_run("base/memory", tests, sizeof tests / sizeof *tests);
}
