// depthprune convert: the same model in the other format or another element type.
#include <stdio.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/protocol.h"
#include "cli/saving.h"

static int deliver(cli_session *session, const dp_save_report *report)
{
    json_t *document = NULL;

    if (!session->settings->json) {
        printf("%s parameters, ", cli_words_count((double)report->parameters).text);
        printf("%s in %s\n", cli_words_bytes((double)report->bytes).text, session->settings->output);
        return DP_OK;
    }
    session->kept = "the model is saved";
    const int rc = cli_protocol_model(session);
    if (rc)
        return rc;
    document = cli_document_new("convert");
    cli_saving_document(session, report, session->info.blocks, document);
    return cli_document_emit(session, document, NULL);
}

int cli_cmd_convert(cli_session *session)
{
    dp_save_report report;
    int rc = cli_saving_check(session);

    if (rc == DP_OK)
        rc = cli_session_model(session);
    if (rc == DP_OK)
        rc = cli_saving_allowed(session, session->model, &report);
    if (rc == DP_OK && session->settings->dry_run)
        return cli_saving_forecast(session, session->model, 0);
    if (rc == DP_OK)
        rc = cli_saving_run(session, session->model, &report);
    return rc ? rc : deliver(session, &report);
}
