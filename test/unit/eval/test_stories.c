// Perplexity of real text under a trained model, whole and with one and two blocks left out, against an oracle that
// another program computed in double (its protocol stands in its file).
#include <depthprune/eval.h>

#include "model/model.h"
#include "test/unit/nn/support.h"

#define STORIES "data/tiny_models/stories260K/"

// The first `characters` characters of a test file as a file of its own; its name is in `path`.
static void cut(const char *from, size_t characters, char *path)
{
    FILE *in = fopen(from, "rb");
    const int file = mkstemp(path);
    FILE *out = fdopen(file, "wb");
    int byte;

    ck_assert_msg(in && out, "%s", from);
    while ((byte = fgetc(in)) != EOF) {
        if ((byte & 0xC0) != 0x80 && characters-- == 0)
            break;
        fputc(byte, out);
    }
    fclose(in);
    fclose(out);
}

typedef struct rig {
    dp_context *context;
    dp_model *model;
    dp_tokenizer *tokenizer;
    dp_evaluator *evaluator;
} rig;

static rig rig_open(void)
{
    rig r = {.context = test_context("cpu", 0)};
    dp_evaluator_options options;
    dp_error error;

    r.model = test_open(r.context, test_data(STORIES "hf"));
    ck_ok(dp_tokenizer_open(r.context, test_data(STORIES "tok512.model"), &r.tokenizer, &error), error);
    dp_evaluator_options_init(&options, sizeof options);
    options.window = 511;
    options.mode = DP_PPL_MODE_B;
    options.encode = 0; // as SentencePiece: "<unk>" in a text is five characters
    ck_ok(dp_evaluator_new(r.context, &options, &r.evaluator, &error), error);
    return r;
}

static void rig_close(rig *r)
{
    dp_evaluator_free(r->evaluator);
    dp_tokenizer_free(r->tokenizer);
    dp_model_free(r->model);
    dp_context_free(r->context);
}

static dp_perplexity measure(const rig *r, const dp_model *model, const char *path)
{
    dp_perplexity result = {.size = sizeof result};
    dp_error error;

    ck_ok(dp_evaluator_perplexity(r->evaluator, model, r->tokenizer, path, NULL, &result, &error), error);
    return result;
}

// `key` names the blocks left out: "2" or "1,3".
static void compare(const rig *r, const char *path, const char *key, double expected)
{
    const int first = key[0] - '0', second = key[1] ? key[2] - '0' : -1;
    int32_t kept[5], count = 0;
    dp_model *pruned = NULL;

    for (int32_t block = 0; block < 5; block++)
        if (block != first && block != second)
            kept[count++] = block;
    ck_assert_int_eq(dpi_model_keep(r->model, kept, count, NULL, &pruned, NULL), DP_OK);
    const double found = measure(r, pruned, path).perplexity;
    ck_assert_msg(fabs(found / expected - 1) < 1e-5, "without %s: %.9g, expected %.9g", key, found, expected);
    dp_model_free(pruned);
}

START_TEST(perplexities_of_the_oracle)
{
    rig r = rig_open();
    json_t *root = test_json(test_data(STORIES "oracle_ppl_block_removal.json"));
    json_t *run = json_array_get(json_object_get(root, "runs"), (size_t)_i), *value;
    char path[] = "/tmp/depthprune-text-XXXXXX", name[200];
    const char *key;

    snprintf(name, sizeof name, "data/%s", json_string_value(json_object_get(run, "file")));
    cut(test_data(name), (size_t)json_integer_value(json_object_get(run, "first_chars")), path);
    const dp_perplexity intact = measure(&r, r.model, path);
    ck_assert_int_eq(intact.windows, json_integer_value(json_object_get(run, "chunks")));
    ck_assert_int_eq(intact.tokens, json_integer_value(json_object_get(run, "predicted_tokens")));
    ck_assert_int_eq(intact.bos, 1);
    ck_assert_double_eq_tol(intact.perplexity / json_number_value(json_object_get(run, "intact")), 1, 1e-5);
    json_object_foreach(json_object_get(run, "one_removed"), key, value)
        compare(&r, path, key, json_number_value(value));
    json_object_foreach(json_object_get(run, "two_removed"), key, value)
        compare(&r, path, key, json_number_value(value));
    remove(path);
    json_decref(root);
    rig_close(&r);
}
END_TEST

START_TEST(texts_that_cannot_be_say_why)
{
    rig r = rig_open();
    char path[] = "/tmp/depthprune-text-XXXXXX";
    dp_perplexity result = {.size = sizeof result};
    dp_error error;

    cut(test_data("data/webtext/tinystories_944k.txt"), 100, path);
    ck_assert_int_eq(dp_evaluator_perplexity(r.evaluator, r.model, r.tokenizer, path, NULL, &result, &error),
                     DP_E_FORMAT);
    ck_assert_str_eq(error.file, path);
    ck_assert_ptr_nonnull(strstr(error.message, "tokens are less than one window of 511"));
    remove(path);
    ck_assert_int_eq(dp_evaluator_perplexity(r.evaluator, r.model, r.tokenizer, path, NULL, &result, &error), DP_E_IO);
    ck_assert_str_eq(error.file, path);
    rig_close(&r);
}
END_TEST

int main(void)
{
    test_needs(STORIES "hf/config.json");
    Suite *suite = suite_create("eval/stories");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 300);
    tcase_add_loop_test(all, perplexities_of_the_oracle, 0, 2);
    tcase_add_test(all, texts_that_cannot_be_say_why);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
