// depthprune prune: remove blocks, save the smaller model.
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/planning.h"
#include "cli/protocol.h"
#include "cli/saving.h"

static json_t *document(const cli_session *session, const dp_plan_info *plan, const dp_save_report *report)
{
    json_t *d = cli_document_new("prune");

    json_object_set_new(d, "removed", cli_planning_blocks(plan->removed, plan->n_removed));
    json_object_set_new(d, "kept", cli_planning_blocks(plan->kept, plan->n_kept));
    cli_saving_document(session, report, plan->n_kept, d);
    json_object_set_new(d, "source",
                        json_pack("{s:i, s:I, s:I}", "blocks", session->info.blocks, "parameters",
                                  (json_int_t)session->info.parameters, "bytes", (json_int_t)session->info.bytes));
    return d;
}

static void show(const cli_session *session, const dp_plan_info *plan, const dp_save_report *report)
{
    char *words = cli_planning_words(plan->removed, plan->n_removed);

    printf("removed %d of %d blocks: %s\n", plan->n_removed, plan->blocks, words ? words : "");
    printf("%s -> ", cli_words_count((double)session->info.parameters).text);
    printf("%s parameters, ", cli_words_count((double)report->parameters).text);
    printf("%s in %s\n", cli_words_bytes((double)report->bytes).text, session->settings->output);
    free(words);
}

static int save(cli_session *session, const dp_plan *plan)
{
    dp_plan_info info = {.size = sizeof info};
    dp_save_report report;
    dp_model *smaller = NULL;
    int rc = dp_plan_describe(plan, &info, &session->error);

    if (rc == DP_OK)
        rc = cli_planning_apply(session, plan, &smaller);
    if (rc == DP_OK && session->settings->dry_run)
        rc = cli_saving_forecast(session, smaller, 0);
    else if (rc == DP_OK)
        rc = cli_saving_run(session, smaller, &report);
    dp_model_free(smaller);
    if (rc || session->settings->dry_run)
        return rc;
    if (!session->settings->json) {
        show(session, &info, &report);
        return DP_OK;
    }
    session->kept = "the model is saved";
    rc = cli_protocol_model(session);
    return rc ? rc : cli_document_emit(session, document(session, &info, &report), NULL);
}

int cli_cmd_prune(cli_session *session)
{
    dp_plan *plan = NULL;
    dp_scores *scores = NULL;
    dp_save_report report;
    int rc = cli_planning_check(session);

    if (rc == DP_OK)
        rc = cli_saving_check(session);
    if (rc == DP_OK)
        rc = cli_session_model(session);
    if (rc == DP_OK) // before hours of scoring
        rc = cli_saving_allowed(session, session->model, &report);
    if (rc == DP_OK && session->settings->dry_run && session->settings->criterion)
        return cli_saving_forecast(session, session->model, 1);
    if (rc == DP_OK)
        rc = cli_planning_run(session, &plan, &scores);
    if (rc == DP_OK)
        rc = save(session, plan);
    dp_plan_free(plan);
    dp_scores_free(scores);
    return rc;
}
