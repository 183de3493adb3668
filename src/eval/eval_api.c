// dp_evaluator: options and argument checks; the work is in eval_ppl.c and eval_sequence.c.
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "base/sha256.h"
#include "eval/perplexity.h"
#include "eval/sequence.h"
#include "io/file.h"
#include "nn/budget.h"
#include "nn/tokens.h"
#include "text/encode.h"

enum { BOS_OWN = -1, BOS_NONE = -2 };

struct dp_evaluator {
    dp_context *context; // one reference
    dp_evaluator_options options;
};

#define AT(field) .name = #field, .offset = offsetof(dp_evaluator_options, field)

static const dpi_option options[] = {
    {AT(window), .kind = DPI_INT32, .least = 2, .most = 1 << 24, .value = 128, .help = "tokens a window"},
    {AT(mode), .kind = DPI_INT32, .least = DP_PPL_MODE_A, .most = DP_PPL_MODE_B,
     .help = "where BOS stands: A or B"},
    {AT(bos), .kind = DPI_INT32, .least = BOS_NONE, .most = INT32_MAX, .value = BOS_OWN,
     .help = "the BOS id; -1: the tokenizer's, -2: none"},
    {AT(encode), .kind = DPI_UINT32, .least = 0, .most = DP_ENCODE_SPECIAL, .value = DP_ENCODE_SPECIAL,
     .help = "DP_ENCODE_SPECIAL or 0"},
    {AT(batch), .kind = DPI_INT32, .least = 0, .most = INT32_MAX, .help = "windows at once; 0: what memory allows"},
    {AT(limit), .kind = DPI_INT64, .least = 0, .most = 9e18, .help = "windows at most; 0: all"},
};
static const dpi_schema schema = {"dp_evaluator_options", sizeof(dp_evaluator_options),
                                  sizeof options / sizeof *options, options};

void dp_evaluator_options_init(dp_evaluator_options *out, size_t size)
{
    dpi_options_init(&schema, out, size);
}

int dp_evaluator_new(dp_context *context, const dp_evaluator_options *given, dp_evaluator **out, dp_error *error)
{
    dp_evaluator_options read;

    if (!context || !out)
        return dpi_fail(error, DP_E_ARGUMENT, "dp_evaluator_new needs a context and a place for the evaluator");
    const int rc = dpi_options_read(&schema, given, &read, error);
    if (rc)
        return rc;
    dp_evaluator *evaluator = dpi_alloc(&context->memory, 1, sizeof *evaluator, error);
    if (!evaluator)
        return DP_E_MEMORY;
    evaluator->context = dpi_context_keep(context);
    evaluator->options = read;
    *out = evaluator;
    return DP_OK;
}

void dp_evaluator_free(dp_evaluator *evaluator)
{
    if (!evaluator)
        return;
    dp_context *context = evaluator->context;
    dpi_free(&context->memory, evaluator);
    dpi_context_drop(context);
}

// ---- perplexity

static int check_run(const dpi_perplexity *run, dp_error *error)
{
    const dp_evaluator_options *given = run->options;
    const int64_t length = (int64_t)given->window + (given->mode == DP_PPL_MODE_B);
    const dpi_config *config = &run->model->config;

    if (length > config->context)
        return dpi_fail(error, DP_E_ARGUMENT, "windows of %lld tokens are longer than the model's context of %d",
                        (long long)length, config->context);
    if (given->mode == DP_PPL_MODE_B && run->bos < 0)
        return dpi_fail(error, DP_E_ARGUMENT, "mode B puts a BOS id before each window, and there is none");
    if (run->bos >= config->vocab)
        return dpi_fail(error, DP_E_ARGUMENT, "the BOS id %d is not in the vocabulary of %d", run->bos,
                        config->vocab);
    const int rc = dpi_ids_check(run->ids, (int64_t)run->count, 0, config->vocab, error);
    if (rc)
        return rc;
    if (dpi_perplexity_windows(run) < 1)
        return dpi_fail(error, DP_E_FORMAT, "%zu tokens are less than one window of %d", run->count, given->window);
    return DP_OK;
}

