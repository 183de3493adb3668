// What the library says of itself.
#include <depthprune/version.h>

#include <jansson.h>
#include <string.h>

#include "test/run.h"

START_TEST(says_its_version_three_ways)
{
    json_t *const info = json_loads(dp_build_info(), JSON_REJECT_DUPLICATES, NULL);

    ck_assert_int_eq(dp_version(), DP_VERSION_NUMBER);
    ck_assert_ptr_nonnull(info);
    ck_assert_str_eq(json_string_value(json_object_get(info, "version")), dp_version_text());
    ck_assert(json_is_string(json_object_get(info, "compiler")));
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(info, "kernels"), 0)), "portable");
    ck_assert_uint_eq(json_array_size(json_object_get(info, "libraries")), 3);
    json_decref(info);
}
END_TEST

START_TEST(names_every_code)
{
    ck_assert_str_eq(dp_code_name(DP_OK), "DP_OK");
    ck_assert_str_eq(dp_code_name(DP_E_ARGUMENT), "DP_E_ARGUMENT");
    ck_assert_str_eq(dp_code_name(DP_E_MEMORY), "DP_E_MEMORY");
    ck_assert_str_eq(dp_code_name(DP_E_IO), "DP_E_IO");
    ck_assert_str_eq(dp_code_name(DP_E_FORMAT), "DP_E_FORMAT");
    ck_assert_str_eq(dp_code_name(DP_E_UNSUPPORTED), "DP_E_UNSUPPORTED");
    ck_assert_str_eq(dp_code_name(DP_E_NUMERIC), "DP_E_NUMERIC");
    ck_assert_str_eq(dp_code_name(DP_E_CANCELLED), "DP_E_CANCELLED");
    ck_assert_str_eq(dp_code_name(DP_E_BACKEND), "DP_E_BACKEND");
    ck_assert_str_eq(dp_code_name(DP_E_VERSION), "DP_E_VERSION");
    ck_assert_str_eq(dp_code_name(DP_E_STATE), "DP_E_STATE");
    ck_assert_str_eq(dp_code_name(DP_E_INTERNAL), "DP_E_INTERNAL");
    ck_assert_str_eq(dp_code_name(DP_E_INTERNAL - 1), "unknown code");
    ck_assert_str_eq(dp_code_name(1), "unknown code");
    ck_assert_str_eq(dp_code_name(INT32_MIN), "unknown code");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {says_its_version_three_ways, names_every_code};
    return dpt_run("base/version", tests, sizeof tests / sizeof *tests);
}
