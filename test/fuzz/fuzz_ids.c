// The program's documents of token ids.
#include "cli/ids.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cli_session session = {.opened_nothing = 0};
    cli_ids ids;
    size_t sum = 0;
    const int rc = cli_ids_read(&session, fuzz_file(0, data, size), &ids);

    if (rc) {
        require(rc == session.error.code && session.error.message[0] && session.error.file[0]);
        require(ids.ids == NULL && ids.lengths == NULL);
        return 0;
    }
    for (size_t row = 0; row < ids.rows; row++)
        sum += ids.lengths[row];
    require(ids.rows > 0 && sum == ids.count);
    for (size_t i = 0; i < ids.count; i++)
        require(ids.ids[i] >= 0);
    cli_ids_free(&ids);
    return 0;
}
