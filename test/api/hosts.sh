#!/bin/sh
# Install into a folder of its own, build the C and C++ hosts against that copy (shared and static), run them and the
# ctypes host on one model: the same scores byte for byte, a progress line, a cancel and a failure.  A host that builds
# the model from its own arrays has the same scores.
set -eu
data=${DEPTHPRUNE_TEST_DATA:-../shared}
model=$data/golden/tinyA_gqa_tied/model
[ -d "$model" ] || { echo "no test data at $data"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make -s install DESTDIR="$work" PREFIX=/usr >/dev/null
export PKG_CONFIG_SYSROOT_DIR="$work" PKG_CONFIG_PATH="$work/usr/lib/pkgconfig"
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
flags="$(pkg-config --cflags depthprune)"
shared="$(pkg-config --libs depthprune)"
${CC:-cc} -std=c99 -Wall -Wextra -Wpedantic -Werror $flags examples/c/score.c $shared -o "$work/c"
${CC:-cc} -std=c99 $flags examples/c/prune.c $shared -o "$work/prune"
${CC:-cc} -std=c99 -Wall -Wextra -Wpedantic -Werror $flags examples/c/memory.c $shared -o "$work/memory"
${CXX:-c++} -std=c++11 -Wall -Wextra -Wpedantic -Werror $flags examples/cpp/score.cpp $shared -o "$work/cpp"
unset PKG_CONFIG_SYSROOT_DIR
${CC:-cc} -std=c99 -I"$work/usr/include" examples/c/score.c "$work/usr/lib/libdepthprune.a" \
    $(PKG_CONFIG_PATH= pkg-config --libs openblas jansson libpcre2-8) -lm -lpthread -ldl -o "$work/static"
LD_LIBRARY_PATH="$work/usr/lib"
DEPTHPRUNE_LIBRARY="$work/usr/lib/libdepthprune.so.0"
export LD_LIBRARY_PATH DEPTHPRUNE_LIBRARY
"$work/c" "$model" >"$work/c.out" 2>"$work/c.err"
"$work/static" "$model" >"$work/static.out" 2>/dev/null
"$work/cpp" "$model" >"$work/cpp.out" 2>"$work/cpp.err"
python3 examples/python/score.py "$model" >"$work/py.out" 2>"$work/py.err"
for other in static cpp py; do
    cmp "$work/c.out" "$work/$other.out"
done
"$work/memory" "$model" >"$work/memory.out" 2>"$work/memory.err"
grep '^[0-9]' "$work/c.out" | cmp - "$work/memory.out"
grep -q '^\([0-9]*\) of \1 arrays released$' "$work/memory.err" || { cat "$work/memory.err"; exit 1; }
for host in c cpp py; do
    grep -q score "$work/$host.err" || { echo "$host: no progress line"; exit 1; }
done
grep -q '^cancelled: DP_E_CANCELLED$' "$work/c.out"
grep -q '^failed: DP_E_IO: no-such-model: ' "$work/c.out"
[ "$(grep -c '^[0-9]' "$work/c.out")" = 6 ]
python3 test/api/layout.py "${CC:-cc}" "$work/usr/include"
make -s uninstall DESTDIR="$work" PREFIX=/usr >/dev/null
[ -z "$(find "$work/usr" -type f)" ] || { echo "uninstall left:"; find "$work/usr" -type f; exit 1; }
echo "C, C++, static and Python hosts agree"
