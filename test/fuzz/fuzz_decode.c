// Decoding of any ids, two bytes each after one that chooses tokenizer and flags: text, or the id that is none.
#include "test/fuzz/tokenizers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {FUZZ_FILES "/bytes.json/tokenizer.json",
                                        FUZZ_FILES "/pieces.json/tokenizer.json",
                                        FUZZ_FILES "/plain/tokenizer.model"};
    enum { COUNT = sizeof paths / sizeof *paths };
    static dp_tokenizer *known[COUNT];
    dp_error error = {.code = DP_OK};
    size_t needed = 0;
    int bad = 0;

    if (size == 0)
        return 0;
    const size_t choice = data[0] / 2 % COUNT, count = (size - 1) / 2;
    if (!known[choice])
        require(dp_tokenizer_open(fuzz_context(), paths[choice], &known[choice], NULL) == DP_OK);
    const uint64_t used = fuzz_context()->memory.used;
    int32_t *const ids = malloc((count + 1) * sizeof *ids);
    require(ids != NULL);
    for (size_t i = 0; i < count; i++) {
        ids[i] = (int16_t)(data[1 + 2 * i] | data[2 + 2 * i] << 8);
        bad |= ids[i] < 0 || ids[i] >= known[choice]->vocab.count;
    }
    const int rc = dp_tokenizer_decode(known[choice], ids, count, data[0] & 1, NULL, 0, &needed, &error);
    require(rc == (bad ? DP_E_ARGUMENT : DP_OK) && (!bad || error.message[0]));
    if (!rc) {
        char *text = NULL;
        fuzz_decode(known[choice], ids, count, data[0] & 1, &text);
        free(text);
    }
    free(ids);
    require(fuzz_context()->memory.used == used);
    return 0;
}
