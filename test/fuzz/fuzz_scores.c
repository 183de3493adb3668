// The scores document: what opens is whole, and its text is kept as it is.
#include <depthprune/score.h>

#include "test/fuzz/fuzz.h"

static void check_scores(const dp_scores *scores, const char *text, size_t size)
{
    dp_scores_info info = {.size = sizeof info};
    char *const copy = malloc(size + 1);
    size_t needed = 0;

    require(dp_scores_describe(scores, &info, NULL) == DP_OK && info.blocks >= 1 && info.criterion);
    require(info.protect_first + info.protect_last <= info.blocks);
    for (int32_t i = 0; i < info.blocks; i++)
        require(info.order[i] >= 0 && info.order[i] < info.blocks && info.scores[i] == info.scores[i]);
    require(copy != NULL && dp_scores_write(scores, copy, size + 1, &needed, NULL) == DP_OK);
    require(needed == size + 1 && memcmp(copy, text, size) == 0);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint64_t used = fuzz_context()->memory.used;
    char *const text = fuzz_copy(data, size);
    dp_error error = {.code = DP_OK};
    dp_scores *scores = NULL;
    const int rc = dp_scores_read(fuzz_context(), text, size, "fuzz", &scores, &error);

    if (rc) {
        require(scores == NULL);
        fuzz_failed(rc, &error);
    } else {
        check_scores(scores, text, size);
        dp_scores_free(scores);
    }
    free(text);
    require(fuzz_context()->memory.used == used);
    return 0;
}
