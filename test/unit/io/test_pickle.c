// Pickles: those of PyTorch, and everything that is none: other names, other calls, stacks and memos that lie.
#include "io/pickle.h"
#include "test/unit/io/support.h"
#include "test/unit/io/torch_support.h"

enum { BASE = 1000 }; // where the pickle lies in its file

static int read_pickle(dp_context *context, const void *from, size_t size, dpi_pickled **out, size_t *count,
                       dp_error *error)
{
    const uint64_t used = context->memory.used;
    dpi_storage *storage = exact_storage(context, from, size);
    const dpi_pickle_input input = {
        .bytes = dpi_storage_bytes(storage), .size = size, .file = "m.bin", .offset = BASE};
    const int rc = dpi_pickle_read(out, count, &context->memory, &input, error);

    for (size_t i = 0; !rc && i < *count; i++) { // names are places of the bytes, which go away
        (*out)[i].name = (const char *)from + ((*out)[i].name - (const char *)input.bytes);
        (*out)[i].key = (const char *)from + ((*out)[i].key - (const char *)input.bytes);
    }
    dpi_storage_drop(storage);
    if (rc)
        ck_assert_uint_eq(context->memory.used, used);
    return rc;
}

// Pieces of protocol 2; a text is a length byte and the text, padded here to four bytes of length.
#define BEGIN "\x80\2"
#define TEXT(size, text) "X" size "\0\0\0" text
#define ORDERED "ccollections\nOrderedDict\n)R"
#define TENSOR_CALL "ctorch._utils\n_rebuild_tensor_v2\n"
#define STORAGE_OF(class, key, count) "(" TEXT("\7", "storage") class TEXT("\1", key) TEXT("\3", "cpu") count "tQ"
#define FLOATS "ctorch\nFloatStorage\n"
#define STORAGE STORAGE_OF(FLOATS, "0", "K\3")
#define CALL(arguments) "(" arguments "tR"
#define TENSOR TENSOR_CALL CALL(STORAGE "K\0K\3\x85K\1\x85\x89" ORDERED)
#define W TEXT("\1", "w")

typedef struct hostile {
    const char *bytes;
    size_t size;
    int32_t code;
    int64_t offset; // of the opcode, or -1: the last byte
    const char *item, *message;
} hostile;

#define CASE(bytes, code, offset, item, message)                                                                   \
    {                                                                                                              \
        bytes, sizeof(bytes) - 1, code, offset, item, message                                                      \
    }
#define FORMAT(bytes, message) CASE(bytes, DP_E_FORMAT, -1, "", message)
#define NO_STATE "no part of a state dict"
#define EMPTY "takes a value from an empty stack"
#define OTHER(code) CASE(BEGIN code, DP_E_UNSUPPORTED, 2, "", NO_STATE)
#define NAME(module, name) CASE(BEGIN "c" module "\n" name "\n)R.", DP_E_UNSUPPORTED, 2, module "." name, NO_STATE)

