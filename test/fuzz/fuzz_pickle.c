// Pickles of state dicts: what is given out are tensors whose names and keys lie in the pickle.
#include "io/pickle.h"
#include "test/fuzz/fuzz.h"

static int is_inside(const char *text, size_t bytes, const char *all, size_t size)
{
    return text >= all && (size_t)(text - all) <= size && bytes <= size - (size_t)(text - all);
}

static void check_tensors(const dpi_pickled *tensors, size_t count, const char *all, size_t size)
{
    require(count > 0);
    for (size_t i = 0; i < count; i++) {
        const dpi_pickled *const tensor = &tensors[i];
        require(is_inside(tensor->name, tensor->name_size, all, size));
        require(is_inside(tensor->key, tensor->key_size, all, size));
        require(tensor->dims >= 0 && tensor->dims <= DPI_MAX_DIMS && tensor->at < size && tensor->type_name);
        require(tensor->elements >= 0 && tensor->first >= 0);
        for (int32_t d = 0; d < tensor->dims; d++)
            require(tensor->shape[d] >= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dpi_memory *const memory = &fuzz_context()->memory;
    const uint64_t used = memory->used;
    char *const bytes = fuzz_copy(data, size);
    const dpi_pickle_input input = {.bytes = (unsigned char *)bytes, .size = size, .file = "fuzz", .offset = 7};
    dp_error error = {.code = DP_OK};
    dpi_pickled *tensors = NULL;
    size_t count = 0;
    const int rc = dpi_pickle_read(&tensors, &count, memory, &input, &error);

    if (rc) {
        require(tensors == NULL && error.offset >= 7 && error.offset <= (int64_t)size + 7);
        fuzz_failed(rc, &error);
    } else {
        check_tensors(tensors, count, bytes, size);
    }
    dpi_free(memory, tensors);
    free(bytes);
    require(memory->used == used);
    return 0;
}
