// Stored elements to f32 with AVX-512.
#include "backend/cpu/kernels.h"
#include "backend/cpu/stored_avx512.h"
#include "backend/cpu/unroll.h"
#include "tensor/dtype.h"

INLINE void store(pair value, float *to)
{
    _mm512_storeu_ps(to, value.first);
    _mm512_storeu_ps(to + 16, value.second);
}

INLINE void widen_as(const int type, const unsigned char *from, int64_t count, float *to)
{
    const int64_t run_bytes = bytes_of(type) * (is_super(type) ? 1 : UNITS);
    scales s;

    for (; count >= RUN; count -= RUN, from += run_bytes, to += RUN) {
        read_scales(type, &s, from, UNITS);
        if (is_super(type)) {
            UNROLL
            for (int unit = 0; unit < UNITS; unit++)
                store(read_unit(type, from, unit, &s), to + unit * UNIT);
        } else {
            for (int unit = 0; unit < UNITS; unit++)
                store(read_unit(type, from, unit, &s), to + unit * UNIT);
        }
    }
    if (is_super(type))
        return;
    read_scales(type, &s, from, count / UNIT);
    for (int unit = 0; unit < count / UNIT; unit++)
        store(read_unit(type, from, unit, &s), to + unit * UNIT);
    from += count / UNIT * bytes_of(type);
    to += count / UNIT * UNIT;
    for (count %= UNIT; count > 0; count -= 16, from += bytes_of(type) / 2, to += 16) {
        const int64_t some = count < 16 ? count : 16;

        _mm512_mask_storeu_ps(to, (__mmask16)((1u << some) - 1u), read_rest(type, from, some));
    }
}

#define WIDEN(type)                      \
    case type:                           \
        widen_as(type, from, count, to); \
        return;

void dpi_cpu_widen_avx512(int32_t type, const void *from, int64_t count, float *to)
{
    switch (type) {
        EACH_STORED_TYPE(WIDEN)
    default:
        dpi_to_f32(type, from, count, to);
    }
}
