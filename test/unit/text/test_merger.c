// The heap against the plainest merging there is: look at all pairs, join the best and leftmost, again.
#include "support.h"

enum { LONGEST = 40 };

typedef struct plain {
    size_t start[LONGEST], size[LONGEST];
    int32_t id[LONGEST];
    size_t count;
} plain;

// The rank of joining symbols i and i + 1, or UINT32_MAX.
static uint32_t rank_of(const dpi_merger *merger, const plain *p, size_t i, const char *text, int32_t *id)
{
    if (merger->merges) {
        const int32_t rule = dpi_merges_find(merger->merges, p->id[i], p->id[i + 1]);
        *id = rule < 0 ? -1 : merger->merges->rules[rule].id;
        return rule < 0 ? UINT32_MAX : (uint32_t)rule;
    }
    *id = dpi_vocab_find(merger->vocab, text + p->start[i], p->size[i] + p->size[i + 1]);
    return *id < 0 ? UINT32_MAX : merger->vocab->tokens[*id].order;
}

static void merge_plainly(const dpi_merger *merger, plain *p, const char *text)
{
    for (;;) {
        uint32_t best = UINT32_MAX;
        size_t where = 0;
        int32_t id = -1, joined = -1;
        for (size_t i = 0; i + 1 < p->count; i++) {
            const uint32_t rank = rank_of(merger, p, i, text, &id);
            if (rank < best) {
                best = rank;
                where = i;
                joined = id;
            }
        }
        if (best == UINT32_MAX)
            return;
        p->size[where] += p->size[where + 1];
        p->id[where] = joined;
        p->count--;
        for (size_t i = where + 1; i < p->count; i++) {
            p->start[i] = p->start[i + 1];
            p->size[i] = p->size[i + 1];
            p->id[i] = p->id[i + 1];
        }
    }
}

static void compare(dpi_merger *merger, const char *text, size_t size)
{
    plain p = {.count = size};
    size_t at = 0;

    ck_assert_int_eq(dpi_merger_begin(merger, text, size, NULL), DP_OK);
    for (size_t i = 0; i < size; i++) {
        p.start[i] = i;
        p.size[i] = 1;
        p.id[i] = dpi_vocab_find(merger->vocab, text + i, 1);
        dpi_merger_add(merger, i, 1, p.id[i], 0);
    }
    merge_plainly(merger, &p, text);
    ck_assert_int_eq(dpi_merger_run(merger, NULL), DP_OK);
    for (size_t i = 0; i < merger->count; i++) {
        if (!merger->symbols[i].size)
            continue;
        ck_assert_uint_lt(at, p.count);
        ck_assert_msg(merger->symbols[i].size == p.size[at] && merger->symbols[i].id == p.id[at], "\"%.*s\"",
                      (int)size, text);
        at++;
    }
    ck_assert_uint_eq(at, p.count);
}

static uint32_t next_random(uint32_t *state)
{
    return *state = *state * 1664525u + 1013904223u, *state >> 16;
}

// All words of a and b up to four letters, with scores that often are the same.
static void make_vocab(dpi_vocab *vocab, dpi_memory *memory, uint32_t *state)
{
    int32_t id = 0;

    ck_assert_int_eq(dpi_vocab_open(vocab, memory, 30, NULL), DP_OK);
    for (size_t size = 1; size <= 4; size++)
        for (unsigned bits = 0; bits < 1u << size; bits++) {
            char text[4];
            for (size_t i = 0; i < size; i++)
                text[i] = bits >> i & 1 ? 'b' : 'a';
            if (size > 2 && next_random(state) % 2)
                continue;
            ck_assert_int_eq(dpi_vocab_put(vocab, id, text, size, DPI_TOKEN_NORMAL, NULL), DP_OK);
            vocab->tokens[id++].score = (float)(next_random(state) % 4);
        }
    ck_assert_int_eq(dpi_vocab_rank(vocab, NULL), DP_OK);
}

static void make_rules(dpi_merges *merges, const dpi_vocab *vocab, uint32_t *state)
{
    ck_assert_int_eq(dpi_merges_open(merges, vocab->memory, 64, NULL), DP_OK);
    for (int tries = 0; tries < 300 && merges->count < 20; tries++) {
        const int32_t left = (int32_t)(next_random(state) % 12), right = (int32_t)(next_random(state) % 12);
        if (vocab->tokens[left].kind && vocab->tokens[right].kind)
            dpi_merges_add(merges, vocab, dpi_vocab_text(vocab, left), vocab->tokens[left].size,
                           dpi_vocab_text(vocab, right), vocab->tokens[right].size, NULL);
    }
}

