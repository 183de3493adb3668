// Saving a model by --output, --to, --dtype and --force.  Shared by prune and convert.
#ifndef CLI_SAVING_H
#define CLI_SAVING_H

#include "cli/session.h"

// Fill from the options; -o NAME.gguf means GGUF unless --to says otherwise.
void cli_saving_options(const cli_session *session, dp_save_options *options);
int cli_saving_check(cli_session *session); // usage, before anything is opened
int cli_saving_allowed(cli_session *session, const dp_model *model, dp_save_report *report); // writes nothing
int cli_saving_run(cli_session *session, const dp_model *model, dp_save_report *report);
int cli_saving_forecast(cli_session *session, const dp_model *model, int scores_first);
// {"output", "format", "files", "bytes", "parameters", "blocks"} into the document.
void cli_saving_document(const cli_session *session, const dp_save_report *report, int32_t blocks,
                         json_t *document);

#endif
