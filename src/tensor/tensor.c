// Shapes of tensors, row-major: the last dimension is a row.
#include "tensor/tensor.h"

int64_t dpi_tensor_count(const dpi_tensor *tensor)
{
    return dpi_tensor_rows(tensor) * dpi_tensor_columns(tensor);
}

int64_t dpi_tensor_rows(const dpi_tensor *tensor)
{
    int64_t rows = 1;

    for (int32_t i = 0; i + 1 < tensor->dims; i++)
        rows *= tensor->shape[i];
    return rows;
}

int64_t dpi_tensor_columns(const dpi_tensor *tensor)
{
    return tensor->dims ? tensor->shape[tensor->dims - 1] : 1;
}