static const hostile cases[] = {
    CASE("", DP_E_FORMAT, 0, "", "does not begin as a pickle"),
    CASE("\x80", DP_E_FORMAT, 0, "", "does not begin as a pickle"),
    CASE("(dp0\n.", DP_E_FORMAT, 0, "", "does not begin as a pickle"),
    CASE("\x80\1}.", DP_E_UNSUPPORTED, 0, "", "protocol 1, 2 to 5"),
    CASE("\x80\6}.", DP_E_UNSUPPORTED, 0, "", "protocol 6, 2 to 5"),
    CASE("\x80\xff}.", DP_E_UNSUPPORTED, 0, "", "protocol 255"),
    // What a pickle can have Python do.
    NAME("os", "system"),
    NAME("posix", "system"),
    NAME("builtins", "eval"),
    NAME("builtins", "getattr"),
    NAME("subprocess", "Popen"),
    NAME("torch", "load"),
    NAME("torch._utils", "_rebuild_tensor"),
    NAME("torch._utils", "_rebuild_tensor_v3"),
    NAME("torch._utils", "_rebuild_qtensor"),
    NAME("torch._utils", "_rebuild_parameter_with_state"),
    NAME("torch.nn.modules.linear", "Linear"),
    NAME("argparse", "Namespace"),
    NAME("numpy.core.multiarray", "scalar"),
    NAME("collections", "OrderedDict.update"),
    NAME("collections", "OrderedDic"),
    NAME("", ""),
    NAME("torch", "FloatStorage "),
    CASE(BEGIN TEXT("\2", "os") TEXT("\6", "system") "\x93)R.", DP_E_UNSUPPORTED, 20, "os.system", NO_STATE),
    CASE(BEGIN FLOATS ")R.", DP_E_UNSUPPORTED, 23, "torch.FloatStorage", "calls this"),
    CASE(BEGIN FLOATS "K\1\x85R.", DP_E_UNSUPPORTED, -2, "torch.FloatStorage", "calls this"),
    CASE(BEGIN "ccollections\nOrderedDict\n]\x85R.", DP_E_UNSUPPORTED, -2, "collections.OrderedDict",
         "has 1 arguments"),
    CASE(BEGIN ORDERED "}" TEXT("\10", "__dict__") "}sb.", DP_E_UNSUPPORTED, -2, "collections.OrderedDict",
         "a member other than _metadata"),
    CASE(BEGIN ORDERED "}(" TEXT("\11", "_metadata") "NK\1Nub.", DP_E_UNSUPPORTED, -2, "collections.OrderedDict",
         "a member other than _metadata"),
    CASE(BEGIN "}}b.", DP_E_UNSUPPORTED, -2, "", "gives state to a dict"),
    CASE(BEGIN "ccollections\nOrderedDict\n}b.", DP_E_UNSUPPORTED, -2, "", "gives state to a name"),
    CASE(BEGIN TENSOR "}b.", DP_E_UNSUPPORTED, -2, "", "gives state to a tensor"),
    CASE(BEGIN "}b.", DP_E_UNSUPPORTED, -2, "", "gives state to nothing"),
    CASE(BEGIN ORDERED "Nb.", DP_E_FORMAT, -2, "", "takes None, expected a dict"),
    OTHER("ios\nsystem\n"),  // INST
    OTHER("o"),              // OBJ
    OTHER("P0\n"),           // PERSID
    OTHER("\x81"),           // NEWOBJ
    OTHER("\x92"),           // NEWOBJ_EX
    OTHER("\x82\1"),         // EXT1
    OTHER("\x83\1\0"),       // EXT2
    OTHER("\x84\1\0\0\0"),   // EXT4
    OTHER("\x80\2"),         // PROTO again
    OTHER("0"),              // POP
    OTHER("1"),              // POP_MARK
    OTHER("2"),              // DUP
    OTHER("d"),              // DICT
    OTHER("l"),              // LIST
    OTHER("p0\n"),           // PUT
    OTHER("g0\n"),           // GET
    OTHER("I1\n"),           // INT
    OTHER("F1\n"),           // FLOAT
    OTHER("B\0\0\0\0"),      // BINBYTES
    OTHER("\x8b\1\0\0\0\1"), // LONG4
    OTHER("\x8f"),           // EMPTY_SET
    OTHER("\x97"),           // NEXT_BUFFER
    OTHER("\xff"),
    OTHER("\0"),
    // Stacks.
    CASE(BEGIN, DP_E_FORMAT, 2, "", "ends without its last opcode"),
    CASE(BEGIN "}", DP_E_FORMAT, 3, "", "ends without its last opcode"),
    CASE(BEGIN "}..", DP_E_FORMAT, 3, "", "1 bytes follow"),
    FORMAT(BEGIN ".", "0 values are left on the stack"),
    FORMAT(BEGIN "}}.", "2 values are left on the stack"),
    FORMAT(BEGIN "(.", EMPTY),
    CASE(BEGIN "R", DP_E_FORMAT, 2, "", EMPTY),
    CASE(BEGIN ")R", DP_E_FORMAT, 3, "", EMPTY),
    CASE(BEGIN "))R", DP_E_FORMAT, 4, "", "takes a tuple, expected a name"),
    CASE(BEGIN "(R", DP_E_FORMAT, 3, "", EMPTY),
    CASE(BEGIN "Q", DP_E_FORMAT, 2, "", EMPTY),
    CASE(BEGIN "b", DP_E_FORMAT, 2, "", EMPTY),
    CASE(BEGIN "\x93", DP_E_FORMAT, 2, "", EMPTY),
    CASE(BEGIN "K\1K\1\x93", DP_E_FORMAT, 6, "", "takes an integer, expected a text"),
    CASE(BEGIN "t", DP_E_FORMAT, 2, "", "needs a mark"),
    CASE(BEGIN "u", DP_E_FORMAT, 2, "", "needs a mark"),
    CASE(BEGIN "e", DP_E_FORMAT, 2, "", "needs a mark"),
    CASE(BEGIN "\x85", DP_E_FORMAT, 2, "", EMPTY),
    CASE(BEGIN "N\x86", DP_E_FORMAT, 3, "", EMPTY),
    CASE(BEGIN "N(N\x87", DP_E_FORMAT, 5, "", EMPTY),
    CASE(BEGIN "a", DP_E_FORMAT, 2, "", EMPTY),
    CASE(BEGIN "Na", DP_E_FORMAT, 3, "", EMPTY),
    CASE(BEGIN "}Na", DP_E_FORMAT, 4, "", "adds to a dict, expected a list"),
    CASE(BEGIN "(Ne", DP_E_FORMAT, 4, "", EMPTY),
    CASE(BEGIN "}(Ne", DP_E_FORMAT, 5, "", "adds to a dict, expected a list"),
    CASE(BEGIN "NNs", DP_E_FORMAT, 4, "", EMPTY),
    CASE(BEGIN "]NNs", DP_E_FORMAT, 5, "", "adds to a list, expected a dict"),
    CASE(BEGIN "}(Ns", DP_E_FORMAT, 5, "", EMPTY),
    CASE(BEGIN "(NNu", DP_E_FORMAT, 5, "", EMPTY),
    CASE(BEGIN "]()u", DP_E_FORMAT, 5, "", "adds to a list, expected a dict"),
    CASE(BEGIN "}(Nu", DP_E_FORMAT, 5, "", "a key of a dict has no value"),
    CASE(BEGIN "((u", DP_E_FORMAT, 4, "", "adds to a mark, expected a dict"),
    // The memo.
    CASE(BEGIN "h\0", DP_E_FORMAT, 2, "", "value 0 is recalled"),
    CASE(BEGIN "}q\1h\0", DP_E_FORMAT, 5, "", "value 0 is recalled"),
    CASE(BEGIN "}q\0h\1", DP_E_FORMAT, 5, "", "value 1 is recalled"),
    CASE(BEGIN "j\xff\xff\xff\xff", DP_E_FORMAT, 2, "", "value 4294967295 is recalled"),
    CASE(BEGIN "}r\xff\xff\xff\xff", DP_E_FORMAT, 3, "", "value 4294967295 is remembered"),
    CASE(BEGIN "}r\0\0\0\1", DP_E_FORMAT, 3, "", "value 16777216 is remembered"),
    CASE(BEGIN "}q\3", DP_E_FORMAT, 3, "", "value 3 is remembered"),
    CASE(BEGIN "q\0", DP_E_FORMAT, 2, "", EMPTY),
    CASE(BEGIN "(q\0", DP_E_FORMAT, 3, "", EMPTY),
    CASE(BEGIN "\x94", DP_E_FORMAT, 2, "", EMPTY),
    // Numbers and texts that pass the end.
    CASE(BEGIN "K", DP_E_FORMAT, 2, "", "needs 1 bytes, 0 are left"),
    CASE(BEGIN "M\1", DP_E_FORMAT, 2, "", "needs 2 bytes, 1 are left"),
    CASE(BEGIN "J\1\1\1", DP_E_FORMAT, 2, "", "needs 4 bytes, 3 are left"),
    CASE(BEGIN "G\1\1\1", DP_E_FORMAT, 2, "", "needs 8 bytes, 3 are left"),
    CASE(BEGIN "\x8a\x05\1", DP_E_FORMAT, 2, "", "needs 5 bytes, 1 are left"),
    CASE(BEGIN "\x8a\x09\0\0\0\0\0\0\0\0\1.", DP_E_FORMAT, 2, "", "an integer of 9 bytes"),
    CASE(BEGIN "X\2\0\0\0a", DP_E_FORMAT, 2, "", "needs 2 bytes, 1 are left"),
    CASE(BEGIN "X\xff\xff\xff\xff"
               "a",
         DP_E_FORMAT, 2, "", "needs 4294967295 bytes, 1 are left"),
    CASE(BEGIN "\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
               "a",
         DP_E_FORMAT, 2, "", "needs 18446744073709551615 bytes"),
    CASE(BEGIN "\x8c\2a", DP_E_FORMAT, 2, "", "needs 2 bytes, 1 are left"),
    CASE(BEGIN TEXT("\1", "\xff") ".", DP_E_FORMAT, 2, "", "not UTF-8"),
    CASE(BEGIN TEXT("\2", "\xc0\xaf") ".", DP_E_FORMAT, 2, "", "not UTF-8"),
    CASE(BEGIN TEXT("\3", "\xed\xa0\x80") ".", DP_E_FORMAT, 2, "", "not UTF-8"),
    CASE(BEGIN TEXT("\2", "a\0") ".", DP_E_FORMAT, 2, "", "not UTF-8 without zero bytes"),
    CASE(BEGIN "c", DP_E_FORMAT, 2, "", "name does not end"),
    CASE(BEGIN "cos", DP_E_FORMAT, 2, "", "name does not end"),
    CASE(BEGIN "cos\nsystem", DP_E_FORMAT, 2, "", "name does not end"),
    CASE(BEGIN "\x95\xff\xff\xff\xff\xff\xff\xff\xff}.", DP_E_FORMAT, 2, "", "a frame of 18446744073709551615"),
    CASE(BEGIN "\x95\3\0\0\0\0\0\0\0}.", DP_E_FORMAT, 2, "", "a frame of 3 bytes, 2 are left"),
    // What is no state dict.
    FORMAT(BEGIN "].", "holds a list, expected a dict"),
    FORMAT(BEGIN "N.", "holds None, expected a dict"),
    FORMAT(BEGIN TENSOR ".", "holds a tensor, expected a dict"),
    FORMAT(BEGIN "}.", "holds no tensors"),
    FORMAT(BEGIN ORDERED ".", "holds no tensors"),
    FORMAT(BEGIN "}" TEXT("\5", "model") "}s.", "holds no tensors"),
    FORMAT(BEGIN "}" TEXT("\6", "models") "}" W TENSOR "ss.", "holds no tensors"),
    FORMAT(BEGIN "}" TEXT("\5", "model") "}" TEXT("\5", "model") "}" W TENSOR "sss.", "holds no tensors"),
    FORMAT(BEGIN "}q\0" TEXT("\5", "model") "h\0s.", "holds no tensors"), // a dict in itself
    CASE(BEGIN "}(" W TENSOR TEXT("\1", "v") "K\1u.", DP_E_FORMAT, -1, "v", "is an integer, expected a tensor"),
    CASE(BEGIN "}(" W TENSOR TEXT("\1", "v") "Nu.", DP_E_FORMAT, -1, "v", "is None, expected a tensor"),
    CASE(BEGIN "}(" W TENSOR TEXT("\1", "v") "}u.", DP_E_FORMAT, -1, "v", "is a dict, expected a tensor"),
    CASE(BEGIN "}(" W TENSOR TEXT("\1", "v") STORAGE "u.", DP_E_FORMAT, -1, "v", "is a storage, expected"),
    CASE(BEGIN "}K\1" TENSOR "s.", DP_E_FORMAT, -1, "", "a key of the state dict is an integer"),
    CASE(BEGIN "}(" W TENSOR W TENSOR "u.", DP_E_FORMAT, -2, "w", "has this tensor twice"),
    CASE(BEGIN "}(" W "q\0" TENSOR "q\1h\0h\1u.", DP_E_FORMAT, -2, "w", "has this tensor twice"),
    // Storages.
    CASE(BEGIN "NQ", DP_E_FORMAT, 3, "", "takes None, expected a tuple"),
    CASE(BEGIN ")Q", DP_E_FORMAT, 3, "", "the persistent id is not"),
    CASE(BEGIN "(" TEXT("\6", "module") FLOATS W W "K\1tQ", DP_E_FORMAT, -1, "", "the persistent id is not"),
    CASE(BEGIN "(" TEXT("\7", "storage") FLOATS W W "NtQ", DP_E_FORMAT, -1, "", "the persistent id is not"),
    CASE(BEGIN "(" TEXT("\7", "storage") FLOATS W W "tQ", DP_E_FORMAT, -1, "", "the persistent id is not"),
    CASE(BEGIN "(" TEXT("\7", "storage") FLOATS "K\0" W "K\1tQ", DP_E_FORMAT, -1, "", "the persistent id is not"),
    CASE(BEGIN "(" TEXT("\7", "storage") "}" W W "K\1tQ", DP_E_FORMAT, -1, "", "the persistent id is not"),
    CASE(BEGIN STORAGE_OF("ccollections\nOrderedDict\n", "0", "K\1"), DP_E_FORMAT, -1, "collections.OrderedDict",
         "is given as a class of storage"),
    CASE(BEGIN STORAGE_OF(FLOATS, "0", "J\xff\xff\xff\xff"), DP_E_FORMAT, -1, "torch.FloatStorage",
         "a storage of -1 elements"),
    // Tensors.
    CASE(BEGIN TENSOR_CALL ")R", DP_E_FORMAT, -1, "torch._utils._rebuild_tensor_v2", "has 0 arguments"),
    CASE(BEGIN TENSOR_CALL CALL(STORAGE "K\0))\x89"), DP_E_FORMAT, -1, NULL, "has 5 arguments, expected 6 or 7"),
    CASE(BEGIN TENSOR_CALL CALL(STORAGE "K\0))\x89}NN"), DP_E_FORMAT, -1, NULL, "has 8 arguments"),
    CASE(BEGIN TENSOR_CALL CALL("NK\0))\x89}"), DP_E_FORMAT, -1, NULL, "storage is None"),
    CASE(BEGIN TENSOR_CALL CALL(TENSOR "K\0))\x89}"), DP_E_FORMAT, -1, NULL, "storage is a tensor"),
    CASE(BEGIN TENSOR_CALL CALL(STORAGE "N))\x89}"), DP_E_FORMAT, -1, NULL, "first element is no whole number"),
    CASE(BEGIN TENSOR_CALL CALL(STORAGE "J\xff\xff\xff\xff))\x89}"), DP_E_FORMAT, -1, NULL, "first element is no"),
    CASE(BEGIN TENSOR_CALL CALL(STORAGE "K\0])\x89}"), DP_E_FORMAT, -1, NULL, "shape is a list"),
    CASE(BEGIN TENSOR_CALL CALL(STORAGE "K\0)K\1\x89}"), DP_E_FORMAT, -1, NULL, "strides is an integer"),
    CASE(BEGIN TENSOR_CALL CALL(STORAGE "K\0N\x85)\x89}"), DP_E_FORMAT, -1, NULL, "shape holds what is no"),
    CASE(BEGIN TENSOR_CALL CALL(STORAGE "K\0J\xff\xff\xff\xff\x85)\x89}"), DP_E_FORMAT, -1, NULL, "shape holds"),
    CASE(BEGIN TENSOR_CALL CALL(STORAGE "K\0K\1\x85\x88\x85\x89}"), DP_E_FORMAT, -1, NULL, "strides holds"),
    CASE(BEGIN TENSOR_CALL CALL(STORAGE "K\0K\1\x85)\x89}"), DP_E_FORMAT, -1, NULL, "1 dimensions and 0 strides"),
    CASE(BEGIN TENSOR_CALL CALL(STORAGE "K\0(K\1K\1K\1K\1K\1t)\x89}"), DP_E_UNSUPPORTED, -1, NULL,
         "shape has 5 numbers"),
    CASE(BEGIN TENSOR_CALL CALL(STORAGE "K\0))N}"), DP_E_UNSUPPORTED, -1, NULL, "has hooks"),
    CASE(BEGIN TENSOR_CALL CALL(STORAGE "K\0))\x89N"), DP_E_UNSUPPORTED, -1, NULL, "has hooks"),
    CASE(BEGIN TENSOR_CALL CALL(STORAGE "K\0))\x89}" W "Ns"), DP_E_UNSUPPORTED, -1, NULL, "has hooks"),
    CASE(BEGIN TENSOR_CALL CALL(STORAGE "K\0))\x89}}" W "Ns"), DP_E_UNSUPPORTED, -1, NULL, "has metadata"),
    CASE(BEGIN "ctorch._utils\n_rebuild_parameter\n)R", DP_E_FORMAT, -1, NULL, "not a tensor,"),
    CASE(BEGIN "ctorch._utils\n_rebuild_parameter\n" CALL("N\x88}"), DP_E_FORMAT, -1,
         "torch._utils._rebuild_parameter", "not a tensor, a boolean and an empty dict"),
    CASE(BEGIN "ctorch._utils\n_rebuild_parameter\n" CALL(TENSOR "N}"), DP_E_FORMAT, -1, NULL, "not a tensor,"),
    CASE(BEGIN "ctorch._utils\n_rebuild_parameter\n" CALL(TENSOR "\x88}N"), DP_E_FORMAT, -1, NULL, "not a tensor,"),
    CASE(BEGIN "ctorch._utils\n_rebuild_parameter\n" CALL(TENSOR "\x88}" W "Ns"), DP_E_FORMAT, -1, NULL,
         "not a tensor,"),
};

