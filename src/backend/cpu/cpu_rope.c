// Rotate pairs of each head by position * inverse frequency.  Angles are formed and reduced in double, once for
// each distinct position of the call.
#include <math.h>
#include <string.h>

#include "backend/cpu/rotation.h"

// Entries are found by a hash of the position with open addressing: slots hold entry + 1.
typedef struct positions {
    int32_t *slots, *entry, *first; // first: a row of each entry
    uint64_t mask;
    int32_t count;
} positions;

static void number_positions(const dp_rope_args *args, positions *p)
{
    for (int64_t r = 0; r < args->x.rows; r++) {
        const int32_t position = args->positions[r];
        uint64_t slot = ((uint64_t)(uint32_t)position * 0x9e3779b97f4a7c15u >> 32) & p->mask;

        while (p->slots[slot] && args->positions[p->first[p->slots[slot] - 1]] != position)
            slot = (slot + 1) & p->mask;
        if (!p->slots[slot]) {
            p->first[p->count] = (int32_t)r;
            p->slots[slot] = ++p->count;
        }
        p->entry[r] = p->slots[slot] - 1;
    }
}

typedef struct angles {
    const dp_rope_args *args;
    const positions *positions;
    float *cosines, *sines;
    int64_t half, repeat;
} angles;

static void fill_angles(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const angles *a = arg;
    const double sign = a->args->inverse ? -1 : 1;

    (void)worker;
    for (int64_t e = begin; e < end; e++) {
        const double position = a->args->positions[a->positions->first[e]];

        for (int64_t i = 0; i < a->half; i++) {
            const double angle = sign * position * (double)a->args->inverse_frequencies[i];
            const float cosine = (float)cos(angle), sine = (float)sin(angle);

            for (int64_t copy = 0; copy < a->repeat; copy++) {
                a->cosines[(e * a->half + i) * a->repeat + copy] = cosine;
                a->sines[(e * a->half + i) * a->repeat + copy] = sine;
            }
        }
    }
}

int dpi_cpu_rotation_make(dp_stream *stream, const dp_rope_args *args, dpi_cpu_rotation *out, dp_error *error)
{
    const uint64_t rows = (uint64_t)args->x.rows;
    const int64_t half = args->head_dim / 2, repeat = args->pairing == DP_ROPE_HALF ? 1 : 2;
    uint64_t slots = 16;
    void *memory, *table;

    while (slots < 2 * rows)
        slots *= 2;
    int rc =
        dpi_cpu_scratch_get(stream, DPI_SCRATCH_POSITIONS, (slots + 2 * rows) * sizeof(int32_t), &memory, error);
    if (rc)
        return rc;
    positions p = {.slots = memory, .mask = slots - 1};
    p.entry = p.slots + slots;
    p.first = p.entry + rows;
    memset(p.slots, 0, slots * sizeof *p.slots);
    number_positions(args, &p);
    const uint64_t floats = (uint64_t)p.count * (uint64_t)(half * repeat);
    rc = dpi_cpu_scratch_get(stream, DPI_SCRATCH_ANGLES, 2 * floats * sizeof(float), &table, error);
    if (rc)
        return rc;
    angles a = {.args = args, .positions = &p, .cosines = table, .half = half, .repeat = repeat};
    a.sines = a.cosines + floats;
    *out = (dpi_cpu_rotation){.entry = p.entry,
                              .cosines = a.cosines,
                              .sines = a.sines,
                              .entry_floats = half * repeat,
                              .half = half,
                              .rotate = args->pairing == DP_ROPE_HALF ? stream->kernels->rotate_halves
                                                                      : stream->kernels->rotate_pairs};
    return dpi_cpu_parallel(stream, p.count, 32, fill_angles, &a, error);
}

typedef struct turn {
    const dp_mat *x;
    const dpi_cpu_rotation *rotation;
} turn;

static void rotate_rows(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    const turn *t = arg;

    (void)worker;
    for (int64_t r = begin; r < end; r++)
        dpi_cpu_rotate(t->rotation, dpi_cpu_f32(t->x, r), r, t->x->cols / (2 * t->rotation->half));
}

int dpi_cpu_rope(dp_stream *stream, const dp_rope_args *args, dp_error *error)
{
    dpi_cpu_rotation rotation;
    turn t = {.x = &args->x, .rotation = &rotation};
    const dp_mat *const activations[] = {&args->x};
    int rc = dpi_cpu_want_f32("rope", activations, 1, error);

    if (!rc)
        rc = dpi_cpu_rotation_make(stream, args, &rotation, error);
    return rc ? rc : dpi_cpu_parallel(stream, args->x.rows, dpi_cpu_grain(args->x.cols), rotate_rows, &t, error);
}
