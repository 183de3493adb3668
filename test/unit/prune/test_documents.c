// The documents of scores and plans: what is written reads back the same, and what is wrong says where.
#include "test/unit/prune/support.h"

static char *written_scores(const dp_scores *scores)
{
    size_t needed = 0;

    ck_assert_int_eq(dp_scores_write(scores, NULL, 0, &needed, NULL), DP_OK);
    char *text = calloc(needed, 1);
    ck_assert_int_eq(dp_scores_write(scores, text, needed, NULL, NULL), DP_OK);
    ck_assert_uint_eq(strlen(text) + 1, needed);
    return text;
}

static char *written_plan(const dp_plan *plan)
{
    size_t needed = 0;

    ck_assert_int_eq(dp_plan_write(plan, NULL, 0, &needed, NULL), DP_OK);
    char *text = calloc(needed, 1);
    ck_assert_int_eq(dp_plan_write(plan, text, needed, NULL, NULL), DP_OK);
    return text;
}

typedef struct rig {
    dp_context *context;
    plain_model *plain;
    dp_model *model;
    dp_calib *calib;
} rig;

static rig rig_open(void)
{
    rig r = {.context = test_context("cpu", 0), .plain = plain_new(41)};
    int32_t ids[3 * 8];

    r.model = test_plain(r.context, r.plain);
    plain_ids(ids, 3 * 8, 4);
    r.calib = test_calib(r.context, ids, 3, 8);
    return r;
}

static void rig_close(rig *r)
{
    dp_calib_free(r->calib);
    dp_model_free(r->model);
    dp_context_free(r->context);
    free(r->plain);
}

START_TEST(scores_read_back_to_the_last_bit)
{
    rig r = rig_open();
    dp_scores *scores = test_score(r.context, r.model, r.calib, NULL), *again = NULL;
    char *text = written_scores(scores);
    dp_error error;

    ck_ok(dp_scores_read(r.context, text, strlen(text), "scores.json", &again, &error), error);
    const dp_scores_info a = test_info(scores), b = test_info(again);
    ck_assert_mem_eq(a.scores, b.scores, sizeof *a.scores * PLAIN_BLOCKS);
    ck_assert_mem_eq(a.order, b.order, sizeof *a.order * PLAIN_BLOCKS);
    ck_assert_double_eq(a.dense, b.dense);
    char *same = written_scores(again);
    ck_assert_str_eq(text, same);
    free(same);
    free(text);
    dp_scores_free(again);
    dp_scores_free(scores);
    rig_close(&r);
}
END_TEST

START_TEST(the_fingerprint_names_the_circumstances)
{
    rig r = rig_open();
    dp_scorer_options options = test_options("mag");
    char digest[65];

    options.protect_first = 1;
    options.protect_last = 2;
    dp_scores *scores = test_score(r.context, r.model, NULL, &options);
    char *text = written_scores(scores);
    json_t *root = json_loads(text, 0, NULL);
    const json_t *protocol = json_object_get(root, "protocol"), *model = json_object_get(protocol, "model");
    ck_assert_str_eq(json_string_value(json_object_get(root, "schema")), "depthprune.scores/1");
    ck_assert_str_eq(json_string_value(json_object_get(root, "unit")), "block");
    ck_assert(json_is_null(json_object_get(root, "dense")));
    ck_assert_str_eq(json_string_value(json_object_get(protocol, "backend")), "cpu");
    ck_assert_int_eq(json_integer_value(json_object_get(protocol, "threads")), 2);
    ck_assert(json_is_null(json_object_get(protocol, "calibration")));
    ck_assert_int_eq(dp_model_digest(r.model, NULL, digest, NULL), DP_OK);
    ck_assert_str_eq(json_string_value(json_object_get(model, "digest")), digest);
    const json_t *held = json_object_get(root, "protected");
    const json_int_t expected[3] = {0, 3, 4};
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(json_integer_value(json_array_get(held, i)), expected[i]);
    ck_assert_int_eq(test_info(scores).protect_first, 1);
    ck_assert_int_eq(test_info(scores).protect_last, 2);
    json_decref(root);
    free(text);
    dp_scores_free(scores);
    rig_close(&r);
}
END_TEST

