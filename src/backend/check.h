// Argument checks of the operations.  A failed one is a defect of the library's own code: DP_E_INTERNAL with the
// operation as item and the numbers in the message.
#ifndef DPI_BACKEND_CHECK_H
#define DPI_BACKEND_CHECK_H

#include <depthprune/sys/backend.h>

// Element types an operand may have.
enum {
    DPI_PLAIN = 1,  // f32, f64, f16, bf16
    DPI_WEIGHT = 2, // plain, and the block types that kernels take
    DPI_SUM = 3,    // f32, f64
    DPI_RESULT = 4, // f64
    DPI_STORED = 5  // any known type
};

// One operand as it must be: its name in the args struct, its types, and its shape; -1 takes any count.
typedef struct dpi_operand {
    const char *name;
    const dp_mat *mat;
    int32_t types; // DPI_PLAIN ...
    int64_t rows, cols;
} dpi_operand;

// Every operand: there, of its types, shape and stride right, and addressable.
int dpi_check_operands(const char *operation, const dpi_operand *operands, int count, dp_error *error);
// `value` within least .. most.
int dpi_check_range(const char *operation, const char *name, int64_t value, int64_t least, int64_t most,
                    dp_error *error);
// A host array that must be there.
int dpi_check_there(const char *operation, const char *name, const void *pointer, dp_error *error);
// Every entry of ids within 0 .. limit-1, or equal to DP_IGNORE when `ignorable`.
int dpi_check_ids(const char *operation, const int32_t *ids, int64_t count, int64_t limit, int ignorable,
                  dp_error *error);
// A number that is neither infinite nor NaN.
int dpi_check_finite(const char *operation, const char *name, float value, dp_error *error);

int dpi_check_gemm(const dp_gemm_args *args, dp_error *error);
int dpi_check_embed(const dp_embed_args *args, dp_error *error);
int dpi_check_rmsnorm(const dp_rmsnorm_args *args, dp_error *error);
int dpi_check_rope(const dp_rope_args *args, dp_error *error);
int dpi_check_softmax(const dp_softmax_args *args, dp_error *error);
int dpi_check_glu(const dp_glu_args *args, dp_error *error);
int dpi_check_xent(const dp_xent_args *args, dp_error *error);
int dpi_check_axpby(const dp_axpby_args *args, dp_error *error);
int dpi_check_cast(const dp_cast_args *args, dp_error *error);
int dpi_check_reduce(const dp_reduce_args *args, dp_error *error);
int dpi_check_copy2d(const dp_mat *from, const dp_mat *to, dp_error *error);
int dpi_check_fill(const dp_mat *x, float value, dp_error *error);
int dpi_check_add_rmsnorm(const dp_add_rmsnorm_args *args, dp_error *error);
int dpi_check_qkv_rope(const dp_qkv_rope_args *args, dp_error *error);
int dpi_check_attention(const dp_attention_args *args, dp_error *error);
int dpi_check_linear_xent(const dp_linear_xent_args *args, dp_error *error);
int dpi_check_swiglu(const dp_swiglu_args *args, dp_error *error);

#endif