START_TEST(refuses_hostile_pickles)
{
    const hostile *c = &cases[_i];
    dp_context *context = new_context();
    dpi_pickled *out = NULL;
    size_t count = 0;
    dp_error error = {.code = 0};

    ck_assert_msg(read_pickle(context, c->bytes, c->size, &out, &count, &error) == c->code, "%d: %s: %s",
                  error.code, error.item, error.message);
    ck_assert_ptr_null(out);
    ck_assert_uint_eq(count, 0);
    ck_assert_str_eq(error.file, "m.bin");
    if (c->item)
        ck_assert_str_eq(error.item, c->item);
    ck_assert_msg(strstr(error.message, c->message), "%s: %s", c->message, error.message);
    if (c->offset >= -1)
        ck_assert_msg(error.offset == BASE + (c->offset < 0 ? (int64_t)c->size - 1 : c->offset), "%s at %lld",
                      error.message, (long long)error.offset);
    dpi_context_drop(context);
}
END_TEST

static int is_name(const dpi_pickled *t, const char *name)
{
    return t->name_size == strlen(name) && memcmp(t->name, name, t->name_size) == 0;
}

START_TEST(reads_a_state_dict)
{
    static const saved tensors[] = {
        {"w", "FloatStorage", "0", 12, 0, 2, {4, 3}, {3, 1}},
        {"b", "BFloat16Storage", "1", 70000, 300, 1, {65000}, {1}},
        {"s", "HalfStorage", "2", (int64_t)1 << 40, 1, 0, {0}, {0}},
        {"d", "DoubleStorage", "3", 16, 0, 4, {2, 2, 2, 2}, {8, 4, 2, 1}},
        {"n", "LongStorage", "4", 0, 0, 1, {0}, {1}},
    };
    const pile pickle = pickle_of(tensors, 5);
    dp_context *context = new_context();
    dpi_pickled *out = NULL;
    size_t count = 0;

    ck_assert_int_eq(read_pickle(context, pickle.at, pickle.size, &out, &count, NULL), DP_OK);
    ck_assert_uint_eq(count, 5);
    ck_assert(is_name(&out[0], "b")); // by name
    ck_assert_int_eq(out[0].type, DP_BF16);
    ck_assert_int_eq(out[0].elements, 70000);
    ck_assert_int_eq(out[0].first, 300);
    ck_assert_int_eq(out[0].shape[0], 65000);
    ck_assert(is_name(&out[1], "d"));
    ck_assert_int_eq(out[1].dims, 4);
    ck_assert_int_eq(out[1].strides[0], 8);
    ck_assert_int_eq(out[1].type, DP_F64);
    ck_assert_int_eq(out[2].type, -1);
    ck_assert_str_eq(out[2].type_name, "LongStorage");
    ck_assert_int_eq(out[2].width, 8);
    ck_assert(is_name(&out[3], "s"));
    ck_assert_int_eq(out[3].dims, 0);
    ck_assert_int_eq(out[3].elements, (int64_t)1 << 40);
    ck_assert(is_name(&out[4], "w"));
    ck_assert_int_eq(out[4].key[0], '0');
    ck_assert_uint_eq(out[4].key_size, 1);
    ck_assert_int_eq(pickle.at[out[4].at], 'R');
    dpi_free(&context->memory, out);
    dpi_context_drop(context);
    free(pickle.at);
}
END_TEST