static void scores_refused(dp_context *context, const char *text, int code, const char *item, int line,
                           const char *says)
{
    dp_scores *scores = NULL;
    dp_error error;

    ck_assert_msg(dp_scores_read(context, text, strlen(text), "s.json", &scores, &error) == code, "%s: %d", text,
                  error.code);
    ck_assert_ptr_null(scores);
    ck_assert_str_eq(error.file, "s.json");
    ck_assert_msg(strstr(error.message, says) != NULL, "%s", error.message);
    if (item) {
        ck_assert_str_eq(error.item, item);
        ck_assert_int_eq(error.line, line);
    }
}

#define SCORES(list, rest) "{\"schema\": \"depthprune.scores/1\", \"criterion\": \"ppl\",\n\"scores\": " list ",\n" rest "}"
#define TWO "[{\"block\": 0, \"score\": 2}, {\"block\": 1, \"score\": 1.5}]"

START_TEST(wrong_scores_say_where)
{
    dp_context *c = test_context("cpu", 0);
    dp_scores *good = NULL;
    const char *text = SCORES(TWO, "\"order\": [1, 0]");

    ck_assert_int_eq(dp_scores_read(c, text, strlen(text), NULL, &good, NULL), DP_OK);
    ck_assert_double_eq(test_info(good).scores[1], 1.5);
    ck_assert(isnan(test_info(good).dense));
    dp_scores_free(good);
    scores_refused(c, "[]", DP_E_FORMAT, NULL, 0, "is an object");
    scores_refused(c, "{\"schema\":\n", DP_E_FORMAT, NULL, 0, "");
    scores_refused(c, "{\"scores\": []}", DP_E_FORMAT, "schema", 0, "");
    scores_refused(c, "{\n\"schema\": \"depthprune.plan/1\"}", DP_E_FORMAT, "schema", 2,
                   "schema is 'depthprune.plan/1', expected 'depthprune.scores/1'");
    scores_refused(c, SCORES("[]", "\"order\": []"), DP_E_FORMAT, "scores", 2, "is not a list of 1 to");
    scores_refused(c, SCORES("[{\"block\": 1, \"score\": 2}]", "\"order\": [0]"), DP_E_FORMAT, "scores", 2,
                   "entry 0 is not an object with \"block\": 0");
    scores_refused(c, SCORES("[{\"block\": 0, \"score\": null}]", "\"order\": [0]"), DP_E_NUMERIC, "scores", 2,
                   "score of block 0 is not a number");
    scores_refused(c, SCORES("[{\"block\": 0, \"score\": \"x\"}]", "\"order\": [0]"), DP_E_FORMAT, NULL, 0, "");
    scores_refused(c, SCORES(TWO, "\"order\": [0, 1]"), DP_E_FORMAT, "order", 3,
                   "block 1 stands after block 0, but its score is lower");
    scores_refused(c, SCORES(TWO, "\"order\": [1]"), DP_E_FORMAT, "order", 3, "1 blocks are listed, 2 have a score");
    scores_refused(c, SCORES(TWO, "\"order\": [1, 1]"), DP_E_FORMAT, "order", 3, "block 1 is listed twice");
    scores_refused(c, SCORES(TWO, "\"order\": [1, 2]"), DP_E_FORMAT, "order", 3, "block 2 is not one of 0 .. 1");
    scores_refused(c, SCORES(TWO, "\"order\": [1, 0], \"unit\": \"module\""), DP_E_UNSUPPORTED, "unit", 3, "'module'");
    scores_refused(c, SCORES(TWO, "\"order\": [1, 0], \"protocol\": {\"model\": {\"digest\": \"abc\"}}"), DP_E_FORMAT,
                   "protocol", 3, "64 hexadecimal digits");
    dp_context_free(c);
}
END_TEST

