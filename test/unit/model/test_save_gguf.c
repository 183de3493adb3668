// GGUF files out, from GGUF byte for byte and from Hugging Face with rows permuted, and the way back.
#include "test/unit/model/gguf_support.h"

static dpi_gguf *read_gguf(scene *s, const char *name)
{
    dpi_storage *storage;
    dpi_gguf *file;

    ck_assert_int_eq(dpi_file_open(&storage, s->context, path_in(s, name), 0, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_read(&file, &s->context->memory, storage, name, NULL), DP_OK);
    dpi_storage_drop(storage);
    return file;
}

static const dpi_tensor *tensor_of(const dpi_gguf *file, const char *name)
{
    for (size_t i = 0; i < file->tensor_count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    ck_abort_msg("no tensor %s", name);
    return NULL;
}

START_TEST(comes_back_the_same)
{
    static const int32_t types[] = {DP_F32, DP_F16, DP_BF16};

    for (int i = 0; i < 6; i++) {
        scene s;
        tiny t = TINY;
        t.type = types[i % 3];
        t.tied = i < 3;
        open_scene(&s);
        write_tiny(&s, "m", &t);
        dp_model *model = open_model(&s, "m");
        must_save(&s, model, "m.gguf", DP_FORMAT_GGUF, -1);
        dp_model *through = open_model(&s, "m.gguf");
        must_save(&s, through, "back", DP_FORMAT_HF, -1);
        dp_model *back = open_model(&s, "back");
        assert_same_weights(model, back);
        char before[65], after[65];
        ck_assert_int_eq(dp_model_digest(model, NULL, before, NULL), DP_OK);
        ck_assert_int_eq(dp_model_digest(back, NULL, after, NULL), DP_OK);
        ck_assert_str_eq(before, after); // the configuration came back too
        ck_assert_int_eq(back->config.bos, 1);
        ck_assert_int_eq(back->config.eos, 2);
        ck_assert_int_eq(back->config.pad, -1);
        dp_model_free(model);
        dp_model_free(through);
        dp_model_free(back);
        close_scene(&s);
    }
}
END_TEST

// A head of 8 rows takes the order 0 4 1 5 2 6 3 7 (llama.cpp's converter).
START_TEST(permutes_rows_of_q_and_k)
{
    static const int order[] = {0, 4, 1, 5, 2, 6, 3, 7};
    scene s;
    tiny t = TINY;

    open_scene(&s);
    t.head_dim = 8;
    write_tiny(&s, "m", &t);
    dp_model *model = open_model(&s, "m");
    must_save(&s, model, "m.gguf", DP_FORMAT_GGUF, -1);
    dpi_gguf *file = read_gguf(&s, "m.gguf");
    const dpi_tensor *q = tensor_of(file, "blk.1.attn_q.weight"), *k = tensor_of(file, "blk.1.attn_k.weight");
    const dpi_tensor *v = tensor_of(file, "blk.1.attn_v.weight");
    const dpi_block *block = &model->blocks[1];
    for (int row = 0; row < 32; row++) {
        const int before = row / 8 * 8 + order[row % 8];
        ck_assert_mem_eq(q->data + row * 64, block->weights[DPI_Q]->data + before * 64, 64);
        if (row < 16)
            ck_assert_mem_eq(k->data + row * 64, block->weights[DPI_K]->data + before * 64, 64);
    }
    ck_assert_mem_eq(v->data, block->weights[DPI_V]->data, v->bytes);
    dpi_gguf_free(file);
    dp_model_free(model);
    close_scene(&s);
}
END_TEST

static void has_u32(const dpi_gguf *file, const char *key, uint32_t value)
{
    const dpi_gguf_entry *entry = dpi_gguf_find(file, key);
    uint32_t found;

    ck_assert_msg(entry && entry->type == DPI_GGUF_U32, "%s", key); // llama.cpp refuses other widths
    memcpy(&found, entry->data, 4);
    ck_assert_msg(found == value, "%s is %u", key, found);
}

START_TEST(writes_exactly_typed_keys)
{
    scene s;
    double value = 0;
    const char *text;
    size_t size;

    open_scene(&s);
    write_gguf(&s, &TINY);
    dpi_gguf *file = read_gguf(&s, "m.gguf");
    has_u32(file, "llama.block_count", 3);
    has_u32(file, "llama.context_length", 64);
    has_u32(file, "llama.embedding_length", 16);
    has_u32(file, "llama.feed_forward_length", 24);
    has_u32(file, "llama.attention.head_count", 4);
    has_u32(file, "llama.attention.head_count_kv", 2);
    has_u32(file, "llama.attention.key_length", 4);
    has_u32(file, "llama.attention.value_length", 4);
    has_u32(file, "llama.rope.dimension_count", 4);
    has_u32(file, "llama.vocab_size", 20);
    has_u32(file, "general.file_type", 0);
    has_u32(file, "general.quantization_version", 2);
    ck_assert_int_eq(dpi_gguf_find(file, "llama.rope.freq_base")->type, DPI_GGUF_F32);
    ck_assert_int_eq(dpi_gguf_real(file, "llama.attention.layer_norm_rms_epsilon", 1, &value, NULL), DP_OK);
    ck_assert(value == (double)1e-5f);
    ck_assert_int_eq(dpi_gguf_string(file, "general.architecture", 1, &text, &size, NULL), DP_OK);
    ck_assert_mem_eq(text, "llama", 5);
    dpi_gguf_free(file);
    close_scene(&s);
}
END_TEST

static void put_lists(dpi_gguf_out *out)
{
    const uint32_t heads[3] = {4, 4, 4};
    const float numbers[3] = {1, 2, 3};
    const uint16_t other[3] = {1, 2, 3};
    const char *words[] = {"a", "bb", "ccc"};
    const size_t sizes[] = {1, 2, 3};
    const int32_t removed[] = {9};

    dpi_gguf_put_array(out, "llama.attention.head_count", DPI_GGUF_U32, heads, 3, NULL);
    dpi_gguf_put_array(out, "llama.numbers", DPI_GGUF_F32, numbers, 3, NULL);
    dpi_gguf_put_strings(out, "llama.words", words, sizes, 3, NULL);
    dpi_gguf_put_array(out, "other.three", DPI_GGUF_U16, other, 3, NULL);
    dpi_gguf_put_array(out, "llama.two", DPI_GGUF_U16, other, 2, NULL);
    dpi_gguf_put_array(out, "depthprune.removed", DPI_GGUF_I32, removed, 1, NULL);
    dpi_gguf_put_string(out, "depthprune.plan", "old", 3, NULL);
    dpi_gguf_put_string(out, "general.name", "kept as it was", 14, NULL);
}

static void has_bytes(const dpi_gguf *file, const char *key, uint64_t count, const void *bytes, uint64_t size)
{
    const dpi_gguf_entry *entry = dpi_gguf_find(file, key);

    ck_assert_msg(entry != NULL, "%s", key);
    ck_assert_uint_eq(entry->count, count);
    ck_assert_uint_eq(entry->bytes, size);
    ck_assert_mem_eq(entry->data, bytes, size);
}

START_TEST(copies_keys_but_for_what_pruning_changes)
{
    scene s;
    const change c = {.put = put_lists};
    const int32_t kept[] = {0, 2}, removed[] = {1};
    const float numbers[] = {1, 3};
    const uint16_t other[] = {1, 2, 3};
    const uint32_t heads[] = {4, 4};
    const char *text;
    size_t size;
    dp_model *smaller;

    open_scene(&s);
    write_gguf(&s, &TINY);
    rewrite(&s, "m.gguf", "lists.gguf", &c);
    dp_model *model = open_model(&s, "lists.gguf");
    ck_assert_int_eq(dpi_model_keep(model, kept, 2, NULL, &smaller, NULL), DP_OK);
    must_save(&s, smaller, "out.gguf", -1, -1);
    must_save(&s, model, "copy.gguf", -1, -1);
    dpi_gguf *out = read_gguf(&s, "out.gguf"), *in = read_gguf(&s, "lists.gguf"),
             *copy = read_gguf(&s, "copy.gguf");
    has_u32(out, "llama.block_count", 2);
    has_bytes(out, "llama.attention.head_count", 2, heads, 8);
    has_bytes(out, "llama.numbers", 2, numbers, 8);
    has_bytes(out, "llama.words", 2, "\1\0\0\0\0\0\0\0a\3\0\0\0\0\0\0\0ccc", 20);
    has_bytes(out, "other.three", 3, other, 6);
    has_bytes(out, "llama.two", 2, other, 4);
    has_bytes(out, "depthprune.removed", 1, removed, 4);
    ck_assert_ptr_null(dpi_gguf_find(out, "depthprune.plan")); // it was another pruning's
    ck_assert_ptr_nonnull(dpi_gguf_find(out, "depthprune.version"));
    ck_assert_int_eq(dpi_gguf_string(copy, "depthprune.plan", 1, &text, &size, NULL), DP_OK);
    ck_assert_mem_eq(text, "old", 3);
    for (size_t i = 0; i < in->entry_count; i++) {
        char key[96];
        snprintf(key, sizeof key, "%.*s", (int)in->entries[i].key_size, in->entries[i].key);
        has_bytes(copy, key, in->entries[i].count, in->entries[i].data, in->entries[i].bytes);
    }
    ck_assert_uint_eq(out->tensor_count, 2 + 18);
    ck_assert_mem_eq(tensor_of(out, "blk.1.attn_q.weight")->data, tensor_of(in, "blk.2.attn_q.weight")->data, 1024);
    dpi_gguf_free(in);
    dpi_gguf_free(out);
    dpi_gguf_free(copy);
    dp_model_free(model);
    dp_model_free(smaller);
    close_scene(&s);
}
END_TEST

START_TEST(carries_scaling_both_ways)
{
    static const char *const scalings[] = {
        "{\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0, "
        "\"original_max_position_embeddings\": 8192}",
        "{\"type\": \"linear\", \"factor\": 2.5}"};

    for (int i = 0; i < 2; i++) {
        scene s;
        tiny t = TINY;
        float before[16], after[16];
        open_scene(&s);
        t.head_dim = 32;
        t.key = "rope_scaling";
        t.value = scalings[i];
        write_tiny(&s, "m", &t);
        dp_model *model = open_model(&s, "m");
        must_save(&s, model, "m.gguf", DP_FORMAT_GGUF, -1);
        dp_model *through = open_model(&s, "m.gguf");
        must_save(&s, through, "again.gguf", -1, -1);
        dp_model *again = open_model(&s, "again.gguf");
        must_save(&s, again, "back", DP_FORMAT_HF, -1);
        dp_model *back = open_model(&s, "back");
        ck_assert_int_eq(back->config.rope_kind, i ? DPI_ROPE_LINEAR : DPI_ROPE_LLAMA3);
        ck_assert(back->config.rope_factor == model->config.rope_factor);
        ck_assert_int_eq(back->config.rope_original, model->config.rope_original);
        dpi_model_inverse_frequencies(model, before);
        dpi_model_inverse_frequencies(again, after);
        ck_assert_mem_eq(before, after, sizeof before);
        dp_model_free(model);
        dp_model_free(through);
        dp_model_free(again);
        dp_model_free(back);
        close_scene(&s);
    }
}
END_TEST

START_TEST(converts_types)
{
    scene s;

    open_scene(&s);
    write_gguf(&s, &TINY);
    dp_model *model = open_model(&s, "m.gguf");
    must_save(&s, model, "half.gguf", -1, DP_F16);
    dp_model *half = open_model(&s, "half.gguf");
    ck_assert_int_eq(half->blocks[0].weights[DPI_Q]->type, DP_F16);
    ck_assert_int_eq(half->blocks[0].weights[DPI_NORM_1]->type, DP_F32);
    ck_assert_int_eq(half->embedding->type, DP_F16);
    dpi_gguf *file = read_gguf(&s, "half.gguf");
    has_u32(file, "general.file_type", 1);
    dpi_gguf_free(file);
    dp_model_free(model);
    dp_model_free(half);
    close_scene(&s);
}
END_TEST

// TINY with wider rows as "q.gguf", its vectors or its matrices as blocks of scale 1.
static void write_quantized(scene *s, int32_t dims)
{
    tiny t = TINY;

    t.hidden = 32;
    t.head_dim = 8;
    t.ffn = 64;
    t.vocab = 12;
    write_tiny(s, "m", &t);
    dp_model *model = open_model(s, "m");
    must_save(s, model, "m.gguf", DP_FORMAT_GGUF, -1);
    dp_model_free(model);
    dpi_gguf *file = read_gguf(s, "m.gguf");
    dpi_gguf_out *out;
    dpi_stage *stage;
    dpi_writer *writer;
    ck_assert_int_eq(dpi_gguf_out_open(&out, &s->context->memory, 32, NULL), DP_OK);
    for (size_t i = 0; i < file->entry_count; i++)
        ck_assert_int_eq(dpi_gguf_put_entry(out, &file->entries[i], NULL), DP_OK);
    for (size_t i = 0; i < file->tensor_count; i++)
        if (file->tensors[i].dims == dims)
            file->tensors[i].type = DP_Q8_0;
    ck_assert_int_eq(dpi_stage_open(&stage, s->context, path_in(s, "q.gguf"), 0, 0, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_file(stage, NULL, &writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_gguf_header(out, writer, file->tensors, file->tensor_count, NULL, NULL), DP_OK);
    for (size_t i = 0; i < file->tensor_count; i++) {
        const dpi_tensor *tensor = &file->tensors[i];
        unsigned char block[34] = {0, 0x3c}; // scale 1, then 32 codes
        for (int64_t at = 0; tensor->dims == dims && at < dpi_tensor_count(tensor); at += 32) {
            for (int j = 0; j < 32; j++)
                block[2 + j] = (unsigned char)(at / 32 + j);
            ck_assert_int_eq(dpi_writer_add(writer, block, 34, NULL), DP_OK);
        }
        if (tensor->dims != dims)
            ck_assert_int_eq(dpi_writer_add(writer, tensor->data, tensor->bytes, NULL), DP_OK);
        ck_assert_int_eq(dpi_gguf_pad(out, writer, NULL), DP_OK);
    }
    ck_assert_int_eq(dpi_writer_end(writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_commit(stage, NULL), DP_OK);
    dpi_gguf_out_free(out);
    dpi_gguf_free(file);
}

START_TEST(refuses_vectors_in_block_types)
{
    scene s;

    open_scene(&s);
    write_quantized(&s, 1);
    ck_assert_int_eq(open_fails(&s, path_in(&s, "q.gguf")), DP_E_UNSUPPORTED);
    ck_assert_str_eq(s.error.message, "is a vector stored as q8_0, expected f32, f16 or bf16");
    close_scene(&s);
}
END_TEST

// Block types: copied into GGUF, turned into f16 for a Hugging Face directory, rows of q and k put back in order.
START_TEST(treats_block_types)
{
    static const int order[] = {0, 4, 1, 5, 2, 6, 3, 7};
    scene s;
    const int32_t kept[] = {2};
    dp_model *smaller;
    float wanted[32], found[32];

    open_scene(&s);
    write_quantized(&s, 2);
    dp_model *model = open_model(&s, "q.gguf");
    ck_assert_int_eq(dpi_model_keep(model, kept, 1, NULL, &smaller, NULL), DP_OK);
    must_save(&s, smaller, "out.gguf", -1, -1);
    dp_model *copied = open_model(&s, "out.gguf");
    assert_same_weights(smaller, copied);
    must_save(&s, smaller, "out", DP_FORMAT_HF, -1);
    dp_model *plain = open_model(&s, "out");
    ck_assert_int_eq(plain->embedding->type, DP_F16);
    ck_assert_int_eq(plain->norm->type, DP_F16);
    const dpi_tensor *from = smaller->blocks[0].weights[DPI_Q], *to = plain->blocks[0].weights[DPI_Q];
    for (int row = 0; row < 32; row++) {
        const int there = row / 8 * 8 + order[row % 8]; // in the directory, of GGUF's row `row`
        dpi_to_f32(DP_Q8_0, from->data + row * 34, 32, wanted);
        dpi_to_f32(DP_F16, to->data + there * 64, 32, found);
        ck_assert_mem_eq(wanted, found, sizeof wanted);
    }
    dp_model_free(model);
    dp_model_free(smaller);
    dp_model_free(copied);
    dp_model_free(plain);
    close_scene(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {comes_back_the_same,       permutes_rows_of_q_and_k,
                                  writes_exactly_typed_keys, copies_keys_but_for_what_pruning_changes,
                                  carries_scaling_both_ways, converts_types,
                                  treats_block_types,        refuses_vectors_in_block_types};
    return dpt_run("model/save_gguf", tests, sizeof tests / sizeof *tests);
}
