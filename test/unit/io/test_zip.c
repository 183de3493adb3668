// Zip archives: as PyTorch and other programs write them, and each way in which the records can disagree.
#include "io/zip.h"
#include "test/unit/io/support.h"
#include "test/unit/io/torch_golden.h"
#include "test/unit/io/torch_support.h"

static const zip_style PYTORCH = {.plain = 0}, PLAIN = {.plain = 1}, WIDE = {.plain = 1, .wide = 1};

// Members of 10, 0 and 70 bytes.
static pile three_members(const zip_style *style)
{
    zip_out z = {.style = *style};
    char data[70];

    memset(data, 'd', sizeof data);
    zip_add(&z, "r/first", "0123456789", 10);
    zip_add(&z, "r/empty", "", 0);
    zip_add(&z, "r/last", data, sizeof data);
    return zip_end(&z);
}

static int read_pile(dp_context *context, const pile *file, dpi_zip **out, dp_error *error)
{
    const uint64_t used = context->memory.used;
    dpi_storage *storage = exact_storage(context, file->at, file->size);
    const int rc = dpi_zip_read(out, &context->memory, dpi_storage_bytes(storage), file->size, "m.bin", error);

    dpi_storage_drop(storage);
    if (rc)
        ck_assert_uint_eq(context->memory.used, used);
    return rc;
}

static void check_three(const pile *file)
{
    dp_context *context = new_context();
    const uint64_t used = context->memory.used;
    dpi_zip *zip = NULL;
    dp_error error;

    ck_assert_msg(read_pile(context, file, &zip, &error) == DP_OK, "%s", error.message);
    ck_assert_uint_eq(zip->count, 3);
    ck_assert_str_eq(zip->first, "r/first");
    ck_assert_ptr_null(dpi_zip_find(zip, "r/"));
    ck_assert_ptr_null(dpi_zip_find(zip, "r/firsts"));
    const dpi_zip_entry *first = dpi_zip_find(zip, "r/first"), *last = dpi_zip_find(zip, "r/last");
    ck_assert_uint_eq(first->size, 10);
    ck_assert_mem_eq(file->at + first->data, "0123456789", 10);
    ck_assert_uint_eq(dpi_zip_find(zip, "r/empty")->size, 0);
    ck_assert_uint_eq(last->size, 70);
    ck_assert_int_eq(file->at[last->data], 'd');
    ck_assert_int_eq(file->at[last->data + 69], 'd');
    ck_assert_int_eq(last->method, 0);
    dpi_zip_free(zip);
    end_context(context, used);
}

START_TEST(reads_every_style)
{
    static const zip_style styles[] = {{.plain = 0},
                                       {.plain = 1},
                                       {.plain = 1, .wide = 1},
                                       {.wide = 1},
                                       {.unaligned = 1},
                                       {.plain = 1, .comment = "a comment"},
                                       {.comment = "PK\5\6 is no record here, nor is PK\5\6"}};

    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        const pile file = three_members(&styles[i]);
        check_three(&file);
        free(file.at);
    }
}
END_TEST

START_TEST(reads_an_empty_archive)
{
    zip_out z = {.style = PLAIN};
    const pile file = zip_end(&z);
    dp_context *context = new_context();
    dpi_zip *zip = NULL;

    ck_assert_int_eq(read_pile(context, &file, &zip, NULL), DP_OK);
    ck_assert_uint_eq(zip->count, 0);
    ck_assert_ptr_null(zip->first);
    ck_assert_ptr_null(dpi_zip_find(zip, "a"));
    dpi_zip_free(zip);
    dpi_zip_free(NULL);
    dpi_context_drop(context);
    free(file.at);
}
END_TEST

