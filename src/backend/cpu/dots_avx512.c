// Dot products of a stored row with a few rows of f32, with AVX-512.  Sums run in a fixed order: lane by lane in
// four chains, which hide the latency of the additions.
#include "backend/cpu/kernels.h"
#include "backend/cpu/stored_avx512.h"
#include "backend/cpu/unroll.h"

enum { CHAINS = 4, AHEAD = 2048 };

typedef struct factors { // the rows of f32
    const float *row[DPI_DOT_ROWS];
} factors;

typedef struct sums {
    __m512 of[DPI_DOT_ROWS][CHAINS];
} sums;

// Units take turns with two chains each.
INLINE void take_unit(const int rows, const int turn, pair value, const factors *f, int64_t at, sums *s)
{
    UNROLL
    for (int r = 0; r < rows; r++) {
        const float *a = f->row[r] + at;
        __m512 *first = &s->of[r][2 * turn], *second = first + 1;

        *first = _mm512_fmadd_ps(_mm512_loadu_ps(a), value.first, *first);
        *second = _mm512_fmadd_ps(_mm512_loadu_ps(a + 16), value.second, *second);
    }
}

INLINE void take_run(const int type, const int rows, const unsigned char *from, const factors *f, int64_t at, sums *s)
{
    scales head;

    read_scales(type, &head, from, UNITS);
    if (is_super(type)) {
        UNROLL
        for (int unit = 0; unit < UNITS; unit++)
            take_unit(rows, unit % 2, read_unit(type, from, unit, &head), f, at + unit * UNIT, s);
        return;
    }
    for (int unit = 0; unit < UNITS; unit += 2) {
        take_unit(rows, 0, read_unit(type, from, unit, &head), f, at + unit * UNIT, s);
        take_unit(rows, 1, read_unit(type, from, unit + 1, &head), f, at + (unit + 1) * UNIT, s);
    }
}

// What is left of a row after its whole runs.
INLINE void take_last(const int type, const int rows, const unsigned char *from, const factors *f, int64_t at,
                      int64_t count, sums *s)
{
    scales head;

    if (is_super(type) || count == 0)
        return;
    read_scales(type, &head, from, count / UNIT);
    for (int unit = 0; unit < count / UNIT; unit++)
        take_unit(rows, 0, read_unit(type, from, unit, &head), f, at + unit * UNIT, s);
    from += count / UNIT * bytes_of(type);
    at += count / UNIT * UNIT;
    for (count %= UNIT; count > 0; count -= 16, from += bytes_of(type) / 2, at += 16) {
        const int64_t some = count < 16 ? count : 16;
        const __m512 value = read_rest(type, from, some);

        UNROLL
        for (int r = 0; r < rows; r++)
            s->of[r][0] = _mm512_fmadd_ps(
                _mm512_maskz_loadu_ps((__mmask16)((1u << some) - 1u), f->row[r] + at), value, s->of[r][0]);
    }
}

INLINE void dots_as(const int type, const int rows, const unsigned char *from, const factors *f, int64_t k,
                    float *out)
{
    const int64_t run_bytes = bytes_of(type) * (is_super(type) ? 1 : UNITS);
    int64_t at = 0;
    sums s;

    UNROLL
    for (int r = 0; r < rows; r++)
        UNROLL
        for (int chain = 0; chain < CHAINS; chain++)
            s.of[r][chain] = _mm512_setzero_ps();
    for (; at + RUN <= k; at += RUN, from += run_bytes) {
        for (int64_t i = 0; i < run_bytes; i += 64) // one core waits long for memory
            _mm_prefetch((const void *)(from + AHEAD + i), _MM_HINT_T0);
        take_run(type, rows, from, f, at, &s);
    }
    take_last(type, rows, from, f, at, k - at, &s);
    UNROLL
    for (int r = 0; r < rows; r++)
        out[r] = _mm512_reduce_add_ps(
            _mm512_add_ps(_mm512_add_ps(s.of[r][0], s.of[r][1]), _mm512_add_ps(s.of[r][2], s.of[r][3])));
}

// Several rows are taken as four: the first stands in for those that are not there.
INLINE void dots_of(const int type, const unsigned char *from, const factors *f, int32_t rows, int64_t k, float *out)
{
    float four[DPI_DOT_ROWS];

    if (rows == 1) {
        dots_as(type, 1, from, f, k, out);
        return;
    }
    dots_as(type, DPI_DOT_ROWS, from, f, k, four);
    memcpy(out, four, (size_t)rows * sizeof *out);
}

#define DOTS(type)                            \
    case type:                                \
        dots_of(type, from, &f, rows, k, out); \
        return;

void dpi_cpu_dots_avx512(const dpi_cpu_rows *b, const float *a, int64_t stride, int32_t rows, int64_t k, float *out)
{
    factors f;
    const unsigned char *from = b->data;

    for (int32_t r = 0; r < DPI_DOT_ROWS; r++)
        f.row[r] = a + (r < rows ? r : 0) * stride;
    switch (b->type) {
        EACH_STORED_TYPE(DOTS)
    }
}
