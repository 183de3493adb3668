// Options: defaults, older and newer callers, ranges, and info structs.
#include "base/options.h"

#include <math.h>
#include <string.h>

#include "test/run.h"

typedef struct sample_options {
    uint32_t size;
    int32_t threads;
    uint64_t limit;
    double rate;
    const char *name;
    const void *user;
    int64_t shift;
    uint32_t mode;
    uint32_t reserved;
} sample_options;

#define AT(field) .name = #field, .offset = offsetof(sample_options, field)

static const dpi_option table[] = {
    {AT(threads), .kind = DPI_INT32, .least = -1, .most = 8, .value = 2},
    {AT(limit), .kind = DPI_UINT64, .least = 1, .most = 1e6, .value = 1000},
    {AT(rate), .kind = DPI_DOUBLE, .least = 0, .most = 1, .value = 0.25},
    {AT(name), .kind = DPI_TEXT, .text = "auto"},
    {AT(user), .kind = DPI_POINTER},
    {AT(shift), .kind = DPI_INT64, .least = -5, .most = 5, .value = -3},
    {AT(mode), .kind = DPI_UINT32, .value = 4000000000u},
};
static const dpi_schema schema = {"sample_options", sizeof(sample_options), sizeof table / sizeof *table, table};

static void check_defaults(const sample_options *o)
{
    ck_assert_int_eq(o->threads, 2);
    ck_assert_uint_eq(o->limit, 1000);
    ck_assert(o->rate == 0.25);
    ck_assert_str_eq(o->name, "auto");
    ck_assert_ptr_null(o->user);
    ck_assert_int_eq(o->shift, -3);
    ck_assert_uint_eq(o->mode, 4000000000u);
    ck_assert_uint_eq(o->reserved, 0);
}

START_TEST(fills_in_defaults)
{
    sample_options o, out;

    memset(&o, 0xAA, sizeof o);
    memset(&out, 0xAA, sizeof out);
    dpi_options_init(&schema, &o, sizeof o);
    ck_assert_uint_eq(o.size, sizeof o);
    check_defaults(&o);
    ck_assert_int_eq(dpi_options_read(&schema, NULL, &out, NULL), DP_OK);
    ck_assert_uint_eq(out.size, sizeof out);
    check_defaults(&out);
}
END_TEST

START_TEST(takes_what_the_host_set)
{
    sample_options o, out;

    dpi_options_init(&schema, &o, sizeof o);
    o.threads = -1;
    o.limit = 5;
    o.rate = 1;
    o.name = "cpu";
    o.user = &o;
    o.shift = 5;
    o.mode = 9;
    ck_assert_int_eq(dpi_options_read(&schema, &o, &out, NULL), DP_OK);
    ck_assert_mem_eq(&out, &o, sizeof o);
}
END_TEST

// An older host knows less of the struct, even less than a whole field.
START_TEST(serves_an_older_host)
{
    for (uint32_t size = 4; size < sizeof(sample_options); size++) {
        unsigned char bytes[sizeof(sample_options) + 1];
        sample_options out;

        memset(bytes, 0xAA, sizeof bytes);
        dpi_options_init(&schema, bytes, size);
        ck_assert_uint_eq(bytes[size], 0xAA);
        ck_assert_int_eq(dpi_options_read(&schema, bytes, &out, NULL), DP_OK);
        ck_assert_uint_eq(out.size, sizeof out);
        check_defaults(&out);
    }
}
END_TEST

START_TEST(serves_a_newer_host_that_asks_for_nothing_new)
{
    unsigned char bytes[sizeof(sample_options) + 8];
    sample_options out = {.threads = 77};
    dp_error error;

    memset(bytes, 0xAA, sizeof bytes);
    dpi_options_init(&schema, bytes, sizeof bytes);
    ck_assert_int_eq(dpi_options_read(&schema, bytes, &out, &error), DP_OK);
    check_defaults(&out);
    bytes[sizeof bytes - 1] = 1;
    out.threads = 77;
    ck_assert_int_eq(dpi_options_read(&schema, bytes, &out, &error), DP_E_VERSION);
    ck_assert_str_eq(error.item, "sample_options");
    ck_assert_int_eq(out.threads, 77);
}
END_TEST

START_TEST(refuses_a_struct_that_was_not_initialized)
{
    const sample_options o = {0};
    sample_options out;
    dp_error error;

    ck_assert_int_eq(dpi_options_read(&schema, &o, &out, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "sample_options.size is 0; call its initializer first");
    dpi_options_init(&schema, NULL, 10);
}
END_TEST

static void refused(const sample_options *o, const char *item, const char *message)
{
    sample_options out = {.threads = 77};
    dp_error error;

    ck_assert_int_eq(dpi_options_read(&schema, o, &out, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.item, item);
    ck_assert_str_eq(error.message, message);
    ck_assert_int_eq(out.threads, 77);
}

START_TEST(names_an_option_out_of_range)
{
    sample_options good, o;

    dpi_options_init(&schema, &good, sizeof good);
    o = good;
    o.threads = 9;
    refused(&o, "threads", "threads is 9; it must be from -1 to 8");
    o = good;
    o.threads = -2;
    refused(&o, "threads", "threads is -2; it must be from -1 to 8");
    o = good;
    o.limit = 0;
    refused(&o, "limit", "limit is 0; it must be from 1 to 1000000");
    o = good;
    o.rate = (double)NAN;
    refused(&o, "rate", "rate is nan; it must be from 0 to 1");
    o = good;
    o.shift = -6;
    refused(&o, "shift", "shift is -6; it must be from -5 to 5");
}
END_TEST

START_TEST(gives_as_much_info_as_the_host_knows)
{
    const uint32_t from[4] = {16, 1, 2, 3};
    uint32_t info[6] = {8, 9, 9, 9, 9, 9};
    dp_error error;

    ck_assert_int_eq(dpi_info_give(from, sizeof from, info, &error), DP_OK);
    ck_assert(info[0] == 8 && info[1] == 1 && info[2] == 9);
    info[0] = 20;
    ck_assert_int_eq(dpi_info_give(from, sizeof from, info, &error), DP_OK);
    ck_assert(info[0] == 20 && info[3] == 3 && info[4] == 0 && info[5] == 9);
    info[0] = 0;
    ck_assert_int_eq(dpi_info_give(from, sizeof from, info, &error), DP_E_ARGUMENT);
    ck_assert_int_eq(dpi_info_give(from, sizeof from, NULL, &error), DP_E_ARGUMENT);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {fills_in_defaults,
                                  takes_what_the_host_set,
                                  serves_an_older_host,
                                  serves_a_newer_host_that_asks_for_nothing_new,
                                  refuses_a_struct_that_was_not_initialized,
                                  names_an_option_out_of_range,
                                  gives_as_much_info_as_the_host_knows};
    return dpt_run("base/options", tests, sizeof tests / sizeof *tests);
}
