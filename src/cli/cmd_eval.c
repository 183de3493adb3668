// depthprune eval: perplexity of texts and of token ids.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/forecast.h"
#include "cli/ids.h"
#include "cli/output.h"
#include "cli/protocol.h"
#include "cli/table.h"

static int bos_option(cli_session *session, int32_t *out)
{
    const char *text = session->settings->bos;
    char *end = NULL;

    if (text == NULL || strcmp(text, "auto") == 0)
        return DP_OK;
    if (strcmp(text, "none") == 0) {
        *out = -2;
        return DP_OK;
    }
    const long value = strtol(text, &end, 10);
    if (end == text || *end || value < 0 || value > INT32_MAX)
        return cli_usage(session, "--bos wants auto, none or a token id, not '%s'", text);
    *out = (int32_t)value;
    return DP_OK;
}

static int make_options(cli_session *session, dp_evaluator_options *options)
{
    const cli_settings *s = session->settings;

    dp_evaluator_options_init(options, sizeof *options);
    if (s->window)
        options->window = s->window;
    if (s->mode != CLI_UNSET)
        options->mode = s->mode;
    if (s->literal_specials)
        options->encode &= ~(uint32_t)DP_ENCODE_SPECIAL;
    options->limit = s->limit;
    if (s->perplexity.count + s->perplexity_tokens.count == 0)
        return cli_usage(session, "say what to measure: --perplexity FILE or --perplexity-tokens IDS.json");
    const int rc = bos_option(session, &options->bos);
    if (rc == DP_OK && options->bos == -2 && options->mode == DP_PPL_MODE_B)
        return cli_usage(session, "--mode B puts a BOS before each window: --bos none contradicts it");
    return rc;
}

static int measure_text(cli_session *session, dp_evaluator *evaluator, const char *path, dp_perplexity *result)
{
    const int rc = cli_session_tokenizer(session);

    if (rc)
        return rc;
    session->advice = "give more text, or lower --window";
    return dp_evaluator_perplexity(evaluator, session->model, session->tokenizer, path, &session->monitor, result,
                                   &session->error);
}

static int measure_ids(cli_session *session, dp_evaluator *evaluator, const char *path, dp_perplexity *result)
{
    cli_ids rows;
    int rc = cli_ids_read(session, path, &rows);

    if (rc)
        return rc;
    session->advice = "give more ids, or lower --window";
    rc = dp_evaluator_perplexity_ids(evaluator, session->model, rows.ids, rows.count, &session->monitor, result,
                                     &session->error);
    if (rc && rc != DP_E_MEMORY && rc != DP_E_CANCELLED)
        cli_blame(session, path);
    cli_ids_free(&rows);
    return rc;
}

static json_t *real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *entry(const char *path, const dp_perplexity *p, double seconds)
{
    json_t *bos = p->bos >= 0 ? json_integer(p->bos) : json_null();

    return json_pack("{s:o, s:i, s:s, s:o, s:I, s:I, s:o, s:o, s:s, s:f}", "file", cli_json_path(path), "window",
                     p->window, "mode", p->mode == DP_PPL_MODE_B ? "B" : "A", "bos", bos, "windows",
                     (json_int_t)p->windows, "tokens", (json_int_t)p->tokens, "nll", real(p->nll), "perplexity",
                     real(p->perplexity), "data", p->digest, "seconds", seconds);
}

// All texts, then all ids, in the order given.
static int measure(cli_session *session, dp_evaluator *evaluator, json_t *results)
{
    const cli_list *texts = &session->settings->perplexity, *ids = &session->settings->perplexity_tokens;
    int rc = DP_OK;

    for (size_t i = 0; rc == DP_OK && i < texts->count + ids->count; i++) {
        dp_perplexity result = {.size = sizeof result};
        const double begin = cli_clock();
        const char *path = i < texts->count ? texts->items[i] : ids->items[i - texts->count];
        rc = i < texts->count ? measure_text(session, evaluator, path, &result)
                              : measure_ids(session, evaluator, path, &result);
        if (rc == DP_OK && json_array_append_new(results, entry(path, &result, cli_clock() - begin)))
            rc = cli_fail(session, DP_E_MEMORY, (cli_place){0}, "out of memory");
    }
    cli_progress_clear(&session->progress);
    return rc;
}

