// Backend plugins for plugin.sh, one a KIND: the reference table as a plugin, and three that cannot be used.
#include <depthprune/sys/backend.h>
#include <stdio.h>
#include <string.h>

#include "backend/ref/ref.h"

__attribute__((visibility("default"))) const dp_backend *dp_backend_entry(void);

#if KIND == 3
static int no_driver(const dp_host *host, int32_t device, dp_stream **out, dp_error *error)
{
    (void)host, (void)out;
    memset(error, 0, sizeof *error);
    error->code = DP_E_BACKEND;
    snprintf(error->message, sizeof error->message, "no driver for device %d", device);
    return DP_E_BACKEND;
}
#endif

const dp_backend *dp_backend_entry(void)
{
    static dp_backend table;

    table = *dpi_ref_backend();
#if KIND == 1
    return NULL;
#elif KIND == 2
    table.abi = 99;
#elif KIND == 3
    table.open = no_driver;
#endif
    return &table;
}
