// A backend in a shared object of its own, found beside the library or at a path that the host gives.
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "backend/registry.h"
#include "base/error.h"

static const char plugin_file[] = "depthprune/libdepthprune-cuda.so";

int dpi_plugin_path(const char *given, char path[DPI_PATH_BYTES], dp_error *error)
{
    int (*const here)(const char *, char *, dp_error *) = dpi_plugin_path;
    const char *slash = NULL;
    void *address;
    Dl_info info;
    int length;

    if (given) {
        length = snprintf(path, DPI_PATH_BYTES, "%s", given);
    } else {
        memcpy(&address, &here, sizeof address);
        if (dladdr(address, &info) && info.dli_fname)
            slash = strrchr(info.dli_fname, '/');
        // A relative name would make the working directory a place to load code from.
        if (!slash || info.dli_fname[0] != '/')
            return dpi_fail(error, DP_E_BACKEND, "the library's own folder is not known: give the plugin's path");
        length = snprintf(path, DPI_PATH_BYTES, "%.*s%s", (int)(slash + 1 - info.dli_fname), info.dli_fname,
                          plugin_file);
    }
    if (length < 0 || length >= DPI_PATH_BYTES)
        return dpi_fail(error, DP_E_BACKEND, "the plugin's path has %d bytes, expected at most %d", length,
                        DPI_PATH_BYTES - 1);
    return DP_OK;
}

static const char *words(void)
{
    const char *text = dlerror();

    return text ? text : "no reason given";
}

int dpi_plugin_load(const char *path, const dp_backend **out, dp_error *error)
{
    const dpi_place place = {.file = path, .offset = -1};
    dp_backend_entry_function entry;
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const dp_backend *table;
    void *symbol;

    if (!plugin)
        return dpi_fail_at(error, DP_E_BACKEND, &place, "cannot load the plugin: %s", words());
    symbol = dlsym(plugin, "dp_backend_entry");
    if (!symbol) {
        const int rc = dpi_fail_at(error, DP_E_BACKEND, &place, "not a backend plugin: %s", words());
        dlclose(plugin);
        return rc;
    }
    memcpy(&entry, &symbol, sizeof entry);
    table = entry();
    if (!table) {
        dlclose(plugin);
        return dpi_fail_at(error, DP_E_BACKEND, &place, "the plugin gave no table");
    }
    *out = table; // never unloaded: a GPU's runtime does not survive it
    return DP_OK;
}
