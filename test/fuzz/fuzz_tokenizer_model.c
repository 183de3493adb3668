// tokenizer.model, a SentencePiece model: what opens can be used.
#include "test/fuzz/tokenizers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint64_t used = fuzz_context()->memory.used;

    fuzz_file(0, data, size); // the folder has a link to it
    dp_tokenizer *const tokenizer = fuzz_tokenizer(FUZZ_FILES "/model/tokenizer.model");
    if (tokenizer)
        fuzz_use(tokenizer);
    dp_tokenizer_free(tokenizer);
    require(fuzz_context()->memory.used == used);
    return 0;
}
