// Zip archives in: end record, central directory and each member's own header must tell the same story.  Members
// lie between the file's beginning and the directory, one after another, and the directory ends where the end
// record begins.
#include "io/zip.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/bytes.h"

enum {
    END = 22, // bytes of each record's fixed part
    END64 = 56,
    LOCATOR = 20,
    CENTRAL = 46,
    LOCAL = 30,
    MOST_COMMENT = 0xffff,
    MOST_DIRECTORY = 64 << 20,
    STORED = 0,
    DESCRIPTOR = 1 << 3,           // flag: sizes and checksum may follow the data instead
    LOCKED = 1 | 1 << 6 | 1 << 13, // flags: encrypted in one way or another
    WIDE = 1                       // an extra field: 64-bit sizes and offset
};

#define IS_WIDE UINT32_MAX

typedef struct reader {
    dpi_memory *memory;
    const unsigned char *bytes;
    uint64_t size;
    const char *file;
    uint64_t count, directory, directory_size; // of the central directory
    dp_error *error;
} reader;

// A member as one of its two headers says it.
typedef struct header {
    uint64_t at; // of the header
    uint64_t name, name_size, extra, extra_size;
    uint64_t size, packed, offset;
    uint32_t flags, method, check;
    const char *label; // for errors, or NULL
} header;

static int fail(const reader *r, int32_t code, uint64_t at, const char *item, const char *message)
{
    const dpi_place place = {.file = r->file, .item = item, .offset = (int64_t)at};

    return dpi_fail_at(r->error, code, &place, "%s", message);
}

static uint64_t number(const reader *r, uint64_t at, int width)
{
    return dpi_le_read(r->bytes + at, width);
}

static int is_record(const reader *r, uint64_t at, const char *signature)
{
    return memcmp(r->bytes + at, signature, 4) == 0;
}

// The end record: the last one whose comment ends with the file.
static int find_end(const reader *r, uint64_t *end)
{
    for (uint64_t comment = 0; comment <= MOST_COMMENT && comment + END <= r->size; comment++) {
        const uint64_t at = r->size - END - comment;
        if (is_record(r, at, "PK\5\6") && number(r, at + 20, 2) == comment) {
            *end = at;
            return DP_OK;
        }
    }
    return fail(r, DP_E_FORMAT, r->size, NULL,
                "the zip archive has no end record: the file is cut or is no archive");
}

// Do the zip64 locator and end record speak of an archive in one part?
static int is_whole(const reader *r, uint64_t locator, uint64_t at)
{
    return number(r, locator + 4, 4) == 0 && number(r, locator + 16, 4) <= 1 && number(r, at + 16, 4) == 0 &&
           number(r, at + 20, 4) == 0 && number(r, at + 24, 8) == number(r, at + 32, 8);
}

// Replace what the end record says by the zip64 record before it; *end becomes that record's place.
static int read_end64(reader *r, uint64_t *end)
{
    const uint64_t locator = *end - LOCATOR, at = number(r, locator + 8, 8);

    if (locator < END64 || at > locator - END64 || !is_record(r, at, "PK\6\6"))
        return fail(r, DP_E_FORMAT, locator, NULL, "the zip64 locator does not point to a zip64 end record");
    if (number(r, at + 4, 8) != locator - at - 12)
        return fail(r, DP_E_FORMAT, at, NULL, "the zip64 end record does not end at its locator");
    if (!is_whole(r, locator, at))
        return fail(r, DP_E_UNSUPPORTED, at, NULL, "the zip archive is in several parts, which are not read");
    const uint64_t count = number(r, at + 32, 8), size = number(r, at + 40, 8), offset = number(r, at + 48, 8);
    if ((r->count != 0xffff && r->count != count) || (r->directory_size != IS_WIDE && r->directory_size != size) ||
        (r->directory != IS_WIDE && r->directory != offset))
        return fail(r, DP_E_FORMAT, at, NULL, "the zip64 end record contradicts the end record");
    r->count = count;
    r->directory_size = size;
    r->directory = offset;
    *end = at;
    return DP_OK;
}

static int find_directory(reader *r)
{
    uint64_t end = 0;
    int rc = find_end(r, &end);

    if (rc)
        return rc;
    const dpi_place place = {.file = r->file, .offset = (int64_t)end};
    r->count = number(r, end + 10, 2);
    r->directory_size = number(r, end + 12, 4);
    r->directory = number(r, end + 16, 4);
    if (number(r, end + 4, 2) != 0 || number(r, end + 6, 2) != 0 || number(r, end + 8, 2) != r->count)
        return fail(r, DP_E_UNSUPPORTED, end, NULL, "the zip archive is in several parts, which are not read");
    if (end >= LOCATOR && is_record(r, end - LOCATOR, "PK\6\7"))
        rc = read_end64(r, &end);
    if (rc)
        return rc;
    if (r->directory_size > end || r->directory != end - r->directory_size)
        return dpi_fail_at(
            r->error, DP_E_FORMAT, &place,
            "the directory of %llu bytes at byte %llu does not end at byte %llu, where its end record is",
            (unsigned long long)r->directory_size, (unsigned long long)r->directory, (unsigned long long)end);
    if (r->directory_size > MOST_DIRECTORY)
        return dpi_fail_at(r->error, DP_E_FORMAT, &place, "a directory of %llu bytes, at most %d are read",
                           (unsigned long long)r->directory_size, MOST_DIRECTORY);
    if (r->count > r->directory_size / CENTRAL)
        return dpi_fail_at(r->error, DP_E_FORMAT, &place, "%llu members in a directory of %llu bytes",
                           (unsigned long long)r->count, (unsigned long long)r->directory_size);
    return DP_OK;
}

