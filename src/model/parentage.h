// What is known of the model that a saved one was made from: name, place on the model hub, licence.
#ifndef DPI_MODEL_PARENTAGE_H
#define DPI_MODEL_PARENTAGE_H

#include "model/source.h"

// All clean: one line of valid UTF-8, or "" when not known.
typedef struct dpi_parentage {
    char name[200];
    char hub[200];      // "organization/name"
    char url[300];      // of its page
    char license[64];   // as model cards write it, such as "apache-2.0"
    char license_name[128], license_link[256];
} dpi_parentage;

// One line of valid UTF-8 without the two code points that YAML refuses, cut to fit.
void dpi_clean_name(char *out, size_t capacity, const char *text, size_t size);
// What is not as it should be is left out, not refused.  DP_OK or DP_E_MEMORY.
int dpi_parentage_read(const dpi_source *source, dp_context *context, dpi_parentage *out, dp_error *error);

#endif
