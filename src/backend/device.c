// A table becomes a context's device: checked, copied to this library's length, lent memory and threads, opened.
#include "backend/device.h"

#include <string.h>

#include "base/error.h"

typedef struct slot {
    const char *name;
    size_t offset;
} slot;

// Through `reduce`: a table that ends before is of no use.
#define SLOT(name) {#name, offsetof(dp_backend, name)}
static const slot required[] = {
    SLOT(open), SLOT(close), SLOT(describe), SLOT(sync), SLOT(alloc),   SLOT(free), SLOT(upload),
    SLOT(download), SLOT(copy2d), SLOT(fill), SLOT(gemm), SLOT(embed), SLOT(rmsnorm), SLOT(rope),
    SLOT(softmax), SLOT(glu), SLOT(xent), SLOT(axpby), SLOT(cast), SLOT(reduce),
};
static const slot of_training[] = {
    SLOT(embed_grad), SLOT(rmsnorm_grad), SLOT(softmax_grad), SLOT(glu_grad), SLOT(dropout), SLOT(adamw),
};
#undef SLOT

static const size_t least_size = offsetof(dp_backend, reduce) + sizeof(void (*)(void));

static void *lend(void *user, uint64_t size)
{
    dpi_device *device = user;

    return size > SIZE_MAX ? NULL : dpi_alloc_raw(&device->context->memory, 1, (size_t)size, NULL);
}

static void take_back(void *user, void *memory)
{
    dpi_device *device = user;

    dpi_free(&device->context->memory, memory);
}

static int run_chunks(void *user, int64_t count, int64_t grain,
                      void (*run)(void *arg, int64_t begin, int64_t end, int32_t worker), void *arg)
{
    dpi_device *device = user;

    return dpi_pool_run(device->context->pool, count, grain, run, arg);
}

static void write_log(void *user, int32_t level, const char *line)
{
    dpi_device *device = user;

    dpi_log(device->context, level, "%s", line);
}

// The number of `text` in `names`, the first being the default.
static int choice(const char *option, const char *text, const char *const *names, int32_t *out, dp_error *error)
{
    const dpi_place place = {.item = option, .offset = -1};

    for (int32_t i = 0; names[i]; i++)
        if (!text || strcmp(text, names[i]) == 0) {
            *out = i;
            return DP_OK;
        }
    return dpi_fail_at(error, DP_E_ARGUMENT, &place, "unknown choice '%s': known are %s, %s, %s%s%s", text, names[0],
                       names[1], names[2], names[3] ? ", " : "", names[3] ? names[3] : "");
}

static int lend_host(dpi_device *device, const dp_context_options *options, dp_error *error)
{
    static const char *const gemms[] = {"auto", "native", "openblas", NULL};
    static const char *const kernels[] = {"auto", "portable", "avx2", "avx512", NULL};
    dp_host *host = &device->host;
    int rc = choice("gemm", options ? options->gemm : NULL, gemms, &host->gemm, error);

    if (!rc)
        rc = choice("kernels", options ? options->kernels : NULL, kernels, &host->kernels, error);
    host->size = sizeof *host;
    host->threads = dpi_pool_threads(device->context->pool);
    host->user = device;
    host->alloc = lend;
    host->free = take_back;
    host->parallel = run_chunks;
    host->log = write_log;
    return rc;
}

static int missing(const dp_backend *table, const slot *slots, size_t count, dp_error *error)
{
    void (*function)(void);

    for (size_t i = 0; i < count; i++) {
        memcpy(&function, (const char *)table + slots[i].offset, sizeof function);
        if (!function)
            return dpi_fail(error, DP_E_BACKEND, "the backend's table lacks '%s'", slots[i].name);
    }
    return DP_OK;
}

// Read `table` into *copy: a shorter one gets NULL slots, of a longer one the unknown slots are left.
static int copy_table(const dp_backend *table, dp_backend *copy, dp_error *error)
{
    if (!table)
        return dpi_fail(error, DP_E_BACKEND, "the backend gave no table");
    if (table->abi != DP_BACKEND_ABI)
        return dpi_fail(error, DP_E_VERSION, "the backend's table is of version %u, expected %u", table->abi,
                        (unsigned)DP_BACKEND_ABI);
    if (table->size < least_size)
        return dpi_fail(error, DP_E_VERSION, "the backend's table has %u bytes, expected at least %zu", table->size,
                        least_size);
    memcpy(copy, table, table->size < sizeof *copy ? table->size : sizeof *copy);
    copy->size = sizeof *copy;
    return missing(copy, required, sizeof required / sizeof *required, error);
}

static int describe(dpi_device *device, dp_error *error)
{
    dp_backend_info *info = &device->info;
    const char **texts[] = {&info->name, &info->device, &info->kernels, &info->libraries};
    const int rc = device->table->describe(device->stream, info, error);

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!*texts[i])
            *texts[i] = "";
    if (rc || !(info->flags & DP_BACKEND_TRAINS))
        return rc;
    return missing(device->table, of_training, sizeof of_training / sizeof *of_training, error);
}

static void close_device(void *opened)
{
    dpi_device *device = opened;

    if (device->scratch)
        device->table->free(device->stream, device->scratch);
    if (device->stream)
        device->table->close(device->stream);
    dpi_free(&device->context->memory, device);
}

dpi_device *dpi_device_of(dp_context *context)
{
    return context->device;
}

int dpi_device_open(dp_context *context, const dp_backend *table, int32_t index, const dp_context_options *options,
                    dp_error *error)
{
    dpi_device *device = dpi_alloc(&context->memory, 1, sizeof *device, error);
    int rc;

    if (!device)
        return DP_E_MEMORY;
    device->context = context;
    device->table = &device->copy;
    device->info.size = sizeof device->info;
    rc = copy_table(table, &device->copy, error);
    if (!rc)
        rc = lend_host(device, options, error);
    if (!rc)
        rc = device->table->open(&device->host, index, &device->stream, error);
    if (!rc)
        rc = describe(device, error);
    if (rc) {
        close_device(device);
        return rc;
    }
    if (context->device)
        context->device_close(context->device);
    context->device = device;
    context->device_close = close_device;
    return DP_OK;
}
