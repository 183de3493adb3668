#!/bin/sh
# Each public header stands alone from C89 to C17 and from C++98 to C++20, without padding in any struct.
set -eu
strict="-Wall -Wextra -Wpedantic -Wpadded -Werror -Iinclude -fsyntax-only"
for header in include/depthprune/*.h include/depthprune/sys/*.h; do
    for standard in c89 c99 c11 c17; do
        ${CC:-cc} -std=$standard $strict -x c "$header"
    done
    for standard in c++98 c++11 c++17 c++20; do
        ${CXX:-c++} -std=$standard $strict -x c++ "$header"
    done
done
echo "headers compile in C89, C99, C11, C17, C++98, C++11, C++17 and C++20"