// Run, and give the result when all went well.
static int measure(dpi_perplexity *run, const char digest[65], dp_perplexity *result, dp_error *error)
{
    dp_perplexity known = {.size = sizeof known,
                           .window = run->options->window,
                           .mode = run->options->mode,
                           .bos = run->bos < 0 ? -1 : run->bos};
    double sum = 0;
    int rc = check_run(run, error);

    if (rc)
        return rc;
    known.windows = dpi_perplexity_windows(run);
    dpi_turn_begin(run->context, run->watch);
    rc = dpi_perplexity_run(run, &sum, &known.tokens, error);
    dpi_turn_end(run->context);
    if (rc)
        return rc;
    known.nll = sum / (double)known.tokens;
    known.perplexity = exp(known.nll);
    if (!isfinite(known.perplexity))
        return dpi_fail(error, DP_E_NUMERIC, "the perplexity of a mean loss of %g is not finite", known.nll);
    memcpy(known.digest, digest, 65);
    return dpi_info_give(&known, sizeof known, result, error);
}

static void digest_ids(const int32_t *ids, size_t count, char text[65])
{
    dpi_sha256 hash;

    dpi_sha256_begin(&hash);
    for (size_t i = 0; i < count; i++) {
        const uint32_t id = (uint32_t)ids[i];
        const unsigned char bytes[4] = {(unsigned char)id, (unsigned char)(id >> 8), (unsigned char)(id >> 16),
                                        (unsigned char)(id >> 24)};
        dpi_sha256_add(&hash, bytes, sizeof bytes);
    }
    dpi_sha256_end(&hash, text);
}

int dp_evaluator_perplexity_ids(dp_evaluator *evaluator, const dp_model *model, const int32_t *ids, size_t count,
                                const dp_monitor *monitor, dp_perplexity *result, dp_error *error)
{
    if (!evaluator || !model || (!ids && count > 0) || !result)
        return dpi_fail(error, DP_E_ARGUMENT,
                        "dp_evaluator_perplexity_ids needs an evaluator, a model, ids and a result");
    dpi_watch watch;
    dpi_perplexity run = {.context = evaluator->context,
                          .model = model,
                          .options = &evaluator->options,
                          .ids = ids,
                          .count = count,
                          .bos = evaluator->options.bos,
                          .watch = &watch};
    char digest[65];
    const int rc = dpi_watch_open(&watch, monitor, error);
    if (rc)
        return rc;
    digest_ids(ids, count, digest);
    return measure(&run, digest, result, error);
}

static int32_t bos_of(const dp_evaluator *evaluator, const dp_tokenizer *tokenizer)
{
    dp_tokenizer_info info = {.size = sizeof info, .bos = -1};

    if (evaluator->options.bos != BOS_OWN)
        return evaluator->options.bos;
    return dp_tokenizer_describe(tokenizer, &info, NULL) ? -1 : info.bos;
}

static int measure_text(const dp_evaluator *evaluator, const dp_model *model, const dp_tokenizer *tokenizer,
                        const dpi_storage *text, dpi_watch *watch, dp_perplexity *result, dp_error *error)
{
    dpi_perplexity run = {.context = evaluator->context,
                          .model = model,
                          .options = &evaluator->options,
                          .bos = bos_of(evaluator, tokenizer),
                          .watch = watch};
    dpi_sha256 hash;
    char digest[65];
    int32_t *ids = NULL;

    dpi_watch_begin(watch, "encode", 0);
    int rc = dpi_tokenizer_ids(tokenizer, (const char *)dpi_storage_bytes(text), (size_t)dpi_storage_size(text),
                               evaluator->options.encode, watch, &ids, &run.count, error);
    if (rc)
        return rc;
    dpi_sha256_begin(&hash);
    dpi_sha256_add(&hash, dpi_storage_bytes(text), (size_t)dpi_storage_size(text));
    dpi_sha256_end(&hash, digest);
    run.ids = ids;
    rc = measure(&run, digest, result, error);
    dpi_tokenizer_drop_ids(tokenizer, ids);
    return rc;
}

