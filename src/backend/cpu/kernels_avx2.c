// The kernel set for AVX2 with FMA.
#include "backend/cpu/vector_avx2.h"

#include "backend/cpu/gemm_body.h"

static void widen(int32_t type, const void *from, int64_t count, float *to)
{
    dpi_cpu_widen_avx2(type, from, count, to);
}

#include "backend/cpu/rows_body.h"

#include "backend/cpu/dots_body.h"

const dpi_cpu_kernels dpi_cpu_avx2 = {
    .name = "avx2",
    .tile_rows = TILE_ROWS,
    .tile_cols = TILE_COLS,
    .k_block = 512,
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
    .dots = dots,
    .reduce = reduce,
};