// The writer of these tests makes the bytes that PyTorch makes.
START_TEST(equals_an_archive_of_pytorch)
{
    static const char *const names[] = {"data.pkl",  ".format_version", ".storage_alignment",
                                        "byteorder", "data/0",          "data/1",
                                        "data/2",    "data/3",          "data/4",
                                        "data/5",    "version",         ".data/serialization_id"};
    const pile theirs = {.at = (unsigned char *)(uintptr_t)golden_mixed, .size = sizeof golden_mixed};
    dp_context *context = new_context();
    dpi_zip *zip = NULL;
    zip_out z = {.style = PYTORCH};

    ck_assert_int_eq(read_pile(context, &theirs, &zip, NULL), DP_OK);
    ck_assert_uint_eq(zip->count, sizeof names / sizeof *names);
    for (size_t i = 0; i < zip->count; i++) {
        char name[64];
        snprintf(name, sizeof name, "archive/%s", names[i]);
        const dpi_zip_entry *entry = dpi_zip_find(zip, name);
        ck_assert_ptr_nonnull(entry);
        ck_assert_uint_eq(entry->data % 64, 0);
        zip_add(&z, name, golden_mixed + entry->data, entry->size);
    }
    const pile ours = zip_end(&z);
    ck_assert_uint_eq(ours.size, theirs.size);
    ck_assert_mem_eq(ours.at, theirs.at, ours.size);
    dpi_zip_free(zip);
    dpi_context_drop(context);
    free(ours.at);
}
END_TEST

typedef enum record { LOCAL, CENTRAL, END, END64, LOCATOR } record;

static const char *const signatures[] = {"PK\3\4", "PK\1\2", "PK\5\6", "PK\6\6", "PK\6\7"};

typedef struct lie {
    const zip_style *style;
    record record;
    int number, at, width; // which of them, byte in it
    uint64_t value;
    int32_t code;
    const char *item, *message;
} lie;

#define SAYS_FEWER "the directory has fewer entries"
#define NO_END "the zip archive has no end record"
#define PARTS "in several parts"
#define NO_HEADER "does not point to the member's header"
#define OTHER_SIZE "own header has another size or checksum"

