// Every criterion this version has, one line each.
#include "prune/criteria.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

static const dpi_criterion criteria[] = {
    // name, needs calibration, protected first and last, run
    {"mag", 0, 0, 0, dpi_score_magnitude},
    {"mag+", 0, 4, 2, dpi_score_magnitude},
    {"ppl", 1, 0, 0, dpi_score_perplexity},
    {"bi", 1, 0, 0, dpi_score_influence},
};
enum { COUNT = sizeof criteria / sizeof *criteria };

static void known_names(char *out, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < COUNT && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", criteria[i].name);
}

const dpi_criterion *dpi_criterion_find(const char *name, dp_error *error)
{
    char known[128] = "";

    for (size_t i = 0; i < COUNT; i++)
        if (!strcmp(criteria[i].name, name))
            return &criteria[i];
    dpi_place place = DPI_NOWHERE;
    place.item = "criterion";
    known_names(known, sizeof known);
    if (!strcmp(name, "taylor") || !strcmp(name, "taylor+"))
        dpi_fail_at(error, DP_E_ARGUMENT, &place, "criterion '%s' is not in this version: it has %s", name, known);
    else
        dpi_fail_at(error, DP_E_ARGUMENT, &place, "unknown criterion '%s': known are %s", name, known);
    return NULL;
}
