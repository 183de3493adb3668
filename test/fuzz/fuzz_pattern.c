// A tokenizer's split pattern, and a text cut by it: the pattern, a byte 0x1e, the text.  Spans cover the text in
// order and without gaps, or the pattern is refused, or it works too long.
#include "test/fuzz/tokenizers.h"

static void check_spans(const dpi_cutter *cutter, size_t size)
{
    size_t at = 0;

    for (size_t i = 0; i < cutter->spans.count; i++) {
        require(cutter->spans.data[i].begin == at && cutter->spans.data[i].end > at);
        at = cutter->spans.data[i].end;
    }
    require(at == size);
}

static void cut(const dpi_splitter *splitter, const uint8_t *data, size_t size)
{
    dpi_text text = {.memory = &fuzz_context()->memory};
    dpi_cutter cutter = {.splitter = NULL};
    dp_error error = {.code = DP_OK};

    require(dpi_repair_utf8((const char *)data, size, &text, NULL) == DP_OK);
    require(dpi_cutter_open(&cutter, splitter, NULL, NULL) == DP_OK);
    if (text.size) {
        const int rc = dpi_cutter_run(&cutter, text.data, text.size, &error);
        require(!rc || (rc == error.code && error.message[0] && rc != DP_E_MEMORY));
        if (!rc)
            check_spans(&cutter, text.size);
    }
    dpi_cutter_close(&cutter);
    dpi_text_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dpi_memory *const memory = &fuzz_context()->memory;
    const uint64_t used = memory->used;
    const uint8_t *const mark = size ? memchr(data, 0x1e, size) : NULL;
    const size_t pattern = mark ? (size_t)(mark - data) : size;
    dpi_splitter splitter = {.memory = NULL};
    dp_error error = {.code = DP_OK};

    require(dpi_splitter_open(&splitter, memory, NULL) == DP_OK);
    dpi_text text = {.memory = memory}; // JSON has neither broken UTF-8 nor, in what it gives us, NUL
    require(dpi_text_add(&text, "", 0, NULL) == DP_OK);
    require(dpi_repair_utf8((const char *)data, pattern, &text, NULL) == DP_OK);
    text.size = strlen(text.data);
    const int rc = dpi_splitter_add(&splitter, DPI_STEP_REGEX, text.data, text.size, &error);
    require(!rc || (rc == error.code && error.message[0] && rc != DP_E_MEMORY));
    if (!rc && mark)
        cut(&splitter, mark + 1, size - pattern - 1);
    dpi_splitter_close(&splitter);
    dpi_text_clear(&text);
    require(memory->used == used);
    return 0;
}
