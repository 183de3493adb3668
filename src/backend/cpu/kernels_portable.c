// The kernel set for any processor.
#include "backend/cpu/vector_portable.h"

#include "backend/cpu/gemm_body.h"
#include "tensor/dtype.h"

static void widen(int32_t type, const void *from, int64_t count, float *to)
{
    dpi_to_f32(type, from, count, to);
}

#include "backend/cpu/rows_body.h"

#include "backend/cpu/dots_body.h"

const dpi_cpu_kernels dpi_cpu_portable = {
    .name = "portable",
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
