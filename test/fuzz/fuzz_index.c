// The index of a checkpoint in several files, beside two files that are well: what opens has exactly their tensors.
#include "model/source.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dp_context *const context = fuzz_context();
    const uint64_t used = context->memory.used;
    dpi_source *source = NULL;
    dp_error error = {.code = DP_OK};

    require(dpi_source_new(&source, context, FUZZ_FILES "/shards", DP_FORMAT_HF, NULL) == DP_OK);
    source->weights = dpi_copy_text(&context->memory, fuzz_file(0, data, size), NULL);
    require(source->weights != NULL);
    const int rc = dpi_load_shards(source, context, 0, &error);
    if (rc) {
        fuzz_failed(rc, &error);
    } else {
        const dpi_safetensors *const all = source->safetensors;
        require(all->count > 0 && source->shard_count > 0 && source->shard_count <= 2);
        require(source->shards[source->shard_count - 1].end == all->count);
        for (size_t i = 0; i < all->count; i++)
            require(dpi_source_file(source, &all->tensors[i])[0] != 0);
    }
    dpi_source_drop(source);
    require(context->memory.used == used);
    return 0;
}
