// Options structs: defaults, size rule and range checks from one table.
#include "base/options.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

static size_t width_of(int32_t kind)
{
    switch (kind) {
    case DPI_INT32:
    case DPI_UINT32:
        return sizeof(int32_t);
    case DPI_INT64:
    case DPI_UINT64:
        return sizeof(int64_t);
    case DPI_DOUBLE:
        return sizeof(double);
    default:
        return sizeof(void *);
    }
}

static void put_default(const dpi_option *option, unsigned char *field)
{
    const int32_t i32 = (int32_t)(option->kind == DPI_INT32 ? option->value : 0);
    const uint32_t u32 = (uint32_t)(option->kind == DPI_UINT32 ? option->value : 0);
    const int64_t i64 = (int64_t)(option->kind == DPI_INT64 ? option->value : 0);
    const uint64_t u64 = (uint64_t)(option->kind == DPI_UINT64 ? option->value : 0);
    const void *from[] = {&i32, &u32, &i64, &u64, &option->value, &option->text};

    if (option->kind != DPI_POINTER)
        memcpy(field, from[option->kind], width_of(option->kind));
}

static double number_at(const dpi_option *option, const unsigned char *field)
{
    int32_t i32 = 0;
    uint32_t u32 = 0;
    int64_t i64 = 0;
    uint64_t u64 = 0;
    double real = 0;
    void *const to[] = {&i32, &u32, &i64, &u64, &real};

    memcpy(to[option->kind], field, width_of(option->kind));
    return (double)i32 + u32 + (double)i64 + (double)u64 + real;
}

static int whole_within(const dpi_option *option, size_t size)
{
    return option->offset + width_of(option->kind) <= size;
}

void dpi_options_init(const dpi_schema *schema, void *options, size_t size)
{
    const uint32_t known = (uint32_t)(size < UINT32_MAX ? size : UINT32_MAX);

    if (!options || size < sizeof known)
        return;
    memset(options, 0, size);
    for (uint32_t i = 0; i < schema->count; i++)
        if (whole_within(&schema->options[i], size))
            put_default(&schema->options[i], (unsigned char *)options + schema->options[i].offset);
    memcpy(options, &known, sizeof known);
}

static int check_size(const dpi_schema *schema, const unsigned char *bytes, uint32_t size, dp_error *error)
{
    const dpi_place place = {.item = schema->name, .offset = -1};

    if (size < sizeof size)
        return dpi_fail_at(error, DP_E_ARGUMENT, &place, "%s.size is %u; call its initializer first", schema->name,
                           size);
    for (uint32_t i = schema->size; i < size; i++)
        if (bytes[i])
            return dpi_fail_at(error, DP_E_VERSION, &place,
                               "%s of %u bytes sets an option that this library, which knows %u bytes, has not",
                               schema->name, size, schema->size);
    return DP_OK;
}

static int check_range(const dpi_option *option, const unsigned char *field, dp_error *error)
{
    const dpi_place place = {.item = option->name, .offset = -1};
    char value[32], least[32], most[32];

    if (option->kind > DPI_DOUBLE || (option->least == 0 && option->most == 0))
        return DP_OK;
    const double number = number_at(option, field);
    if (number >= option->least && number <= option->most)
        return DP_OK;
    dpi_format_double(number, value);
    dpi_format_double(option->least, least);
    dpi_format_double(option->most, most);
    return dpi_fail_at(error, DP_E_ARGUMENT, &place, "%s is %s; it must be from %s to %s", option->name, value,
                       least, most);
}

int dpi_options_read(const dpi_schema *schema, const void *options, void *out, dp_error *error)
{
    const unsigned char *const bytes = options;
    uint32_t size = 0;
    int rc = DP_OK;

    if (options) {
        memcpy(&size, options, sizeof size);
        rc = check_size(schema, bytes, size, error);
    }
    for (uint32_t i = 0; !rc && i < schema->count; i++)
        if (whole_within(&schema->options[i], size))
            rc = check_range(&schema->options[i], bytes + schema->options[i].offset, error);
    if (rc)
        return rc;
    dpi_options_init(schema, out, schema->size);
    for (uint32_t i = 0; i < schema->count; i++) {
        const dpi_option *const option = &schema->options[i];
        if (whole_within(option, size))
            memcpy((unsigned char *)out + option->offset, bytes + option->offset, width_of(option->kind));
    }
    memcpy(out, &schema->size, sizeof schema->size);
    return DP_OK;
}

int dpi_info_give(const void *from, uint32_t known, void *info, dp_error *error)
{
    uint32_t size = 0;

    if (!info)
        return dpi_fail(error, DP_E_ARGUMENT, "the info struct is NULL");
    memcpy(&size, info, sizeof size);
    if (size < sizeof size)
        return dpi_fail(error, DP_E_ARGUMENT, "the info struct's size is %u; set it to the struct's sizeof", size);
    const size_t both = size < known ? size : known;
    memcpy((unsigned char *)info + sizeof size, (const unsigned char *)from + sizeof size, both - sizeof size);
    memset((unsigned char *)info + both, 0, size - both);
    return DP_OK;
}
