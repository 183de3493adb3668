#!/bin/sh
# Each public header stands alone in C99, C11, C++11 and C++20, without padding in any struct.
set -eu
strict="-Wall -Wextra -Wpedantic -Wpadded -Werror -Iinclude -fsyntax-only"
for header in include/depthprune/*.h include/depthprune/sys/*.h; do
    for standard in c99 c11; do
        ${CC:-cc} -std=$standard $strict -x c "$header"
    done
    for standard in c++11 c++20; do
        ${CXX:-c++} -std=$standard $strict -x c++ "$header"
    done
done
echo "headers compile in C99, C11, C++11 and C++20"
