#!/bin/sh
# The Rust module against an installed copy: every size, place and number as in C, every function linked; the handles' own
# tests; and the example beside the C example and the program: the same scores, plan, files and perplexity.
set -eu
command -v "${RUSTC:-rustc}" >/dev/null || { echo "no rustc"; exit 77; }
data=${DEPTHPRUNE_TEST_DATA:-../shared}
model=$data/golden/tinyA_gqa_tied/model
[ -d "$model" ] || { echo "no test data at $data"; exit 77; }
sh test/api/rust.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make -s install DESTDIR="$work" PREFIX=/usr >/dev/null
export PKG_CONFIG_SYSROOT_DIR="$work" PKG_CONFIG_PATH="$work/usr/lib/pkgconfig" PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
export LD_LIBRARY_PATH="$work/usr/lib"
libs=$(pkg-config --libs depthprune)
rust() # source, output, more
{
    source=$1 out=$2
    shift 2
    ${RUSTC:-rustc} --edition 2021 -O "$@" $libs "$source" -o "$out"
}
rust examples/rust/src/lib.rs "$work/libdepthprune.rlib" --crate-type rlib --crate-name depthprune
with="--extern depthprune=$work/libdepthprune.rlib"

python3 examples/rust/generate.py c include >"$work/layout.c"
python3 examples/rust/generate.py rust include >"$work/layout.rs"
${CC:-cc} -std=c11 -I"$work/usr/include" "$work/layout.c" -o "$work/layout_c"
rust "$work/layout.rs" "$work/layout_rust" $with
"$work/layout_c" >"$work/layout.expected"
"$work/layout_rust" | diff "$work/layout.expected" - || { echo "Rust's layout differs from C's"; exit 1; }

rust examples/rust/tests/handles.rs "$work/handles" $with --test
DEPTHPRUNE_TEST_MODEL=$model TMPDIR=$work "$work/handles" >"$work/handles.log" || { cat "$work/handles.log"; exit 1; }

rust examples/rust/examples/prune.rs "$work/prune" $with
${CC:-cc} -std=c99 -I"$work/usr/include" examples/c/score.c -L"$work/usr/lib" -ldepthprune -o "$work/score"
"$work/prune" "$model" "$work/rust-model" >"$work/rust.json" 2>"$work/rust.err"
grep -q 'score [0-9]* of' "$work/rust.err" || { echo "no progress line"; exit 1; }
"$work/score" "$model" >"$work/c.out" 2>/dev/null
python3 -c 'import json; print(json.dumps([[((row * 32 + i) * 7 + 3) % 160 for i in range(32)] for row in range(4)]))' >"$work/ids.json"
program="$work/usr/bin/depthprune"
"$program" score "$model" --calibration-tokens "$work/ids.json" --json --quiet -o "$work/scores.json" >/dev/null
"$program" plan "$model" --scores "$work/scores.json" --blocks 1 --quiet --json -o "$work/plan.json" >/dev/null
"$program" prune "$model" --plan "$work/plan.json" --quiet --json -o "$work/program-model" >/dev/null
"$program" eval "$work/program-model" --perplexity-tokens "$work/ids.json" --window 32 --bos none --quiet --json >"$work/eval.json"
cmp "$work/rust-model/model.safetensors" "$work/program-model/model.safetensors"
python3 - "$work" <<'END'
import json, sys
work = sys.argv[1]
def read(name):
    with open(work + "/" + name) as file:
        return json.load(file)
rust = read("rust.json")
with open(work + "/c.out") as file:
    c = [float(line.split()[1]) for line in file if line[0].isdigit()]
program = read("scores.json")
found = [block["score"] for block in program["scores"]]
assert rust["scores"] == c == found, (rust["scores"], c, found)
assert rust["removed"] == read("plan.json")["removed"]
assert rust["perplexity"] == read("eval.json")["perplexity"][0]["perplexity"], (rust, read("eval.json"))
assert rust["watched"] and rust["panicked"] and rust["stopped"] == "DP_E_CANCELLED"
assert rust["missing"].startswith("DP_E_IO: no-such-model: "), rust["missing"]
END
if [ -z "${RUSTC:-}" ] && command -v cargo >/dev/null; then # the same as a package, which needs no other
    DEPTHPRUNE_TEST_MODEL=$(realpath "$model") TMPDIR=$work CARGO_TARGET_DIR="$work/target" \
        cargo test --manifest-path examples/rust/Cargo.toml --offline --locked -q >"$work/cargo.log" 2>&1 ||
        { cat "$work/cargo.log"; exit 1; }
fi
echo "$(wc -l <"$work/layout.expected") sizes, places and numbers, $(grep -c '^test .* ok$' "$work/handles.log") tests of the handles, one example"
