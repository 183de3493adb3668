// Merge rules in their order, and an open-addressing table from a pair of ids to its rule.
#include "text/merges.h"

#include <string.h>

#include "base/error.h"

static const dpi_place PLACE = {.item = "merges", .offset = -1};

int dpi_merges_open(dpi_merges *merges, dpi_memory *memory, size_t capacity, dp_error *error)
{
    size_t slots = 16;

    while (slots < capacity * 2)
        slots *= 2;
    *merges = (dpi_merges){.memory = memory, .capacity = capacity, .slot_count = slots};
    merges->rules = dpi_alloc_raw(memory, capacity, sizeof *merges->rules, error);
    merges->slots = merges->rules ? dpi_alloc_raw(memory, slots, sizeof *merges->slots, error) : NULL;
    if (!merges->slots)
        return DP_E_MEMORY;
    memset(merges->slots, 0xff, slots * sizeof *merges->slots);
    return DP_OK;
}

void dpi_merges_close(dpi_merges *merges)
{
    if (!merges->memory)
        return;
    dpi_free(merges->memory, merges->rules);
    dpi_free(merges->memory, merges->slots);
}

static size_t slot_of(const dpi_merges *merges, int32_t left, int32_t right)
{
    uint64_t hash = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;

    hash *= 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
    size_t slot = (hash * 0xd6e8feb86659fd93u >> 20) & (merges->slot_count - 1);
    while (merges->slots[slot] >= 0) {
        const dpi_rule *const rule = &merges->rules[merges->slots[slot]];
        if (rule->left == left && rule->right == right)
            break;
        slot = (slot + 1) & (merges->slot_count - 1);
    }
    return slot;
}

int32_t dpi_merges_find(const dpi_merges *merges, int32_t left, int32_t right)
{
    return merges->slots[slot_of(merges, left, right)];
}

static int missing(size_t rule, const char *text, size_t size, dp_error *error)
{
    return dpi_fail_at(error, DP_E_FORMAT, &PLACE, "merge %zu: \"%.*s\" is not in the vocabulary", rule,
                       (int)(size < 64 ? size : 64), text);
}

int dpi_merges_add(dpi_merges *merges, const dpi_vocab *vocab, const char *left, size_t left_size,
                   const char *right, size_t right_size, dp_error *error)
{
    const size_t number = merges->count;
    dpi_rule rule = {dpi_vocab_find(vocab, left, left_size), dpi_vocab_find(vocab, right, right_size), -1};

    if (!left_size || !right_size)
        return dpi_fail_at(error, DP_E_FORMAT, &PLACE, "merge %zu has an empty part", number);
    if (rule.left < 0)
        return missing(number, left, left_size, error);
    if (rule.right < 0)
        return missing(number, right, right_size, error);
    dpi_text joined = {.memory = vocab->memory};
    int rc = dpi_text_add(&joined, left, left_size, error);
    if (!rc)
        rc = dpi_text_add(&joined, right, right_size, error);
    if (!rc && (rule.id = dpi_vocab_find(vocab, joined.data, joined.size)) < 0)
        rc = missing(number, joined.data, joined.size, error);
    dpi_text_clear(&joined);
    if (rc)
        return rc;
    const size_t slot = slot_of(merges, rule.left, rule.right);
    merges->rules[number] = rule;
    merges->slots[slot] = (int32_t)number; // a repeated pair counts at its last place
    merges->count++;
    return DP_OK;
}

int dpi_merges_add_line(dpi_merges *merges, const dpi_vocab *vocab, const char *line, size_t size, dp_error *error)
{
    const char *const space = memchr(line, ' ', size);
    const size_t left = space ? (size_t)(space - line) : size;

    if (!space || memchr(space + 1, ' ', size - left - 1))
        return dpi_fail_at(error, DP_E_FORMAT, &PLACE,
                           "merge %zu is not two tokens with one space between: \"%.*s\"", merges->count,
                           (int)(size < 64 ? size : 64), line);
    return dpi_merges_add(merges, vocab, line, left, space + 1, size - left - 1, error);
}