// The fields that stand as 0xffffffff, from the extra field of zip64, in the order that it has.
static int widen(const reader *r, header *h)
{
    uint64_t *const fields[] = {&h->size, &h->packed, &h->offset};
    uint64_t at = h->extra;
    const uint64_t end = h->extra + h->extra_size;

    if (h->size != IS_WIDE && h->packed != IS_WIDE && h->offset != IS_WIDE)
        return DP_OK;
    while (end - at >= 4 && number(r, at, 2) != WIDE && number(r, at + 2, 2) <= end - at - 4)
        at += 4 + number(r, at + 2, 2);
    if (end - at < 4 || number(r, at + 2, 2) > end - at - 4)
        return fail(r, DP_E_FORMAT, h->at, h->label, "the member has no zip64 field where its header needs one");
    uint64_t left = number(r, at + 2, 2);
    at += 4;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (*fields[i] != IS_WIDE)
            continue;
        if (left < 8)
            return fail(r, DP_E_FORMAT, at, h->label, "the member's zip64 field is too short");
        *fields[i] = number(r, at, 8);
        at += 8;
        left -= 8;
    }
    return DP_OK;
}

// The directory's entry at `at`, which is copied to *names with its terminator.
static int read_central(const reader *r, uint64_t at, char **names, header *h)
{
    const uint64_t end = r->directory + r->directory_size;

    if (end - at < CENTRAL || !is_record(r, at, "PK\1\2"))
        return fail(r, DP_E_FORMAT, at, NULL, "the directory has fewer entries than its end record says");
    *h = (header){.at = at,
                  .flags = (uint32_t)number(r, at + 8, 2),
                  .method = (uint32_t)number(r, at + 10, 2),
                  .check = (uint32_t)number(r, at + 16, 4),
                  .packed = number(r, at + 20, 4),
                  .size = number(r, at + 24, 4),
                  .offset = number(r, at + 42, 4),
                  .name = at + CENTRAL,
                  .name_size = number(r, at + 28, 2),
                  .extra_size = number(r, at + 30, 2)};
    h->extra = h->name + h->name_size;
    if (h->name_size + h->extra_size + number(r, at + 32, 2) > end - at - CENTRAL)
        return fail(r, DP_E_FORMAT, at, NULL, "an entry of the directory passes its end");
    memcpy(*names, r->bytes + h->name, h->name_size);
    h->label = *names;
    *names += h->name_size + 1;
    if (strlen(h->label) != h->name_size)
        return fail(r, DP_E_FORMAT, at, h->label, "the member's name has a zero byte");
    int rc = widen(r, h);
    if (!rc && h->flags & LOCKED)
        rc = fail(r, DP_E_UNSUPPORTED, at, h->label, "the member is encrypted, which is not read");
    if (!rc && number(r, at + 34, 2) != 0)
        rc = fail(r, DP_E_UNSUPPORTED, at, h->label, "the member lies in another part of the archive");
    if (!rc && h->method == STORED && h->size != h->packed)
        rc = fail(r, DP_E_FORMAT, at, h->label, "the member is stored, but its two sizes differ");
    return rc;
}

// A number of the member's own header, which may be left to a descriptor after the data.
static int agrees(const header *own, uint64_t here, uint64_t listed)
{
    return here == listed || ((own->flags & DESCRIPTOR) && here == 0);
}