static void reads(const char *from, size_t size, const char *name)
{
    dp_context *context = new_context();
    dpi_pickled *out = NULL;
    size_t count = 0;
    dp_error error = {.code = 0};

    ck_assert_msg(read_pickle(context, from, size, &out, &count, &error) == DP_OK, "%s: %s", name, error.message);
    ck_assert_uint_eq(count, 1);
    ck_assert_msg(is_name(out, name), "%s", name);
    dpi_free(&context->memory, out);
    dpi_context_drop(context);
}

#define READS(bytes, name) reads(bytes, sizeof(bytes) - 1, name)

START_TEST(reads_what_others_may_write)
{
    READS("\x80\3}" W TENSOR "s.", "w");
    READS("\x80\5}\x8c\1w" TENSOR "s.", "w");
    READS("\x80\4\x95\2\0\0\0\0\0\0\0}\x94\x8d\1\0\0\0\0\0\0\0w" TENSOR "s.", "w"); // a frame that is too short
    READS(BEGIN ORDERED "(" W TENSOR "u}" TEXT("\11", "_metadata") ORDERED "sb.", "w");
    READS(BEGIN ORDERED "(" W TENSOR "u}b.", "w");
    READS(BEGIN "}" W "ctorch._utils\n_rebuild_parameter\n" CALL(TENSOR "\x88" ORDERED) "s.", "w");
    READS(BEGIN "}" W TENSOR_CALL CALL(STORAGE "K\0K\3\x85K\1\x85\x88" ORDERED "N") "s.", "w"); // with metadata
    READS(BEGIN "}" W TENSOR_CALL CALL(STORAGE "K\0K\3\x85K\1\x85\x88" ORDERED "}") "s.", "w");
    READS(BEGIN "}" TEXT("\0", "") TENSOR "s.", "");
    READS(BEGIN "}q\1(" TEXT("\5", "epoch") "\x8a\0" TEXT("\12", "state_dict") "}" W TENSOR "su.", "w");
    READS(BEGIN "}(" TEXT("\5", "model") "}" W TENSOR "s" TEXT("\12", "state_dict") "}" TEXT("\1", "v") TENSOR
          "su.",
          "v"); // state_dict goes before model
    READS(BEGIN "}(" TEXT("\5", "model") "K\1" TEXT("\5", "model") "}" W TENSOR "su.", "w");
}
END_TEST

