// The splitters that GGUF files name in tokenizer.ggml.pre.
#include <string.h>

#include "text/splitter.h"

static const char LLAMA3[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
                             " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
static const char QWEN2[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
                            " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

static const dpi_known_splitter KNOWN[] = {
    {"smollm", "smollm", DPI_STEP_DIGIT, NULL, 1, 0, 0, 0},
    {"gpt-2", "gpt2", -1, NULL, 1, 0, 0, 0},
    {"llama-bpe", "llama3", DPI_STEP_REGEX, LLAMA3, 0, 1, 0, 1},
    {"llama-v3", "llama-v3", DPI_STEP_REGEX, LLAMA3, 0, 1, 0, 1},
    {"qwen2", "qwen2", DPI_STEP_REGEX, QWEN2, 0, 0, 1, 0},
};
enum { KNOWN_COUNT = sizeof KNOWN / sizeof *KNOWN };

static int is_name(const char *name, const char *text, size_t size)
{
    return strlen(name) == size && !memcmp(name, text, size);
}

const dpi_known_splitter *dpi_splitter_named(const char *name, size_t size)
{
    for (int i = 0; i < KNOWN_COUNT; i++)
        if (is_name(KNOWN[i].name, name, size) || is_name(KNOWN[i].alias, name, size))
            return &KNOWN[i];
    return NULL;
}

static int has_steps(const dpi_splitter *splitter, const dpi_known_splitter *known)
{
    const size_t first = known->first >= 0;
    const dpi_step *const steps = splitter->steps;

    if (splitter->count != first + (size_t)known->gpt2 ||
        (known->gpt2 && steps[splitter->count - 1].kind != DPI_STEP_GPT2))
        return 0;
    if (!first)
        return 1;
    return steps[0].kind == known->first && (!known->pattern || !strcmp(steps[0].pattern, known->pattern));
}

const dpi_known_splitter *dpi_splitter_known(const dpi_splitter *splitter)
{
    for (int i = 0; i < KNOWN_COUNT; i++)
        if (has_steps(splitter, &KNOWN[i]))
            return &KNOWN[i];
    return NULL;
}

int dpi_splitter_take(dpi_splitter *splitter, const dpi_known_splitter *known, dp_error *error)
{
    int rc = DP_OK;

    if (known->first >= 0)
        rc = dpi_splitter_add(splitter, known->first, known->pattern, known->pattern ? strlen(known->pattern) : 0,
                              error);
    if (!rc && known->gpt2)
        rc = dpi_splitter_add(splitter, DPI_STEP_GPT2, NULL, 0, error);
    return rc;
}
