// From the criterion options to scores.
#include "cli/scoring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/ids.h"
#include "cli/output.h"
#include "cli/protocol.h"

const char *cli_scoring_criterion(const cli_settings *settings)
{
    return settings->criterion ? settings->criterion : "ppl";
}

int cli_scoring_needs_data(const cli_settings *settings)
{
    return strncmp(cli_scoring_criterion(settings), "mag", 3) != 0;
}

// OUTPUT.partial, where the run is long and its output a file.
static int name_journal(cli_session *session)
{
    const cli_settings *s = session->settings;
    const size_t room = s->output ? strlen(s->output) + sizeof ".partial" : 0;

    if (session->journal || session->command->bit != CLI_SCORE || !s->output || !cli_scoring_needs_data(s))
        return DP_OK;
    session->journal = malloc(room);
    if (session->journal == NULL)
        return cli_fail(session, DP_E_MEMORY, (cli_place){0}, "out of memory");
    snprintf(session->journal, room, "%s.partial", s->output);
    return DP_OK;
}

static int make_scorer(cli_session *session, dp_scorer **out)
{
    const cli_settings *s = session->settings;
    dp_scorer_options options;
    int rc = name_journal(session);

    if (rc)
        return rc;
    dp_scorer_options_init(&options, sizeof options);
    options.criterion = cli_scoring_criterion(s);
    if (s->norm_power != CLI_UNSET)
        options.norm_power = s->norm_power + 1;
    if (s->weight_reduction != CLI_UNSET)
        options.weight_reduction = s->weight_reduction;
    if (s->block_reduction != CLI_UNSET)
        options.block_reduction = s->block_reduction;
    options.projections_only = s->projections_only;
    options.protect_first = s->protect[0];
    options.protect_last = s->protect[1];
    options.group_samples = s->group_samples;
    options.journal = session->journal;
    options.resume = s->resume;
    rc = dp_scorer_new(session->context, &options, out, &session->error);
    return rc == DP_E_ARGUMENT ? CLI_USAGE : rc;
}

int cli_scoring_check(cli_session *session)
{
    const cli_settings *s = session->settings;
    dp_scorer *scorer = NULL;

    if (s->resume && (s->output == NULL || !cli_scoring_needs_data(s)))
        return cli_usage(session, "--resume needs --output and a criterion that reads calibration data");
    if (s->calibration && s->calibration_tokens)
        return cli_usage(session, "--calibration and --calibration-tokens exclude each other");
    if (cli_scoring_needs_data(s) && s->calibration == NULL && s->calibration_tokens == NULL)
        return cli_usage(session, "criterion %s needs --calibration TEXT or --calibration-tokens IDS.json",
                         cli_scoring_criterion(s));
    int rc = cli_session_context(session);
    if (rc == DP_OK)
        rc = make_scorer(session, &scorer); // it knows the criteria
    dp_scorer_free(scorer);
    return rc;
}

static int calib_from_text(cli_session *session, dp_calib **out)
{
    const cli_settings *s = session->settings;
    dp_calib_options options;
    const int rc = cli_session_tokenizer(session);

    if (rc)
        return rc;
    dp_calib_options_init(&options, sizeof options);
    if (s->samples)
        options.samples = s->samples;
    if (s->length)
        options.length = s->length;
    if (s->rows != CLI_UNSET)
        options.rows = s->rows;
    if (s->seed != UINT64_MAX)
        options.seed = s->seed;
    if (s->literal_specials)
        options.encode &= ~(uint32_t)DP_ENCODE_SPECIAL;
    options.bos_each = s->bos_each;
    session->advice = "give more text, or lower --samples or --length";
    return dp_calib_open(session->context, session->tokenizer, s->calibration, &options, &session->monitor, out,
                         &session->error);
}

// The library was given ids, not the file that they came from.
static void name_ids(cli_session *session, int rc)
{
    dp_error *error = &session->error;

    if (rc && !error->file[0] && session->settings->calibration_tokens)
        snprintf(error->file, sizeof error->file, "%s", session->settings->calibration_tokens);
}

