// config.json: numbers that open agree with each other, and the text with fewer blocks opens again.
#include "model/parse.h"
#include "model/save.h"
#include "model/source.h"
#include "test/fuzz/fuzz.h"

static void check_config(const dpi_config *config)
{
    require(config->blocks >= 1 && config->blocks <= DPI_MOST_BLOCKS && config->hidden >= 1 && config->ffn >= 1);
    require(config->heads >= 1 && config->kv_heads >= 1 && config->heads % config->kv_heads == 0);
    require(config->head_dim >= 1 && config->vocab >= 1 && config->context >= 1);
    require(config->epsilon > 0 && config->rope_base > 0);
    require(memchr(config->architecture, 0, sizeof config->architecture) != NULL);
}

// The configuration as a pruned directory would have it, one block being left.
static void check_patch(const dpi_config *config, char *text, size_t size)
{
    dp_context *const context = fuzz_context();
    dpi_config one = *config, back;
    const dpi_family *family = NULL;
    dpi_block block = {.origin = 0};
    dpi_source source = {.memory = &context->memory, .config = *config, .config_text = text, .config_size = size};
    dp_model model = {.context = context, .source = &source, .config = one, .blocks = &block};
    dpi_save save = {.model = &model, .pruned = config->blocks > 1, .matrix_type = DP_F16};
    dpi_text out = {.memory = &context->memory};

    one.blocks = model.config.blocks = 1;
    source.path = source.weights = (char *)(uintptr_t) "fuzz";
    if (dpi_config_patch(&save, &out, NULL) == DP_OK) {
        require(dpi_config_from_hf(&back, &family, out.data, out.size, "fuzz", NULL) == DP_OK);
        require(back.blocks == 1 && back.hidden == one.hidden && back.vocab == one.vocab);
        require(back.rope_kind == one.rope_kind && back.head_dim == one.head_dim);
    }
    dpi_text_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint64_t used = fuzz_context()->memory.used;
    char *const text = fuzz_copy(data, size);
    const dpi_family *family = NULL;
    dp_error error = {.code = DP_OK};
    dpi_config config;
    const int rc = dpi_config_from_hf(&config, &family, text, size, "fuzz", &error);

    if (rc) {
        fuzz_failed(rc, &error);
    } else {
        require(family != NULL);
        check_config(&config);
        check_patch(&config, text, size);
    }
    free(text);
    require(fuzz_context()->memory.used == used);
    return 0;
}
