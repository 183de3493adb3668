// Every allocation made to fail once, and from then on: tokenizers read, used and written, windows drawn.  The
// result is DP_E_MEMORY, nothing is lost, and the next try succeeds.
#include <depthprune/calib.h>

#include "test/unit/text/support.h"
#include "text/export.h"

typedef struct rig {
    uint64_t count, fail_at; // fail_at 0: never
    int sticky;
} rig;

static void *rigged_alloc(void *user, uint64_t size, uint64_t align)
{
    rig *const r = user;
    void *memory = NULL;

    r->count++;
    if (r->fail_at && (r->count == r->fail_at || (r->sticky && r->count > r->fail_at)))
        return NULL;
    return posix_memalign(&memory, (size_t)align, (size_t)size) ? NULL : memory;
}

static void rigged_free(void *user, void *memory, uint64_t size)
{
    (void)user;
    (void)size;
    free(memory);
}

typedef int (*action)(dp_context *context, dp_error *error);

static int use(const dp_tokenizer *tokenizer, dp_error *error)
{
    static const char text[] = "he said <s> ll \xff\n the 12 unused \xe2\x96\x81\xf0\x9f\xa6\x99";
    int32_t ids[256];
    char back[256];
    size_t count = 0;
    int rc = dp_tokenizer_encode(tokenizer, text, sizeof text - 1, DP_ENCODE_SPECIAL, ids, 256, &count, error);

    return rc ? rc : dp_tokenizer_decode(tokenizer, ids, count, DP_DECODE_SPECIAL, back, sizeof back, NULL, error);
}

static int write_out(const dp_tokenizer *tokenizer, dp_error *error)
{
    dpi_gguf_out *out = NULL;
    dpi_stage *stage = NULL;
    int rc = dpi_gguf_out_open(&out, tokenizer->memory, 32, error);

    if (!rc)
        rc = dpi_tokenizer_to_gguf(tokenizer, tokenizer->vocab.count, out, error);
    if (!rc)
        rc = dpi_stage_open(&stage, tokenizer->context, scratch("out"), 1, 1, error);
    if (!rc)
        rc = dpi_tokenizer_to_hf(tokenizer, stage, error);
    dpi_stage_abandon(stage);
    dpi_gguf_out_free(out);
    return rc;
}

static int whole(dp_context *context, const char *name, dp_error *error)
{
    dp_tokenizer *tokenizer = NULL;
    int rc = dp_tokenizer_open(context, scratch(name), &tokenizer, error);

    if (!rc)
        rc = use(tokenizer, error);
    if (!rc)
        rc = write_out(tokenizer, error);
    dp_tokenizer_free(tokenizer);
    return rc;
}

static int with_json(dp_context *context, dp_error *error)
{
    return whole(context, "tokenizer.json", error);
}

static int with_model(dp_context *context, dp_error *error)
{
    return whole(context, "small.model", error);
}

static int with_windows(dp_context *context, dp_error *error)
{
    dp_tokenizer *tokenizer = NULL;
    dp_calib *calib = NULL;
    dp_calib_options options;
    int rc = dp_tokenizer_open(context, scratch("tokenizer.json"), &tokenizer, error);

    dp_calib_options_init(&options, sizeof options);
    options.samples = 2;
    options.length = 4;
    if (!rc)
        rc = dp_calib_open(context, tokenizer, scratch("rows.txt"), &options, NULL, &calib, error);
    dp_calib_free(calib);
    if (!rc)
        rc = dp_calib_open(context, tokenizer, scratch("rows.jsonl"), &options, NULL, &calib, error);
    if (!rc)
        dp_calib_free(calib);
    dp_tokenizer_free(tokenizer);
    return rc;
}

static void sweep(action run, int sticky)
{
    rig r = {0};
    const dp_allocator allocator = {.alloc = rigged_alloc, .free = rigged_free, .user = &r};
    dp_context *const context = new_context(&allocator);
    const uint64_t before = context->memory.used;
    uint64_t point = 0;
    int rc = DP_E_MEMORY;

    while (rc) {
        dp_error error = {.code = DP_OK};
        r = (rig){.fail_at = ++point, .sticky = sticky};
        rc = run(context, &error);
        ck_assert_msg(rc == DP_OK || rc == DP_E_MEMORY, "allocation %llu: %d, %s", (unsigned long long)point, rc,
                      error.message);
        ck_assert_int_eq(error.code, rc);
        ck_assert_uint_eq(context->memory.used, before);
        ck_assert_uint_lt(point, 100000);
    }
    ck_assert_uint_gt(point, 20);
    dpi_context_drop(context);
}

static void put_model(void)
{
    static const char *const texts[] = {"<unk>", "<s>", "h", "e", "he", DPI_SPACE, DPI_SPACE "he"};
    dp_context *context = new_context(NULL);
    dpi_text model = {.memory = &context->memory}, part = model;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        part.size = 0;
        dpi_wire_put_bytes(&part, 1, texts[i], strlen(texts[i]), NULL);
        dpi_wire_put_float(&part, 2, -(float)i, NULL);
        dpi_wire_put_number(&part, 3, i == 0 ? 2 : i == 1 ? 3 : 1, NULL);
        dpi_wire_put_bytes(&model, 1, part.data, part.size, NULL);
    }
    dpi_wire_put_bytes(&model, 2, "\x18\x02", 2, NULL); // model_type: BPE
    dpi_wire_put_bytes(&model, 3, "\x20\x00", 2, NULL); // remove_extra_whitespaces: no
    write_file(scratch("small.model"), model.data, model.size);
    dpi_text_clear(&part);
    dpi_text_clear(&model);
    dpi_context_drop(context);
}

static void put_files(void)
{
    const parts some = {.vocab = "\"he\":256,\"ll\":257",
                        .merges = "\"h e\",\"l l\"",
                        .added = "{\"id\":258,\"content\":\"<s>\",\"special\":true}"};
    char *const json = byte_level_json(&some);

    write_file(scratch("tokenizer.json"), json, strlen(json));
    write_file(scratch("rows.txt"), "one long row\n\nanother row\n", 26);
    write_file(scratch("rows.jsonl"), "{\"text\":\"one row\"}\n{\"text\":\"another\"}\n", 38);
    free(json);
    put_model();
}

START_TEST(once)
{
    put_files();
    sweep(with_json, 0);
    sweep(with_model, 0);
    sweep(with_windows, 0);
}
END_TEST

START_TEST(from_then_on)
{
    put_files();
    sweep(with_json, 1);
    sweep(with_model, 1);
    sweep(with_windows, 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {once, from_then_on};
    return dpt_run("data/memory", tests, sizeof tests / sizeof *tests);
}
