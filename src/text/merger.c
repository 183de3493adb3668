// A heap of candidate pairs, lowest order first and then leftmost; stale ones are passed over when they come up.
// n symbols take O(n log n).
#include "text/merger.h"

#include "base/error.h"

enum { LOOK = 1 << 14 }; // pairs between two looks at the watch

int dpi_merger_begin(dpi_merger *merger, const char *text, size_t most, dp_error *error)
{
    merger->text = text;
    merger->count = merger->heap_count = 0;
    if (most <= merger->capacity)
        return DP_OK;
    if (most > INT32_MAX / 2)
        return dpi_fail(error, DP_E_ARGUMENT, "a word of %zu characters is too long", most);
    const size_t capacity = most < 256 ? 256 : most;
    dpi_merger_close(merger);
    merger->symbols = dpi_alloc_raw(merger->memory, capacity, sizeof *merger->symbols, error);
    // each merge takes one symbol away and puts at most two pairs in for the one it took out
    merger->heap =
        merger->symbols ? dpi_alloc_raw(merger->memory, capacity * 2, sizeof *merger->heap, error) : NULL;
    if (!merger->heap)
        return DP_E_MEMORY;
    merger->capacity = capacity;
    return DP_OK;
}

void dpi_merger_close(dpi_merger *merger)
{
    dpi_free(merger->memory, merger->symbols);
    dpi_free(merger->memory, merger->heap);
    merger->symbols = NULL;
    merger->heap = NULL;
    merger->capacity = 0;
}

void dpi_merger_add(dpi_merger *merger, size_t start, size_t size, int32_t id, int frozen)
{
    const int32_t index = (int32_t)merger->count++;

    merger->symbols[index] = (dpi_symbol){(uint32_t)start, (uint32_t)size, id, index - 1, -1, frozen};
    if (index)
        merger->symbols[index - 1].after = index;
}

static int comes_before(const dpi_candidate *a, const dpi_candidate *b)
{
    return a->order != b->order ? a->order < b->order : a->left < b->left;
}

static void push(dpi_merger *merger, dpi_candidate candidate)
{
    dpi_candidate *const heap = merger->heap;
    size_t at = merger->heap_count++;

    while (at && comes_before(&candidate, &heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = candidate;
}

static dpi_candidate pop(dpi_merger *merger)
{
    dpi_candidate *const heap = merger->heap;
    const dpi_candidate top = heap[0], last = heap[--merger->heap_count];
    const size_t count = merger->heap_count;
    size_t at = 0;

    for (size_t child = 1; child < count; child = at * 2 + 1) {
        child += child + 1 < count && comes_before(&heap[child + 1], &heap[child]);
        if (!comes_before(&heap[child], &last))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return top;
}

// The pair by rule: ids decide.
static int by_rule(const dpi_merger *merger, const dpi_symbol *left, const dpi_symbol *right, dpi_candidate *out)
{
    const int32_t rule = left->id < 0 || right->id < 0 ? -1 : dpi_merges_find(merger->merges, left->id, right->id);

    if (rule < 0)
        return 0;
    out->order = (uint32_t)rule;
    out->id = merger->merges->rules[rule].id;
    return 1;
}

// The pair by score: its text decides.
static int by_score(const dpi_merger *merger, const dpi_symbol *left, const dpi_symbol *right, dpi_candidate *out)
{
    const int32_t id = dpi_vocab_find(merger->vocab, merger->text + left->start, left->size + right->size);

    if (id < 0 || !dpi_token_merges(&merger->vocab->tokens[id]))
        return 0;
    if (merger->splits && merger->vocab->tokens[id].kind == DPI_TOKEN_UNUSED)
        merger->splits[id] = (int32_t)left->size;
    out->order = merger->vocab->tokens[id].order;
    out->id = id;
    return 1;
}

static void consider(dpi_merger *merger, int32_t left_index, int32_t right_index)
{
    if (left_index < 0 || right_index < 0)
        return;
    const dpi_symbol *const left = &merger->symbols[left_index], *const right = &merger->symbols[right_index];
    dpi_candidate candidate = {.size = left->size + right->size, .left = left_index};
    if (left->frozen || right->frozen)
        return;
    if (merger->merges ? by_rule(merger, left, right, &candidate) : by_score(merger, left, right, &candidate))
        push(merger, candidate);
}

// Join the two halves of the best pair, unless one of them is no longer what it was.
static void join(dpi_merger *merger, dpi_candidate best)
{
    dpi_symbol *const left = &merger->symbols[best.left];

    if (!left->size || left->after < 0)
        return;
    dpi_symbol *const right = &merger->symbols[left->after];
    if (left->size + right->size != best.size)
        return;
    left->size = best.size;
    left->id = best.id;
    left->after = right->after;
    right->size = 0;
    if (left->after >= 0)
        merger->symbols[left->after].before = best.left;
    consider(merger, left->before, best.left);
    consider(merger, best.left, left->after);
}

int dpi_merger_run(dpi_merger *merger, dp_error *error)
{
    for (int32_t i = 0; i + 1 < (int32_t)merger->count; i++)
        consider(merger, i, i + 1);
    for (size_t work = 1; merger->heap_count; work++) {
        join(merger, pop(merger));
        const int rc = work % LOOK ? DP_OK : dpi_watch_advance(merger->watch, 0, error);
        if (rc)
            return rc;
    }
    return DP_OK;
}
