// The tokenizer inside SmolLM2's GGUF file against the goldens of its tokenizer.json.
// The file is DEPTHPRUNE_MODEL, else in the user's cache folder; without it this is skipped.
#include "golden.h"

static const char *model_path(void)
{
    static char path[512];
    const char *const given = getenv("DEPTHPRUNE_MODEL"), *const home = getenv("HOME");
    const char *const cache = getenv("XDG_CACHE_HOME");

    if (given)
        return given;
    if (cache)
        snprintf(path, sizeof path, "%s/depthprune/SmolLM2-135M-Instruct.Q4_1.gguf", cache);
    else
        snprintf(path, sizeof path, "%s/.cache/depthprune/SmolLM2-135M-Instruct.Q4_1.gguf", home ? home : "");
    return path;
}

START_TEST(the_model_file_says_what_tokenizer_json_says)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *gguf = NULL, *json = NULL;
    size_t size = 0, count = 0, other = 0;
    dp_error error;

    ck_assert_msg(dp_tokenizer_open(context, model_path(), &gguf, &error) == DP_OK, "%s", error.message);
    ck_assert_int_eq(dp_tokenizer_open(context, shared_path("golden/smollm2-135m"), &json, NULL), DP_OK);
    ck_assert_uint_gt(check_cases(gguf), 50);
    ck_assert_str_eq(gguf->chat_template, json->chat_template);
    char *const text = read_file(shared_path("data/wikitext2/wiki.test.raw"), &size);
    int32_t *const ids = malloc(size * sizeof *ids), *const more = malloc(size * sizeof *ids);
    ck_assert_int_eq(dp_tokenizer_encode(gguf, text, size, 0, ids, size, &count, NULL), DP_OK);
    ck_assert_int_eq(dp_tokenizer_encode(json, text, size, 0, more, size, &other, NULL), DP_OK);
    ck_assert_uint_eq(count, 303415); // Hugging Face's own count
    ck_assert(count == other && !memcmp(ids, more, count * sizeof *ids));
    free(text);
    free(ids);
    free(more);
    dp_tokenizer_free(gguf);
    dp_tokenizer_free(json);
    end_context(context);
}
END_TEST

int main(void)
{
    need_shared("golden/smollm2-135m/tokenize.json");
    if (access(model_path(), R_OK)) {
        printf("skipped: no %s (set DEPTHPRUNE_MODEL)\n", model_path());
        return 77;
    }
    const TTest *const tests[] = {the_model_file_says_what_tokenizer_json_says};
    return dpt_run("text/smollm2", tests, sizeof tests / sizeof *tests);
}
