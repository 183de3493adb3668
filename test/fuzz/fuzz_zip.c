// Zip archives: members that are found lie inside the file, apart from each other.
#include "io/zip.h"
#include "test/fuzz/fuzz.h"

static void check_members(const dpi_zip *zip, size_t size)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < zip->count; i++) {
        const dpi_zip_entry *const entry = &zip->entries[i];
        require(entry->header < entry->data && entry->data <= size && entry->size <= size - entry->data);
        require(dpi_zip_find(zip, entry->name) == entry);
        require(i == 0 || strcmp(zip->entries[i - 1].name, entry->name) < 0);
        bytes += entry->size;
    }
    require(bytes <= size && (zip->count == 0 || dpi_zip_find(zip, zip->first) != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dpi_memory *const memory = &fuzz_context()->memory;
    const uint64_t used = memory->used;
    unsigned char *const bytes = (unsigned char *)fuzz_copy(data, size);
    dp_error error = {.code = DP_OK};
    dpi_zip *zip = NULL;
    const int rc = dpi_zip_read(&zip, memory, bytes, size, "fuzz", &error);

    if (rc) {
        require(zip == NULL && error.offset <= (int64_t)size);
        fuzz_failed(rc, &error);
    }
    free(bytes); // it needs to stay for the call only
    if (!rc)
        check_members(zip, size);
    dpi_zip_free(zip);
    require(memory->used == used);
    return 0;
}
