// The options of a context: one line an option.
#include "base/context.h"

#define AT(field) .name = #field, .offset = offsetof(dp_context_options, field)

static const dpi_option options[] = {
    {AT(threads), .kind = DPI_INT32, .most = DPI_THREADS_MOST,
     .help = "compute threads; 0: the processors this process may use"},
    {AT(memory_limit), .kind = DPI_UINT64, .help = "bytes the library may allocate; 0: no limit"},
    {AT(backend), .kind = DPI_TEXT, .text = "auto", .help = "auto, cpu, ref or cuda[:N]"},
    {AT(gemm), .kind = DPI_TEXT, .text = "auto", .help = "auto, native or openblas"},
    {AT(kernels), .kind = DPI_TEXT, .text = "auto", .help = "auto, portable, avx2 or avx512"},
    {AT(plugin), .kind = DPI_TEXT, .help = "path of a backend plugin; default: beside the library"},
    {AT(allocator), .kind = DPI_POINTER, .help = "where memory comes from; default: the C library"},
    {AT(log), .kind = DPI_POINTER, .help = "receives log lines; default: none"},
    {AT(log_user), .kind = DPI_POINTER, .help = "handed to log"},
};

const dpi_schema dpi_context_schema = {.name = "dp_context_options",
                                       .size = sizeof(dp_context_options),
                                       .count = sizeof options / sizeof *options,
                                       .options = options};

void dp_context_options_init(dp_context_options *out, size_t size)
{
    dpi_options_init(&dpi_context_schema, out, size);
}
