// Split patterns through PCRE2.  Every step runs on each piece that the step before it left, as if the piece were
// the whole text.  A match may take a number of steps in proportion to its piece, so that a bad pattern is an
// error.
#include "text/splitter.h"

#include <string.h>

#include "base/error.h"

enum { STEPS_A_BYTE = 64, STEPS_LEAST = 20000, HEAP_KIB = 1 << 18, NESTING = 50 };
enum { LOOK = 1 << 14 }; // matches between two looks at the watch

static const dpi_place PLACE = {.item = "pre_tokenizer", .offset = -1};

static const char GPT2[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

static void *give(PCRE2_SIZE size, void *memory)
{
    return dpi_alloc_raw(memory, size, 1, NULL);
}

static void take_back(void *pointer, void *memory)
{
    dpi_free(memory, pointer);
}

int dpi_splitter_open(dpi_splitter *splitter, dpi_memory *memory, dp_error *error)
{
    *splitter = (dpi_splitter){.memory = memory, .general = pcre2_general_context_create(give, take_back, memory)};
    return splitter->general ? DP_OK : dpi_fail(error, DP_E_MEMORY, "out of memory: no room for a split pattern");
}

void dpi_splitter_close(dpi_splitter *splitter)
{
    for (size_t i = 0; i < splitter->count; i++) {
        pcre2_code_free(splitter->steps[i].code);
        dpi_free(splitter->memory, splitter->steps[i].pattern);
    }
    pcre2_general_context_free(splitter->general);
}

static int bad_pattern(const char *pattern, int number, size_t offset, dp_error *error)
{
    PCRE2_UCHAR words[120];

    if (number == PCRE2_ERROR_HEAP_FAILED)
        return dpi_fail(error, DP_E_MEMORY, "out of memory: no room for a split pattern");
    if (pcre2_get_error_message(number, words, sizeof words / sizeof *words) < 0)
        words[0] = 0;
    return dpi_fail_at(error, DP_E_FORMAT, &PLACE, "split pattern \"%.80s\" at %zu: %s", pattern, offset,
                       (const char *)words);
}

// Compile `pattern`; PCRE2's words on failure are about it as it stands here.
static int compile(dpi_splitter *splitter, dpi_step *step, const char *pattern, dp_error *error)
{
    const uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK |
                             (step->kind == DPI_STEP_STRING ? PCRE2_LITERAL : PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C);
    pcre2_compile_context *const context = pcre2_compile_context_create(splitter->general);
    int number = PCRE2_ERROR_HEAP_FAILED;
    PCRE2_SIZE offset = 0;

    if (context) {
        pcre2_set_parens_nest_limit(context, NESTING);
        step->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &number, &offset, context);
    }
    pcre2_compile_context_free(context);
    return step->code ? DP_OK : bad_pattern(pattern, number, offset, error);
}

static int compile_regex(dpi_splitter *splitter, dpi_step *step, const char *pattern, dp_error *error)
{
    dpi_text spelled = {.memory = splitter->memory};
    int rc = dpi_spell_spaces(pattern, &spelled, error);

    if (!rc)
        rc = compile(splitter, step, spelled.data ? spelled.data : "", error);
    dpi_text_clear(&spelled);
    return rc;
}

static int compile_step(dpi_splitter *splitter, dpi_step *step, dp_error *error)
{
    switch (step->kind) {
    case DPI_STEP_DIGIT:
        return compile(splitter, step, "\\p{N}", error);
    case DPI_STEP_DIGITS:
        return compile(splitter, step, "\\p{N}+", error);
    case DPI_STEP_GPT2:
        return compile_regex(splitter, step, GPT2, error);
    case DPI_STEP_STRING:
        return compile(splitter, step, step->pattern, error);
    default:
        return compile_regex(splitter, step, step->pattern, error);
    }
}

int dpi_splitter_add(dpi_splitter *splitter, int32_t kind, const char *pattern, size_t size, dp_error *error)
{
    if (splitter->count == DPI_STEPS_MOST)
        return dpi_fail_at(error, DP_E_UNSUPPORTED, &PLACE, "more than %d pre-tokenizer steps", DPI_STEPS_MOST);
    if (size > DPI_PATTERN_MOST)
        return dpi_fail_at(error, DP_E_FORMAT, &PLACE, "a split pattern has %zu bytes, more than %d", size,
                           DPI_PATTERN_MOST);
    if (kind == DPI_STEP_STRING && !size)
        return dpi_fail_at(error, DP_E_FORMAT, &PLACE, "a split string is empty");
    dpi_step *const step = &splitter->steps[splitter->count];
    *step = (dpi_step){.kind = kind};
    if (pattern && !(step->pattern = dpi_copy_bytes(splitter->memory, pattern, size, error)))
        return DP_E_MEMORY;
    splitter->count++;
    return compile_step(splitter, step, error);
}

