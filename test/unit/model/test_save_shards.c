// Saving in several safetensors files: what lies where, the index, and the same model read back.
#include "io/json.h"
#include "test/unit/model/shard_support.h"

static int save_limited(scene *s, const dp_model *model, const char *name, int32_t format, uint64_t most)
{
    dp_save_options options;
    dp_save_report report = {.size = sizeof report}, forecast = {.size = sizeof forecast};

    dp_save_options_init(&options, sizeof options);
    ck_assert_uint_eq(options.max_shard_bytes, 0);
    options.format = format;
    options.max_shard_bytes = most;
    const int estimated = dp_model_save_estimate(model, path_in(s, name), &options, &forecast, &s->error);
    const int rc = dp_model_save(model, path_in(s, name), &options, NULL, &report, &s->error);
    ck_assert_int_eq(estimated, rc);
    ck_assert_int_eq(report.files, forecast.files);
    return rc;
}

static void assert_digests(dp_model *a, dp_model *b)
{
    char left[65], right[65];

    ck_assert_int_eq(dp_model_digest(a, NULL, left, NULL), DP_OK);
    ck_assert_int_eq(dp_model_digest(b, NULL, right, NULL), DP_OK);
    ck_assert_str_eq(left, right);
}

// Each file holds at most `most` bytes or one tensor, and would not have held the next file's first.
static void check_sizes(const dp_model *model, uint64_t most)
{
    const dpi_source *source = model->source;
    const dpi_tensor *tensors = source->safetensors->tensors;
    uint64_t before = 0;

    for (size_t i = 0, at = 0; i < source->shard_count; i++) {
        const size_t first = at, end = source->shards[i].end;
        uint64_t bytes = 0;
        for (; at < end; at++)
            bytes += tensors[at].bytes;
        ck_assert(bytes <= most || end - first == 1);
        ck_assert(i == 0 || before + tensors[first].bytes > most);
        before = bytes;
    }
}

static void check_index(const scene *s, const char *name, size_t tensors)
{
    char path[PATH_ROOM], *bytes;
    const char *key, *last = "";
    json_t *root = NULL, *value;
    size_t size;
    dp_error error;

    snprintf(path, sizeof path, "%s/" INDEX, path_in(s, name));
    bytes = read_file(path, &size);
    ck_assert_int_eq(dpi_json_parse(&root, bytes, size, path, &error), DP_OK);
    ck_assert_uint_eq(json_object_size(json_object_get(root, "weight_map")), tensors);
    json_object_foreach (json_object_get(root, "weight_map"), key, value) {
        ck_assert_str_lt(last, key);
        last = key;
    }
    json_decref(root);
    free(bytes);
}

START_TEST(reads_back_as_the_same_model)
{
    static const uint64_t limits[] = {1, 64, 1000, 1536, 1537, 5000};
    scene s;
    tiny t = TINY;

    open_scene(&s);
    t.tied = 0;
    write_tiny(&s, "m", &t);
    dp_model *model = open_model(&s, "m");
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        char name[32];
        snprintf(name, sizeof name, "out%zu", i);
        ck_assert_msg(save_limited(&s, model, name, -1, limits[i]) == DP_OK, "%s", s.error.message);
        dp_model *back = open_model(&s, name);
        ck_assert_uint_gt(back->source->shard_count, 1);
        ck_assert(limits[i] > 1 || back->source->shard_count == 30);
        check_sizes(back, limits[i]);
        check_index(&s, name, 30);
        assert_same_weights(model, back);
        assert_digests(model, back);
        dp_model_free(back);
    }
    ck_assert_ptr_null(strstr(s.log, "total_size"));
    ck_assert(is_there(&s, "out0/model-00030-of-00030.safetensors"));
    ck_assert(!is_there(&s, "out0/model.safetensors"));
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

START_TEST(is_one_file_when_all_fits)
{
    scene s;
    dp_model_info info = {.size = sizeof info};

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    dp_model *model = open_model(&s, "m");
    ck_assert_int_eq(dp_model_describe(model, &info, NULL), DP_OK);
    ck_assert_int_eq(save_limited(&s, model, "fits", -1, info.bytes), DP_OK);
    ck_assert(is_there(&s, "fits/model.safetensors") && !is_there(&s, "fits/" INDEX));
    ck_assert_int_eq(save_limited(&s, model, "most", -1, UINT64_MAX), DP_OK);
    ck_assert(is_there(&s, "most/model.safetensors"));
    ck_assert_int_eq(save_limited(&s, model, "two", -1, info.bytes - 1), DP_OK);
    ck_assert(is_there(&s, "two/model-00002-of-00002.safetensors") && is_there(&s, "two/" INDEX));
    ck_assert_int_eq(save_limited(&s, model, "m.gguf", DP_FORMAT_GGUF, 1000), DP_E_ARGUMENT);
    ck_assert_str_eq(s.error.item, "max_shard_bytes");
    ck_assert(!is_there(&s, "m.gguf"));
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

// Pruned, converted from shards, and with every allocation failing once.
START_TEST(saves_views_and_survives_failed_allocations)
{
    scene s;
    const int32_t kept[] = {0, 2};
    dp_model *smaller, *back;
    int rc = DP_E_MEMORY;

    open_scene(&s);
    write_tiny(&s, "m", &TINY);
    for (int64_t n = 0; rc == DP_E_MEMORY; n++) {
        failing f = {.left = INT64_MAX};
        const dp_allocator allocator = {fail_later, give_back, &f};
        dp_context_options options;
        dp_context *context, *own = s.context;
        dp_model *model = NULL;
        dp_context_options_init(&options, sizeof options);
        options.threads = 1;
        options.allocator = &allocator;
        ck_assert_int_eq(dpi_context_make(&options, &context, NULL), DP_OK);
        s.context = context;
        model = open_model(&s, "m");
        ck_assert_int_eq(dpi_model_keep(model, kept, 2, NULL, &smaller, NULL), DP_OK);
        const uint64_t used = context->memory.used;
        dp_save_options save;
        dp_save_options_init(&save, sizeof save);
        save.max_shard_bytes = 2000;
        f.left = n;
        rc = dp_model_save(smaller, path_in(&s, "out"), &save, NULL, NULL, &s.error);
        f.left = INT64_MAX;
        ck_assert_msg(rc == DP_OK || rc == DP_E_MEMORY, "%lld: %s", (long long)n, s.error.message);
        ck_assert(rc == DP_OK || !is_there(&s, "out"));
        ck_assert_uint_eq(context->memory.used, used);
        if (rc == DP_OK) {
            back = open_model(&s, "out");
            assert_same_weights(smaller, back);
            assert_digests(smaller, back);
            dp_model_free(back);
        }
        dp_model_free(smaller);
        dp_model_free(model);
        s.context = own;
        dpi_context_drop(context);
    }
    ck_assert_int_eq(rc, DP_OK);
    close_scene(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {reads_back_as_the_same_model, is_one_file_when_all_fits,
                                  saves_views_and_survives_failed_allocations};
    return dpt_run("model/save_shards", tests, sizeof tests / sizeof *tests);
}
