// Dot products of a stored row with a few rows of f32, compiled for an instruction set after its rows_body.h: pieces
// are widened first.
#ifndef DPI_BACKEND_CPU_DOTS_BODY_H
#define DPI_BACKEND_CPU_DOTS_BODY_H

enum { CHAINS = 2 };

// Two sums side by side for each row of a hide the latency of the additions.
static inline __attribute__((always_inline)) void dots_of(const int rows, const dpi_cpu_rows *b, const float *a,
                                                          int64_t stride, int64_t k, float *out)
{
    vec sum[DPI_DOT_ROWS][CHAINS];
    _Alignas(64) float space[PIECE];

    UNROLL
    for (int r = 0; r < rows; r++)
        UNROLL
        for (int s = 0; s < CHAINS; s++)
            sum[r][s] = vec_set(0);
    for (int64_t first = 0; first < k; first += PIECE) {
        const int64_t some = least(PIECE, k - first);
        const float *stored = take_piece(b, first, some, space), *left = a + first;
        int64_t i = 0;

        for (; i + CHAINS * LANES <= some; i += CHAINS * LANES)
            UNROLL
            for (int s = 0; s < CHAINS; s++) {
                const vec value = vec_load(stored + i + s * LANES);

                UNROLL
                for (int r = 0; r < rows; r++)
                    sum[r][s] = vec_fma(vec_load(left + r * stride + i + s * LANES), value, sum[r][s]);
            }
        for (; i < some; i += LANES) {
            const vec rest = load_some(stored + i, some - i, 0);

            UNROLL
            for (int r = 0; r < rows; r++)
                sum[r][0] = vec_fma(load_some(left + r * stride + i, some - i, 0), rest, sum[r][0]);
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        for (int s = 1; s < CHAINS; s++)
            sum[r][0] = vec_add(sum[r][0], sum[r][s]);
        out[r] = vec_sum(sum[r][0]);
    }
}

static void dots(const dpi_cpu_rows *b, const float *a, int64_t stride, int32_t rows, int64_t k, float *out)
{
    if (rows == 1)
        dots_of(1, b, a, stride, k, out);
    else if (rows == 2)
        dots_of(2, b, a, stride, k, out);
    else if (rows == 3)
        dots_of(3, b, a, stride, k, out);
    else
        dots_of(4, b, a, stride, k, out);
}

#endif
