// Which backend a name means: "auto" takes a GPU that works, else the CPU, and says in the log why not.
#include "backend/registry.h"

#include <string.h>
#include <unistd.h>

#include "backend/cpu/cpu.h"
#include "backend/ref/ref.h"
#include "base/error.h"
#include "base/text.h"

enum { MOST_DEVICES = 1024 };

static int open_plugin(dp_context *context, const char *path, int32_t index, const dp_context_options *options,
                       dp_error *error)
{
    const dp_backend *table;
    const int rc = dpi_plugin_load(path, &table, error);

    return rc ? rc : dpi_device_open(context, table, index, options, error);
}

static int open_cuda(dp_context *context, const char *name, const dp_context_options *options, dp_error *error)
{
    const dpi_place place = {.item = "backend", .offset = -1};
    const char *digits = name + strlen("cuda");
    char path[DPI_PATH_BYTES];
    int64_t index = 0;

    if (*digits) {
        const size_t size = strlen(digits + 1);
        if (digits[1] < '0' || digits[1] > '9' || dpi_parse_i64(digits + 1, size, &index) != size ||
            index >= MOST_DEVICES)
            return dpi_fail_at(error, DP_E_ARGUMENT, &place, "'%s' does not name a device: expected cuda:0 to cuda:%d",
                               name, MOST_DEVICES - 1);
    }
    const int rc = dpi_plugin_path(options->plugin, path, error);
    return rc ? rc : open_plugin(context, path, (int32_t)index, options, error);
}

static int open_auto(dp_context *context, const dp_context_options *options, dp_error *error)
{
    char path[DPI_PATH_BYTES];
    dp_error why;

    if (dpi_plugin_path(options->plugin, path, &why) == DP_OK && access(path, F_OK) == 0) {
        if (open_plugin(context, path, 0, options, &why) == DP_OK)
            return DP_OK;
        dpi_log(context, DP_LOG_NOTE, "the GPU is not used: %s", why.message);
    }
    return dpi_device_open(context, dpi_cpu_backend(), 0, options, error);
}

int dpi_registry_open(dp_context *context, const dp_context_options *options, dp_error *error)
{
    const dpi_place place = {.item = "backend", .offset = -1};
    const char *name = options->backend ? options->backend : "auto";

    if (strcmp(name, "auto") == 0)
        return open_auto(context, options, error);
    if (strcmp(name, "cpu") == 0)
        return dpi_device_open(context, dpi_cpu_backend(), 0, options, error);
    if (strcmp(name, "ref") == 0)
        return dpi_device_open(context, dpi_ref_backend(), 0, options, error);
    if (strcmp(name, "cuda") == 0 || strncmp(name, "cuda:", 5) == 0)
        return open_cuda(context, name, options, error);
    return dpi_fail_at(error, DP_E_ARGUMENT, &place, "unknown backend '%s': known are auto, cpu, ref, cuda and cuda:N",
                       name);
}
