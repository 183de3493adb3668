// Every operation as the rest of the library calls it: shapes and types are checked here, so that backends hold
// only arithmetic; then the table's slot is called, or, for a fused one that is NULL, its composition.
#ifndef DPI_BACKEND_OPS_H
#define DPI_BACKEND_OPS_H

#include "backend/device.h"

int dpi_op_alloc(dpi_device *device, uint64_t bytes, void **out, dp_error *error);
void dpi_op_free(dpi_device *device, void *memory); // NULL is allowed
int dpi_op_upload(dpi_device *device, void *to, const void *from, uint64_t bytes, dp_error *error);
int dpi_op_download(dpi_device *device, void *to, const void *from, uint64_t bytes, dp_error *error);
int dpi_op_sync(dpi_device *device, dp_error *error);
int dpi_op_copy2d(dpi_device *device, const dp_mat *from, const dp_mat *to, dp_error *error);
int dpi_op_fill(dpi_device *device, const dp_mat *x, float value, dp_error *error);
int dpi_op_gemm(dpi_device *device, const dp_gemm_args *args, dp_error *error);
int dpi_op_embed(dpi_device *device, const dp_embed_args *args, dp_error *error);
int dpi_op_rmsnorm(dpi_device *device, const dp_rmsnorm_args *args, dp_error *error);
int dpi_op_rope(dpi_device *device, const dp_rope_args *args, dp_error *error);
int dpi_op_softmax(dpi_device *device, const dp_softmax_args *args, dp_error *error);
int dpi_op_glu(dpi_device *device, const dp_glu_args *args, dp_error *error);
int dpi_op_xent(dpi_device *device, const dp_xent_args *args, dp_error *error);
int dpi_op_axpby(dpi_device *device, const dp_axpby_args *args, dp_error *error);
int dpi_op_cast(dpi_device *device, const dp_cast_args *args, dp_error *error);
int dpi_op_reduce(dpi_device *device, const dp_reduce_args *args, dp_error *error);
int dpi_op_add_rmsnorm(dpi_device *device, const dp_add_rmsnorm_args *args, dp_error *error);
int dpi_op_qkv_rope(dpi_device *device, const dp_qkv_rope_args *args, dp_error *error);
int dpi_op_attention(dpi_device *device, const dp_attention_args *args, dp_error *error);
int dpi_op_linear_xent(dpi_device *device, const dp_linear_xent_args *args, dp_error *error);
int dpi_op_swiglu(dpi_device *device, const dp_swiglu_args *args, dp_error *error);

#endif
