#!/bin/sh
# Build for aarch64 with a cross compiler, run every unit test under qemu, and the program beside this machine's: the same
# plan and file, scores to nine digits.  Libraries come from Debian's arm64 packages, unpacked into a folder of the user's
# cache; nothing of this system is changed.
set -eu
skip()
{
    echo "$*"
    exit 77
}
machine=aarch64-linux-gnu
command -v $machine-gcc >/dev/null || skip "no $machine-gcc"
command -v qemu-aarch64 >/dev/null || skip "no qemu-aarch64"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/depthprune/aarch64
root=$cache/root
packages="libopenblas-pthread-dev libopenblas0-pthread libjansson-dev libjansson4 libpcre2-dev libpcre2-8-0 check libsubunit-dev libsubunit0
    libgfortran5 libgcc-s1"
fetch()
{
    command -v apt-get >/dev/null || return 1
    rm -rf "$cache"
    mkdir -p "$cache/apt/state/lists/partial" "$cache/apt/cache/archives/partial" "$cache/packages"
    options="-qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State=$cache/apt/state -o Dir::State::status=/dev/null
        -o Dir::Cache=$cache/apt/cache -o APT::Sandbox::User="
    apt-get $options update && (cd "$cache/packages" && apt-get $options download $packages) || return 1
    for package in "$cache"/packages/*.deb; do
        dpkg -x "$package" "$root.partial" || return 1
    done
    rm -rf "$cache/apt" "$cache/packages"
    mv "$root.partial" "$root"
}
[ -d "$root" ] || fetch >/dev/null 2>&1 || skip "the arm64 packages cannot be had here"

data=$(realpath "${DEPTHPRUNE_TEST_DATA:-../shared}")
here=$(pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sh test/copy_tree.sh "$work/tree"
cd "$work/tree"
libraries=$root/usr/lib/$machine:$root/usr/lib/$machine/openblas-pthread
export PKG_CONFIG_LIBDIR="$root/usr/lib/$machine/pkgconfig:$root/usr/lib/$machine/openblas-pthread/pkgconfig"
export PKG_CONFIG_SYSROOT_DIR="$root" PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
compiler="$machine-gcc"
command -v ccache >/dev/null && compiler="ccache $machine-gcc"
build() # target
{
    make -s -j2 CC="$compiler" LDFLAGS="-Wl,-rpath-link,$libraries" "$@" >"$work/log" 2>&1 ||
        { tail -30 "$work/log"; exit 1; }
}
build all
tests=$(find test/unit -name 'test_*.c' | sed 's|^|build/|; s|\.c$||' | LC_ALL=C sort)
build $tests
readelf -h lib/libdepthprune.so | grep -q 'Machine: *AArch64' || { echo "not built for aarch64"; exit 1; }

export TEST_RUNNER="qemu-aarch64 -L /usr/$machine -E LD_LIBRARY_PATH=$libraries:$PWD/lib"
export DEPTHPRUNE_TEST_DATA="$data" DEPTHPRUNE_MODEL=none CK_TIMEOUT_MULTIPLIER=30 # an emulator is slow
began=$(date +%s)
# An emulator takes minutes where the processor takes a second: as many at once as there are processors.
export CI= OPENBLAS_NUM_THREADS=1
echo $tests | xargs -n 1 -P "$(nproc)" sh -c 'sh test/run_tests.sh "$1" >"$0.$$" 2>&1; cat "$0.$$"; rm "$0.$$"' "$work/one" >"$work/result"
ended=$(date +%s)
grep SKIPPED "$work/result" || true
if grep -q '^FAILED' "$work/result"; then
    grep -v -e '^ok' -e ' passed, ' "$work/result"
    exit 1
fi
passed=$(grep -c '^ok' "$work/result")
[ $((passed + $(grep -c '^SKIPPED' "$work/result" || true))) = "$(echo $tests | wc -w)" ] || { echo "a test gave no result"; exit 1; }

model=$data/golden/tinyA_gqa_tied/model ids=$data/golden/tinyA_gqa_tied/calib_ids.json
for program in "$here/build/depthprune" "$TEST_RUNNER build/depthprune"; do
    out=$work/here
    [ "$program" = "$here/build/depthprune" ] || out=$work/there
    $program score "$model" --calibration-tokens "$ids" --json --quiet -o "$out.scores" >/dev/null
    $program plan "$model" --scores "$out.scores" --blocks 2 --json --quiet -o "$out.plan" >/dev/null
    $program prune "$model" --plan "$out.plan" --to gguf --json --quiet -o "$out.gguf" >/dev/null
    $program convert "$model" --json --quiet --dtype bf16 -o "$out.hf" >/dev/null
done
cmp "$work/here.hf/model.safetensors" "$work/there.hf/model.safetensors"
python3 - "$work" <<'END'
import json, sys
def read(name):
    with open(sys.argv[1] + "/" + name) as file:
        return json.load(file)
here, there = ([row["score"] for row in read(name)["scores"]] for name in ("here.scores", "there.scores"))
worst = max(abs(a - b) / abs(a) for a, b in zip(here, there))
assert len(here) == len(there) and worst < 1e-5, (here, there)
assert read("here.plan")["removed"] == read("there.plan")["removed"]
print("scores differ by %.1e at most, relatively" % worst)
END
echo "$passed unit test programs pass under qemu, in $((ended - began)) s"
