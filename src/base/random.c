// MT19937 seeded and drawn from as CPython's random.Random does: seed by the 32-bit words of the integer,
// randint by drawing the top bits until they are small enough.
#include "base/random.h"

enum { WORDS = 624, SHIFT = 397 };

static void seed_by_word(dpi_random *random, uint32_t seed)
{
    random->state[0] = seed;
    for (uint32_t i = 1; i < WORDS; i++) {
        const uint32_t before = random->state[i - 1];
        random->state[i] = 1812433253u * (before ^ before >> 30) + i;
    }
    random->next = WORDS;
}

void dpi_random_seed(dpi_random *random, uint64_t seed)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t keys = key[1] ? 2 : 1;
    uint32_t *const state = random->state;
    uint32_t i = 1;

    seed_by_word(random, 19650218u);
    for (uint32_t k = 0; k < WORDS; k++) {
        state[i] = (state[i] ^ (state[i - 1] ^ state[i - 1] >> 30) * 1664525u) + key[k % keys] + k % keys;
        if (++i == WORDS) {
            state[0] = state[WORDS - 1];
            i = 1;
        }
    }
    for (uint32_t k = 1; k < WORDS; k++) {
        state[i] = (state[i] ^ (state[i - 1] ^ state[i - 1] >> 30) * 1566083941u) - i;
        if (++i == WORDS) {
            state[0] = state[WORDS - 1];
            i = 1;
        }
    }
    state[0] = 0x80000000u;
}

static void refill(dpi_random *random)
{
    uint32_t *const state = random->state;

    for (uint32_t i = 0; i < WORDS; i++) {
        const uint32_t bits = (state[i] & 0x80000000u) | (state[(i + 1) % WORDS] & 0x7FFFFFFFu);
        state[i] = state[(i + SHIFT) % WORDS] ^ bits >> 1 ^ (bits & 1 ? 0x9908B0DFu : 0);
    }
    random->next = 0;
}

uint32_t dpi_random_bits(dpi_random *random)
{
    if (random->next >= WORDS)
        refill(random);
    uint32_t bits = random->state[random->next++];
    bits ^= bits >> 11;
    bits ^= bits << 7 & 0x9D2C5680u;
    bits ^= bits << 15 & 0xEFC60000u;
    return bits ^ bits >> 18;
}

// The low word is drawn first; a narrower last word keeps its top bits.
static uint64_t draw(dpi_random *random, int bits)
{
    if (bits <= 32)
        return dpi_random_bits(random) >> (32 - bits);
    const uint64_t low = dpi_random_bits(random);
    return (uint64_t)(dpi_random_bits(random) >> (64 - bits)) << 32 | low;
}

int64_t dpi_random_between(dpi_random *random, int64_t first, int64_t last)
{
    const uint64_t count = (uint64_t)last - (uint64_t)first + 1;
    const int bits = 64 - __builtin_clzll(count);
    uint64_t value = draw(random, bits);

    while (value >= count)
        value = draw(random, bits);
    return (int64_t)((uint64_t)first + value);
}
