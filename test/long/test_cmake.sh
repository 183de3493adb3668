#!/bin/sh
# A CMake project finds an installed tree and links the shared library and the archive; the tree is moved and still works;
# a version that it is not, and a component that there is not, are refused.
set -eu
command -v cmake >/dev/null || { echo "no cmake"; exit 77; }
data=${DEPTHPRUNE_TEST_DATA:-../shared}
model=$(realpath "$data/golden/tinyA_gqa_tied/model" 2>/dev/null) || { echo "no test data at $data"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make -s install DESTDIR="$work/stage" PREFIX=/usr LIBDIR="/usr/lib/$(cc -print-multiarch)" >/dev/null
mkdir "$work/project"
cp examples/c/score.c "$work/project"
cat >"$work/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.13)
project(host C)
find_package(depthprune ${WANTED} REQUIRED COMPONENTS ${PARTS})
add_executable(with_shared score.c)
target_link_libraries(with_shared depthprune::depthprune)
add_executable(with_static score.c)
target_link_libraries(with_static depthprune::static)
END
build() # folder, where the tree is, wanted version, components
{
    cmake -S "$work/project" -B "$work/$1" -DCMAKE_PREFIX_PATH="$2" \
        "-DWANTED=$3" "-DPARTS=$4" >"$work/log" 2>&1 && cmake --build "$work/$1" >>"$work/log" 2>&1
}
works() # folder
{
    for host in shared static; do
        "$work/$1/with_$host" "$model" >"$work/$1.$host" 2>/dev/null || { echo "$1: the $host host fails"; exit 1; }
        [ "$(grep -c '^[0-9]' "$work/$1.$host")" = 6 ]
    done
    readelf -d "$work/$1/with_shared" | grep -q 'NEEDED.*libdepthprune.so.0'
    if readelf -d "$work/$1/with_static" | grep -q 'NEEDED.*depthprune'; then echo "the static host is not"; exit 1; fi
    cmp "$work/$1.shared" "$work/$1.static"
}
version=$(awk '/define DP_VERSION_(MAJOR|MINOR|PATCH)/{v = v d $3; d = "."} END{print v}' include/depthprune/version.h)
build first "$work/stage/usr" "$version" "shared;static" || { cat "$work/log"; exit 1; }
works first
mkdir "$work/opt"
mv "$work/stage/usr" "$work/opt/moved"
build second "$work/opt/moved" "${version%.*}" "shared" || { cat "$work/log"; exit 1; }
works second
if build newer "$work/opt/moved" "${version%.*}.99" shared; then echo "a newer version is found"; exit 1; fi
if build other "$work/opt/moved" 99.0 shared; then echo "another version is found"; exit 1; fi
if build part "$work/opt/moved" "$version" nonsense; then echo "a component that is not is found"; exit 1; fi
grep -q 'no component nonsense' "$work/log" || { cat "$work/log"; exit 1; }
echo "CMake links both libraries, from a staged tree and after it was moved"
