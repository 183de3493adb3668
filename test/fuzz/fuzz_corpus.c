// Calibration text and JSON lines.  The first byte chooses which, and how the text is cut into rows.
#include "data/corpus.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dp_context *const context = fuzz_context();
    const uint64_t used = context->memory.used;
    dp_error error = {.code = DP_OK};
    dpi_corpus corpus;
    size_t last = 0;

    if (size == 0)
        return 0;
    int rc = dpi_corpus_open(&corpus, context, fuzz_file(0, data + 1, size - 1), data[0] & 1, NULL, &error);
    if (!rc)
        rc = dpi_corpus_cut(&corpus, data[0] & 2 ? DP_ROWS_LINE : DP_ROWS_PARAGRAPH, &error);
    if (rc) {
        fuzz_failed(rc, &error);
        require(error.line > 0 && error.offset <= (int64_t)size);
    }
    for (size_t i = 0; !rc && i < corpus.count; i++) {
        const dpi_row *const row = &corpus.rows[i];
        require(row->begin >= last && row->begin <= corpus.text.size && row->size <= corpus.text.size - row->begin);
        last = row->begin + row->size;
    }
    dpi_corpus_close(&corpus);
    require(context->memory.used == used);
    return 0;
}
