// The files beside a tokenizer.model that is well.  An input is five files with the byte 0x1e between them:
// tokenizer_config.json, added_tokens.json, special_tokens_map.json, config.json, chat_template.jinja.
#include "test/fuzz/tokenizers.h"

enum { FILES = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint64_t used = fuzz_context()->memory.used;
    size_t at = 0;

    for (int slot = 0; slot < FILES; slot++) {
        const uint8_t *const end = at < size ? memchr(data + at, 0x1e, size - at) : NULL;
        const size_t bytes = at >= size ? 0 : end && slot + 1 < FILES ? (size_t)(end - data) - at : size - at;
        const int none = bytes == 0 && slot + 1 < FILES;
        fuzz_file(slot, none ? (const uint8_t *)"{}" : data + at, none ? 2 : bytes);
        at += bytes < size ? bytes + 1 : bytes;
    }
    dp_tokenizer *const tokenizer = fuzz_tokenizer(FUZZ_FILES "/beside/tokenizer.model");
    if (tokenizer)
        fuzz_use(tokenizer);
    dp_tokenizer_free(tokenizer);
    require(fuzz_context()->memory.used == used);
    return 0;
}