static const lie lies[] = {
    {&PLAIN, END, 0, 0, 4, 0, DP_E_FORMAT, "", NO_END},
    {&PLAIN, END, 0, 20, 2, 1, DP_E_FORMAT, "", NO_END},
    {&PLAIN, END, 0, 4, 2, 1, DP_E_UNSUPPORTED, "", PARTS},
    {&PLAIN, END, 0, 6, 2, 1, DP_E_UNSUPPORTED, "", PARTS},
    {&PLAIN, END, 0, 8, 2, 2, DP_E_UNSUPPORTED, "", PARTS},
    {&PLAIN, END, 0, 8, 4, 2 | 2 << 16, DP_E_FORMAT, "", "more bytes than its entries"},
    {&PLAIN, END, 0, 8, 4, 4 | 4 << 16, DP_E_FORMAT, "", "4 members in a directory of 158 bytes"},
    {&PLAIN, END, 0, 8, 4, 0xffffffff, DP_E_FORMAT, "", "65535 members in a directory of"},
    {&PLAIN, END, 0, 8, 4, 0, DP_E_FORMAT, "", "more bytes than its entries"},
    {&PLAIN, END, 0, 12, 4, 0, DP_E_FORMAT, "", "does not end at byte"},
    {&PLAIN, END, 0, 12, 4, 0xffffffff, DP_E_FORMAT, "", "does not end at byte"},
    {&PLAIN, END, 0, 16, 4, 0, DP_E_FORMAT, "", "does not end at byte"},
    {&PLAIN, END, 0, 16, 4, 0xffffffff, DP_E_FORMAT, "", "does not end at byte"},
    {&PYTORCH, LOCATOR, 0, 4, 4, 1, DP_E_UNSUPPORTED, "", PARTS},
    {&PYTORCH, LOCATOR, 0, 16, 4, 2, DP_E_UNSUPPORTED, "", PARTS},
    {&PYTORCH, LOCATOR, 0, 8, 8, 0, DP_E_FORMAT, "", "does not point to a zip64 end record"},
    {&PYTORCH, LOCATOR, 0, 8, 8, 1 << 20, DP_E_FORMAT, "", "does not point to a zip64 end record"},
    {&PYTORCH, LOCATOR, 0, 8, 8, UINT64_MAX, DP_E_FORMAT, "", "does not point to a zip64 end record"},
    {&PYTORCH, LOCATOR, 0, 8, 8, (uint64_t)1 << 63, DP_E_FORMAT, "", "does not point to a zip64 end record"},
    {&PYTORCH, END64, 0, 4, 8, 45, DP_E_FORMAT, "", "does not end at its locator"},
    {&PYTORCH, END64, 0, 4, 8, UINT64_MAX - 11, DP_E_FORMAT, "", "does not end at its locator"},
    {&PYTORCH, END64, 0, 16, 4, 1, DP_E_UNSUPPORTED, "", PARTS},
    {&PYTORCH, END64, 0, 20, 4, 1, DP_E_UNSUPPORTED, "", PARTS},
    {&PYTORCH, END64, 0, 24, 8, 2, DP_E_UNSUPPORTED, "", PARTS},
    {&PYTORCH, END64, 0, 40, 8, 1, DP_E_FORMAT, "", "contradicts the end record"},
    {&PYTORCH, END64, 0, 48, 8, 1, DP_E_FORMAT, "", "contradicts the end record"},
    {&PYTORCH, END, 0, 8, 4, 2 | 2 << 16, DP_E_FORMAT, "", "contradicts the end record"},
    {&WIDE, END64, 0, 40, 8, UINT64_MAX, DP_E_FORMAT, "", "does not end at byte"},
    {&WIDE, END64, 0, 48, 8, UINT64_MAX - 100, DP_E_FORMAT, "", "does not end at byte"},
    {&WIDE, END64, 0, 32, 8, UINT64_MAX, DP_E_UNSUPPORTED, "", PARTS},
    {&PYTORCH, CENTRAL, 0, 0, 4, 0, DP_E_FORMAT, "", SAYS_FEWER},
    {&PYTORCH, CENTRAL, 2, 0, 4, 0, DP_E_FORMAT, "", SAYS_FEWER},
    {&PYTORCH, CENTRAL, 0, 8, 2, 1, DP_E_UNSUPPORTED, "r/first", "encrypted"},
    {&PYTORCH, CENTRAL, 0, 8, 2, 1 << 6, DP_E_UNSUPPORTED, "r/first", "encrypted"},
    {&PYTORCH, CENTRAL, 0, 8, 2, 1 << 13, DP_E_UNSUPPORTED, "r/first", "encrypted"},
    {&PYTORCH, CENTRAL, 0, 10, 2, 8, DP_E_FORMAT, "r/first", "another kind of storage"},
    {&PLAIN, CENTRAL, 0, 16, 4, 1, DP_E_FORMAT, "r/first", OTHER_SIZE},
    {&PLAIN, CENTRAL, 0, 20, 8, 9 | (uint64_t)9 << 32, DP_E_FORMAT, "r/first", OTHER_SIZE},
    {&PLAIN, CENTRAL, 0, 20, 4, 9, DP_E_FORMAT, "r/first", "its two sizes differ"},
    {&PYTORCH, CENTRAL, 0, 24, 4, 1 << 30, DP_E_FORMAT, "r/first", "its two sizes differ"},
    {&PYTORCH, CENTRAL, 2, 20, 8, 100 | (uint64_t)100 << 32, DP_E_FORMAT, "r/last", "are before the directory"},
    {&PYTORCH, CENTRAL, 2, 20, 8, 0xfffffffe | (uint64_t)0xfffffffe << 32, DP_E_FORMAT, "r/last",
     "the member has 4294967294 bytes"},
    {&PYTORCH, CENTRAL, 0, 20, 8, 80 | (uint64_t)80 << 32, DP_E_FORMAT, "r/empty", "begins inside \"r/first\""},
    {&PYTORCH, CENTRAL, 0, 20, 8, UINT64_MAX, DP_E_FORMAT, "r/first", "no zip64 field"},
    {&PYTORCH, CENTRAL, 0, 28, 2, 8, DP_E_FORMAT, NULL, "another name"},
    {&PYTORCH, CENTRAL, 0, 28, 2, 0xffff, DP_E_FORMAT, "", "passes its end"},
    {&PYTORCH, CENTRAL, 2, 30, 2, 1, DP_E_FORMAT, "", "passes its end"},
    {&PYTORCH, CENTRAL, 2, 32, 2, 1, DP_E_FORMAT, "", "passes its end"},
    {&PYTORCH, CENTRAL, 0, 34, 2, 1, DP_E_UNSUPPORTED, "r/first", "another part"},
    {&PYTORCH, CENTRAL, 0, 42, 4, 1, DP_E_FORMAT, "r/first", NO_HEADER},
    {&PYTORCH, CENTRAL, 0, 42, 4, 0xfffffffe, DP_E_FORMAT, "r/first", NO_HEADER},
    {&PYTORCH, CENTRAL, 0, 42, 4, 0xffffffff, DP_E_FORMAT, "r/first", "no zip64 field"},
    {&PYTORCH, CENTRAL, 0, 46, 2, 'q' | '/' << 8, DP_E_FORMAT, "q/first", "another name"},
    {&PYTORCH, CENTRAL, 0, 48, 1, 0, DP_E_FORMAT, "r/", "zero byte"},
    {&PYTORCH, LOCAL, 0, 0, 4, 0, DP_E_FORMAT, "r/first", NO_HEADER},
    {&PYTORCH, LOCAL, 0, 6, 2, 0x809, DP_E_FORMAT, "r/first", "another kind of storage"},
    {&PYTORCH, LOCAL, 0, 8, 2, 8, DP_E_FORMAT, "r/first", "another kind of storage"},
    {&PYTORCH, LOCAL, 0, 14, 4, 1, DP_E_FORMAT, "r/first", OTHER_SIZE},
    {&PYTORCH, LOCAL, 0, 18, 4, 1, DP_E_FORMAT, "r/first", OTHER_SIZE},
    {&PYTORCH, LOCAL, 0, 22, 4, 11, DP_E_FORMAT, "r/first", OTHER_SIZE},
    {&PYTORCH, LOCAL, 0, 6, 2, 0, DP_E_FORMAT, "r/first", OTHER_SIZE},
    {&PYTORCH, LOCAL, 0, 26, 2, 6, DP_E_FORMAT, "r/first", "another name"},
    {&PYTORCH, LOCAL, 0, 28, 2, 0xffff, DP_E_FORMAT, "r/first", "passes the directory's beginning"},
    {&PYTORCH, LOCAL, 0, 28, 2, 100, DP_E_FORMAT, "r/empty", "begins inside \"r/first\""},
    {&PYTORCH, LOCAL, 0, 30, 1, 'q', DP_E_FORMAT, "r/first", "another name"},
    {&WIDE, CENTRAL, 0, 59, 2, 2, DP_E_FORMAT, "r/first", "no zip64 field"},
    {&WIDE, CENTRAL, 0, 61, 2, 16, DP_E_FORMAT, "r/first", "zip64 field is too short"},
    {&WIDE, CENTRAL, 0, 61, 2, 25, DP_E_FORMAT, "r/first", "no zip64 field"},
    {&WIDE, CENTRAL, 0, 63, 8, UINT64_MAX, DP_E_FORMAT, "r/first", "its two sizes differ"},
    {&WIDE, CENTRAL, 0, 79, 8, (uint64_t)1 << 63, DP_E_FORMAT, "r/first", NO_HEADER},
    {&WIDE, LOCAL, 0, 41, 8, (uint64_t)1 << 63, DP_E_FORMAT, "r/first", OTHER_SIZE},
};