START_TEST(reads_integers_of_every_size)
{
    static const int64_t numbers[] = {
        0,        255, 256, 65535, 65536, INT32_MAX, (int64_t)INT32_MAX + 1, (int64_t)1 << 39, (int64_t)1 << 40,
        INT64_MAX};
    dp_context *context = new_context();

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const saved tensor = {"w", "FloatStorage", "0", numbers[i], numbers[i], 1, {numbers[i]}, {numbers[i]}};
        const pile pickle = pickle_of(&tensor, 1);
        dpi_pickled *out = NULL;
        size_t count = 0;
        ck_assert_int_eq(read_pickle(context, pickle.at, pickle.size, &out, &count, NULL), DP_OK);
        ck_assert_int_eq(out->elements, numbers[i]);
        ck_assert_int_eq(out->first, numbers[i]);
        ck_assert_int_eq(out->shape[0], numbers[i]);
        ck_assert_int_eq(out->strides[0], numbers[i]);
        dpi_free(&context->memory, out);
        free(pickle.at);
    }
    dpi_context_drop(context);
}
END_TEST

START_TEST(refuses_a_key_that_is_too_long)
{
    char key[257];
    const saved tensor = {"w", "FloatStorage", key, 1, 0, 1, {1}, {1}};
    dp_context *context = new_context();
    dpi_pickled *out = NULL;
    size_t count = 0;
    dp_error error;

    memset(key, 'k', sizeof key);
    key[256] = 0;
    const pile longer = pickle_of(&tensor, 1);
    ck_assert_int_eq(read_pickle(context, longer.at, longer.size, &out, &count, &error), DP_E_FORMAT);
    ck_assert_ptr_nonnull(strstr(error.message, "key of 256 bytes, at most 255"));
    key[255] = 0;
    const pile fits = pickle_of(&tensor, 1);
    ck_assert_int_eq(read_pickle(context, fits.at, fits.size, &out, &count, &error), DP_OK);
    dpi_free(&context->memory, out);
    dpi_context_drop(context);
    free(longer.at);
    free(fits.at);
}
END_TEST

