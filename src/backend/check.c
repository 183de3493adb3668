// What holds of any operand: there, of a type the operation takes, of the right shape, and addressable.
#include "backend/check.h"

#include <math.h>

#include "base/error.h"
#include "base/size.h"
#include "tensor/dtype.h"

static dpi_place in(const char *operation)
{
    return (dpi_place){.item = operation, .offset = -1};
}

static int takes(int32_t types, const dpi_dtype *type)
{
    const int32_t id = type->type;
    const int sum = id == DP_F32 || id == DP_F64;
    const int plain = sum || id == DP_F16 || id == DP_BF16;

    switch (types) {
    case DPI_PLAIN: return plain;
    case DPI_WEIGHT: return plain || type->computed;
    case DPI_SUM: return sum;
    case DPI_RESULT: return id == DP_F64;
    default: return 1;
    }
}

// The bytes of rows * stride elements stay below what a pointer difference can hold.
static int too_large(const dp_mat *mat)
{
    uint64_t row, all;

    return dpi_row_bytes(mat->type, mat->stride, &row) || dpi_mul_u64(row, (uint64_t)mat->rows, &all) ||
           all > (uint64_t)PTRDIFF_MAX;
}

static int operand(const char *operation, const dpi_operand *want, dp_error *error)
{
    const dpi_place place = in(operation);
    const dp_mat *mat = want->mat;
    const dpi_dtype *type = dpi_dtype_of(mat->type);
    const long long rows = mat->rows, cols = mat->cols, stride = mat->stride;

    if (!mat->data)
        return dpi_fail_at(error, DP_E_INTERNAL, &place, "operand '%s' is absent", want->name);
    if (!type || !takes(want->types, type))
        return dpi_fail_at(error, DP_E_INTERNAL, &place, "operand '%s' may not be of type %s (%d)", want->name,
                           dp_type_name(mat->type), mat->type);
    if (rows <= 0 || cols <= 0 || (want->rows >= 0 && rows != want->rows) || (want->cols >= 0 && cols != want->cols))
        return dpi_fail_at(error, DP_E_INTERNAL, &place, "operand '%s' is %lld x %lld, expected %lld x %lld (-1: any)",
                           want->name, rows, cols, (long long)want->rows, (long long)want->cols);
    if (stride < cols || cols % type->block || stride % type->block)
        return dpi_fail_at(error, DP_E_INTERNAL, &place,
                           "operand '%s' has %lld columns and stride %lld of %s, which comes in blocks of %d",
                           want->name, cols, stride, type->name, type->block);
    if (too_large(mat))
        return dpi_fail_at(error, DP_E_INTERNAL, &place, "operand '%s' of %lld rows with stride %lld of %s is too large",
                           want->name, rows, stride, type->name);
    return DP_OK;
}

int dpi_check_operands(const char *operation, const dpi_operand *operands, int count, dp_error *error)
{
    for (int i = 0; i < count; i++) {
        const int rc = operand(operation, &operands[i], error);
        if (rc)
            return rc;
    }
    return DP_OK;
}

int dpi_check_range(const char *operation, const char *name, int64_t value, int64_t least, int64_t most,
                    dp_error *error)
{
    const dpi_place place = in(operation);

    if (value < least || value > most)
        return dpi_fail_at(error, DP_E_INTERNAL, &place, "'%s' is %lld, expected %lld to %lld", name,
                           (long long)value, (long long)least, (long long)most);
    return DP_OK;
}

int dpi_check_there(const char *operation, const char *name, const void *pointer, dp_error *error)
{
    const dpi_place place = in(operation);

    return pointer ? DP_OK : dpi_fail_at(error, DP_E_INTERNAL, &place, "'%s' is NULL", name);
}

int dpi_check_ids(const char *operation, const int32_t *ids, int64_t count, int64_t limit, int ignorable,
                  dp_error *error)
{
    const dpi_place place = in(operation);
    const int rc = dpi_check_there(operation, ignorable ? "labels" : "ids", ids, error);

    for (int64_t r = 0; !rc && r < count; r++)
        if ((ids[r] < 0 || ids[r] >= limit) && !(ignorable && ids[r] == DP_IGNORE))
            return dpi_fail_at(error, DP_E_INTERNAL, &place, "entry %lld is %d, expected 0 to %lld", (long long)r,
                               ids[r], (long long)limit - 1);
    return rc;
}

int dpi_check_finite(const char *operation, const char *name, float value, dp_error *error)
{
    const dpi_place place = in(operation);

    return isfinite(value) ? DP_OK
                           : dpi_fail_at(error, DP_E_INTERNAL, &place, "'%s' is %g", name, (double)value);
}
