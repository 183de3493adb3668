#!/bin/sh
# Build the CUDA kernels with the C++ compiler on the emulated GPU and hold them against the reference; where nvcc is,
# compile them for a real one too, spills being errors.
set -eu
build=${BUILD:-build}
work=$build/cuda-emu
mkdir -p "$work"
flags="-O2 -g -Wall -Wextra -Wshadow -Werror -I. -Iinclude ${EMU_FLAGS:-}"
for file in cuda/*.cu cuda/emu/*.cc; do
    ${CXX:-c++} -std=c++17 -fno-strict-aliasing $flags -Icuda/emu -x c++ -c "$file" -o "$work/$(basename "$file").o"
done
${CC:-cc} -std=gnu11 -D_GNU_SOURCE $flags -Isrc $(pkg-config --cflags check) -c test/backend/test_cuda.c \
    -o "$work/test_cuda.o"
${CXX:-c++} ${EMU_FLAGS:-} "$work"/*.o "$build"/base/*.o "$build"/tensor/*.o "$build"/backend/*.o \
    "$build"/backend/ref/*.o "$build"/backend/cpu/*.o $(pkg-config --libs check openblas) -lm -lpthread -ldl \
    -o "$work/test_cuda"
"$work/test_cuda"
nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
[ -x "$nvcc" ] || exit 0
for file in cuda/*.cu; do
    "$nvcc" -std=c++17 -O3 -arch=sm_90 -I. -Iinclude -Xcompiler -Wall,-Wextra -Werror all-warnings \
        -Xptxas -warn-spills,-Werror -cubin -o "$work/$(basename "$file").cubin" "$file"
done
echo "compiled for sm_90 too"