static unsigned char *find_record(const pile *file, record kind, int number)
{
    unsigned char *at = file->at;

    for (;; at++) {
        at = memmem(at, file->size - (size_t)(at - file->at), signatures[kind], 4);
        ck_assert_ptr_nonnull(at);
        if (number-- == 0)
            return at;
    }
}

START_TEST(refuses_records_that_lie)
{
    const lie *l = &lies[_i];
    const pile file = three_members(l->style);
    dp_context *context = new_context();
    dpi_zip *zip = NULL;
    dp_error error = {.code = 0};

    dpi_le_write(find_record(&file, l->record, l->number) + l->at, l->width, l->value);
    ck_assert_msg(read_pile(context, &file, &zip, &error) == l->code, "%d %s: %s", error.code, error.item,
                  error.message);
    ck_assert_ptr_null(zip);
    ck_assert_str_eq(error.file, "m.bin");
    ck_assert_msg(strstr(error.message, l->message), "%s", error.message);
    if (l->item)
        ck_assert_msg(strcmp(error.item, l->item) == 0, "%s: %s", error.item, error.message);
    ck_assert_msg(error.offset >= 0 && error.offset <= (int64_t)file.size, "%lld", (long long)error.offset);
    dpi_context_drop(context);
    free(file.at);
}
END_TEST

