// Encoding of any bytes.  The first byte chooses the tokenizer and whether special tokens are read; the rest is
// text. Byte-level BPE gives valid text back as it was; both give ids of which a second run gives the same.
#include "test/fuzz/tokenizers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {FUZZ_FILES "/bytes.json/tokenizer.json",
                                        FUZZ_FILES "/llama3/tokenizer.json",
                                        FUZZ_FILES "/pieces.json/tokenizer.json",
                                        FUZZ_FILES "/plain/tokenizer.model", FUZZ_FILES "/odd/tokenizer.model"};
    enum { COUNT = sizeof paths / sizeof *paths };
    static dp_tokenizer *known[COUNT];
    int32_t *ids = NULL;
    char *text = NULL;

    if (size == 0)
        return 0;
    const size_t choice = data[0] / 2 % COUNT;
    if (!known[choice])
        require(dp_tokenizer_open(fuzz_context(), paths[choice], &known[choice], NULL) == DP_OK);
    const uint64_t used = fuzz_context()->memory.used;
    char *const copy = fuzz_copy(data + 1, size - 1);
    const size_t count = fuzz_encode(known[choice], copy, size - 1, data[0] & 1, &ids);
    const size_t bytes = fuzz_decode(known[choice], ids, count, DP_DECODE_SPECIAL, &text);
    if (known[choice]->kind == DPI_BYTE_LEVEL && !known[choice]->added_count && fuzz_is_text(copy, size - 1))
        require(bytes == size - 1 && (bytes == 0 || memcmp(copy, text, bytes) == 0));
    require(fuzz_context()->memory.used == used);
    free(ids);
    free(text);
    free(copy);
    return 0;
}
