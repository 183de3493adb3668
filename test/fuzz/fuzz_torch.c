// PyTorch checkpoints, archive and pickle: tensors lie inside the file.
#include "io/torch.h"
#include "test/fuzz/fuzz.h"

static void check_tensors(const dpi_safetensors *file, size_t size)
{
    for (size_t i = 0; i < file->count; i++) {
        const dpi_tensor *const tensor = &file->tensors[i];
        unsigned sum = 0;
        require(tensor->name && tensor->storage && tensor->dims >= 0 && tensor->dims <= DPI_MAX_DIMS);
        require(tensor->offset <= size && tensor->bytes <= size - tensor->offset);
        for (uint64_t byte = 0; byte < tensor->bytes; byte++)
            sum += ((const unsigned char *)tensor->data)[byte];
        require(sum <= 255 * tensor->bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dpi_memory *const memory = &fuzz_context()->memory;
    const uint64_t used = memory->used;
    dpi_storage *const storage = fuzz_storage(data, size);
    dp_error error = {.code = DP_OK};
    dpi_safetensors *file = NULL;
    const int rc = dpi_torch_read(&file, memory, storage, "fuzz", &error);

    dpi_storage_drop(storage);
    if (rc) {
        require(file == NULL && error.offset <= (int64_t)size);
        fuzz_failed(rc, &error);
    } else {
        check_tensors(file, size);
        dpi_safetensors_free(file);
    }
    require(memory->used == used);
    return 0;
}
