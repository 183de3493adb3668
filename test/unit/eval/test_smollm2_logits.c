// Logits of SmolLM2-135M-Instruct from its Q4_1 GGUF file (interleaved q and k rows, tied Q6_K or Q8_0 head) against a
// second implementation in double on the dequantized weights.
#include <depthprune/eval.h>

#include "test/unit/nn/support.h"

#define FOLDER "golden/smollm2-135m/"
enum { VOCAB = 49152, FIRST = 8 };

// The larger of `worst` and the largest distance; not a number where one of them is not.
static double distance(double worst, const float *found, const double *expected, int count)
{
    for (int i = 0; i < count; i++) {
        const double d = fabs(found[i] - expected[i]);
        if (!(d <= worst))
            worst = d;
    }
    return worst;
}

START_TEST(logits_of_the_golden_sequence)
{
    dp_context *context = test_context("cpu", 0);
    dp_model *model = test_open(context, test_smollm2());
    double *first = test_tensor(test_data(FOLDER "logits_seq0.safetensors"), "logits_f64", FIRST * VOCAB);
    double *last = test_tensor(test_data(FOLDER "logits_seq0.safetensors"), "logits_lastpos_f64", VOCAB);
    int32_t samples, length;
    int32_t *ids = test_rows(test_data(FOLDER "calib_ids.json"), &samples, &length);
    float *logits = calloc((size_t)length * VOCAB, sizeof *logits);
    dp_evaluator *evaluator = NULL;
    dp_error error;
    double worst = 0;

    ck_ok(dp_evaluator_new(context, NULL, &evaluator, &error), error);
    ck_ok(dp_evaluator_logits(evaluator, model, ids, (size_t)length, (size_t)length, NULL, logits, &error), error);
    worst = distance(worst, logits, first, FIRST * VOCAB);
    worst = distance(worst, logits + (length - 1) * VOCAB, last, VOCAB);
    printf("largest distance of a logit: %g\n", worst);
    ck_assert_double_lt(worst, 2e-3);
    dp_evaluator_free(evaluator);
    free(logits);
    free(ids);
    free(first);
    free(last);
    dp_model_free(model);
    dp_context_free(context);
}
END_TEST

int main(void)
{
    test_needs(FOLDER "logits_seq0.safetensors");
    test_needs_smollm2();
    const TTest *const tests[] = {logits_of_the_golden_sequence};
    return dpt_run("eval/smollm2_logits", tests, sizeof tests / sizeof *tests);
}
