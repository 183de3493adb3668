// The settings of one run, and the one table of options that fills them, prints help and checks the manual.
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

// Commands as bits: the table says with them where an option stands.
enum {
    CLI_INSPECT = 1,
    CLI_SCORE = 2,
    CLI_PLAN = 4,
    CLI_PRUNE = 8,
    CLI_EVAL = 16,
    CLI_CONVERT = 32,
    CLI_REPORT = 64,
    CLI_DOCTOR = 128,
    CLI_HELP = 256,
    CLI_COMPLETION = 512,
    CLI_EVERYWHERE = 1023
};

enum { CLI_UNSET = -1 }; // of a choice or count that was not given

typedef struct cli_list {
    const char **items;
    size_t count;
} cli_list;

typedef struct cli_blocks {
    int32_t *items;
    size_t count;
} cli_blocks;

typedef struct cli_settings {
    cli_list operands;
    int32_t help, version, json, quiet, force, dry_run; // flags: 0 or 1

    const char *backend, *gemm, *kernels;
    int32_t threads, load, allow_nonfinite;
    uint64_t memory, max_shard_size;
    uint64_t seed; // UINT64_MAX: not given

    int32_t check;
    const char *output, *plot;

    const char *criterion;
    int32_t unit, norm_power, weight_reduction, block_reduction, projections_only, group_samples, resume;
    int32_t protect[2]; // first, last

    const char *calibration, *calibration_tokens;
    int32_t rows, samples, length, bos_each, literal_specials;

    const char *plan, *scores;
    int32_t blocks;
    double ratio;        // 0: not given
    uint64_t parameters; // 0: not given
    cli_blocks remove;
    int32_t to, dtype;

    cli_list perplexity, perplexity_tokens;
    int32_t window, mode;
    const char *bos;
    int32_t limit;
} cli_settings;

// What an option's value is and where it goes.
enum {
    CLI_FLAG,       // int32_t, set to 1
    CLI_CHOICE,     // int32_t, the index of a word of `argument`, split at '|'
    CLI_WORD,       // const char *, one of the words of `argument`
    CLI_COUNT,      // int32_t, least .. most
    CLI_SEED,       // uint64_t
    CLI_BYTES,      // uint64_t, with K, M, G or T: powers of 1024
    CLI_PARAMETERS, // uint64_t, with K, M, B or T: powers of 1000
    CLI_RATIO,      // double, above 0 and below 1
    CLI_TEXT,       // const char *
    CLI_FILES,      // cli_list, one more item each time
    CLI_BLOCK_LIST, // cli_blocks: 3,7 or 3-7
    CLI_PROTECT     // int32_t[2]: FIRST+LAST
};

typedef struct cli_option {
    const char *name;     // without dashes
    const char *argument; // as help shows it; NULL for a flag
    const char *help;
    unsigned commands;
    int kind;
    size_t offset; // in cli_settings
    int32_t least, most;
    char letter; // of the short form, or 0
} cli_option;

extern const cli_option cli_options[];
extern const size_t cli_option_count;

typedef struct cli_complaint {
    char text[400];
    int memory; // no fault of the command line: there was none left
} cli_complaint;

// Every option as if none was given.
void cli_settings_init(cli_settings *settings);
void cli_settings_free(cli_settings *settings);

// Read argv[1] .. argv[count-1].  The first operand is the command's name; `command_bit` maps a name to its bit,
// 0 for none.  Returns 0, or -1 with a complaint about the usage.
typedef struct cli_arguments {
    int count;
    char **items;
    unsigned (*command_bit)(const char *name);
    const char *(*command_name)(unsigned bit);
} cli_arguments;
int cli_options_parse(const cli_arguments *arguments, cli_settings *settings, const char **command,
                      cli_complaint *complaint);

// Write one value (value.c).  `text` is NULL for a flag.
int cli_value_set(const cli_option *option, const char *text, cli_settings *settings, cli_complaint *complaint);
int cli_complain(cli_complaint *complaint, const char *format, ...) __attribute__((format(printf, 2, 3)));
int cli_complain_memory(cli_complaint *complaint);

#endif
