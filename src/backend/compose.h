// The fused operations from required ones.  Arguments were checked.  Scratch is the device's, at most 32 MiB, or
// what one row needs.
#ifndef DPI_BACKEND_COMPOSE_H
#define DPI_BACKEND_COMPOSE_H

#include "backend/device.h"

// rows × cols elements of scratch, f64 where `like` is, else f32.
int dpi_compose_scratch(dpi_device *device, const dp_mat *like, int64_t rows, int64_t cols, dp_mat *out,
                        dp_error *error);
// How many of `rows` rows with that many scratch elements each are done at a time; at least one.
int64_t dpi_compose_piece(int64_t rows, int64_t elements);
// The rows × cols part from (row, col) on of a matrix of a plain type; an absent one stays absent.
dp_mat dpi_compose_part(const dp_mat *mat, int64_t row, int64_t col, int64_t rows, int64_t cols);

int dpi_compose_add_rmsnorm(dpi_device *device, const dp_add_rmsnorm_args *args, dp_error *error);
int dpi_compose_qkv_rope(dpi_device *device, const dp_qkv_rope_args *args, dp_error *error);
int dpi_compose_attention(dpi_device *device, const dp_attention_args *args, dp_error *error);
int dpi_compose_linear_xent(dpi_device *device, const dp_linear_xent_args *args, dp_error *error);
int dpi_compose_swiglu(dpi_device *device, const dp_swiglu_args *args, dp_error *error);

#endif
