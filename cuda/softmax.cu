// y = exp(s - max s) / sum, s = scale * x, over the columns that a row sees: one block a row; in place is allowed, since
// each thread reads and writes the same columns.
#include "cuda/device.h"

template <typename T>
__global__ void dpc_softmax_rows(T *y, const T *x, int64_t cols, int64_t x_stride, int64_t y_stride, int64_t queries,
                                 int causal, float scale)
{
    __shared__ float exchange[DPC_WARP];
    const int64_t row = blockIdx.x;
    const int64_t seen = causal ? cols - queries + row % queries + 1 : cols;
    float most = -INFINITY, sum = 0;

    x += row * x_stride;
    y += row * y_stride;
    for (int64_t c = threadIdx.x; c < seen; c += blockDim.x)
        most = fmaxf(most, scale * dpc_read(x + c));
    most = dpc_over_block<dpc_larger>(most, exchange);
    for (int64_t c = threadIdx.x; c < seen; c += blockDim.x)
        sum += expf(scale * dpc_read(x + c) - most);
    sum = dpc_over_block<dpc_add>(sum, exchange);
    for (int64_t c = threadIdx.x; c < cols; c += blockDim.x)
        dpc_write(y + c, c < seen ? expf(scale * dpc_read(x + c) - most) / sum : 0);
}

int dpc_softmax(dp_stream *stream, const dp_softmax_args *a, dp_error *error)
{
    if (a->y.type != a->x.type)
        return dpc_fail(error, DP_E_UNSUPPORTED, "softmax", "x of type %d with y of type %d", a->x.type, a->y.type);
    const int rc = dpc_begin(stream, "softmax", error);
    if (rc)
        return rc;
    return dpc_by_type(a->x.type, "softmax", error, [&](auto x) {
        typedef decltype(x) T;
        return dpc_launch(stream, "softmax", error, a->x.rows, 0, dpc_softmax_rows<T>, (T *)a->y.data,
                          (const T *)a->x.data, a->x.cols, a->x.stride, a->y.stride, a->queries, (int)a->causal,
                          a->scale);
    });
}
