#!/bin/sh
# Plugins: a whole one is used, given or beside the library; each that cannot be used says why, and "auto" goes on without.
set -eu
build=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fPIC -fvisibility=hidden -Iinclude -Isrc"
for kind in 0 1 2 3; do
    ${CC:-cc} $flags -DKIND=$kind -shared test/backend/plugin.c "$build"/backend/ref/*.o "$build"/tensor/*.o \
        "$build"/base/*.o -lm -lpthread -o "$work/plugin$kind.so"
done
${CC:-cc} $flags test/backend/open_plugin.c -Llib -ldepthprune -o "$work/open"
mkdir -p "$work/lib/depthprune"
cp lib/libdepthprune.so.0 "$work/lib/"
LD_LIBRARY_PATH=$work/lib
export LD_LIBRARY_PATH
says() # what the output must hold, arguments of open
{
    want=$1
    shift
    "$work/open" "$@" >"$work/out" 2>&1 || true
    grep -qF -- "$want" "$work/out" || { echo "open $*: expected '$want', got:"; cat "$work/out"; exit 1; }
}
says '{"backend":"ref"' cuda "$work/plugin0.so"
says '{"backend":"ref"' auto "$work/plugin0.so"
says "DP_E_BACKEND: $work/plugin1.so: the plugin gave no table" cuda "$work/plugin1.so"
says "table is of version 99, expected 1" cuda:0 "$work/plugin2.so"
says "no driver for device 3" cuda:3 "$work/plugin3.so"
says "DP_E_BACKEND: $work/lib/depthprune/libdepthprune-cuda.so: cannot load the plugin: " cuda
says '{"backend":"cpu"' auto
! grep -q log "$work/out" || { echo "auto without a plugin has something to say"; exit 1; }
cp "$work/plugin3.so" "$work/lib/depthprune/libdepthprune-cuda.so"
says 'the GPU is not used: no driver for device 0' auto
says '{"backend":"cpu"' auto
cp "$work/plugin0.so" "$work/lib/depthprune/libdepthprune-cuda.so"
says '{"backend":"ref"' auto
says '{"backend":"cpu"' cpu
echo "plugins are used, or said not to be"
