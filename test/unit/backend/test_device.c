// Contexts and devices: names, tables of other sizes, plugins that cannot be used, and what describe says.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/device.h"
#include "backend/ref/ref.h"
#include "backend/registry.h"
#include "test/run.h"

static dp_error error;
static char logged[512];

static void keep_line(void *user, int32_t level, const char *line)
{
    (void)user, (void)level;
    snprintf(logged, sizeof logged, "%s", line);
}

static dp_context_options with(const char *backend)
{
    dp_context_options options;

    dp_context_options_init(&options, sizeof options);
    options.backend = backend;
    options.log = keep_line;
    options.threads = 2;
    return options;
}

static void refused(const dp_context_options *options, int code, const char *item, const char *words)
{
    dp_context *context = NULL;

    memset(&error, 0, sizeof error);
    ck_assert_int_eq(dp_context_new(options, &context, &error), code);
    ck_assert_ptr_null(context);
    ck_assert_str_eq(error.item, item);
    ck_assert_msg(strstr(error.message, words) != NULL, "'%s' does not say '%s'", error.message, words);
}

START_TEST(says_what_it_runs_on)
{
    const char want[] = "{\"backend\":\"ref\",\"device\":\"host processor\",\"kernels\":\"double\",\"libraries\":\"\","
                        "\"threads\":2,\"memory_limit\":0}";
    const dp_context_options options = with("ref");
    dp_context *context = NULL;
    char text[256] = "", cut[5] = "";
    size_t needed = 0;

    ck_assert_int_eq(dp_context_new(&options, &context, &error), DP_OK);
    ck_assert_int_eq(dp_context_describe(context, NULL, 0, &needed, &error), DP_OK);
    ck_assert_uint_eq(needed, sizeof want);
    ck_assert_int_eq(dp_context_describe(context, text, sizeof text, NULL, &error), DP_OK);
    ck_assert_str_eq(text, want);
    ck_assert_int_eq(dp_context_describe(context, cut, sizeof cut, NULL, &error), DP_OK);
    ck_assert_str_eq(cut, "{\"ba");
    ck_assert_int_eq(dp_context_describe(context, NULL, 3, NULL, &error), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_context_describe(NULL, text, sizeof text, NULL, &error), DP_E_ARGUMENT);
    dp_context_free(context);
}
END_TEST

START_TEST(every_name_has_its_answer)
{
    dp_context_options options = with("gpu");
    dp_context *context = NULL;

    ck_assert_int_eq(dp_context_new(NULL, NULL, &error), DP_E_ARGUMENT);
    refused(&options, DP_E_ARGUMENT, "backend", "unknown backend 'gpu': known are auto, cpu, ref, cuda and cuda:N");
    options.backend = "cuda:";
    refused(&options, DP_E_ARGUMENT, "backend", "expected cuda:0 to cuda:1023");
    options.backend = "cuda:1024";
    refused(&options, DP_E_ARGUMENT, "backend", "'cuda:1024' does not name a device");
    options.backend = "cuda:-1";
    refused(&options, DP_E_ARGUMENT, "backend", "does not name a device");
    options = with("ref");
    options.gemm = "mkl";
    refused(&options, DP_E_ARGUMENT, "gemm", "unknown choice 'mkl': known are auto, native, openblas");
    options.gemm = "native";
    options.kernels = "sse";
    refused(&options, DP_E_ARGUMENT, "kernels", "known are auto, portable, avx2, avx512");
    options.kernels = "avx2";
    ck_assert_int_eq(dp_context_new(&options, &context, &error), DP_OK);
    ck_assert_int_eq(dpi_device_of(context)->host.gemm, DP_GEMM_NATIVE);
    ck_assert_int_eq(dpi_device_of(context)->host.kernels, DP_KERNELS_AVX2);
    dp_context_free(context);
}
END_TEST

START_TEST(a_plugin_that_cannot_be_used_is_named)
{
    const char *const empty = "build/test_device_plugin.so";
    dp_context_options options = with("cuda");
    dp_context *context = NULL;
    FILE *file;

    options.plugin = "/nowhere/plugin.so";
    refused(&options, DP_E_BACKEND, "", "cannot load the plugin: /nowhere/plugin.so: cannot open shared object");
    ck_assert_str_eq(error.file, "/nowhere/plugin.so");
    file = fopen(empty, "w");
    ck_assert_ptr_nonnull(file);
    fputs("not an object\n", file);
    fclose(file);
    options.plugin = empty;
    refused(&options, DP_E_BACKEND, "", "cannot load the plugin: build/test_device_plugin.so: file too short");
    options.backend = "auto"; // takes the processor and says why
    ck_assert_int_eq(dp_context_new(&options, &context, &error), DP_OK);
    ck_assert_str_eq(dpi_device_of(context)->info.name, "cpu");
    ck_assert_msg(strstr(logged, "the GPU is not used: cannot load the plugin") != NULL, "%s", logged);
    dp_context_free(context);
    unlink(empty);
    options.plugin = "libm.so.6";
    options.backend = "cuda:0";
    refused(&options, DP_E_BACKEND, "", "not a backend plugin: ");
    logged[0] = 0;
    options = with("auto"); // no file beside the program: nothing to say
    ck_assert_int_eq(dp_context_new(&options, &context, &error), DP_OK);
    ck_assert_str_eq(logged, "");
    dp_context_free(context);
}
END_TEST

