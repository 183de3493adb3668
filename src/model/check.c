// Every number of a weight is finite: exponent bits not all ones, of each element or of each block's scales.
#include <string.h>

#include "base/error.h"
#include "model/count.h"
#include "model/names.h"
#include "model/source.h"
#include "tensor/dtype.h"

enum { CHUNK = 1 << 20, GROUP = 1024, MOST_SCALES = 2 };

// Where a block keeps its f16 scales; plain types are their own.
typedef struct layout {
    int32_t type, scales;
    int32_t at[MOST_SCALES];
} layout;

static const layout layouts[] = {
    {DP_Q4_0, 1, {0}},    {DP_Q4_1, 2, {0, 2}},   {DP_Q5_0, 1, {0}},   {DP_Q5_1, 2, {0, 2}},
    {DP_Q8_0, 1, {0}},    {DP_Q2_K, 2, {80, 82}}, {DP_Q3_K, 1, {108}}, {DP_Q4_K, 2, {0, 2}},
    {DP_Q5_K, 2, {0, 2}}, {DP_Q6_K, 1, {208}},    {DP_F16, 1, {0}},
};

// Added to the exponent's bits, its lowest bit carries into the sign when all are ones: a loop without a branch,
// that compilers turn into vector instructions where its length is known.
static int has_bad_half(const unsigned char *bytes, uint16_t mask)
{
    const uint16_t lowest = (uint16_t)(mask & -mask);
    uint16_t carries = 0;

    for (int i = 0; i < GROUP; i++) {
        uint16_t half;
        memcpy(&half, bytes + i * 2, sizeof half);
        carries |= (uint16_t)((half & mask) + lowest);
    }
    return carries >> 15;
}

static int has_bad_float(const unsigned char *bytes)
{
    uint32_t carries = 0;

    for (int i = 0; i < GROUP; i++) {
        uint32_t word;
        memcpy(&word, bytes + i * 4, sizeof word);
        carries |= (word & 0x7f800000) + 0x00800000;
    }
    return (int)(carries >> 31);
}

// The first of `count` elements that is not finite, or -1.  `mask` has the exponent's bits.
static int64_t scan_halves(const unsigned char *bytes, int64_t count, uint16_t mask)
{
    int64_t i = 0;

    while (i + GROUP <= count && !has_bad_half(bytes + i * 2, mask))
        i += GROUP;
    for (; i < count; i++) {
        uint16_t half;
        memcpy(&half, bytes + i * 2, sizeof half);
        if ((half & mask) == mask)
            return i;
    }
    return -1;
}

static int64_t scan_floats(const unsigned char *bytes, int64_t count)
{
    const uint32_t mask = 0x7f800000;
    int64_t i = 0;

    while (i + GROUP <= count && !has_bad_float(bytes + i * 4))
        i += GROUP;
    for (; i < count; i++) {
        uint32_t word;
        memcpy(&word, bytes + i * 4, sizeof word);
        if ((word & mask) == mask)
            return i;
    }
    return -1;
}

// The first block with a bad scale, or -1.
static int64_t scan_blocks(const unsigned char *bytes, int64_t blocks, const dpi_dtype *type)
{
    const layout *found = layouts;

    while (found->type != type->type && found->type != DP_F16)
        found++;
    for (int64_t i = 0; i < blocks; i++, bytes += type->block_bytes)
        for (int s = 0; s < found->scales; s++)
            if (scan_halves(bytes + found->at[s], 1, 0x7c00) == 0)
                return i;
    return -1;
}

int dpi_model_needs_computed(const dp_model *model, const dpi_tensor *weight, dp_error *error)
{
    const dpi_dtype *type = dpi_dtype_of(weight->type);

    if (type && type->computed)
        return DP_OK;
    const dpi_place place = dpi_source_place(model->source, weight, 0);
    return dpi_fail_at(error, DP_E_UNSUPPORTED, &place, "is stored as %s, which is not computed, only carried",
                       dp_type_name(weight->type));
}

int dpi_model_needs_weights(const dp_model *model, dp_error *error)
{
    const dpi_place place = {.file = model->source->path, .offset = -1};

    if (!model->source->shapes_only)
        return DP_OK;
    if (model->source->no_room)
        return dpi_fail_at(error, DP_E_MEMORY, &place,
                           "the weights do not fit the address space of the process; raise its limit (ulimit -v)");
    return dpi_fail_at(error, DP_E_STATE, &place, "the model was opened for its shapes alone, without weights");
}

