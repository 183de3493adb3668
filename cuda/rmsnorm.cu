// y = x * rstd * weight, rstd = 1 / sqrt(mean(x^2) + epsilon): one block a row, so that long rows keep every lane busy.
#include "cuda/device.h"

template <typename T, typename W>
__global__ void dpc_rmsnorm_rows(T *y, float *rstd_out, const T *x, const W *weight, int64_t cols, int64_t x_stride,
                                 int64_t y_stride, int64_t rstd_stride, float epsilon)
{
    __shared__ float exchange[DPC_WARP];
    const int64_t row = blockIdx.x;
    float sum = 0;

    x += row * x_stride;
    y += row * y_stride;
    for (int64_t c = threadIdx.x; c < cols; c += blockDim.x)
        sum += dpc_read(x + c) * dpc_read(x + c);
    const float rstd = 1 / sqrtf(dpc_over_block<dpc_add>(sum, exchange) / (float)cols + epsilon);
    for (int64_t c = threadIdx.x; c < cols; c += blockDim.x)
        dpc_write(y + c, dpc_read(x + c) * rstd * dpc_read(weight + c));
    if (threadIdx.x == 0 && rstd_out)
        rstd_out[row * rstd_stride] = rstd;
}

template <typename T, typename W> static int launch(dp_stream *stream, const dp_rmsnorm_args *a, dp_error *error)
{
    return dpc_launch(stream, "rmsnorm", error, a->x.rows, 0, dpc_rmsnorm_rows<T, W>, (T *)a->y.data,
                      (float *)a->rstd.data, (const T *)a->x.data, (const W *)a->weight.data, a->x.cols, a->x.stride,
                      a->y.stride, a->rstd.stride, a->epsilon);
}

int dpc_rmsnorm(dp_stream *stream, const dp_rmsnorm_args *a, dp_error *error)
{
    if (a->y.type != a->x.type || (a->rstd.data && a->rstd.type != DP_F32))
        return dpc_fail(error, DP_E_UNSUPPORTED, "rmsnorm", "x of type %d with y of type %d", a->x.type, a->y.type);
    const int rc = dpc_begin(stream, "rmsnorm", error);
    if (rc)
        return rc;
    return dpc_by_type(a->x.type, "rmsnorm", error, [&](auto x) {
        return dpc_by_type(a->weight.type, "rmsnorm", error,
                           [&](auto weight) { return launch<decltype(x), decltype(weight)>(stream, a, error); });
    });
}
