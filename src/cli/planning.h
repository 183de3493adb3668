// From the options to a plan: a file, scores, a criterion or a list.  Shared by plan and prune.
#ifndef CLI_PLANNING_H
#define CLI_PLANNING_H

#include "cli/session.h"

int cli_planning_check(cli_session *session); // usage, before anything is opened
// `scores` is NULL after a list or a plan file.  The model is open.
int cli_planning_run(cli_session *session, dp_plan **plan, dp_scores **scores);
int cli_planning_apply(cli_session *session, const dp_plan *plan, dp_model **out); // the smaller model
json_t *cli_planning_blocks(const int32_t *blocks, int32_t count);                 // as a JSON list
// "3, 7, 20-25"; free() it.
char *cli_planning_words(const int32_t *blocks, int32_t count);

#endif
