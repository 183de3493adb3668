// The processor's brand and its kernel sets, from cpuid.
#include "backend/cpu/processor.h"

#include <depthprune/sys/backend.h>
#include <string.h>

#include "base/error.h"

#if defined(__x86_64__)
#include <cpuid.h>

// Bits of cpuid leaves 1 and 7, and of what the system saves of the registers at a switch (xgetbv).
enum { FMA = 1 << 12, XSAVE = 1 << 27, AVX = 1 << 28, F16C = 1 << 29 };
enum { AVX2 = 1 << 5, AVX512F = 1 << 16, AVX512DQ = 1 << 17, AVX512BW = 1 << 30 };
enum { SAVES_AVX = 0x06, SAVES_AVX512 = 0xe6 };

static unsigned int saved_registers(void)
{
    unsigned int low, high;

    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    (void)high;
    return low;
}

static int runs(int32_t kernels)
{
    const unsigned int first = FMA | XSAVE | AVX | F16C, vl = 1u << 31;
    const unsigned int more = AVX2 | (kernels == DP_KERNELS_AVX512 ? AVX512F | AVX512DQ | AVX512BW | vl : 0);
    const unsigned int saves = kernels == DP_KERNELS_AVX512 ? SAVES_AVX512 : SAVES_AVX;
    unsigned int a, b, c, d;

    if (kernels == DP_KERNELS_PORTABLE)
        return 1;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & first) != first || (saved_registers() & saves) != saves)
        return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & more) == more;
}

static const dpi_cpu_kernels *set_of(int32_t kernels)
{
    switch (kernels) {
    case DP_KERNELS_AVX2:
        return &dpi_cpu_avx2;
    case DP_KERNELS_AVX512:
        return &dpi_cpu_avx512;
    default:
        return &dpi_cpu_portable;
    }
}

void dpi_cpu_processor_name(char *text, size_t size)
{
    unsigned int words[12];
    char brand[49] = "x86-64";

    if ((unsigned int)__get_cpuid_max(0x80000000u, NULL) >= 0x80000004u) {
        for (unsigned int i = 0; i < 3; i++)
            __get_cpuid(0x80000002u + i, words + 4 * i, words + 4 * i + 1, words + 4 * i + 2, words + 4 * i + 3);
        memcpy(brand, words, 48);
        brand[48] = 0;
    }
    const size_t blanks = strspn(brand, " "), length = strlen(brand + blanks);
    const size_t kept = length < size ? length : size - 1;

    memcpy(text, brand + blanks, kept);
    text[kept] = 0;
}

#else

static int runs(int32_t kernels)
{
    return kernels == DP_KERNELS_PORTABLE;
}

static const dpi_cpu_kernels *set_of(int32_t kernels)
{
    (void)kernels;
    return &dpi_cpu_portable;
}

void dpi_cpu_processor_name(char *text, size_t size)
{
    static const char name[] = "processor of an unknown kind";
    const size_t kept = sizeof name < size ? sizeof name : size;

    memcpy(text, name, kept);
    text[kept - 1] = 0;
}

#endif

int dpi_cpu_kernels_choose(int32_t asked, const dpi_cpu_kernels **out, dp_error *error)
{
    static const char *const names[] = {"auto", "portable", "avx2", "avx512"};

    if (asked == DP_KERNELS_AUTO)
        asked = runs(DP_KERNELS_AVX512) ? DP_KERNELS_AVX512
                                        : (runs(DP_KERNELS_AVX2) ? DP_KERNELS_AVX2 : DP_KERNELS_PORTABLE);
    if (asked < 0 || asked > DP_KERNELS_AVX512)
        return dpi_fail(error, DP_E_BACKEND, "there is no kernel set number %d", asked);
    if (!runs(asked))
        return dpi_fail(error, DP_E_BACKEND, "this processor does not run the %s kernels", names[asked]);
    *out = set_of(asked);
    return DP_OK;
}