START_TEST(a_plan_reads_back_and_a_person_can_edit_it)
{
    rig r = rig_open();
    dp_scores *scores = test_score(r.context, r.model, r.calib, NULL);
    dp_pruner_options options;
    dp_pruner *pruner = NULL;
    dp_plan *plan = NULL, *again = NULL;
    dp_error error;

    dp_pruner_options_init(&options, sizeof options);
    options.ratio = 0.4;
    ck_ok(dp_pruner_new(r.context, &options, &pruner, &error), error);
    ck_ok(dp_pruner_plan(pruner, r.model, scores, &plan, &error), error);
    char *text = written_plan(plan);
    ck_ok(dp_plan_read(r.context, text, strlen(text), "plan.json", &again, &error), error);
    char *same = written_plan(again);
    ck_assert_str_eq(text, same);
    dp_plan_info a = {.size = sizeof a}, b = {.size = sizeof b};
    dp_plan_describe(plan, &a, NULL);
    dp_plan_describe(again, &b, NULL);
    ck_assert_int_eq(a.n_removed, 2);
    ck_assert_int_eq(b.n_removed, 2);
    ck_assert_mem_eq(a.removed, b.removed, 2 * sizeof *a.removed);
    json_t *root = json_loads(text, 0, NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(root, "scores")), PLAIN_BLOCKS);
    ck_assert_ptr_nonnull(json_object_get(json_object_get(root, "parent"), "digest"));
    ck_assert_ptr_nonnull(json_object_get(json_object_get(root, "calibration"), "digest"));
    ck_assert_ptr_nonnull(json_object_get(root, "seed"));
    ck_assert_ptr_nonnull(json_object_get(root, "version"));
    json_decref(root);
    free(same);
    free(text);
    dp_plan_free(again);
    dp_plan_free(plan);
    dp_pruner_free(pruner);
    dp_scores_free(scores);
    rig_close(&r);
}
END_TEST

START_TEST(blocks_and_removed_are_enough)
{
    dp_context *c = test_context("cpu", 0);
    const char *text = "{\"blocks\": 5, \"removed\": [4, 1]}";
    const int32_t removed[2] = {1, 4}, kept[3] = {0, 2, 3};
    dp_plan *plan = NULL;
    dp_plan_info info = {.size = sizeof info};
    dp_error error;

    ck_ok(dp_plan_read(c, text, strlen(text), NULL, &plan, &error), error);
    dp_plan_describe(plan, &info, NULL);
    ck_assert_int_eq(info.blocks, 5);
    ck_assert_mem_eq(info.removed, removed, sizeof removed);
    ck_assert_mem_eq(info.kept, kept, sizeof kept);
    dp_plan_free(plan);
    dp_context_free(c);
}
END_TEST

static void plan_refused(dp_context *context, const char *text, const char *item, int line, const char *says)
{
    dp_plan *plan = NULL;
    dp_error error;

    ck_assert_msg(dp_plan_read(context, text, strlen(text), "p.json", &plan, &error) == DP_E_FORMAT, "%s", text);
    ck_assert_ptr_null(plan);
    ck_assert_str_eq(error.file, "p.json");
    ck_assert_str_eq(error.item, item);
    ck_assert_msg(strstr(error.message, says) != NULL, "%s", error.message);
    if (line)
        ck_assert_int_eq(error.line, line);
}

START_TEST(wrong_plans_say_where)
{
    dp_context *c = test_context("cpu", 0);

    plan_refused(c, "{\"removed\": [1]}", "blocks", 0, "");
    plan_refused(c, "{\"blocks\": 0, \"removed\": [1]}", "blocks", 0, "");
    plan_refused(c, "{\"blocks\": 9000000000, \"removed\": [1]}", "blocks", 0, "");
    plan_refused(c, "{\"blocks\": 4}", "removed", 0, "the plan removes no block");
    plan_refused(c, "{\"blocks\": 4,\n \"removed\": []}", "removed", 2, "the plan removes no block");
    plan_refused(c, "{\"blocks\": 4,\n\n\"removed\": [4]}", "removed", 3, "block 4 is not one of 0 .. 3");
    plan_refused(c, "{\"blocks\": 4,\n\"removed\": [-1]}", "removed", 2, "block -1 is not one of 0 .. 3");
    plan_refused(c, "{\"blocks\": 4,\n\"removed\": [1, 2, 1]}", "removed", 2, "block 1 is listed twice");
    plan_refused(c, "{\"blocks\": 4,\n\"removed\": [1.5]}", "removed", 2, "entry 0 is not a block index");
    plan_refused(c, "{\"blocks\": 4,\n\"removed\": 2}", "removed", 2, "removed is not a list of blocks");
    plan_refused(c, "{\"blocks\": 2,\n\"removed\": [0, 1]}", "removed", 2, "the plan removes all 2 blocks");
    plan_refused(c, "{\"blocks\": 2,\n\"removed\": [0, 1, 0]}", "removed", 2, "3 blocks are listed, there are 2");
    plan_refused(c, "{\"blocks\": 4,\n\"removed\": [1],\n\"kept\": [0, 1, 2]}", "kept", 3,
                 "block 1 is both kept and removed");
    plan_refused(c, "{\"blocks\": 4,\n\"removed\": [1],\n\"kept\": [0, 2]}", "kept", 3,
                 "2 blocks are kept and 1 removed, the model has 4");
    plan_refused(c, "{\"blocks\": 2, \"removed\": [1], \"scores\": [1]}", "scores", 1, "is not a list of 2 numbers");
    plan_refused(c, "{\"blocks\": 2, \"removed\": [1], \"parent\": {\"digest\": \"12\"}}", "parent", 1,
                 "64 hexadecimal digits");
    plan_refused(c, "{\"blocks\": 2, \"removed\": [1], \"calibration\": 3}", "calibration", 1, "is not an object");
    plan_refused(c, "{\"blocks\": 2, \"removed\": [1], \"schema\": \"other/1\"}", "schema", 1, "schema is 'other/1'");
    dp_context_free(c);
}
END_TEST