static void show(const json_t *results)
{
    cli_table table = {.alignment = "lrlrr"};
    static const char *const heads[] = {"text", "window", "mode", "tokens", "perplexity"};
    const json_t *r;
    size_t index;

    for (size_t i = 0; i < 5; i++)
        cli_table_add(&table, "%s", heads[i]);
    json_array_foreach(results, index, r)
    {
        cli_table_add(&table, "%s", json_string_value(json_object_get(r, "file")));
        cli_table_add(&table, "%lld", (long long)json_integer_value(json_object_get(r, "window")));
        cli_table_add(&table, "%s", json_string_value(json_object_get(r, "mode")));
        cli_table_add(&table, "%lld", (long long)json_integer_value(json_object_get(r, "tokens")));
        cli_table_add(&table, "%#.6g", json_real_value(json_object_get(r, "perplexity")));
    }
    cli_table_print(&table, stdout);
}

static const char *bos_rule(const cli_session *session, const dp_evaluator_options *options)
{
    if (options->mode == DP_PPL_MODE_B)
        return "each window";
    if (options->bos == -2 || (options->bos == -1 && session->settings->perplexity.count == 0))
        return "none";
    return "once";
}

static const char *special_rule(const cli_session *session)
{
    if (session->settings->perplexity.count == 0)
        return "as given";
    return session->settings->literal_specials ? "literal" : "recognised";
}

static int deliver(cli_session *session, const dp_evaluator_options *options, json_t *results)
{
    const cli_settings *s = session->settings;

    if (!s->json)
        show(results);
    if (!s->json && s->output == NULL)
        return DP_OK;
    const int rc = cli_protocol_model(session);
    if (rc)
        return rc;
    cli_protocol_tokenizer(session);
    cli_protocol_set(session, "window", json_integer(options->window));
    cli_protocol_set(session, "mode", json_string(options->mode == DP_PPL_MODE_B ? "B" : "A"));
    cli_protocol_set(session, "bos", json_string(bos_rule(session, options)));
    cli_protocol_set(session, "special_tokens", json_string(special_rule(session)));
    cli_protocol_set(session, "seed", json_null());
    json_t *document = cli_document_new("eval");
    json_object_set(document, "perplexity", results);
    json_object_set_new(document, "blocks", json_integer(session->info.blocks));
    return cli_document_emit(session, document, s->output);
}

static int forecast(cli_session *session, const dp_evaluator_options *options)
{
    const cli_settings *s = session->settings;
    cli_forecast f = {0};
    double bytes = 0;

    cli_forecast_read(&f, s->operands.items[0], (double)session->info.bytes);
    for (size_t i = 0; i < s->perplexity.count; i++)
        cli_forecast_read(&f, s->perplexity.items[i], -1);
    for (size_t i = 0; i < s->perplexity_tokens.count; i++)
        cli_forecast_read(&f, s->perplexity_tokens.items[i], -1);
    for (size_t i = 1; i < json_array_size(f.reads); i++)
        bytes += (double)json_integer_value(json_object_get(json_array_get(f.reads, i), "bytes"));
    double windows = bytes / 4 / options->window; // about four bytes a token
    if (options->limit && windows > (double)options->limit)
        windows = (double)options->limit;
    cli_forecast_write(&f, s->output, -1);
    cli_forecast_windows(&f, session, windows, options->window);
    return cli_forecast_emit(session, &f);
}

int cli_cmd_eval(cli_session *session)
{
    dp_evaluator_options options;
    dp_evaluator *evaluator = NULL;
    json_t *results = json_array();
    int rc = make_options(session, &options);

    if (rc == DP_OK)
        rc = cli_output_check(session, session->settings->output);
    if (rc == DP_OK)
        rc = cli_session_model(session);
    if (rc == DP_OK && session->settings->dry_run) {
        json_decref(results);
        return forecast(session, &options);
    }
    if (rc == DP_OK)
        rc = dp_evaluator_new(session->context, &options, &evaluator, &session->error);
    if (rc == DP_OK)
        rc = measure(session, evaluator, results);
    if (rc == DP_OK)
        rc = deliver(session, &options, results);
    dp_evaluator_free(evaluator);
    json_decref(results);
    return rc;
}
