// Saving a model where and as the options say.
#include "cli/saving.h"

#include <string.h>

#include "cli/command.h"
#include "cli/forecast.h"
#include "cli/output.h"

static int ends_in(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static int32_t format_of(const cli_session *session)
{
    const cli_settings *s = session->settings;

    if (s->to != CLI_UNSET)
        return s->to;
    if (ends_in(s->output, ".gguf"))
        return DP_FORMAT_GGUF;
    return ends_in(s->output, "/") ? DP_FORMAT_HF : session->info.format;
}

void cli_saving_options(const cli_session *session, dp_save_options *options)
{
    static const int32_t types[] = {DP_F32, DP_F16, DP_BF16};
    const cli_settings *s = session->settings;

    dp_save_options_init(options, sizeof *options);
    options->format = format_of(session);
    if (s->dtype != CLI_UNSET)
        options->type = types[s->dtype];
    options->overwrite = s->force;
    options->max_shard_bytes = s->max_shard_size;
}

int cli_saving_check(cli_session *session)
{
    return session->settings->output ? DP_OK : cli_usage(session, "-o OUT says where the model goes");
}

// Where overwriting is all that lacks, the option's name does, too.
static void say_force(cli_session *session, const dp_model *model, dp_save_options *options)
{
    dp_save_report report = {.size = sizeof report};

    options->overwrite = 1;
    session->muted = 1;
    if (dp_model_save_estimate(model, session->settings->output, options, &report, NULL) == DP_OK)
        cli_fail(session, DP_E_ARGUMENT, (cli_place){.file = session->settings->output},
                 "exists already; --force replaces it");
    session->muted = 0;
}

int cli_saving_allowed(cli_session *session, const dp_model *model, dp_save_report *report)
{
    dp_save_options options;

    *report = (dp_save_report){.size = sizeof *report};
    cli_saving_options(session, &options);
    session->muted = 1; // saving says it
    const int rc = dp_model_save_estimate(model, session->settings->output, &options, report, &session->error);
    session->muted = 0;
    if (rc == DP_E_ARGUMENT && !session->settings->force)
        say_force(session, model, &options);
    return rc ? rc : cli_output_folder_check(session, session->settings->output);
}

int cli_saving_run(cli_session *session, const dp_model *model, dp_save_report *report)
{
    dp_save_options options;

    *report = (dp_save_report){.size = sizeof *report};
    cli_saving_options(session, &options);
    session->advice = "the model holds something that this format cannot: try --to or --dtype";
    const int rc =
        dp_model_save(model, session->settings->output, &options, &session->monitor, report, &session->error);
    cli_progress_clear(&session->progress);
    return rc;
}

int cli_saving_forecast(cli_session *session, const dp_model *model, int scores_first)
{
    const cli_settings *s = session->settings;
    cli_forecast forecast = {0};
    dp_save_report report;
    const int rc = cli_saving_allowed(session, model, &report);

    if (rc)
        return rc;
    cli_forecast_read(&forecast, s->operands.items[0], (double)session->info.bytes);
    cli_forecast_read(&forecast, s->plan, -1);
    cli_forecast_read(&forecast, s->scores, -1);
    if (scores_first) {
        cli_forecast_read(&forecast, s->calibration, -1);
        cli_forecast_read(&forecast, s->calibration_tokens, -1);
        cli_forecast_scoring(&forecast, session);
    }
    cli_forecast_write(&forecast, s->output, (double)report.bytes);
    cli_forecast_files(&forecast, report.files);
    cli_forecast_copy(&forecast, (double)report.bytes);
    return cli_forecast_emit(session, &forecast);
}

void cli_saving_document(const cli_session *session, const dp_save_report *report, int32_t blocks, json_t *document)
{
    const char *format = format_of(session) == DP_FORMAT_GGUF ? "gguf" : "hf";

    json_object_set_new(document, "blocks", json_integer(blocks));
    json_object_set_new(document, "parameters", json_integer((json_int_t)report->parameters));
    json_object_set_new(document, "output", cli_json_path(session->settings->output));
    json_object_set_new(document, "format", json_string(format));
    json_object_set_new(document, "files", json_integer(report->files));
    json_object_set_new(document, "bytes", json_integer((json_int_t)report->bytes));
}
