// Each pair of a head turned by position * inverse_frequency: one block a row; the row's angles, which all heads share,
// are formed in double and kept in shared memory.
#include "cuda/device.h"

template <typename T>
__global__ void dpc_rope_rows(T *x, const int32_t *positions, const float *frequencies, int64_t cols, int64_t stride,
                              int half, int interleaved, float direction)
{
    DPC_SHARED(float, turn); // half cosines, then half sines
    const int64_t row = blockIdx.x, pairs = cols / 2;

    for (int p = (int)threadIdx.x; p < half; p += (int)blockDim.x) {
        const double angle = (double)positions[row] * (double)frequencies[p];
        turn[p] = (float)cos(angle);
        turn[half + p] = direction * (float)sin(angle);
    }
    __syncthreads();
    for (int64_t pair = threadIdx.x; pair < pairs; pair += blockDim.x) {
        const int p = (int)(pair % half);
        T *const head = x + row * stride + pair / half * half * 2;
        T *const first = head + (interleaved ? 2 * p : p), *const second = first + (interleaved ? 1 : half);
        const float a = dpc_read(first), b = dpc_read(second);

        dpc_write(first, a * turn[p] - b * turn[half + p]);
        dpc_write(second, b * turn[p] + a * turn[half + p]);
    }
}

int dpc_rope(dp_stream *stream, const dp_rope_args *a, dp_error *error)
{
    const int half = a->head_dim / 2;
    const void *const arrays[] = {a->positions, a->inverse_frequencies};
    const size_t bytes[] = {(size_t)a->x.rows * sizeof(int32_t), (size_t)half * sizeof(float)};
    void *staged[2];
    int rc = dpc_begin(stream, "rope", error);

    if (!rc)
        rc = dpc_stage(stream, "rope", arrays, bytes, 2, staged, error);
    if (rc)
        return rc;
    return dpc_by_type(a->x.type, "rope", error, [&](auto x) {
        return dpc_launch(stream, "rope", error, a->x.rows, 2 * (size_t)half * sizeof(float),
                          dpc_rope_rows<decltype(x)>, (decltype(x) *)a->x.data, (const int32_t *)staged[0],
                          (const float *)staged[1], a->x.cols, a->x.stride, half, (int)a->pairing,
                          a->inverse ? -1.0F : 1.0F);
    });
}