START_TEST(refuses_a_name_that_is_there_twice)
{
    zip_out z = {.style = PYTORCH};
    dp_context *context = new_context();
    dpi_zip *zip = NULL;
    dp_error error;

    zip_add(&z, "r/data/0", "a", 1);
    zip_add(&z, "r/data/1", "b", 1);
    zip_add(&z, "r/data/0", "c", 1);
    const pile file = zip_end(&z);
    ck_assert_int_eq(read_pile(context, &file, &zip, &error), DP_E_FORMAT);
    ck_assert_str_eq(error.item, "r/data/0");
    ck_assert_ptr_nonnull(strstr(error.message, "there twice"));
    dpi_context_drop(context);
    free(file.at);
}
END_TEST

// One entry of the directory again: two names for the same bytes, which is how archives are made to grow.
START_TEST(refuses_members_that_share_bytes)
{
    zip_out z = {.style = PYTORCH};
    dp_context *context = new_context();
    dpi_zip *zip = NULL;
    dp_error error;

    zip_add(&z, "r/a", "aaaa", 4);
    zip_central(&z, "r/b", 4, crc_of("aaaa", 4), 0);
    z.count++;
    const pile file = zip_end(&z);
    memcpy(find_record(&file, LOCAL, 0) + 30, "r/b", 3);
    ck_assert_int_eq(read_pile(context, &file, &zip, &error), DP_E_FORMAT); // a has another name
    memcpy(find_record(&file, CENTRAL, 0) + 46, "r/b", 3);
    ck_assert_int_eq(read_pile(context, &file, &zip, &error), DP_E_FORMAT);
    ck_assert_ptr_nonnull(strstr(error.message, "begins inside \"r/b\""));
    dpi_context_drop(context);
    free(file.at);
}
END_TEST

// Nothing before the locator, and nothing where it points to.
START_TEST(refuses_a_locator_without_a_record)
{
    unsigned char file[20 + 22] = "PK\6\7";
    dp_context *context = new_context();
    dpi_zip *zip = NULL;
    dp_error error;

    memcpy(file + 20, "PK\5\6", 4);
    dpi_le_write(file + 16, 4, 1);
    for (int bit = 0; bit < 64; bit++) {
        const pile whole = {.at = file, .size = sizeof file};
        dpi_le_write(file + 8, 8, (uint64_t)1 << bit);
        ck_assert_int_eq(read_pile(context, &whole, &zip, &error), DP_E_FORMAT);
        ck_assert_ptr_nonnull(strstr(error.message, "does not point to a zip64 end record"));
        ck_assert_int_eq(error.offset, 0);
    }
    dpi_context_drop(context);
}
END_TEST

