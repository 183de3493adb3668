// Backends by name, and the plugin that holds the one for GPUs.
#ifndef DPI_BACKEND_REGISTRY_H
#define DPI_BACKEND_REGISTRY_H

#include "backend/device.h"

// Open the backend that options->backend names as the context's device.
int dpi_registry_open(dp_context *context, const dp_context_options *options, dp_error *error);

enum { DPI_PATH_BYTES = 4096 };

// Where the plugin is looked for: `given`, else depthprune/libdepthprune-cuda.so beside the file this code is in.
int dpi_plugin_path(const char *given, char path[DPI_PATH_BYTES], dp_error *error);
// The plugin's table.  It stays in memory for the life of the process.
int dpi_plugin_load(const char *path, const dp_backend **out, dp_error *error);

#endif
