// The kernel set for AVX-512.
#include "backend/cpu/vector_avx512.h"

#include "backend/cpu/gemm_body.h"

static void widen(int32_t type, const void *from, int64_t count, float *to)
{
    dpi_cpu_widen_avx512(type, from, count, to);
}

#include "backend/cpu/rows_body.h"

const dpi_cpu_kernels dpi_cpu_avx512 = {
    .name = "avx512",
    .tile_rows = TILE_ROWS,
    .tile_cols = TILE_COLS,
    .k_block = 1024,
    .tile = tile,
    .pack = pack,
    .pack_columns = pack_columns,
    .widen = widen,
    .norm = norm,
    .rotate_halves = rotate_halves,
    .rotate_pairs = rotate_pairs,
    .top = top,
    .exp_sum = exp_sum,
    .exp_store = exp_store,
    .gate = gate,
    .axpby = axpby,
    .dots = dpi_cpu_dots_avx512,
    .reduce = reduce,
};
