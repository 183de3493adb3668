// Stored blocks on standard input to f32 on standard output.   usage: dequantize TYPE BLOCKS
#include <stdio.h>
#include <stdlib.h>

#include "tensor/dtype.h"

int main(int argc, char **argv)
{
    const dpi_dtype *type = argc == 3 ? dpi_dtype_of(atoi(argv[1])) : NULL;
    const long blocks = argc == 3 ? atol(argv[2]) : 0;

    if (!type || blocks < 1)
        return 2;
    const size_t bytes = (size_t)blocks * (size_t)type->block_bytes, count = (size_t)blocks * (size_t)type->block;
    unsigned char *from = malloc(bytes);
    float *to = malloc(count * sizeof *to);

    if (!from || !to || fread(from, 1, bytes, stdin) != bytes)
        return 1;
    dpi_to_f32(type->type, from, (int64_t)count, to);
    const int failed = fwrite(to, sizeof *to, count, stdout) != count;
    free(from);
    free(to);
    return failed;
}
