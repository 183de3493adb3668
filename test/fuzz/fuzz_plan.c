// The plan document: what opens is written so that it opens again and is written the same.
#include <depthprune/prune.h>

#include "test/fuzz/fuzz.h"

static char *write_plan(const dp_plan *plan, size_t *size)
{
    require(dp_plan_write(plan, NULL, 0, size, NULL) == DP_OK);
    char *const text = malloc(*size);
    require(text != NULL && dp_plan_write(plan, text, *size, size, NULL) == DP_OK);
    *size -= 1; // the terminator
    return text;
}

static void check_plan(const dp_plan *plan)
{
    dp_plan_info info = {.size = sizeof info};
    dp_plan *again = NULL;
    size_t size = 0, more = 0;

    require(dp_plan_describe(plan, &info, NULL) == DP_OK && info.n_removed >= 1 && info.n_kept >= 1);
    require(info.n_removed + info.n_kept == info.blocks);
    for (int32_t i = 1; i < info.n_removed; i++)
        require(info.removed[i] > info.removed[i - 1] && info.removed[i] < info.blocks);
    char *const first = write_plan(plan, &size);
    require(dp_plan_read(fuzz_context(), first, size, "fuzz", &again, NULL) == DP_OK);
    char *const second = write_plan(again, &more);
    require(size == more && memcmp(first, second, size) == 0);
    dp_plan_free(again);
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint64_t used = fuzz_context()->memory.used;
    char *const text = fuzz_copy(data, size);
    dp_error error = {.code = DP_OK};
    dp_plan *plan = NULL;
    const int rc = dp_plan_read(fuzz_context(), text, size, "fuzz", &plan, &error);

    if (rc) {
        require(plan == NULL);
        fuzz_failed(rc, &error);
    } else {
        check_plan(plan);
        dp_plan_free(plan);
    }
    free(text);
    require(fuzz_context()->memory.used == used);
    return 0;
}
