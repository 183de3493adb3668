// Merge rules from scores: for every piece each way to make it of two pieces, best score first.
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "text/export_parts.h"

enum { PIECE_MOST = 4096 };              // bytes of a piece that is taken apart
enum { RUN_MOST = 64 * DPI_SPACE_SIZE }; // bytes of a run of spaces

typedef struct way {
    uint32_t order;
    int32_t id;
    int32_t left; // bytes of the left half
} way;

typedef struct ways {
    way *data;
    size_t count, capacity;
} ways;

static int add_way(dpi_memory *memory, ways *all, way one, dp_error *error)
{
    if (all->count == all->capacity) {
        const size_t capacity = all->capacity ? all->capacity * 2 : 4096;
        void *data = all->data;
        if (dpi_grow(memory, &data, all->count, capacity, sizeof one, error))
            return DP_E_MEMORY;
        all->data = data;
        all->capacity = capacity;
    }
    all->data[all->count++] = one;
    return DP_OK;
}

static int is_piece(const dpi_vocab *vocab, const char *text, size_t size)
{
    const int32_t id = dpi_vocab_find(vocab, text, size);

    return id >= 0 && dpi_token_merges(&vocab->tokens[id]);
}

static int add_ways(const dp_tokenizer *tokenizer, int32_t id, ways *all, dp_error *error)
{
    const dpi_vocab *const vocab = &tokenizer->vocab;
    const char *const text = dpi_vocab_text(vocab, id);
    const size_t size = vocab->tokens[id].size;
    int rc = DP_OK;

    for (size_t left = 1; !rc && left < size; left++)
        if (((unsigned char)text[left] & 0xc0) != 0x80 && is_piece(vocab, text, left) &&
            is_piece(vocab, text + left, size - left))
            rc = add_way(tokenizer->memory, all, (way){vocab->tokens[id].order, id, (int32_t)left}, error);
    return rc;
}

static int best_first(const void *a, const void *b)
{
    const way *const x = a, *const y = b;

    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return x->id != y->id ? (x->id < y->id ? -1 : 1) : (x->left > y->left) - (x->left < y->left);
}

// Bytes of a piece that is spaces only, else 0.
static size_t run_size(const dpi_vocab *vocab, int32_t id)
{
    const char *const text = dpi_vocab_text(vocab, id);
    const size_t size = vocab->tokens[id].size;

    for (size_t at = 0; at < size; at += DPI_SPACE_SIZE)
        if (size - at < DPI_SPACE_SIZE || memcmp(text + at, DPI_SPACE, DPI_SPACE_SIZE))
            return 0;
    return size;
}

// Pieces that score alike are joined from the left by score and by number by rule.  Runs of spaces, which LLaMA
// scores alike and last of all, may still come out the same: *longest is the longest such run, to be tried.
static int has_ties(const dpi_vocab *vocab, const ways *all, size_t *longest)
{
    for (size_t i = 1; i < all->count; i++) {
        const way *const a = &all->data[i - 1], *const b = &all->data[i];
        if (a->order != b->order || a->id == b->id)
            continue;
        const size_t left = run_size(vocab, a->id), right = run_size(vocab, b->id);
        if (!left || !right || all->data[all->count - 1].order != a->order)
            return 1;
        *longest = left > *longest ? left : *longest;
        *longest = right > *longest ? right : *longest;
    }
    return *longest > RUN_MOST;
}

// Merge a run of `count` spaces; its pieces' sizes go to `sizes`, which has room for one a space.
static int merge_run(dpi_merger *merger, const dpi_text *spaces, size_t count, uint32_t *sizes, dp_error *error)
{
    const int32_t id = dpi_vocab_find(merger->vocab, DPI_SPACE, DPI_SPACE_SIZE);
    size_t pieces = 0;
    int rc = dpi_merger_begin(merger, spaces->data, count, error);

    if (rc)
        return rc;
    for (size_t i = 0; i < count; i++)
        dpi_merger_add(merger, i * DPI_SPACE_SIZE, DPI_SPACE_SIZE, id, 0);
    rc = dpi_merger_run(merger, error);
    memset(sizes, 0, count * sizeof *sizes);
    for (size_t i = 0; i < count; i++)
        if (merger->symbols[i].size)
            sizes[pieces++] = merger->symbols[i].size;
    return rc;
}

// Whether runs of spaces, up to four times the longest piece, come out the same both ways.
static int try_runs(const dp_tokenizer *tokenizer, const dpi_merges *rules, size_t longest, int *same,
                    dp_error *error)
{
    dpi_merger by_score = {.memory = tokenizer->memory, .vocab = &tokenizer->vocab}, by_rule = by_score;
    uint32_t first[RUN_MOST * 4 / DPI_SPACE_SIZE], second[RUN_MOST * 4 / DPI_SPACE_SIZE];
    dpi_text spaces = {.memory = tokenizer->memory};
    int rc = DP_OK;

    by_rule.merges = rules;
    for (size_t count = 1; !rc && *same && count <= longest * 4 / DPI_SPACE_SIZE; count++) {
        rc = dpi_text_add(&spaces, DPI_SPACE, DPI_SPACE_SIZE, error);
        if (!rc)
            rc = merge_run(&by_score, &spaces, count, first, error);
        if (!rc)
            rc = merge_run(&by_rule, &spaces, count, second, error);
        *same = !rc && !memcmp(first, second, count * sizeof *first);
    }
    dpi_merger_close(&by_score);
    dpi_merger_close(&by_rule);
    dpi_text_clear(&spaces);
    return rc;
}

static int make_rules(const dp_tokenizer *tokenizer, const ways *all, dpi_merges *rules, dp_error *error)
{
    const dpi_vocab *const vocab = &tokenizer->vocab;
    int rc = dpi_merges_open(rules, tokenizer->memory, all->count, error);

    for (size_t i = 0; !rc && i < all->count; i++) {
        const char *const text = dpi_vocab_text(vocab, all->data[i].id);
        const size_t left = (size_t)all->data[i].left;
        rc = dpi_merges_add(rules, vocab, text, left, text + left, vocab->tokens[all->data[i].id].size - left,
                            error);
    }
    return rc;
}

// The ways to make every piece; *same is 0 when one is too long to look at.
static int list_ways(const dp_tokenizer *tokenizer, ways *all, int *same, dp_error *error)
{
    const dpi_vocab *const vocab = &tokenizer->vocab;
    int rc = DP_OK;

    for (int32_t id = 0; !rc && *same && id < vocab->count; id++) {
        if (!dpi_token_merges(&vocab->tokens[id]))
            continue;
        *same = vocab->tokens[id].size <= PIECE_MOST;
        if (*same)
            rc = add_ways(tokenizer, id, all, error);
    }
    return rc;
}

int dpi_export_rules(const dp_tokenizer *tokenizer, dpi_merges *rules, int *same, dp_error *error)
{
    const dpi_vocab *const vocab = &tokenizer->vocab;
    ways all = {0};
    size_t longest = 0;

    *same = !tokenizer->squeeze && !tokenizer->pieces.count && !tokenizer->has_unused;
    int rc = list_ways(tokenizer, &all, same, error);
    if (!rc && *same) {
        if (all.count)
            qsort(all.data, all.count, sizeof *all.data, best_first);
        *same = !has_ties(vocab, &all, &longest);
    }
    if (!rc && *same)
        rc = make_rules(tokenizer, &all, rules, error);
    if (!rc && *same && longest)
        rc = try_runs(tokenizer, rules, longest, same, error);
    dpi_free(tokenizer->memory, all.data);
    return rc;
}
