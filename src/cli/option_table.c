// The one table of options: parsing, --help and the manual's test all read it.  Order is the order of help.
#include "cli/options.h"

#define AT(field) offsetof(cli_settings, field)

static const int32_t MOST = INT32_MAX;
enum {
    SCORING = CLI_SCORE | CLI_PRUNE,
    CHOOSING = CLI_PLAN | CLI_PRUNE,
    SAVING = CLI_PRUNE | CLI_CONVERT,
    WRITING = CLI_SCORE | CLI_PLAN | CLI_PRUNE | CLI_EVAL | CLI_CONVERT | CLI_INSPECT,
    DRAWING = CLI_SCORE | CLI_PLAN
};

const cli_option cli_options[] = {
    {"check", NULL, "read every weight, which must be finite, and the tokenizer; adds the content hash", CLI_INSPECT, CLI_FLAG,
     AT(check), 0, 0, 0},

    {"plan", "PLAN.json", "remove what this plan says", CLI_PRUNE, CLI_TEXT, AT(plan), 0, 0, 0},
    {"scores", "SCORES.json", "choose by scores that 'score' wrote", CHOOSING, CLI_TEXT, AT(scores), 0, 0, 0},
    {"remove", "BLOCKS", "remove these blocks: 3,7 or 3-7", CHOOSING, CLI_BLOCK_LIST, AT(remove), 0, 0, 0},
    {"criterion", "NAME", "mag, mag+ (ends protected), ppl or bi; 'score' uses ppl when none is named", SCORING,
     CLI_TEXT, AT(criterion), 0, 0, 0},
    {"blocks", "N", "how many blocks to remove", CHOOSING, CLI_COUNT, AT(blocks), 1, 1 << 20, 0},
    {"ratio", "R", "share of the blocks to remove, such as 0.2", CHOOSING, CLI_RATIO, AT(ratio), 0, 0, 0},
    {"params", "P", "remove until at most P parameters stay, such as 5.5B", CHOOSING, CLI_PARAMETERS,
     AT(parameters), 0, 0, 0},
    {"protect", "FIRST+LAST", "never remove the first and last so many blocks (default: the criterion's own)",
     SCORING | CLI_PLAN, CLI_PROTECT, AT(protect), 0, 0, 0},
    {"unit", "block", "what is scored", SCORING, CLI_CHOICE, AT(unit), 0, 0, 0},
    {"norm-power", "1|2", "mag: the p of |w|^p (default 1)", SCORING, CLI_CHOICE, AT(norm_power), 0, 0, 0},
    {"weight-reduction", "sum|mean|max|product", "mag: over the rows of a weight (default sum)", SCORING,
     CLI_CHOICE, AT(weight_reduction), 0, 0, 0},
    {"block-reduction", "sum|mean|max|product", "mag: over the weights of a block (default sum)", SCORING,
     CLI_CHOICE, AT(block_reduction), 0, 0, 0},
    {"projections-only", NULL, "mag: leave the two norm vectors out (the paper's formula)", SCORING, CLI_FLAG,
     AT(projections_only), 0, 0, 0},
    {"calibration", "TEXT|JSONL", "ppl, bi: draw the calibration windows from this text", SCORING, CLI_TEXT,
     AT(calibration), 0, 0, 0},
    {"calibration-tokens", "IDS.json", "ppl, bi: calibrate on these token ids; no tokenizer is needed", SCORING,
     CLI_TEXT, AT(calibration_tokens), 0, 0, 0},
    {"rows", "auto|paragraph|line|stream",
     "what a row of the text is (default auto: paragraphs where enough are "
     "long, else a stream)",
     SCORING, CLI_CHOICE, AT(rows), 0, 0, 0},
    {"samples", "N", "calibration windows (default 10; with ids all)", SCORING, CLI_COUNT, AT(samples), 1, MOST, 0},
    {"length", "N", "tokens a calibration window (default 128; with ids all)", SCORING, CLI_COUNT, AT(length), 2,
     MOST, 0},
    {"bos-each", NULL, "every calibration window begins with the BOS token", SCORING, CLI_FLAG, AT(bos_each), 0, 0,
     0},
    {"group-samples", "N", "ppl, bi: windows that walk the depth together (default: what memory allows)", SCORING,
     CLI_COUNT, AT(group_samples), 1, MOST, 0},
    {"resume", NULL, "ppl, bi: go on from OUTPUT.partial, what an earlier run of the same command has finished",
     CLI_SCORE, CLI_FLAG, AT(resume), 0, 0, 0},

    {"perplexity", "FILE", "measure on this UTF-8 text; may be given several times", CLI_EVAL, CLI_FILES,
     AT(perplexity), 0, 0, 0},
    {"perplexity-tokens", "IDS.json", "measure on these token ids, rows joined; may be given several times",
     CLI_EVAL, CLI_FILES, AT(perplexity_tokens), 0, 0, 0},
    {"window", "N", "tokens a window (default 128)", CLI_EVAL, CLI_COUNT, AT(window), 2, MOST, 0},
    {"mode", "A|B", "A: BOS once, before the text (default); B: BOS before each window", CLI_EVAL, CLI_CHOICE,
     AT(mode), 0, 0, 0},
    {"bos", "auto|none|ID", "the BOS id (default auto: the tokenizer's)", CLI_EVAL, CLI_TEXT, AT(bos), 0, 0, 0},
    {"limit", "N", "at most N windows (default: all)", CLI_EVAL, CLI_COUNT, AT(limit), 1, MOST, 0},
    {"literal-specials", NULL, "read text such as <s> as plain characters, not as that token", SCORING | CLI_EVAL,
     CLI_FLAG, AT(literal_specials), 0, 0, 0},

    {"output", "OUT", "write the result here", WRITING, CLI_TEXT, AT(output), 0, 0, 'o'},
    {"to", "hf|gguf", "format of OUT (default: by the name's end, else the source's)", SAVING, CLI_CHOICE, AT(to),
     0, 0, 0},
    {"dtype", "f32|f16|bf16", "element type of every matrix (default: as stored, where the format holds it)",
     SAVING, CLI_CHOICE, AT(dtype), 0, 0, 0},
    {"max-shard-size", "SIZE", "hf: several files of at most SIZE each, such as 5GB (default: one file)", SAVING,
     CLI_BYTES, AT(max_shard_size), 0, 0, 0},
    {"plot", "FILE", "draw the score of each block; FILE ends in .svg or .png; needs gnuplot", DRAWING, CLI_TEXT,
     AT(plot), 0, 0, 0},
    {"force", NULL, "replace what exists", WRITING, CLI_FLAG, AT(force), 0, 0, 0},
    {"dry-run", NULL,
     "only say what would be read and written, how long and how much memory it may take; inspect: look at config.json "
     "alone",
     CLI_INSPECT | CLI_SCORE | CLI_PLAN | CLI_PRUNE | CLI_EVAL | CLI_CONVERT, CLI_FLAG, AT(dry_run), 0, 0, 0},

    {"backend", "auto|cpu|ref|cuda[:N]", "what computes (default auto)", CLI_EVERYWHERE, CLI_TEXT, AT(backend), 0,
     0, 0},
    {"threads", "N", "compute threads (default: the processors this process may use)", CLI_EVERYWHERE, CLI_COUNT,
     AT(threads), 1, 1024, 0},
    {"memory", "LIMIT", "most bytes to allocate, such as 2G; mapped weights do not count", CLI_EVERYWHERE,
     CLI_BYTES, AT(memory), 0, 0, 0},
    {"load", "map|read|shapes", "map weights (default), copy them into memory, or do without: config.json alone",
     CLI_EVERYWHERE, CLI_CHOICE, AT(load), 0, 0, 0},
    {"gemm", "auto|native|openblas", "whose matrix products (default auto)", CLI_EVERYWHERE, CLI_WORD, AT(gemm), 0,
     0, 0},
    {"kernels", "auto|portable|avx2|avx512", "instruction set of the kernels (default auto)", CLI_EVERYWHERE,
     CLI_WORD, AT(kernels), 0, 0, 0},
    {"seed", "N", "seed of what is drawn (default 1234)", CLI_EVERYWHERE, CLI_SEED, AT(seed), 0, 0, 0},
    {"json", NULL, "one JSON document on standard output, nothing else there", CLI_EVERYWHERE, CLI_FLAG, AT(json),
     0, 0, 0},
    {"quiet", NULL, "no progress and no notes", CLI_EVERYWHERE, CLI_FLAG, AT(quiet), 0, 0, 'q'},
    {"help", NULL, "show help", CLI_EVERYWHERE, CLI_FLAG, AT(help), 0, 0, 'h'},
    {"version", NULL, "show the version", CLI_EVERYWHERE, CLI_FLAG, AT(version), 0, 0, 'V'},
};

const size_t cli_option_count = sizeof cli_options / sizeof *cli_options;
