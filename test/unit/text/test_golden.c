// Ids and texts of real vocabularies against goldens made by Hugging Face's tokenizers and llama.cpp.
#include "golden.h"

static dp_tokenizer *open_shared(dp_context *context, const char *name)
{
    dp_tokenizer *tokenizer = NULL;
    dp_error error;

    ck_assert_msg(dp_tokenizer_open(context, shared_path(name), &tokenizer, &error) == DP_OK, "%s", error.message);
    return tokenizer;
}

START_TEST(smollm2_from_tokenizer_json)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_shared(context, "golden/smollm2-135m");
    dp_tokenizer_info info = {.size = sizeof info};

    ck_assert_int_eq(dp_tokenizer_describe(tokenizer, &info, NULL), DP_OK);
    ck_assert(info.tokens == 49152 && info.bos == 1 && info.eos == 2 && info.unk == 0 && info.pad == 2);
    ck_assert_int_eq(info.adds_bos, 0);
    ck_assert_uint_gt(check_cases(tokenizer), 50);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}
END_TEST

static void check_gguf(const char *name)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *tokenizer = open_shared(context, name);

    ck_assert_uint_eq(check_vocabulary(tokenizer, name), 47);
    dp_tokenizer_free(tokenizer);
    end_context(context);
}

START_TEST(gpt2_from_gguf)
{
    check_gguf("data/tokenizers/gguf_vocab/ggml-vocab-gpt-2.gguf");
}
END_TEST

START_TEST(llama_from_gguf)
{
    check_gguf("data/tokenizers/gguf_vocab/ggml-vocab-llama-spm.gguf");
}
END_TEST

// The same vocabulary by score and by rule: equal on a whole corpus, and back to the text.
START_TEST(llama_from_model_and_from_json)
{
    dp_context *context = new_context(NULL);
    dp_tokenizer *model = open_shared(context, "data/tokenizers/llama_spm/tokenizer.model");
    dp_tokenizer *json = open_shared(context, "data/tokenizers/TinyLlama-1.1B-Chat-v1.0");
    size_t size = 0, count = 0, other = 0, back = 0;
    char *const text = read_file(shared_path("data/wikitext2/wiki.test.raw"), &size);
    int32_t *const ids = malloc(size * sizeof *ids), *const more = malloc(size * sizeof *ids);
    char *const again = malloc(size);

    ck_assert_int_eq(dp_tokenizer_encode(model, text, size, 0, ids, size, &count, NULL), DP_OK);
    ck_assert_int_eq(dp_tokenizer_encode(json, text, size, 0, more, size, &other, NULL), DP_OK);
    ck_assert_uint_eq(count, 335687); // SentencePiece's own count
    ck_assert(count == other && !memcmp(ids, more, count * sizeof *ids));
    ck_assert_int_eq(dp_tokenizer_decode(model, ids, count, 0, again, size, &back, NULL), DP_OK);
    ck_assert(back == size && !memcmp(again, text, size));
    check_vocabulary(json, "data/tokenizers/gguf_vocab/ggml-vocab-llama-spm.gguf");
    free(text);
    free(ids);
    free(more);
    free(again);
    dp_tokenizer_free(model);
    dp_tokenizer_free(json);
    end_context(context);
}
END_TEST

int main(void)
{
    need_shared("golden/smollm2-135m/tokenize.json");
    need_shared("data/tokenizers/gguf_vocab/ggml-vocab-gpt-2.gguf");
    const TTest *const tests[] = {smollm2_from_tokenizer_json, gpt2_from_gguf, llama_from_gguf,
                                  llama_from_model_and_from_json};
    return dpt_run("text/golden", tests, sizeof tests / sizeof *tests);
}