int dpi_cutter_open(dpi_cutter *cutter, const dpi_splitter *splitter, dpi_watch *watch, dp_error *error)
{
    *cutter = (dpi_cutter){.splitter = splitter, .watch = watch};
    cutter->limits = pcre2_match_context_create(splitter->general);
    cutter->match = pcre2_match_data_create(1, splitter->general);
    if (!cutter->limits || !cutter->match)
        return dpi_fail(error, DP_E_MEMORY, "out of memory: no room to run a split pattern");
    pcre2_set_heap_limit(cutter->limits, HEAP_KIB);
    return DP_OK;
}

void dpi_cutter_close(dpi_cutter *cutter)
{
    if (!cutter->splitter)
        return;
    pcre2_match_context_free(cutter->limits);
    pcre2_match_data_free(cutter->match);
    dpi_free(cutter->splitter->memory, cutter->spans.data);
    dpi_free(cutter->splitter->memory, cutter->next.data);
}

static int add_span(dpi_memory *memory, dpi_spans *spans, size_t begin, size_t end, dp_error *error)
{
    if (begin == end)
        return DP_OK;
    if (spans->count == spans->capacity) {
        const size_t capacity = spans->capacity ? spans->capacity * 2 : 256;
        void *data = spans->data;
        if (dpi_grow(memory, &data, spans->count, capacity, sizeof *spans->data, error))
            return DP_E_MEMORY;
        spans->data = data;
        spans->capacity = capacity;
    }
    spans->data[spans->count++] = (dpi_span){begin, end};
    return DP_OK;
}

static int match_failed(int number, size_t size, dp_error *error)
{
    if (number == PCRE2_ERROR_NOMEMORY)
        return dpi_fail(error, DP_E_MEMORY, "out of memory: no room to run a split pattern");
    return dpi_fail_at(error, DP_E_FORMAT, &PLACE,
                       "the tokenizer's split pattern takes too many steps on a text of %zu bytes", size);
}

static size_t next_point(const char *text, size_t size, size_t at)
{
    for (at++; at < size && ((unsigned char)text[at] & 0xc0) == 0x80;)
        at++;
    return at;
}

// Cut one piece by one step: matches and the gaps between them.
static int cut(dpi_cutter *cutter, const dpi_step *step, const char *text, dpi_span piece, dp_error *error)
{
    dpi_memory *const memory = cutter->splitter->memory;
    const PCRE2_SIZE *const found = pcre2_get_ovector_pointer(cutter->match);
    const char *const subject = text + piece.begin;
    const size_t size = piece.end - piece.begin;
    const uint64_t steps = STEPS_LEAST + (uint64_t)size * STEPS_A_BYTE;
    size_t done = 0;

    pcre2_set_match_limit(cutter->limits, steps > UINT32_MAX ? UINT32_MAX : (uint32_t)steps);
    for (size_t from = 0; from < size;) {
        const int number = pcre2_match(step->code, (PCRE2_SPTR)subject, size, from, PCRE2_NO_UTF_CHECK,
                                       cutter->match, cutter->limits);
        if (number == PCRE2_ERROR_NOMATCH)
            break;
        if (number < 0 || found[0] < done || found[1] < found[0])
            return match_failed(number, size, error);
        const int rc = ++cutter->work % LOOK ? DP_OK : dpi_watch_advance(cutter->watch, 0, error);
        if (rc)
            return rc;
        if (add_span(memory, &cutter->next, piece.begin + done, piece.begin + found[0], error) ||
            add_span(memory, &cutter->next, piece.begin + found[0], piece.begin + found[1], error))
            return DP_E_MEMORY;
        done = found[1];
        from = found[1] > found[0] ? found[1] : next_point(subject, size, found[1]);
    }
    return add_span(memory, &cutter->next, piece.begin + done, piece.end, error);
}

int dpi_cutter_run(dpi_cutter *cutter, const char *text, size_t size, dp_error *error)
{
    cutter->spans.count = 0;
    int rc = add_span(cutter->splitter->memory, &cutter->spans, 0, size, error);

    for (size_t i = 0; !rc && i < cutter->splitter->count; i++) {
        const dpi_spans pieces = cutter->spans;
        cutter->next.count = 0;
        for (size_t k = 0; !rc && k < pieces.count; k++)
            rc = cut(cutter, &cutter->splitter->steps[i], text, pieces.data[k], error);
        cutter->spans = cutter->next;
        cutter->next = pieces;
    }
    return rc;
}
