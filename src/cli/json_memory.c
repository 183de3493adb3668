// Memory for jansson; an allocation that failed is remembered for the process.
#include "cli/json_memory.h"

#include <jansson.h>
#include <stdlib.h>

static int was_short;

static void *take(size_t size)
{
    void *block = malloc(size);

    was_short |= block == NULL;
    return block;
}

void cli_json_memory_install(void)
{
    json_set_alloc_funcs(take, free);
}

int cli_json_memory_was_short(void)
{
    return was_short;
}

void cli_json_memory_is_short(void)
{
    was_short = 1;
}