// What a text is made of stands wrong: say which text.
static void name_text(const char *path, dp_error *error)
{
    if (!error || error->file[0])
        return;
    const size_t length = strlen(path), room = sizeof error->file - 1;
    const size_t skip = length > room ? length - room : 0;
    memcpy(error->file, path + skip, length - skip + 1);
}

int dp_evaluator_perplexity(dp_evaluator *evaluator, const dp_model *model, const dp_tokenizer *tokenizer,
                            const char *path, const dp_monitor *monitor, dp_perplexity *result, dp_error *error)
{
    if (!evaluator || !model || !tokenizer || !path || !result)
        return dpi_fail(error, DP_E_ARGUMENT,
                        "dp_evaluator_perplexity needs an evaluator, a model, a tokenizer, a path and a result");
    dpi_storage *text = NULL;
    dpi_watch watch;
    int rc = dpi_watch_open(&watch, monitor, error);
    if (!rc)
        rc = dpi_file_open(&text, evaluator->context, path, 1, error);
    if (rc)
        return rc;
    rc = measure_text(evaluator, model, tokenizer, text, &watch, result, error);
    if (rc == DP_E_FORMAT || rc == DP_E_NUMERIC)
        name_text(path, error);
    dpi_storage_drop(text);
    return rc;
}

// ---- one sequence

static int open_sequence(const dp_evaluator *evaluator, dpi_sequence *sequence, const dp_monitor *monitor,
                         dp_error *error)
{
    const dpi_config *config = &sequence->model->config;
    const int rc = dpi_watch_open(sequence->watch, monitor, error);

    sequence->context = evaluator->context;
    if (rc)
        return rc;
    if (sequence->count < 1 || sequence->count > config->context)
        return dpi_fail(error, DP_E_ARGUMENT, "a sequence of %lld ids: 1 .. %d are possible, the model's context",
                        (long long)sequence->count, config->context);
    return dpi_ids_check(sequence->ids, sequence->count, 0, config->vocab, error);
}

int dp_evaluator_logits(dp_evaluator *evaluator, const dp_model *model, const int32_t *ids, size_t count,
                        size_t rows, const dp_monitor *monitor, float *logits, dp_error *error)
{
    if (!evaluator || !model || !ids || !logits)
        return dpi_fail(error, DP_E_ARGUMENT,
                        "dp_evaluator_logits needs an evaluator, a model, ids and room for logits");
    if (rows < 1 || rows > count)
        return dpi_fail(error, DP_E_ARGUMENT, "logits of the last %zu of %zu positions: 1 .. %zu are possible",
                        rows, count, count);
    dpi_watch watch;
    dpi_sequence sequence = {.model = model, .ids = ids, .count = (int64_t)count, .watch = &watch};
    int rc = open_sequence(evaluator, &sequence, monitor, error);
    if (rc)
        return rc;
    dpi_turn_begin(evaluator->context, &watch);
    rc = dpi_sequence_logits(&sequence, (int64_t)rows, logits, error);
    dpi_turn_end(evaluator->context);
    return rc;
}

int dp_evaluator_hidden(dp_evaluator *evaluator, const dp_model *model, const int32_t *ids, size_t count,
                        int32_t block, const dp_monitor *monitor, float *hidden, dp_error *error)
{
    if (!evaluator || !model || !ids || !hidden)
        return dpi_fail(error, DP_E_ARGUMENT,
                        "dp_evaluator_hidden needs an evaluator, a model, ids and room for the "
                        "residual stream");
    if (block < 0 || block > model->config.blocks)
        return dpi_fail(error, DP_E_ARGUMENT, "the residual stream before block %d: 0 .. %d are possible", block,
                        model->config.blocks);
    dpi_watch watch;
    dpi_sequence sequence = {.model = model, .ids = ids, .count = (int64_t)count, .watch = &watch};
    int rc = open_sequence(evaluator, &sequence, monitor, error);
    if (rc)
        return rc;
    dpi_turn_begin(evaluator->context, &watch);
    rc = dpi_sequence_hidden(&sequence, block, hidden, error);
    dpi_turn_end(evaluator->context);
    return rc;
}