static void refuse(const pile *file, const char *message)
{
    dp_context *context = new_context();
    dpi_zip *zip = NULL;
    dp_error error = {.code = 0};

    ck_assert_int_eq(read_pile(context, file, &zip, &error), DP_E_FORMAT);
    ck_assert_msg(strstr(error.message, message), "%s", error.message);
    dpi_context_drop(context);
}

// Size and place that make the right end only when they wrap; fields that lie beyond the extra bytes; an entry that
// the directory's end cuts; a directory with nothing before it.
START_TEST(refuses_what_passes_an_end)
{
    pile file = three_members(&WIDE);
    unsigned char *at = find_record(&file, END64, 0);

    dpi_le_write(at + 40, 8, UINT64_MAX - 9);
    dpi_le_write(at + 48, 8, (uint64_t)(at - file.at) + 10);
    refuse(&file, "does not end at byte");
    free(file.at);
    file = three_members(&WIDE);
    at = find_record(&file, CENTRAL, 0);
    dpi_le_write(at + 30, 4, (uint64_t)34 << 16); // the extra bytes become a comment
    dpi_le_write(at + 53, 4, 1 | 24 << 16);
    refuse(&file, "no zip64 field");
    free(file.at);
    file = three_members(&PLAIN);
    at = find_record(&file, END, 0);
    unsigned char *last = find_record(&file, CENTRAL, 2);
    dpi_le_write(at + 12, 4, dpi_le_read(at + 12, 4) - (uint64_t)(at - last) + 45);
    memmove(last + 45, at, 22);
    file.size = (size_t)(last - file.at) + 45 + 22;
    dpi_le_write(last + 45 + 8, 4, 2 | 2 << 16);
    refuse(&file, "more bytes than its entries");
    dpi_le_write(last + 45 + 8, 4, 3 | 3 << 16);
    refuse(&file, SAYS_FEWER);
    free(file.at);
    zip_out z = {.style = PLAIN, .count = 1};
    zip_central(&z, "r/a", 0, 0, 1 << 28);
    file = zip_end(&z);
    refuse(&file, NO_HEADER);
    free(file.at);
}
END_TEST

START_TEST(refuses_a_directory_that_is_too_large)
{
    enum { DIRECTORY = (64 << 20) + 1 };
    dp_context *context = new_context();
    dpi_zip *zip = NULL;
    dp_error error;
    unsigned char *file = calloc(1, DIRECTORY + 22);

    memcpy(file + DIRECTORY, "PK\5\6", 4);
    dpi_le_write(file + DIRECTORY + 8, 4, 1 | 1 << 16);
    dpi_le_write(file + DIRECTORY + 12, 4, DIRECTORY);
    ck_assert_int_eq(dpi_zip_read(&zip, &context->memory, file, DIRECTORY + 22, "m", &error), DP_E_FORMAT);
    ck_assert_ptr_nonnull(strstr(error.message, "at most 67108864 are read"));
    free(file);
    dpi_context_drop(context);
}
END_TEST

// Compressed members are listed for what they are.
START_TEST(lists_compressed_members)
{
    const zip_style style = {.deflated = 1};
    const pile file = three_members(&style);
    dp_context *context = new_context();
    dpi_zip *zip = NULL;

    dpi_le_write(find_record(&file, CENTRAL, 0) + 24, 4, 1 << 30); // what it would unpack to
    ck_assert_int_eq(read_pile(context, &file, &zip, NULL), DP_OK);
    ck_assert_int_eq(dpi_zip_find(zip, "r/first")->method, 8);
    ck_assert_uint_eq(dpi_zip_find(zip, "r/first")->size, 10);
    dpi_zip_free(zip);
    dpi_context_drop(context);
    free(file.at);
}
END_TEST