START_TEST(merges_like_the_plainest_way)
{
    dp_context *context = new_context(NULL);
    uint32_t state = 7;

    for (int round = 0; round < 60; round++) {
        dpi_vocab vocab;
        dpi_merges merges;
        make_vocab(&vocab, &context->memory, &state);
        make_rules(&merges, &vocab, &state);
        dpi_merger by_score = {.memory = &context->memory, .vocab = &vocab}, by_rule = by_score;
        by_rule.merges = &merges;
        for (int k = 0; k < 60; k++) {
            char text[LONGEST];
            const size_t size = next_random(&state) % LONGEST;
            for (size_t i = 0; i < size; i++)
                text[i] = next_random(&state) % 3 ? 'a' : 'b';
            compare(&by_score, text, size);
            compare(&by_rule, text, size);
        }
        dpi_merger_close(&by_score);
        dpi_merger_close(&by_rule);
        dpi_merges_close(&merges);
        dpi_vocab_close(&vocab);
    }
    end_context(context);
}
END_TEST

// A million characters that all merge: n log n takes a second or two under a sanitizer, n² runs into the time limit.
START_TEST(a_million_of_one_character)
{
    const size_t size = 1000000;
    dp_context *context = new_context(NULL);
    char *text = malloc(size);
    dpi_vocab vocab;
    size_t pieces = 0;

    memset(text, 'a', size);
    ck_assert_int_eq(dpi_vocab_open(&vocab, &context->memory, 7, NULL), DP_OK);
    for (int32_t id = 0; id < 7; id++)
        ck_assert_int_eq(dpi_vocab_put(&vocab, id, text, (size_t)1 << id, DPI_TOKEN_NORMAL, NULL), DP_OK);
    ck_assert_int_eq(dpi_vocab_rank(&vocab, NULL), DP_OK); // all alike: the worst order for a queue
    dpi_merger merger = {.memory = &context->memory, .vocab = &vocab};
    ck_assert_int_eq(dpi_merger_begin(&merger, text, size, NULL), DP_OK);
    for (size_t i = 0; i < size; i++)
        dpi_merger_add(&merger, i, 1, 0, 0);
    ck_assert_int_eq(dpi_merger_run(&merger, NULL), DP_OK);
    for (size_t i = 0; i < size; i++)
        pieces += merger.symbols[i].size > 0;
    ck_assert_uint_eq(pieces, size / 64);
    dpi_merger_close(&merger);
    dpi_vocab_close(&vocab);
    free(text);
    end_context(context);
}
END_TEST

static int32_t stop(void *user, const dp_progress *now)
{
    (void)user;
    (void)now;
    return 1;
}

START_TEST(stops_when_the_monitor_says_so)
{
    const dp_monitor monitor = {.size = sizeof monitor, .progress = stop};
    dp_context *context = new_context(NULL);
    const size_t size = 200000;
    char *text = malloc(size);
    dpi_watch watch;
    dpi_vocab vocab;

    memset(text, 'a', size);
    ck_assert_int_eq(dpi_watch_open(&watch, &monitor, NULL), DP_OK);
    ck_assert_int_eq(dpi_vocab_open(&vocab, &context->memory, 2, NULL), DP_OK);
    ck_assert_int_eq(dpi_vocab_put(&vocab, 0, text, 1, DPI_TOKEN_NORMAL, NULL), DP_OK);
    ck_assert_int_eq(dpi_vocab_put(&vocab, 1, text, 2, DPI_TOKEN_NORMAL, NULL), DP_OK);
    dpi_merger merger = {.memory = &context->memory, .vocab = &vocab, .watch = &watch};
    ck_assert_int_eq(dpi_merger_begin(&merger, text, size, NULL), DP_OK);
    for (size_t i = 0; i < size; i++)
        dpi_merger_add(&merger, i, 1, 0, 0);
    ck_assert_int_eq(dpi_merger_run(&merger, NULL), DP_E_CANCELLED);
    dpi_merger_close(&merger);
    dpi_vocab_close(&vocab);
    free(text);
    end_context(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {merges_like_the_plainest_way, a_million_of_one_character,
                                  stops_when_the_monitor_says_so};
    return dpt_run("text/merger", tests, sizeof tests / sizeof *tests);
}