static int64_t scan(const unsigned char *bytes, int64_t blocks, const dpi_dtype *type)
{
    switch (type->type) {
    case DP_F32:
        return scan_floats(bytes, blocks);
    case DP_BF16:
        return scan_halves(bytes, blocks, 0x7f80);
    case DP_F16:
        return scan_halves(bytes, blocks, 0x7c00);
    default:
        return scan_blocks(bytes, blocks, type);
    }
}

static int not_finite(const dp_model *model, const dpi_tensor *weight, const dpi_dtype *type, int64_t block,
                      dp_error *error)
{
    const dpi_place place = dpi_source_place(model->source, weight, (uint64_t)(block * type->block_bytes));

    return dpi_fail_at(error, DP_E_NUMERIC, &place, "%s element %lld is not finite",
                       type->block > 1 ? "the scale of" : "the weight's", (long long)(block * type->block));
}

int dpi_model_check_weight(const dp_model *model, const dpi_tensor *weight, dpi_watch *watch, dp_error *error)
{
    const dpi_dtype *type = dpi_dtype_of(weight->type);
    const int rc = dpi_model_needs_computed(model, weight, error);

    if (rc)
        return rc;
    const int64_t blocks = dpi_tensor_count(weight) / type->block, step = CHUNK / type->block_bytes;

    for (int64_t at = 0; at < blocks; at += step) {
        const int64_t size = blocks - at < step ? blocks - at : step;
        const int64_t bad = scan(weight->data + at * type->block_bytes, size, type);
        if (bad >= 0)
            return not_finite(model, weight, type, at + bad, error);
        const int stop = dpi_watch_advance(watch, (uint64_t)(size * type->block_bytes), error);
        if (stop)
            return stop;
    }
    return DP_OK;
}

typedef struct shared_scan {
    const unsigned char *bytes;
    const dpi_dtype *type;
    _Atomic int64_t bad; // the first block found so far, or INT64_MAX
} shared_scan;

static void scan_some(void *arg, int64_t begin, int64_t end, int32_t worker)
{
    shared_scan *shared = arg;
    const int64_t bad = scan(shared->bytes + begin * shared->type->block_bytes, end - begin, shared->type);
    int64_t first = atomic_load(&shared->bad);

    (void)worker;
    while (bad >= 0 && begin + bad < first && !atomic_compare_exchange_weak(&shared->bad, &first, begin + bad))
        ;
}

int dpi_model_scan_weight(const dp_model *model, const dpi_tensor *weight, dpi_pool *pool, dp_error *error)
{
    const dpi_dtype *type = dpi_dtype_of(weight->type);
    shared_scan shared = {.bytes = weight->data, .type = type, .bad = INT64_MAX};

    if (dpi_pool_run(pool, dpi_tensor_count(weight) / type->block, CHUNK / type->block_bytes, scan_some, &shared))
        return dpi_fail(error, DP_E_CANCELLED, "cancelled by the host");
    return shared.bad == INT64_MAX ? DP_OK : not_finite(model, weight, type, shared.bad, error);
}

static int check_whole(const dp_model *model, const dpi_tensor *weight, dpi_watch *watch, dp_error *error)
{
    const int rc = dpi_model_check_file(weight, error);

    return rc ? rc : dpi_model_check_weight(model, weight, watch, error);
}

int dp_model_check(const dp_model *model, const dp_monitor *monitor, dp_error *error)
{
    dpi_watch watch;
    uint64_t parameters, bytes;
    int32_t slot, block;

    if (!model)
        return dpi_fail(error, DP_E_ARGUMENT, "model must not be NULL");
    int rc = dpi_model_needs_weights(model, error);
    if (!rc)
        rc = dpi_watch_open(&watch, monitor, error);
    if (rc)
        return rc;
    dpi_model_count(model, &parameters, &bytes);
    dpi_watch_begin(&watch, "check", bytes);
    const size_t count = dp_model_weight_count(model);
    for (size_t i = 0; !rc && i < count; i++)
        rc = check_whole(model, dpi_model_weight_at(model, i, &slot, &block), &watch, error);
    return rc;
}