START_TEST(fails_at_every_cut)
{
    static const zip_style *const styles[] = {&PYTORCH, &PLAIN, &WIDE};
    dp_context *context = new_context();
    dpi_zip *zip = NULL;

    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        const pile whole = three_members(styles[i]);
        for (pile cut = {.at = whole.at}; cut.size < whole.size; cut.size++)
            ck_assert_int_eq(read_pile(context, &cut, &zip, NULL), DP_E_FORMAT);
        for (pile cut = {.at = whole.at + 1, .size = whole.size - 1}; cut.size > 0; cut.at++, cut.size--)
            ck_assert_int_ne(read_pile(context, &cut, &zip, NULL), DP_OK);
        free(whole.at);
    }
    ck_assert_ptr_null(zip);
    dpi_context_drop(context);
}
END_TEST

// Whatever one byte says, members lie in the file and apart.
START_TEST(survives_any_byte_changed)
{
    static const zip_style *const styles[] = {&PYTORCH, &WIDE};
    static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
    dp_context *context = new_context();

    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        const pile file = three_members(styles[i]);
        for (size_t at = 0; at < file.size * sizeof values; at++) {
            const unsigned char before = file.at[at / sizeof values];
            dpi_zip *zip = NULL;
            file.at[at / sizeof values] = values[at % sizeof values];
            if (read_pile(context, &file, &zip, NULL) == DP_OK)
                for (size_t m = 0; m < zip->count; m++)
                    ck_assert_uint_le(zip->entries[m].data + zip->entries[m].size, file.size);
            dpi_zip_free(zip);
            file.at[at / sizeof values] = before;
        }
        free(file.at);
    }
    dpi_context_drop(context);
}
END_TEST

START_TEST(reads_many_members)
{
    enum { MANY = 50000 };
    zip_out z = {.style = PLAIN};
    char name[32];
    dp_context *context = new_context();
    dpi_zip *zip = NULL;

    z.style.wide = 1; // more than 65535 cannot be counted otherwise
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "r/%d", i * 7 % MANY);
        zip_add(&z, name, name, strlen(name));
    }
    const pile file = zip_end(&z);
    ck_assert_int_eq(read_pile(context, &file, &zip, NULL), DP_OK);
    ck_assert_uint_eq(zip->count, MANY);
    ck_assert_uint_eq(dpi_zip_find(zip, "r/49999")->size, 7);
    dpi_zip_free(zip);
    dpi_context_drop(context);
    free(file.at);
}
END_TEST

START_TEST(survives_any_allocation_that_fails)
{
    const pile file = three_members(&PYTORCH);
    dp_context *context = new_context();
    const uint64_t used = context->memory.used;
    dpi_zip *zip = NULL;
    int rc = DP_E_MEMORY, failures = 0;

    for (uint64_t limit = used + 1; rc == DP_E_MEMORY; limit += 8, failures += rc != DP_OK) {
        context->memory.limit = limit;
        rc = dpi_zip_read(&zip, &context->memory, file.at, file.size, "m", NULL);
    }
    ck_assert_int_eq(rc, DP_OK);
    ck_assert_int_gt(failures, 2);
    dpi_zip_free(zip);
    end_context(context, used);
    free(file.at);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {reads_every_style,
                                  reads_an_empty_archive,
                                  equals_an_archive_of_pytorch,
                                  refuses_a_name_that_is_there_twice,
                                  refuses_members_that_share_bytes,
                                  refuses_a_locator_without_a_record,
                                  refuses_what_passes_an_end,
                                  refuses_a_directory_that_is_too_large,
                                  lists_compressed_members,
                                  fails_at_every_cut,
                                  survives_any_byte_changed,
                                  reads_many_members,
                                  survives_any_allocation_that_fails};
    Suite *suite = suite_create("io/zip hostile");
    TCase *hostile = tcase_create("records");

    tcase_add_loop_test(hostile, refuses_records_that_lie, 0, (int)(sizeof lies / sizeof *lies));
    suite_add_tcase(suite, hostile);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return dpt_run("io/zip", tests, sizeof tests / sizeof *tests) || failed;
}