START_TEST(the_plugin_is_looked_for_beside_the_library)
{
    char path[DPI_PATH_BYTES], far[DPI_PATH_BYTES + 1];

    ck_assert_int_eq(dpi_plugin_path("here.so", path, &error), DP_OK);
    ck_assert_str_eq(path, "here.so");
    memset(far, 'a', sizeof far);
    far[DPI_PATH_BYTES] = 0;
    ck_assert_int_eq(dpi_plugin_path(far, path, &error), DP_E_BACKEND);
    if (dpi_plugin_path(NULL, path, &error) == DP_OK) { // a program started by a relative name has no known folder
        ck_assert_int_eq(path[0], '/');
        ck_assert_ptr_nonnull(strstr(path, "/depthprune/libdepthprune-cuda.so"));
    } else {
        ck_assert_msg(strstr(error.message, "give the plugin's path") != NULL, "%s", error.message);
    }
}
END_TEST

static int closed;
static dp_backend changed;

static void count_close(dp_stream *stream)
{
    closed++;
    dpi_ref_backend()->close(stream);
}

static int fail_open(const dp_host *host, int32_t device, dp_stream **out, dp_error *why)
{
    (void)host, (void)device, (void)out;
    why->code = DP_E_BACKEND;
    return DP_E_BACKEND;
}

static int describe_trainer(dp_stream *stream, dp_backend_info *info, dp_error *why)
{
    const int rc = dpi_ref_backend()->describe(stream, info, why);

    info->flags |= DP_BACKEND_TRAINS;
    info->libraries = NULL;
    return rc;
}

static int try_table(dp_context *context)
{
    memset(&error, 0, sizeof error);
    return dpi_device_open(context, &changed, 0, NULL, &error);
}

START_TEST(tables_are_checked_and_the_old_device_is_kept)
{
    const dp_context_options options = with("ref");
    const size_t least = offsetof(dp_backend, embed_grad);
    dp_context *context = NULL;
    dpi_device *first;

    ck_assert_int_eq(dp_context_new(&options, &context, &error), DP_OK);
    first = dpi_device_of(context);
    changed = *dpi_ref_backend();
    changed.abi = 7;
    ck_assert_int_eq(try_table(context), DP_E_VERSION);
    ck_assert_str_eq(error.message, "the backend's table is of version 7, expected 1");
    changed.abi = DP_BACKEND_ABI;
    changed.size = (uint32_t)least - 1;
    ck_assert_int_eq(try_table(context), DP_E_VERSION);
    changed.size = sizeof changed;
    changed.softmax = NULL;
    ck_assert_int_eq(try_table(context), DP_E_BACKEND);
    ck_assert_str_eq(error.message, "the backend's table lacks 'softmax'");
    changed = *dpi_ref_backend();
    changed.open = fail_open;
    ck_assert_int_eq(try_table(context), DP_E_BACKEND);
    changed = *dpi_ref_backend();
    changed.describe = describe_trainer; // says it trains, but the slots are empty
    changed.close = count_close;
    ck_assert_int_eq(try_table(context), DP_E_BACKEND);
    ck_assert_str_eq(error.message, "the backend's table lacks 'embed_grad'");
    ck_assert_int_eq(closed, 1);
    ck_assert_int_eq(dpi_device_open(context, NULL, 0, NULL, &error), DP_E_BACKEND);
    ck_assert_ptr_eq(dpi_device_of(context), first);

    memset((char *)&changed + least, 0xFF, sizeof changed - least); // beyond the end of an older, shorter table
    changed.describe = dpi_ref_backend()->describe;
    changed.size = (uint32_t)least;
    ck_assert_int_eq(try_table(context), DP_OK);
    ck_assert_ptr_ne(dpi_device_of(context), first);
    ck_assert(dpi_device_of(context)->table->attention == NULL);
    ck_assert(dpi_device_of(context)->table->broadcast == NULL);
    dp_context_free(context);
    ck_assert_int_eq(closed, 2);
}
END_TEST

START_TEST(memory_is_counted_and_limited)
{
    dp_context_options options = with("ref");
    dp_context *context = NULL;
    void *memory;

    options.memory_limit = 1 << 20;
    ck_assert_int_eq(dp_context_new(&options, &context, &error), DP_OK);
    const dpi_device *device = dpi_device_of(context);
    ck_assert_int_eq(device->table->alloc(device->stream, 2 << 20, &memory, &error), DP_E_MEMORY);
    ck_assert_int_eq(device->table->alloc(device->stream, 1 << 18, &memory, &error), DP_OK);
    ck_assert_uint_ge(atomic_load(&context->memory.used), 1U << 18);
    device->table->free(device->stream, memory);
    dp_context_free(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {says_what_it_runs_on, every_name_has_its_answer,
                                  a_plugin_that_cannot_be_used_is_named, the_plugin_is_looked_for_beside_the_library,
                                  tables_are_checked_and_the_old_device_is_kept, memory_is_counted_and_limited};

    return dpt_run("backend/device", tests, sizeof tests / sizeof *tests);
}
