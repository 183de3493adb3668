// Which blocks to remove: exactly one source, and an amount where the source is scores.
#include "cli/planning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/protocol.h"
#include "cli/scoring.h"

int cli_planning_check(cli_session *session)
{
    const cli_settings *s = session->settings;
    const int sources = (s->plan != NULL) + (s->scores != NULL) + (s->criterion != NULL) + (s->remove.count > 0);
    const int amounts = (s->blocks > 0) + (s->ratio > 0) + (s->parameters > 0);
    const int scored = s->scores != NULL || s->criterion != NULL;

    if (sources != 1)
        return cli_usage(session, session->command->bit == CLI_PLAN
                                      ? "say what to remove by one of --scores and --remove"
                                      : "say what to remove by one of --plan, --scores, --criterion and --remove");
    if (scored && amounts != 1)
        return cli_usage(session, "say how much to remove by one of --blocks, --ratio and --params");
    if (!scored && amounts > 0)
        return cli_usage(session, "--%s already says which blocks: leave --blocks, --ratio and --params out",
                         s->plan ? "plan" : "remove");
    if (!scored && s->protect[0] != CLI_UNSET)
        return cli_usage(session, "--protect belongs to scores, not to --%s", s->plan ? "plan" : "remove");
    return s->criterion ? cli_scoring_check(session) : DP_OK;
}

static int read_plan(cli_session *session, dp_plan **out)
{
    const char *path = session->settings->plan;
    char *text = NULL;
    size_t size = 0;
    int rc = cli_file_read(session, path, &text, &size);

    if (rc == DP_OK)
        session->advice = "correct the plan ('kept' may be left out), or make it again with 'depthprune plan'";
    if (rc == DP_OK)
        rc = dp_plan_read(session->context, text, size, path, out, &session->error);
    free(text);
    return rc;
}

static int read_scores(cli_session *session, dp_scores **out)
{
    const char *path = session->settings->scores;
    char *text = NULL;
    size_t size = 0;
    int rc = cli_file_read(session, path, &text, &size);

    if (rc == DP_OK)
        session->advice = "make the scores again with 'depthprune score'";
    if (rc == DP_OK)
        rc = dp_scores_read(session->context, text, size, path, out, &session->error);
    free(text);
    return rc;
}

static int make_pruner(cli_session *session, dp_pruner **out)
{
    const cli_settings *s = session->settings;
    dp_pruner_options options;

    dp_pruner_options_init(&options, sizeof options);
    options.blocks = s->blocks;
    options.ratio = s->ratio;
    options.parameters = s->parameters;
    options.protect_first = s->protect[0];
    options.protect_last = s->protect[1];
    return dp_pruner_new(session->context, &options, out, &session->error);
}

static int choose(cli_session *session, const dp_scores *scores, dp_plan **plan)
{
    dp_pruner *pruner = NULL;
    int rc = make_pruner(session, &pruner);

    if (rc == DP_OK)
        rc = dp_pruner_plan(pruner, session->model, scores, plan, &session->error);
    if (rc == DP_E_ARGUMENT && session->settings->scores && session->error.item[0])
        cli_blame(session, session->settings->scores); // they are another model's
    dp_pruner_free(pruner);
    return rc;
}

int cli_planning_run(cli_session *session, dp_plan **plan, dp_scores **scores)
{
    const cli_settings *s = session->settings;
    int rc;

    if (!s->dry_run) { // a plan names the model's hash, and is compared with it
        rc = cli_protocol_model(session);
        if (rc)
            return rc;
    }
    if (s->plan)
        return read_plan(session, plan);
    if (s->remove.count > 0)
        return dp_plan_from_list(session->context, session->model, s->remove.items, s->remove.count, plan,
                                 &session->error);
    rc = s->scores ? read_scores(session, scores) : cli_scoring_run(session, scores);
    return rc ? rc : choose(session, *scores, plan);
}

int cli_planning_apply(cli_session *session, const dp_plan *plan, dp_model **out)
{
    dp_pruner *pruner = NULL;
    int rc = dp_pruner_new(session->context, NULL, &pruner, &session->error);

    if (rc == DP_OK)
        rc = dp_pruner_run(pruner, session->model, plan, out, &session->error);
    if (rc == DP_E_ARGUMENT && session->settings->plan)
        cli_blame(session, session->settings->plan);
    dp_pruner_free(pruner);
    return rc;
}

json_t *cli_planning_blocks(const int32_t *blocks, int32_t count)
{
    json_t *list = json_array();

    for (int32_t i = 0; i < count; i++)
        json_array_append_new(list, json_integer(blocks[i]));
    return list;
}

char *cli_planning_words(const int32_t *blocks, int32_t count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    if (stream == NULL)
        return NULL;
    for (int32_t i = 0, last; i < count; i = last + 1) {
        last = i;
        while (last + 1 < count && blocks[last + 1] == blocks[last] + 1)
            last++;
        if (last == i + 1)
            last = i;
        fprintf(stream, "%s%d", i ? ", " : "", blocks[i]);
        if (last > i)
            fprintf(stream, "-%d", blocks[last]);
    }
    fclose(stream);
    return text;
}
