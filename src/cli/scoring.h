// Scores of a model by the criterion options: calibration, scorer, fingerprint.  Shared by score and prune.
#ifndef CLI_SCORING_H
#define CLI_SCORING_H

#include "cli/session.h"

const char *cli_scoring_criterion(const cli_settings *settings); // "ppl" unless another is named
int cli_scoring_check(cli_session *session);                     // usage, before anything is opened
int cli_scoring_needs_data(const cli_settings *settings);        // does the criterion read calibration data?
int cli_scoring_run(cli_session *session, dp_scores **out);      // the model is open
int cli_scoring_document(cli_session *session, const dp_scores *scores, json_t **out);

#endif
