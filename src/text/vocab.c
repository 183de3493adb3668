// The vocabulary: one text buffer, one record an id, and an open-addressing table from text to id.
#include "text/vocab.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/size.h"

static const dpi_place PLACE = {.item = "vocab", .offset = -1};

static uint64_t mix(uint64_t value)
{
    value ^= value >> 32;
    value *= 0xd6e8feb86659fd93u;
    value ^= value >> 32;
    return value;
}

uint64_t dpi_hash_bytes(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t hash = 0x9e3779b97f4a7c15u ^ size, word = 0;

    for (; size >= sizeof word; size -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = mix(hash ^ word);
    }
    word = 0;
    if (size)
        memcpy(&word, at, size);
    return mix(mix(hash ^ word));
}

int dpi_vocab_open(dpi_vocab *vocab, dpi_memory *memory, int32_t count, dp_error *error)
{
    size_t slots = 16;

    while (slots < (size_t)count * 2)
        slots *= 2;
    *vocab = (dpi_vocab){.memory = memory, .text = {.memory = memory}, .count = count, .slot_count = slots};
    vocab->tokens = dpi_alloc(memory, (size_t)count, sizeof *vocab->tokens, error);
    vocab->slots = vocab->tokens ? dpi_alloc_raw(memory, slots, sizeof *vocab->slots, error) : NULL;
    if (!vocab->slots)
        return DP_E_MEMORY;
    memset(vocab->slots, 0xff, slots * sizeof *vocab->slots);
    return DP_OK;
}

void dpi_vocab_close(dpi_vocab *vocab)
{
    if (!vocab->memory)
        return;
    dpi_text_clear(&vocab->text);
    dpi_free(vocab->memory, vocab->tokens);
    dpi_free(vocab->memory, vocab->slots);
}

static int has_text(const dpi_vocab *vocab, int32_t id, const char *text, size_t size)
{
    return vocab->tokens[id].size == size && (!size || !memcmp(dpi_vocab_text(vocab, id), text, size));
}

// The slot of a text: the one that holds it, or the free one where it belongs.
static size_t slot_of(const dpi_vocab *vocab, const char *text, size_t size)
{
    size_t slot = dpi_hash_bytes(text, size) & (vocab->slot_count - 1);

    while (vocab->slots[slot] >= 0 && !has_text(vocab, vocab->slots[slot], text, size))
        slot = (slot + 1) & (vocab->slot_count - 1);
    return slot;
}

int dpi_vocab_extend(dpi_vocab *vocab, int32_t count, dp_error *error)
{
    dpi_vocab larger;
    int rc = dpi_vocab_open(&larger, vocab->memory, count, error);

    if (rc) {
        dpi_vocab_close(&larger);
        return rc;
    }
    memcpy(larger.tokens, vocab->tokens, (size_t)vocab->count * sizeof *larger.tokens);
    larger.text = vocab->text;
    larger.longest = vocab->longest;
    vocab->text = (dpi_text){.memory = vocab->memory};
    for (int32_t id = 0; id < vocab->count; id++)
        if (larger.tokens[id].kind != DPI_TOKEN_NONE)
            larger.slots[slot_of(&larger, dpi_vocab_text(&larger, id), larger.tokens[id].size)] = id;
    dpi_vocab_close(vocab);
    *vocab = larger;
    return DP_OK;
}

static int is_utf8(const char *text, size_t size)
{
    uint32_t point = 0;

    for (size_t at = 0; at < size;) {
        const size_t length = dpi_utf8_decode(text + at, size - at, &point);
        if (!length)
            return 0;
        at += length;
    }
    return 1;
}

int dpi_vocab_put(dpi_vocab *vocab, int32_t id, const char *text, size_t size, int32_t kind, dp_error *error)
{
    dpi_token *const token = &vocab->tokens[id];

    if (token->kind != DPI_TOKEN_NONE)
        return dpi_fail_at(error, DP_E_FORMAT, &PLACE, "token id %d is given twice", id);
    if (size > DPI_TOKEN_LONGEST)
        return dpi_fail_at(error, DP_E_FORMAT, &PLACE, "token %d has %zu bytes, more than %d", id, size,
                           DPI_TOKEN_LONGEST);
    if (vocab->text.size > UINT32_MAX - size)
        return dpi_fail_at(error, DP_E_FORMAT, &PLACE, "the tokens' texts pass 4 GiB");
    if (!is_utf8(text, size))
        return dpi_fail_at(error, DP_E_FORMAT, &PLACE, "token %d is not valid UTF-8", id);
    if (size && memchr(text, 0, size)) // no file of the other format could hold it
        return dpi_fail_at(error, DP_E_FORMAT, &PLACE, "token %d holds a zero byte", id);
    const size_t slot = slot_of(vocab, text, size);
    if (vocab->slots[slot] >= 0)
        return dpi_fail_at(error, DP_E_FORMAT, &PLACE, "tokens %d and %d are the same: \"%.*s\"",
                           vocab->slots[slot], id, (int)(size < 64 ? size : 64), text);
    token->offset = (uint32_t)vocab->text.size;
    if (dpi_text_add(&vocab->text, text, size, error))
        return DP_E_MEMORY;
    token->size = (uint32_t)size;
    token->kind = kind;
    vocab->slots[slot] = id;
    if (size > vocab->longest)
        vocab->longest = (uint32_t)size;
    return DP_OK;
}

int32_t dpi_vocab_find(const dpi_vocab *vocab, const char *text, size_t size)
{
    return size > vocab->longest ? -1 : vocab->slots[slot_of(vocab, text, size)];
}

typedef struct place {
    float score;
    int32_t id;
} place;

static int best_first(const void *a, const void *b)
{
    const place *const x = a, *const y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

int dpi_vocab_rank(dpi_vocab *vocab, dp_error *error)
{
    const size_t count = (size_t)vocab->count;

    for (int32_t id = 0; id < vocab->count; id++)
        if (!isfinite(vocab->tokens[id].score))
            return dpi_fail_at(error, DP_E_FORMAT, &PLACE, "the score of token %d is not finite", id);
    place *const places = dpi_alloc_raw(vocab->memory, count, sizeof *places, error);
    if (!places)
        return DP_E_MEMORY;
    for (size_t i = 0; i < count; i++)
        places[i] = (place){vocab->tokens[i].score, (int32_t)i};
    qsort(places, count, sizeof *places, best_first);
    uint32_t order = 0;
    for (size_t i = 0; i < count; i++) {
        order += i > 0 && places[i].score != places[i - 1].score;
        vocab->tokens[places[i].id].order = order;
    }
    dpi_free(vocab->memory, places);
    return DP_OK;
}
