// GGUF: the container, the model's configuration and the tokenizer from its keys.
#include "io/gguf.h"
#include "model/parse.h"
#include "test/fuzz/tokenizers.h"

static void check_strings(const dpi_gguf_entry *entry)
{
    const unsigned char *cursor = entry->data;
    const char *string = NULL;
    size_t size = 0;

    for (uint64_t i = 0; i < entry->count; i++)
        dpi_gguf_next(&cursor, &string, &size);
    require(cursor == entry->data + entry->bytes);
}

static void check_container(const dpi_gguf *file, size_t size)
{
    for (size_t i = 0; i < file->entry_count; i++) {
        const dpi_gguf_entry *const entry = &file->entries[i];
        require(entry->key_size > 0 && entry->offset <= size && entry->bytes <= size - entry->offset);
        if (entry->type == DPI_GGUF_ARRAY && entry->element == DPI_GGUF_STRING)
            check_strings(entry);
    }
    for (size_t i = 0; i < file->tensor_count; i++) {
        const dpi_tensor *const tensor = &file->tensors[i];
        require(tensor->name[0] && tensor->dims >= 1 && tensor->dims <= DPI_MAX_DIMS);
        require(tensor->offset <= size && tensor->bytes <= size - tensor->offset);
        require(tensor->offset % file->alignment == 0 || file->alignment > size);
    }
}

static void check_config(const dpi_gguf *file)
{
    const dpi_family *family = NULL;
    dp_error error = {.code = DP_OK};
    dpi_config config;
    const int rc = dpi_config_from_gguf(&config, &family, file, &error);

    if (rc)
        fuzz_failed(rc, &error);
    else
        require(family && config.blocks >= 1 && config.heads % config.kv_heads == 0 && config.head_dim >= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dpi_memory *const memory = &fuzz_context()->memory;
    const uint64_t used = memory->used;
    dpi_storage *const storage = fuzz_storage(data, size);
    dp_error error = {.code = DP_OK};
    dpi_gguf *file = NULL;
    const int rc = dpi_gguf_read(&file, memory, storage, "fuzz", &error);

    dpi_storage_drop(storage);
    if (rc) {
        require(file == NULL && error.offset <= (int64_t)size);
        fuzz_failed(rc, &error);
    } else {
        check_container(file, size);
        check_config(file);
        dpi_gguf_free(file);
        dp_tokenizer *const tokenizer = fuzz_tokenizer(fuzz_file(0, data, size));
        if (tokenizer)
            fuzz_use(tokenizer);
        dp_tokenizer_free(tokenizer);
    }
    require(memory->used == used);
    return 0;
}
