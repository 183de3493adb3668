// Pre-tokenization: the steps that cut a text into the words that byte-level BPE merges within.
#ifndef DPI_TEXT_SPLITTER_H
#define DPI_TEXT_SPLITTER_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/monitor.h"
#include "base/text.h"

enum {
    DPI_STEP_DIGIT,  // each digit (general category N) alone
    DPI_STEP_DIGITS, // runs of digits alone
    DPI_STEP_REGEX,  // each match of a pattern alone
    DPI_STEP_STRING, // each occurrence of a string alone
    DPI_STEP_GPT2    // GPT-2's own pattern (ByteLevel with use_regex)
};

enum { DPI_STEPS_MOST = 8, DPI_PATTERN_MOST = 1 << 16 };

typedef struct dpi_step {
    int32_t kind;
    char *pattern; // terminated; of REGEX and STRING
    pcre2_code *code;
} dpi_step;

typedef struct dpi_splitter {
    dpi_memory *memory;
    pcre2_general_context *general; // its memory is ours
    dpi_step steps[DPI_STEPS_MOST];
    size_t count;
} dpi_splitter;

typedef struct dpi_span {
    size_t begin, end;
} dpi_span;

typedef struct dpi_spans {
    dpi_span *data;
    size_t count, capacity;
} dpi_spans;

// Scratch of one call.
typedef struct dpi_cutter {
    const dpi_splitter *splitter;
    dpi_watch *watch;
    size_t work; // matches so far
    pcre2_match_context *limits;
    pcre2_match_data *match;
    dpi_spans spans, next;
} dpi_cutter;

int dpi_splitter_open(dpi_splitter *splitter, dpi_memory *memory, dp_error *error);
void dpi_splitter_close(dpi_splitter *splitter);
// Append a step.  A pattern that does not compile is DP_E_FORMAT with the place in it.
int dpi_splitter_add(dpi_splitter *splitter, int32_t kind, const char *pattern, size_t size, dp_error *error);

// The pattern with \s and \S spelled out as Unicode's white space.
int dpi_spell_spaces(const char *pattern, dpi_text *out, dp_error *error);

// `watch` (NULL allowed) is looked at while it cuts.
int dpi_cutter_open(dpi_cutter *cutter, const dpi_splitter *splitter, dpi_watch *watch, dp_error *error);
void dpi_cutter_close(dpi_cutter *cutter);
// Cut valid UTF-8 into cutter->spans, in order and without gaps.
int dpi_cutter_run(dpi_cutter *cutter, const char *text, size_t size, dp_error *error);

// Splitters that GGUF files know by name.
typedef struct dpi_known_splitter {
    const char *name, *alias; // tokenizer.ggml.pre
    int32_t first;            // the step before ByteLevel: DPI_STEP_DIGIT, DPI_STEP_REGEX, or -1 for none
    const char *pattern;      // of REGEX
    int32_t gpt2;             // ByteLevel's own pattern follows
    int32_t ignore_merges;    // a word that is a token is taken whole
    int32_t composes;         // form C comes first
    int32_t adds_bos;         // where the file does not say
} dpi_known_splitter;

const dpi_known_splitter *dpi_splitter_named(const char *name, size_t size); // NULL when unknown
const dpi_known_splitter *dpi_splitter_known(const dpi_splitter *splitter);  // the one with these steps, or NULL
int dpi_splitter_take(dpi_splitter *splitter, const dpi_known_splitter *known, dp_error *error);

#endif