static int read_local(const reader *r, const header *listed, dpi_zip_entry *entry)
{
    const uint64_t at = listed->offset;

    if (r->directory < LOCAL || at > r->directory - LOCAL || !is_record(r, at, "PK\3\4"))
        return fail(r, DP_E_FORMAT, listed->at, listed->label,
                    "the directory does not point to the member's header");
    header own = {.at = at,
                  .label = listed->label,
                  .flags = (uint32_t)number(r, at + 6, 2),
                  .method = (uint32_t)number(r, at + 8, 2),
                  .check = (uint32_t)number(r, at + 14, 4),
                  .packed = number(r, at + 18, 4),
                  .size = number(r, at + 22, 4),
                  .name = at + LOCAL,
                  .name_size = number(r, at + 26, 2),
                  .extra_size = number(r, at + 28, 2)};
    uint64_t room = r->directory - at - LOCAL;
    own.extra = own.name + own.name_size;
    if (own.name_size + own.extra_size > room)
        return fail(r, DP_E_FORMAT, at, own.label, "the member's header passes the directory's beginning");
    room -= own.name_size + own.extra_size;
    const int rc = widen(r, &own);
    if (rc)
        return rc;
    if (own.name_size != listed->name_size ||
        memcmp(r->bytes + own.name, r->bytes + listed->name, own.name_size) != 0)
        return fail(r, DP_E_FORMAT, at, own.label, "the member's own header has another name");
    if (own.method != listed->method || (own.flags ^ listed->flags) & LOCKED)
        return fail(r, DP_E_FORMAT, at, own.label, "the member's own header says another kind of storage");
    if (!agrees(&own, own.size, listed->size) || !agrees(&own, own.packed, listed->packed) ||
        !agrees(&own, own.check, listed->check))
        return fail(r, DP_E_FORMAT, at, own.label, "the member's own header has another size or checksum");
    if (listed->packed > room) {
        const dpi_place place = {.file = r->file, .item = own.label, .offset = (int64_t)at};
        return dpi_fail_at(r->error, DP_E_FORMAT, &place,
                           "the member has %llu bytes, %llu are before the directory",
                           (unsigned long long)listed->packed, (unsigned long long)room);
    }
    *entry = (dpi_zip_entry){.name = listed->label,
                             .header = at,
                             .data = own.extra + own.extra_size,
                             .size = listed->packed,
                             .method = (int32_t)listed->method};
    return DP_OK;
}

static int by_place(const void *a, const void *b)
{
    const dpi_zip_entry *x = a, *y = b;

    return x->header < y->header ? -1 : x->header > y->header;
}

static int by_name(const void *a, const void *b)
{
    const dpi_zip_entry *x = a, *y = b;

    return strcmp(x->name, y->name);
}

// No two members share bytes or a name.
static int check_apart(const reader *r, dpi_zip *zip)
{
    if (zip->count < 2)
        return DP_OK;
    qsort(zip->entries, zip->count, sizeof *zip->entries, by_place);
    for (size_t i = 1; i < zip->count; i++) {
        const dpi_zip_entry *before = &zip->entries[i - 1], *entry = &zip->entries[i];
        const dpi_place place = {.file = r->file, .item = entry->name, .offset = (int64_t)entry->header};
        if (entry->header < before->data + before->size)
            return dpi_fail_at(r->error, DP_E_FORMAT, &place, "the member begins inside \"%.80s\"", before->name);
    }
    qsort(zip->entries, zip->count, sizeof *zip->entries, by_name);
    for (size_t i = 1; i < zip->count; i++)
        if (strcmp(zip->entries[i - 1].name, zip->entries[i].name) == 0)
            return fail(r, DP_E_FORMAT, zip->entries[i].header, zip->entries[i].name, "the member is there twice");
    return DP_OK;
}

static int read_members(const reader *r, dpi_zip *zip)
{
    uint64_t at = r->directory;

    zip->entries = dpi_alloc(r->memory, (size_t)r->count, sizeof *zip->entries, r->error);
    if (zip->entries) // an entry is longer than its name's terminator
        zip->names = dpi_alloc(r->memory, 1, (size_t)r->directory_size, r->error);
    if (!zip->names)
        return DP_E_MEMORY;
    char *names = zip->names;
    while (zip->count < r->count) {
        header h;
        int rc = read_central(r, at, &names, &h);
        if (!rc)
            rc = read_local(r, &h, &zip->entries[zip->count]);
        if (rc)
            return rc;
        zip->count++;
        at += CENTRAL + h.name_size + h.extra_size + number(r, at + 32, 2);
    }
    if (at != r->directory + r->directory_size)
        return fail(r, DP_E_FORMAT, at, NULL, "the directory has more bytes than its entries");
    zip->first = zip->count ? zip->entries[0].name : NULL;
    return check_apart(r, zip);
}

int dpi_zip_read(dpi_zip **out, dpi_memory *memory, const unsigned char *bytes, uint64_t size, const char *file,
                 dp_error *error)
{
    reader r = {.memory = memory, .bytes = bytes, .size = size, .file = file, .error = error};
    int rc = find_directory(&r);

    if (rc)
        return rc;
    dpi_zip *zip = dpi_alloc(memory, 1, sizeof *zip, error);
    if (!zip)
        return DP_E_MEMORY;
    zip->memory = memory;
    rc = read_members(&r, zip);
    if (rc) {
        dpi_zip_free(zip);
        return rc;
    }
    *out = zip;
    return DP_OK;
}

const dpi_zip_entry *dpi_zip_find(const dpi_zip *zip, const char *name)
{
    const dpi_zip_entry key = {.name = name};

    return zip->count ? bsearch(&key, zip->entries, zip->count, sizeof key, by_name) : NULL;
}

void dpi_zip_free(dpi_zip *zip)
{
    if (!zip)
        return;
    dpi_free(zip->memory, zip->entries);
    dpi_free(zip->memory, zip->names);
    dpi_free(zip->memory, zip);
}
