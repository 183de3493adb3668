// Rope's inverse frequencies with their scaling: default 1 / base^(2i/d); linear divides all by the factor; llama3
// divides the slow ones, keeps the fast ones and blends between.  In f32 and in this order, as Transformers does.
#include <math.h>

#include "base/error.h"
#include "model/parse.h"

enum { LEAST_CONTEXT_BITS = 5, MOST_CONTEXT_BITS = 24 };

static const double CIRCLE = 6.283185307179586;

static float plain_frequency(const dpi_config *config, int32_t pair)
{
    const float exponent = (float)(2 * pair) / (float)config->head_dim;

    return 1.0f / (float)pow(config->rope_base, exponent);
}

// How far into the fast band a frequency lies: below 0 slow, above 1 fast.
static double fastness(const dpi_config *config, double frequency)
{
    const double turns = config->rope_original * frequency / CIRCLE;

    return (turns - config->rope_low) / (config->rope_high - config->rope_low);
}

static float llama3(const dpi_config *config, float frequency)
{
    const double smooth = fastness(config, frequency);
    const float slow = frequency / (float)config->rope_factor;

    if (smooth < 0)
        return slow;
    if (smooth > 1)
        return frequency;
    return (1.0f - (float)smooth) * slow + (float)smooth * frequency;
}

void dpi_rope_frequencies(const dpi_config *config, float *out)
{
    for (int32_t i = 0; i < config->head_dim / 2; i++) {
        const float frequency = plain_frequency(config, i);
        if (config->rope_kind == DPI_ROPE_LLAMA3)
            out[i] = llama3(config, frequency);
        else if (config->rope_kind == DPI_ROPE_LINEAR)
            out[i] = frequency / (float)config->rope_factor;
        else
            out[i] = frequency;
    }
}

void dpi_rope_divisors(const dpi_config *config, float *out)
{
    for (int32_t i = 0; i < config->head_dim / 2; i++) {
        const double smooth = fastness(config, plain_frequency(config, i));
        if (smooth < 0)
            out[i] = (float)config->rope_factor;
        else if (smooth > 1)
            out[i] = 1.0f;
        else
            out[i] = (float)(1.0 / ((1.0 - smooth) / config->rope_factor + smooth));
    }
}

static int agrees(const dpi_config *config, const float *divisors)
{
    for (int32_t i = 0; i < config->head_dim / 2; i++) {
        const double smooth = fastness(config, plain_frequency(config, i));
        double wanted = 1.0 / ((1.0 - smooth) / config->rope_factor + smooth);
        if (smooth < 0)
            wanted = config->rope_factor;
        if (smooth > 1)
            wanted = 1;
        if (!(fabs(divisors[i] - wanted) <= 1e-4 * wanted))
            return 0;
    }
    return 1;
}

// The file has the divisors only.  The bands are the published ones (1 and 4); the original context is searched
// among the powers of two.
int dpi_rope_fit(dpi_config *config, const float *divisors, const char *name, dp_error *error)
{
    const dpi_place place = {.file = name, .item = "rope_freqs.weight", .offset = -1};
    dpi_config trial = *config;
    float most = 1, least = INFINITY;

    for (int32_t i = 0; i < config->head_dim / 2; i++) {
        most = divisors[i] > most ? divisors[i] : most;
        least = divisors[i] < least ? divisors[i] : least;
    }
    if (least == most && isfinite(most)) {
        config->rope_kind = most == 1 ? config->rope_kind : DPI_ROPE_LINEAR;
        config->rope_factor = most == 1 ? config->rope_factor : most;
        return DP_OK;
    }
    trial.rope_kind = DPI_ROPE_LLAMA3;
    trial.rope_factor = most;
    trial.rope_low = 1;
    trial.rope_high = 4;
    for (int bits = LEAST_CONTEXT_BITS; bits <= MOST_CONTEXT_BITS; bits++) {
        trial.rope_original = 1 << bits;
        if (agrees(&trial, divisors)) {
            *config = trial;
            return DP_OK;
        }
    }
    return dpi_fail_at(error, DP_E_UNSUPPORTED, &place,
                       "the divisors of rope are not those of llama3 scaling; other kinds are not computed");
}
