// depthprune plan: which blocks would go, as a file that a person can read and edit.
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/forecast.h"
#include "cli/output.h"
#include "cli/planning.h"
#include "cli/plot.h"
#include "cli/protocol.h"
#include "cli/table.h"

static int document(cli_session *session, const dp_plan *plan, json_t **out)
{
    size_t needed = 0;
    int rc = dp_plan_write(plan, NULL, 0, &needed, &session->error);

    if (rc)
        return rc;
    char *text = malloc(needed + 1);
    if (text == NULL)
        return cli_fail(session, DP_E_MEMORY, (cli_place){0}, "out of memory");
    rc = dp_plan_write(plan, text, needed, &needed, &session->error);
    if (rc == DP_OK)
        rc = cli_json_parse(session, text, needed ? needed - 1 : 0, "plan", out);
    free(text);
    return rc;
}

static int show(cli_session *session, const dp_plan *plan)
{
    dp_plan_info info = {.size = sizeof info};
    dp_model_info after = {.size = sizeof after};
    dp_model *smaller = NULL;
    cli_table table = {.alignment = "lrr"};
    int rc = dp_plan_describe(plan, &info, &session->error);

    if (rc == DP_OK)
        rc = cli_planning_apply(session, plan, &smaller);
    if (rc == DP_OK)
        rc = dp_model_describe(smaller, &after, &session->error);
    dp_model_free(smaller);
    if (rc)
        return rc;
    char *words = cli_planning_words(info.removed, info.n_removed);
    if (words == NULL)
        return cli_fail(session, DP_E_MEMORY, (cli_place){0}, "out of memory");
    printf("remove %d of %d blocks: %s\n\n", info.n_removed, info.blocks, words);
    free(words);
    cli_table_add(&table, "%s", "");
    cli_table_add(&table, "before");
    cli_table_add(&table, "after");
    cli_table_add(&table, "blocks");
    cli_table_add(&table, "%d", info.blocks);
    cli_table_add(&table, "%d", info.n_kept);
    cli_table_add(&table, "parameters");
    cli_table_add(&table, "%s", cli_words_count((double)session->info.parameters).text);
    cli_table_add(&table, "%s", cli_words_count((double)after.parameters).text);
    cli_table_add(&table, "weights");
    cli_table_add(&table, "%s", cli_words_bytes((double)session->info.bytes).text);
    cli_table_add(&table, "%s", cli_words_bytes((double)after.bytes).text);
    cli_table_print(&table, stdout);
    return DP_OK;
}

static int draw(cli_session *session, const dp_plan *plan, const dp_scores *scores)
{
    dp_scores_info info = {.size = sizeof info};
    dp_plan_info chosen = {.size = sizeof chosen};
    int rc = dp_scores_describe(scores, &info, &session->error);

    if (rc == DP_OK)
        rc = dp_plan_describe(plan, &chosen, &session->error);
    return rc ? rc : cli_plot_scores(session, &info, &chosen);
}

static int deliver(cli_session *session, const dp_plan *plan, const dp_scores *scores)
{
    const cli_settings *s = session->settings;
    json_t *d = NULL;
    int rc = DP_OK;

    if (s->json || s->output) {
        rc = cli_protocol_model(session);
        if (rc == DP_OK)
            rc = document(session, plan, &d);
        if (rc == DP_OK)
            rc = cli_document_emit(session, d, s->output);
    }
    if (rc == DP_OK && !s->json)
        rc = show(session, plan);
    if (rc == DP_OK && s->plot)
        rc = draw(session, plan, scores);
    return rc;
}

static int forecast(cli_session *session)
{
    const cli_settings *s = session->settings;
    cli_forecast f = {0};

    cli_forecast_read(&f, s->operands.items[0], (double)session->info.bytes);
    cli_forecast_read(&f, s->scores, -1);
    cli_forecast_write(&f, s->output, 100.0 * session->info.blocks);
    cli_forecast_write(&f, s->plot, -1);
    return cli_forecast_emit(session, &f);
}

int cli_cmd_plan(cli_session *session)
{
    const cli_settings *s = session->settings;
    dp_plan *plan = NULL;
    dp_scores *scores = NULL;
    int rc = cli_planning_check(session);

    if (rc == DP_OK && s->plot && s->scores == NULL)
        rc = cli_usage(session, "--plot draws scores: it needs --scores");
    if (rc == DP_OK)
        rc = cli_plot_check(session);
    if (rc == DP_OK)
        rc = cli_output_check(session, s->output);
    if (rc == DP_OK)
        rc = cli_session_model(session);
    if (rc == DP_OK)
        rc = cli_planning_run(session, &plan, &scores);
    if (rc == DP_OK && s->dry_run)
        rc = forecast(session);
    else if (rc == DP_OK)
        rc = deliver(session, plan, scores);
    dp_plan_free(plan);
    dp_scores_free(scores);
    return rc;
}
