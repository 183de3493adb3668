// SHA-256 (FIPS 180-4): state += compress(state, block) over 64-byte blocks, padded with the bit length.
#include "base/sha256.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

enum { MANY_BLOCKS = 256 }; // asking the processor costs tens of microseconds in a virtual machine

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void schedule(uint32_t word[64], const unsigned char *block)
{
    for (int i = 0; i < 16; i++)
        word[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                  (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        const uint32_t a = word[i - 15], b = word[i - 2];
        word[i] = word[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + word[i - 7] +
                  (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
}

static void compress_portable(uint32_t state[8], const unsigned char *block, size_t blocks)
{
    uint32_t word[64];

    for (; blocks; blocks--, block += 64) {
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

        schedule(word, block);
        for (int i = 0; i < 64; i++) {
            const uint32_t one =
                h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + constants[i] + word[i];
            const uint32_t two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            h = g, g = f, f = e, e = d + one;
            d = c, c = b, b = a, a = one + two;
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
        state[4] += e, state[5] += f, state[6] += g, state[7] += h;
    }
}

#if defined(__x86_64__)

static int has_instructions(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1))
        return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 29));
}

#define SHA __attribute__((target("sha,sse4.1,ssse3")))

// Four rounds with the words w.
static inline SHA void rounds(__m128i *abef, __m128i *cdgh, __m128i w, int group)
{
    const __m128i sum = _mm_add_epi32(w, _mm_load_si128((const __m128i *)(const void *)(constants + 4 * group)));

    *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
    *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(sum, 0x0E));
}

// The four words that follow sixteen.
static inline SHA __m128i later(__m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
    const __m128i near = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
    return _mm_sha256msg2_epu32(near, w3);
}

static SHA void compress_instructions(uint32_t state[8], const unsigned char *block, size_t blocks)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    const __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xB1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1B);
    __m128i abef = _mm_alignr_epi8(abcd, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, abcd, 0xF0);

    for (; blocks; blocks--, block += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];

        for (int i = 0; i < 4; i++) {
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i)), swap);
            rounds(&abef, &cdgh, w[i], i);
        }
        for (int group = 4; group < 16; group += 4) {
            w[0] = later(w[0], w[1], w[2], w[3]);
            rounds(&abef, &cdgh, w[0], group);
            w[1] = later(w[1], w[2], w[3], w[0]);
            rounds(&abef, &cdgh, w[1], group + 1);
            w[2] = later(w[2], w[3], w[0], w[1]);
            rounds(&abef, &cdgh, w[2], group + 2);
            w[3] = later(w[3], w[0], w[1], w[2]);
            rounds(&abef, &cdgh, w[3], group + 3);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1B), dchg = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

#else

static int has_instructions(void)
{
    return 0;
}
#define compress_instructions compress_portable

#endif

static void compress(dpi_sha256 *hash, const unsigned char *block, size_t blocks)
{
    if (hash->instructions < 0 && blocks >= MANY_BLOCKS)
        hash->instructions = has_instructions();
    if (hash->instructions > 0)
        compress_instructions(hash->state, block, blocks);
    else
        compress_portable(hash->state, block, blocks);
}

void dpi_sha256_begin(dpi_sha256 *hash)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

    memcpy(hash->state, start, sizeof start);
    hash->bytes = 0;
    hash->instructions = -1;
}

void dpi_sha256_add(dpi_sha256 *hash, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    const size_t held = hash->bytes % 64;

    hash->bytes += size;
    if (held + size < 64) {
        if (size)
            memcpy(hash->block + held, from, size);
        return;
    }
    if (held) {
        memcpy(hash->block + held, from, 64 - held);
        compress(hash, hash->block, 1);
        from += 64 - held;
        size -= 64 - held;
    }
    if (size >= 64)
        compress(hash, from, size / 64);
    if (size % 64)
        memcpy(hash->block, from + size / 64 * 64, size % 64);
}

void dpi_sha256_end(dpi_sha256 *hash, char text[65])
{
    static const unsigned char padding[64] = {0x80};
    static const char digits[] = "0123456789abcdef";
    const uint64_t bits = hash->bytes * 8;
    unsigned char length[8];

    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)(bits >> (56 - 8 * i));
    dpi_sha256_add(hash, padding, 1 + (119 - hash->bytes % 64) % 64);
    dpi_sha256_add(hash, length, sizeof length);
    for (int i = 0; i < 64; i++)
        text[i] = digits[hash->state[i / 8] >> (28 - 4 * (i % 8)) & 15];
    text[64] = 0;
}