static int run_plan(rig *r, const dp_model *model, const char *text, dp_model **out, dp_error *error)
{
    dp_plan *plan = NULL;
    dp_pruner *pruner = NULL;

    ck_ok(dp_plan_read(r->context, text, strlen(text), NULL, &plan, error), *error);
    ck_ok(dp_pruner_new(r->context, NULL, &pruner, error), *error);
    const int rc = dp_pruner_run(pruner, model, plan, out, error);
    dp_pruner_free(pruner);
    dp_plan_free(plan);
    return rc;
}

START_TEST(a_plan_for_another_model_is_refused)
{
    rig r = rig_open();
    const char *other = "{\"blocks\": 5, \"removed\": [1], \"parent\": {\"digest\": "
                        "\"0000000000000000000000000000000000000000000000000000000000000000\"}}";
    dp_model *out = NULL;
    char digest[65];
    dp_error error;

    ck_assert_int_eq(run_plan(&r, r.model, "{\"blocks\": 6, \"removed\": [1]}", &out, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "the plan is for a model of 6 blocks, this one has 5");
    ck_ok(run_plan(&r, r.model, other, &out, &error), error); // the digest is not known: too dear to compute
    dp_model_free(out);
    out = NULL;
    ck_ok(dp_model_digest(r.model, NULL, digest, &error), error);
    ck_assert_int_eq(run_plan(&r, r.model, other, &out, &error), DP_E_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.message, "with digest 000000000000.., this one has "));
    ck_assert_ptr_null(out);
    rig_close(&r);
}
END_TEST

START_TEST(pruning_twice_composes)
{
    rig r = rig_open();
    const int32_t first[2] = {0, 3}, second[1] = {1}; // of 1 2 4: block 2
    dp_model *once = test_without(r.context, r.model, first, 2), *twice = test_without(r.context, once, second, 1);

    dp_model_free(once); // any order
    ck_assert_int_eq(dp_model_origin(twice, 0), 1);
    ck_assert_int_eq(dp_model_origin(twice, 1), 4);
    ck_assert_int_eq(dp_model_origin(twice, 2), -1);
    dp_scores *scores = test_score(r.context, twice, r.calib, NULL);
    ck_assert_int_eq(test_info(scores).blocks, 2);
    dp_scores_free(scores);
    dp_model_free(twice);
    rig_close(&r);
}
END_TEST