START_TEST(fails_at_every_cut)
{
    static const saved tensors[] = {{"w", "FloatStorage", "0", 12, 0, 2, {4, 3}, {3, 1}},
                                    {"v", "FloatStorage", "0", 12, 0, 2, {4, 3}, {3, 1}}};
    const pile pickle = pickle_of(tensors, 2);
    dp_context *context = new_context();
    dpi_pickled *out = NULL;
    size_t count = 0;

    for (size_t size = 0; size < pickle.size; size++) {
        dp_error error = {.code = 0};
        ck_assert_int_eq(read_pickle(context, pickle.at, size, &out, &count, &error), DP_E_FORMAT);
        ck_assert_int_le(error.offset, (int64_t)(BASE + size));
    }
    ck_assert_ptr_null(out);
    dpi_context_drop(context);
    free(pickle.at);
}
END_TEST

START_TEST(survives_any_byte_changed)
{
    static const saved tensors[] = {{"w", "FloatStorage", "0", 12, 0, 2, {4, 3}, {3, 1}},
                                    {"v", "FloatStorage", "0", 12, 0, 2, {4, 3}, {3, 1}}};
    const pile pickle = pickle_of(tensors, 2);
    dp_context *context = new_context();

    for (size_t at = 0; at < pickle.size; at++)
        for (int value = 0; value < 256; value++) {
            const unsigned char before = pickle.at[at];
            dpi_pickled *out = NULL;
            size_t count = 0;
            pickle.at[at] = (unsigned char)value;
            if (read_pickle(context, pickle.at, pickle.size, &out, &count, NULL) == DP_OK)
                dpi_free(&context->memory, out);
            pickle.at[at] = before;
        }
    dpi_context_drop(context);
    free(pickle.at);
}
END_TEST

