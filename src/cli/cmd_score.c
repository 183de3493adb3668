// depthprune score: how important each block is.
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/forecast.h"
#include "cli/output.h"
#include "cli/plot.h"
#include "cli/protocol.h"
#include "cli/scoring.h"
#include "cli/table.h"

static int forecast(cli_session *session)
{
    const cli_settings *s = session->settings;
    cli_forecast f = {0};

    cli_forecast_read(&f, s->operands.items[0], (double)session->info.bytes);
    cli_forecast_read(&f, s->calibration, -1);
    cli_forecast_read(&f, s->calibration_tokens, -1);
    cli_forecast_write(&f, s->output, 200.0 * session->info.blocks);
    cli_forecast_write(&f, s->plot, -1);
    cli_forecast_scoring(&f, session);
    return cli_forecast_emit(session, &f);
}

static const char *remark(const dp_scores_info *info, int32_t block)
{
    return block < info->protect_first || block >= info->blocks - info->protect_last ? "protected" : "";
}

static void show(const dp_scores_info *info)
{
    cli_table table = {.alignment = "rrrl"};

    printf("criterion %s, least important block first\n", info->criterion);
    if (isfinite(info->dense))
        printf("whole model %.6g\n", info->dense);
    putchar('\n');
    cli_table_add(&table, "rank");
    cli_table_add(&table, "block");
    cli_table_add(&table, "score");
    cli_table_add(&table, "%s", "");
    for (int32_t rank = 0; rank < info->blocks; rank++) {
        const int32_t block = info->order[rank];
        cli_table_add(&table, "%d", rank + 1);
        cli_table_add(&table, "%d", block);
        cli_table_add(&table, "%#.6g", info->scores[block]);
        cli_table_add(&table, "%s", remark(info, block));
    }
    cli_table_print(&table, stdout);
}

static int deliver(cli_session *session, const dp_scores *scores)
{
    const cli_settings *s = session->settings;
    dp_scores_info info = {.size = sizeof info};
    json_t *document = NULL;
    int rc = dp_scores_describe(scores, &info, &session->error);

    if (rc == DP_OK && (s->json || s->output)) {
        rc = cli_protocol_model(session);
        if (rc == DP_OK)
            rc = cli_scoring_document(session, scores, &document);
        if (rc == DP_OK)
            rc = cli_document_emit(session, document, s->output);
    }
    if (rc == DP_OK && !s->json)
        show(&info);
    if (rc == DP_OK && s->plot)
        rc = cli_plot_scores(session, &info, NULL);
    if (rc == DP_OK && session->journal)
        unlink(session->journal); // the scores say it all
    return rc;
}

int cli_cmd_score(cli_session *session)
{
    const cli_settings *s = session->settings;
    dp_scores *scores = NULL;
    int rc = cli_scoring_check(session);

    if (rc == DP_OK)
        rc = cli_plot_check(session);
    if (rc == DP_OK)
        rc = cli_output_check(session, s->output);
    if (rc == DP_OK)
        rc = cli_session_model(session);
    if (rc == DP_OK && s->dry_run)
        return forecast(session);
    if (rc == DP_OK)
        rc = cli_scoring_run(session, &scores);
    if (rc == DP_OK)
        rc = deliver(session, scores);
    dp_scores_free(scores);
    return rc;
}
