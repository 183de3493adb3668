// Every number of a weight is finite: exponent bits not all ones, of each element or of each block's scales.
#include <string.h>

#include "base/error.h"
#include "model/count.h"
#include "model/names.h"
#include "model/source.h"
#include "tensor/dtype.h"

enum { CHUNK = 1 << 20, MOST_SCALES = 2 };

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

// The first of `count` elements that is not finite, or -1.  `mask` has the exponent's bits.
static int64_t scan_halves(const unsigned char *bytes, int64_t count, uint16_t mask)
{
    for (int64_t i = 0; i < count; i++) {
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

    for (int64_t i = 0; i < count; i++) {
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
    const dpi_place place = {.file = dpi_source_file(model->source, weight),
                             .item = weight->name,
                             .offset = (int64_t)weight->offset};
    return dpi_fail_at(error, DP_E_UNSUPPORTED, &place, "is stored as %s, which is not computed, only carried",
                       dp_type_name(weight->type));
}

int dpi_model_needs_weights(const dp_model *model, dp_error *error)
{
    const dpi_place place = {.file = model->source->path, .offset = -1};

    if (!model->source->shapes_only)
        return DP_OK;
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
        if (bad >= 0) {
            const dpi_place place =
                dpi_source_place(model->source, weight, (uint64_t)((at + bad) * type->block_bytes));
            return dpi_fail_at(error, DP_E_NUMERIC, &place, "%s element %lld is not finite",
                               type->block > 1 ? "the scale of" : "the weight's",
                               (long long)((at + bad) * type->block));
        }
        const int stop = dpi_watch_advance(watch, (uint64_t)(size * type->block_bytes), error);
        if (stop)
            return stop;
    }
    return DP_OK;
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
        rc = dpi_model_check_weight(model, dpi_model_weight_at(model, i, &slot, &block), &watch, error);
    return rc;
}