// The first `samples` rows, the first `length` ids of each.
static int calib_from_rows(cli_session *session, const cli_ids *rows, size_t samples, size_t length, dp_calib **out)
{
    const char *path = session->settings->calibration_tokens;
    int32_t *ids = malloc(samples * length * sizeof *ids);
    size_t begin = 0;

    if (ids == NULL)
        return cli_fail(session, DP_E_MEMORY, (cli_place){.file = path}, "out of memory");
    for (size_t row = 0; row < samples; row++) {
        if (rows->lengths[row] < length) {
            free(ids);
            return cli_fail(session, DP_E_FORMAT, (cli_place){.file = path, .item = "ids"},
                            "row %zu has %zu ids, %zu are wanted: all rows must be equally long", row,
                            rows->lengths[row], length);
        }
        memcpy(ids + row * length, rows->ids + begin, length * sizeof *ids);
        begin += rows->lengths[row];
    }
    const int rc =
        dp_calib_from_ids(session->context, ids, (int32_t)samples, (int32_t)length, out, &session->error);
    if (rc == DP_E_ARGUMENT)
        cli_blame(session, path);
    free(ids);
    return rc;
}

static int calib_from_ids(cli_session *session, dp_calib **out)
{
    const cli_settings *s = session->settings;
    cli_ids rows;
    int rc = cli_ids_read(session, s->calibration_tokens, &rows);

    if (rc)
        return rc;
    const size_t samples = s->samples ? (size_t)s->samples : rows.rows;
    const size_t length = s->length ? (size_t)s->length : rows.lengths[0];
    size_t uneven = 0;
    for (size_t row = 1; s->length == 0 && row < rows.rows && row < samples; row++)
        uneven += rows.lengths[row] != length;
    if (samples > rows.rows)
        rc = cli_fail(session, DP_E_FORMAT, (cli_place){.file = s->calibration_tokens, .item = "ids"},
                      "has %zu rows, --samples wants %zu", rows.rows, samples);
    else if (uneven)
        rc = cli_fail(session, DP_E_FORMAT, (cli_place){.file = s->calibration_tokens, .item = "ids"},
                      "%zu rows are not as long as the first, %zu ids; --length cuts them", uneven, length);
    else
        rc = calib_from_rows(session, &rows, samples, length, out);
    cli_ids_free(&rows);
    return rc;
}

static int make_calib(cli_session *session, dp_calib **out)
{
    if (!cli_scoring_needs_data(session->settings)) {
        if (session->settings->calibration || session->settings->calibration_tokens)
            cli_note(session, "criterion %s reads no calibration data: it is not used",
                     cli_scoring_criterion(session->settings));
        return DP_OK;
    }
    return session->settings->calibration_tokens ? calib_from_ids(session, out) : calib_from_text(session, out);
}

static int run_scorer(cli_session *session, dp_scorer *scorer, const dp_calib *calib, dp_scores **out)
{
    session->advice = "the model holds a number that is not finite: 'depthprune inspect --check' finds it";
    const int rc = dp_scorer_run(scorer, session->model, calib, &session->monitor, out, &session->error);

    if (rc == DP_E_ARGUMENT && strcmp(session->error.item, "ids") == 0)
        name_ids(session, rc);
    if (session->journal && access(session->journal, F_OK) == 0) {
        session->kept = "finished samples are kept beside the output: the same command with --resume goes on";
        if (rc && session->error.file[0] && strcmp(session->error.file, session->journal) == 0)
            session->advice = "remove this file, or give another --output";
    }
    return rc;
}

int cli_scoring_run(cli_session *session, dp_scores **out)
{
    dp_calib *calib = NULL;
    dp_scorer *scorer = NULL;
    int rc = make_scorer(session, &scorer);

    if (rc == DP_OK)
        rc = make_calib(session, &calib);
    if (rc == DP_OK)
        rc = run_scorer(session, scorer, calib, out);
    if (rc == DP_E_ARGUMENT && session->settings->calibration_tokens)
        cli_blame(session, session->settings->calibration_tokens);
    if (rc == DP_OK && calib)
        cli_protocol_calib(session, calib);
    cli_progress_clear(&session->progress);
    dp_scorer_free(scorer);
    dp_calib_free(calib);
    return rc;
}

int cli_scoring_document(cli_session *session, const dp_scores *scores, json_t **out)
{
    size_t needed = 0;
    int rc = dp_scores_write(scores, NULL, 0, &needed, &session->error);

    if (rc)
        return rc;
    char *text = malloc(needed + 1);
    if (text == NULL)
        return cli_fail(session, DP_E_MEMORY, (cli_place){0}, "out of memory");
    rc = dp_scores_write(scores, text, needed, &needed, &session->error);
    if (rc == DP_OK)
        rc = cli_json_parse(session, text, needed ? needed - 1 : 0, "scores", out);
    free(text);
    return rc;
}
