// What cannot be computed is refused before anything is: a tensor of a type that is only carried, in any part.
#include "nn/network.h"
#include "test/unit/nn/support.h"

static char *whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");

    ck_assert_ptr_nonnull(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size);
    ck_assert_uint_eq(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

// In a GGUF file of f32 tensors, one becomes i32: a type of the same size that no operation reads.
static void retype(const char *path, const char *name)
{
    size_t size, at = 16;
    char *bytes = whole(path, &size);
    const size_t length = strlen(name);

    while (at + length < size && (memcmp(bytes + at, name, length) != 0 || (size_t)bytes[at - 8] != length))
        at++;
    bytes[at + length + 4 + 16] = DP_I32; // behind two dimensions
    FILE *file = fopen(path, "wb");
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
    free(bytes);
}

START_TEST(types_that_are_only_carried)
{
    static const char *const names[] = {"token_embd.weight", "blk.0.attn_q.weight", "blk.4.ffn_up.weight",
                                        "output.weight"};
    char folder[] = "/tmp/depthprune-refused-XXXXXX", path[64];
    plain_model *plain = plain_new(3);
    dp_context *context = test_context(test_backends[_i], 0);
    dp_save_options options;
    dp_error error;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/m.gguf", folder);
    dp_save_options_init(&options, sizeof options);
    options.format = DP_FORMAT_GGUF;
    options.overwrite = 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        dp_model *from = test_plain(context, plain);
        dpi_network *network = NULL;
        ck_ok(dp_model_save(from, path, &options, NULL, NULL, &error), error);
        dp_model_free(from);
        retype(path, names[i]);
        dp_model *model = test_open(context, path);
        const uint64_t used = context->memory.used;
        ck_assert_int_eq(dpi_network_open(&network, context, model, 8, &error), DP_E_UNSUPPORTED);
        ck_assert_str_eq(error.item, names[i]);
        ck_assert_str_eq(error.message, "is stored as i32, which is not computed, only carried");
        ck_assert_uint_eq(context->memory.used, used);
        dp_model_free(model);
    }
    remove(path);
    remove(folder);
    dp_context_free(context);
    free(plain);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nn/refused");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, types_that_are_only_carried, 0, TEST_BACKENDS);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
