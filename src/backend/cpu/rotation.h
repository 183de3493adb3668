// Cosines and sines of rotary positions, formed once for the distinct positions of a call.
#ifndef DPI_BACKEND_CPU_ROTATION_H
#define DPI_BACKEND_CPU_ROTATION_H

#include "backend/cpu/stream.h"

typedef struct dpi_cpu_rotation {
    const int32_t *entry; // of each row, into the tables
    const float *cosines, *sines;
    int64_t entry_floats; // head_dim / 2, or head_dim for interleaved pairs
    int64_t half;
    void (*rotate)(float *x, const float *cosines, const float *sines, int64_t half);
} dpi_cpu_rotation;

// In DPI_SCRATCH_POSITIONS and DPI_SCRATCH_ANGLES; args->x gives only the number of rows.
int dpi_cpu_rotation_make(dp_stream *stream, const dp_rope_args *args, dpi_cpu_rotation *out, dp_error *error);

// Rotate `heads` heads that begin at x, of row `row` of the call.
static inline void dpi_cpu_rotate(const dpi_cpu_rotation *rotation, float *x, int64_t row, int64_t heads)
{
    const int64_t at = rotation->entry[row] * rotation->entry_floats;

    for (int64_t h = 0; h < heads; h++)
        rotation->rotate(x + h * 2 * rotation->half, rotation->cosines + at, rotation->sines + at, rotation->half);
}

#endif
