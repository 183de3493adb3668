// The chart of scores by block, drawn by gnuplot.
#ifndef CLI_PLOT_H
#define CLI_PLOT_H

#include "cli/session.h"

int cli_plot_check(cli_session *session); // --plot: the name's end, and whether it may be written
// `plan` NULL: nothing is marked as removed.  Without gnuplot: a note, or a failure when the chart is the only
// output.
int cli_plot_scores(cli_session *session, const dp_scores_info *scores, const dp_plan_info *plan);

#endif
