// Products of few rows, such as one token's, at the speed of memory.
#ifndef DPI_BACKEND_CPU_FEW_H
#define DPI_BACKEND_CPU_FEW_H

#include "backend/cpu/product.h"

// Whether dpi_cpu_few_run computes the product: at most DPI_FEW_ROWS rows of a, b as stored.
int dpi_cpu_few_fits(const dpi_cpu_product *product);
// Sums run over k in a fixed order, another than that of dpi_cpu_product_run's packed panels.
int dpi_cpu_few_run(dp_stream *stream, const dpi_cpu_product *product, dp_error *error);

#endif