// A few bytes again and again, half of what is allowed, in reasonable time and memory.
static void repeat(const char *head, size_t head_size, const char *piece, size_t piece_size, const char *tail,
                   const char *message)
{
    const size_t most = 4 << 20;
    pile p = {.size = 0};
    dp_context *context = new_context();
    dpi_pickled *out = NULL;
    size_t count = 0;
    dp_error error = {.message = ""};

    pile_add(&p, head, head_size);
    while (p.size + piece_size + strlen(tail) <= most)
        pile_add(&p, piece, piece_size);
    pile_text(&p, tail);
    const dpi_pickle_input input = {.bytes = p.at, .size = p.size, .file = "m", .offset = 0};
    const int rc = dpi_pickle_read(&out, &count, &context->memory, &input, &error);
    ck_assert_msg(strstr(error.message, message), "%s: %s", message, error.message);
    if (!rc)
        dpi_free(&context->memory, out);
    ck_assert_uint_lt(context->memory.peak, (uint64_t)1 << 28);
    dpi_context_drop(context);
    free(p.at);
}

#define REPEAT(head, piece, tail, message) repeat(head, sizeof(head) - 1, piece, sizeof(piece) - 1, tail, message)

START_TEST(bounds_what_repeats)
{
    REPEAT(BEGIN, "N", "", "more than 1048576 values");
    REPEAT(BEGIN, "(", "", "more than 1048576 values");
    REPEAT(BEGIN, "}", "", "more than 1048576 values");
    REPEAT(BEGIN ")", "\x85", "", "without its last opcode"); // a tuple in a tuple in a tuple ...
    REPEAT(BEGIN "}", "\x94", "", "without its last opcode");
    REPEAT(BEGIN "]", "}a", ".", "holds a list");
    REPEAT(BEGIN "]q\0", "h\0a", ".", "holds a list"); // a list in itself
    REPEAT(BEGIN "}q\0", "NNs", ".", "holds no tensors");
    REPEAT(BEGIN "}q\0", "h\0h\0s", ".", "holds no tensors");
    REPEAT(BEGIN "}" W "q\0" TENSOR "q\1s", "h\0h\1s", ".", "has this tensor twice");
    REPEAT(BEGIN "]ccollections\nOrderedDict\nq\0", "h\0)R\x94", "", "without its last opcode");
    REPEAT(BEGIN "](", "((((((((", "", "more than 1048576 values");
    // The state of a dict is looked at once, however often it is given.
    REPEAT(BEGIN ORDERED "q\0}q\1", "h\0h\1b", "", "without its last opcode");
    REPEAT(BEGIN ORDERED "}q\1b", "h\1b", ".", "holds no tensors");
}
END_TEST

