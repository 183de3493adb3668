// Each operation: the arguments are checked, then the table's slot is called, or its composition where it is NULL.
#include "backend/ops.h"

#include "backend/check.h"
#include "backend/compose.h"

int dpi_op_alloc(dpi_device *device, uint64_t bytes, void **out, dp_error *error)
{
    return device->table->alloc(device->stream, bytes ? bytes : 1, out, error);
}

void dpi_op_free(dpi_device *device, void *memory)
{
    if (memory)
        device->table->free(device->stream, memory);
}

int dpi_op_upload(dpi_device *device, void *to, const void *from, uint64_t bytes, dp_error *error)
{
    int rc = dpi_check_there("upload", "to", to, error);

    if (!rc)
        rc = dpi_check_there("upload", "from", from, error);
    return rc || bytes == 0 ? rc : device->table->upload(device->stream, to, from, bytes, error);
}

int dpi_op_download(dpi_device *device, void *to, const void *from, uint64_t bytes, dp_error *error)
{
    int rc = dpi_check_there("download", "to", to, error);

    if (!rc)
        rc = dpi_check_there("download", "from", from, error);
    return rc || bytes == 0 ? rc : device->table->download(device->stream, to, from, bytes, error);
}

int dpi_op_sync(dpi_device *device, dp_error *error)
{
    return device->table->sync(device->stream, error);
}

int dpi_op_copy2d(dpi_device *device, const dp_mat *from, const dp_mat *to, dp_error *error)
{
    const int rc = dpi_check_copy2d(from, to, error);

    return rc ? rc : device->table->copy2d(device->stream, from, to, error);
}

int dpi_op_fill(dpi_device *device, const dp_mat *x, float value, dp_error *error)
{
    const int rc = dpi_check_fill(x, value, error);

    return rc ? rc : device->table->fill(device->stream, x, value, error);
}

int dpi_op_gemm(dpi_device *device, const dp_gemm_args *args, dp_error *error)
{
    const int rc = dpi_check_gemm(args, error);

    return rc ? rc : device->table->gemm(device->stream, args, error);
}

int dpi_op_embed(dpi_device *device, const dp_embed_args *args, dp_error *error)
{
    const int rc = dpi_check_embed(args, error);

    return rc ? rc : device->table->embed(device->stream, args, error);
}

int dpi_op_rmsnorm(dpi_device *device, const dp_rmsnorm_args *args, dp_error *error)
{
    const int rc = dpi_check_rmsnorm(args, error);

    return rc ? rc : device->table->rmsnorm(device->stream, args, error);
}

int dpi_op_rope(dpi_device *device, const dp_rope_args *args, dp_error *error)
{
    const int rc = dpi_check_rope(args, error);

    return rc ? rc : device->table->rope(device->stream, args, error);
}

int dpi_op_softmax(dpi_device *device, const dp_softmax_args *args, dp_error *error)
{
    const int rc = dpi_check_softmax(args, error);

    return rc ? rc : device->table->softmax(device->stream, args, error);
}

int dpi_op_glu(dpi_device *device, const dp_glu_args *args, dp_error *error)
{
    const int rc = dpi_check_glu(args, error);

    return rc ? rc : device->table->glu(device->stream, args, error);
}

int dpi_op_xent(dpi_device *device, const dp_xent_args *args, dp_error *error)
{
    const int rc = dpi_check_xent(args, error);

    return rc ? rc : device->table->xent(device->stream, args, error);
}

int dpi_op_axpby(dpi_device *device, const dp_axpby_args *args, dp_error *error)
{
    const int rc = dpi_check_axpby(args, error);

    return rc ? rc : device->table->axpby(device->stream, args, error);
}

int dpi_op_cast(dpi_device *device, const dp_cast_args *args, dp_error *error)
{
    const int rc = dpi_check_cast(args, error);

    return rc ? rc : device->table->cast(device->stream, args, error);
}

int dpi_op_reduce(dpi_device *device, const dp_reduce_args *args, dp_error *error)
{
    const int rc = dpi_check_reduce(args, error);

    return rc ? rc : device->table->reduce(device->stream, args, error);
}

int dpi_op_add_rmsnorm(dpi_device *device, const dp_add_rmsnorm_args *args, dp_error *error)
{
    const int rc = dpi_check_add_rmsnorm(args, error);

    if (rc)
        return rc;
    return device->table->add_rmsnorm ? device->table->add_rmsnorm(device->stream, args, error)
                                      : dpi_compose_add_rmsnorm(device, args, error);
}

int dpi_op_qkv_rope(dpi_device *device, const dp_qkv_rope_args *args, dp_error *error)
{
    const int rc = dpi_check_qkv_rope(args, error);

    if (rc)
        return rc;
    return device->table->qkv_rope ? device->table->qkv_rope(device->stream, args, error)
                                   : dpi_compose_qkv_rope(device, args, error);
}

int dpi_op_attention(dpi_device *device, const dp_attention_args *args, dp_error *error)
{
    const int rc = dpi_check_attention(args, error);

    if (rc)
        return rc;
    return device->table->attention ? device->table->attention(device->stream, args, error)
                                    : dpi_compose_attention(device, args, error);
}

int dpi_op_linear_xent(dpi_device *device, const dp_linear_xent_args *args, dp_error *error)
{
    const int rc = dpi_check_linear_xent(args, error);

    if (rc)
        return rc;
    return device->table->linear_xent ? device->table->linear_xent(device->stream, args, error)
                                      : dpi_compose_linear_xent(device, args, error);
}

int dpi_op_swiglu(dpi_device *device, const dp_swiglu_args *args, dp_error *error)
{
    const int rc = dpi_check_swiglu(args, error);

    if (rc)
        return rc;
    return device->table->swiglu ? device->table->swiglu(device->stream, args, error)
                                 : dpi_compose_swiglu(device, args, error);
}
