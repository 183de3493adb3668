// What a scoring run has finished, kept in a file after each group of samples, so that a later run goes on from there.
#ifndef DPI_PRUNE_JOURNAL_H
#define DPI_PRUNE_JOURNAL_H

#include "prune/criteria.h"

typedef struct dpi_journal {
    dp_context *context;
    const char *path;     // NULL: nothing is kept, and the functions below do nothing
    int32_t resume;
    char fingerprint[65]; // of all that decides the sums: criterion, model, samples, kernels
} dpi_journal;

// The sums and the number of samples that an earlier run left, when the options ask to resume and the file is there.
// DP_E_ARGUMENT when it belongs to another run, DP_E_FORMAT when it is no journal; then nothing is changed.
int dpi_journal_open(dpi_journal *journal, const dpi_scoring *scoring, const char *criterion, const char *digest,
                     dp_error *error);
int dpi_journal_read(const dpi_journal *journal, double *sums, int64_t count, int64_t samples, int64_t *done,
                     dp_error *error);
int dpi_journal_write(const dpi_journal *journal, const double *sums, int64_t count, int64_t done, dp_error *error);

#endif