START_TEST(refuses_a_pickle_that_is_too_large)
{
    dp_context *context = new_context();
    dpi_pickled *out = NULL;
    size_t count = 0;
    dp_error error;
    unsigned char *large = calloc(1, (8 << 20) + 1);
    const dpi_pickle_input input = {.bytes = large, .size = (8 << 20) + 1, .file = "m", .offset = 0};

    memcpy(large, "\x80\2}", 3);
    ck_assert_int_eq(dpi_pickle_read(&out, &count, &context->memory, &input, &error), DP_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(error.message, "a pickle of 8388609 bytes, at most 8388608"));
    free(large);
    dpi_context_drop(context);
}
END_TEST

START_TEST(survives_any_allocation_that_fails)
{
    static const char bytes_of[] = BEGIN "}(" W "q\0" TENSOR "q\1" TEXT("\1", "v") "h\1u.";
    const dpi_pickle_input input = {
        .bytes = (const unsigned char *)bytes_of, .size = sizeof bytes_of - 1, .file = "m"};
    dp_context *context = new_context();
    const uint64_t used = context->memory.used;
    dpi_pickled *out = NULL;
    size_t count = 0;
    int rc = DP_E_MEMORY, failures = 0;

    for (uint64_t limit = used + 1; rc == DP_E_MEMORY; limit += 64, failures += rc != DP_OK) {
        context->memory.limit = limit;
        rc = dpi_pickle_read(&out, &count, &context->memory, &input, NULL);
        if (rc)
            ck_assert_uint_eq(context->memory.used, used);
    }
    ck_assert_int_eq(rc, DP_OK);
    ck_assert_int_gt(failures, 7);
    dpi_free(&context->memory, out);
    end_context(context, used);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {reads_a_state_dict,
                                  reads_what_others_may_write,
                                  reads_integers_of_every_size,
                                  refuses_a_key_that_is_too_long,
                                  fails_at_every_cut,
                                  survives_any_byte_changed,
                                  bounds_what_repeats,
                                  refuses_a_pickle_that_is_too_large,
                                  survives_any_allocation_that_fails};
    Suite *suite = suite_create("io/pickle hostile");
    TCase *hostile_pickles = tcase_create("pickles");

    tcase_add_loop_test(hostile_pickles, refuses_hostile_pickles, 0, (int)(sizeof cases / sizeof *cases));
    suite_add_tcase(suite, hostile_pickles);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return dpt_run("io/pickle", tests, sizeof tests / sizeof *tests) || failed;
}