START_TEST(lists_and_amounts_that_make_no_sense)
{
    rig r = rig_open();
    const int32_t all[5] = {0, 1, 2, 3, 4}, twice[2] = {1, 1}, far[1] = {5};
    dp_pruner_options options;
    dp_pruner *pruner = NULL;
    dp_plan *plan = NULL;
    dp_error error;

    ck_assert_int_eq(dp_plan_from_list(r.context, r.model, all, 5, &plan, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "cannot remove all 5 blocks: one must stay");
    ck_assert_int_eq(dp_plan_from_list(r.context, r.model, twice, 2, &plan, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "block 1 is listed twice");
    ck_assert_int_eq(dp_plan_from_list(r.context, r.model, far, 1, &plan, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "block 5 is not one of 0 .. 4");
    ck_assert_int_eq(dp_plan_from_list(r.context, r.model, all, 0, &plan, &error), DP_E_ARGUMENT);
    dp_pruner_options_init(&options, sizeof options);
    options.blocks = 1;
    options.ratio = 0.5;
    ck_assert_int_eq(dp_pruner_new(r.context, &options, &pruner, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.message, "blocks, ratio and parameters: only one may be set, 2 are");
    options.blocks = 0;
    options.ratio = 1;
    ck_assert_int_eq(dp_pruner_new(r.context, &options, &pruner, &error), DP_E_ARGUMENT);
    ck_assert_str_eq(error.item, "ratio");
    ck_ok(dp_pruner_new(r.context, NULL, &pruner, &error), error);
    dp_scores *scores = test_score(r.context, r.model, r.calib, NULL);
    ck_assert_int_eq(dp_pruner_plan(pruner, r.model, scores, &plan, &error), DP_E_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.message, "nothing to remove"));
    ck_assert_ptr_null(plan);
    dp_scores_free(scores);
    dp_pruner_free(pruner);
    rig_close(&r);
}
END_TEST

START_TEST(a_parameter_target_counts_the_models_own_blocks)
{
    rig r = rig_open();
    dp_scores *scores = test_score(r.context, r.model, r.calib, NULL);
    dp_model_info model = {.size = sizeof model};
    dp_plan_info info = {.size = sizeof info};
    dp_pruner_options options;
    dp_pruner *pruner = NULL;
    dp_plan *plan = NULL;
    dp_error error;

    dp_model_describe(r.model, &model, NULL);
    ck_assert_uint_eq(model.block_parameters, offsetof(plain_block, q_bias) / sizeof(float)); // it has no biases
    dp_pruner_options_init(&options, sizeof options);
    options.parameters = model.parameters - 2 * model.block_parameters;
    options.protect_first = 1;
    ck_ok(dp_pruner_new(r.context, &options, &pruner, &error), error);
    ck_ok(dp_pruner_plan(pruner, r.model, scores, &plan, &error), error);
    dp_plan_describe(plan, &info, NULL);
    ck_assert_int_eq(info.n_removed, 2);
    ck_assert_int_eq(info.kept[0], 0);
    dp_plan_free(plan);
    dp_pruner_free(pruner);
    dp_scores_free(scores);
    rig_close(&r);
}
END_TEST

START_TEST(documents_need_a_context_a_text_and_a_place)
{
    dp_context_options options;
    dp_context *context = NULL;
    dp_scores *scores = NULL;
    dp_plan *plan = NULL;

    dp_context_options_init(&options, sizeof options);
    ck_assert_int_eq(dpi_context_make(&options, &context, NULL), DP_OK);
    ck_assert_int_eq(dp_scores_read(NULL, "{}", 2, NULL, &scores, NULL), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_scores_read(context, NULL, 2, NULL, &scores, NULL), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_scores_read(context, "{}", 2, NULL, NULL, NULL), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_plan_read(NULL, "{}", 2, NULL, &plan, NULL), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_plan_read(context, NULL, 2, NULL, &plan, NULL), DP_E_ARGUMENT);
    ck_assert_int_eq(dp_plan_read(context, "{}", 2, NULL, NULL, NULL), DP_E_ARGUMENT);
    ck_assert(!scores && !plan);
    dpi_context_drop(context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {scores_read_back_to_the_last_bit, the_fingerprint_names_the_circumstances,
                                  wrong_scores_say_where, a_plan_reads_back_and_a_person_can_edit_it,
                                  blocks_and_removed_are_enough, wrong_plans_say_where,
                                  a_plan_for_another_model_is_refused, pruning_twice_composes,
                                  lists_and_amounts_that_make_no_sense,
                                  a_parameter_target_counts_the_models_own_blocks,
                                  documents_need_a_context_a_text_and_a_place};
    return dpt_run("prune/documents", tests, sizeof tests / sizeof *tests);
}
