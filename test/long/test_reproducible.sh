#!/bin/sh
# Two builds in different folders, at different times, in another locale, umask and time zone, and two packs of what is
# committed: the same bytes; the pack builds, and packs nothing itself.  Two runs of one command: the same files.
set -eu
data=$(realpath "${DEPTHPRUNE_TEST_DATA:-../shared}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad()
{
    echo "$*"
    exit 1
}
compiler=cc # not one that remembers what it made
build() # folder, then a prefix for the command
{
    folder=$work/$1/tree
    shift
    mkdir -p "$folder"
    (cd "$work/sources" && sh test/copy_tree.sh "$folder")
    (cd "$folder" && env "$@" make -s -j2 CC=$compiler all >"$work/log" 2>&1) || { tail "$work/log"; exit 1; }
}
sh test/copy_tree.sh "$work/sources" # once: who works on them meanwhile does not change them between the builds
(umask 022 && build one LC_ALL=C TZ=UTC)
sleep 1
(umask 077 && build "quite/another folder" LC_ALL=C.UTF-8 LANG=tr_TR.UTF-8 TZ=Asia/Tokyo SOURCE_DATE_EPOCH=1 HOME=/nowhere)
other="$work/quite/another folder/tree"
for file in lib/libdepthprune.so lib/libdepthprune.a build/depthprune; do
    cmp "$work/one/tree/$file" "$other/$file" || bad "$file depends on where or when it was built"
done
for tree in "$work/one/tree" "$other"; do # what is installed, names and modes included
    rm -rf "$work/stage"
    (cd "$tree" && make -s CC=$compiler install DESTDIR="$work/stage" PREFIX=/usr) >"$work/log" 2>&1 || { tail "$work/log"; exit 1; }
    (cd "$work/stage" && find . -type f -exec sha256sum {} + -o -type l -printf '%l %p\n' | LC_ALL=C sort) >"$tree/installed"
    (cd "$work/stage" && find . -type f -printf '%m %p\n' | LC_ALL=C sort) >>"$tree/installed"
done
cmp "$work/one/tree/installed" "$other/installed"

if git rev-parse -q --verify HEAD >/dev/null 2>&1; then
    git clone -q --no-local . "$work/clone"
    git clone -q --no-local . "$work/another clone"
    first=$(cd "$work/clone" && make -s dist 2>/dev/null)
    sleep 1
    second=$(cd "$work/another clone" && umask 077 && LC_ALL=C.UTF-8 TZ=Asia/Tokyo make -s dist 2>/dev/null)
    cmp "$work/clone/$first" "$work/another clone/$second"
    mkdir "$work/unpacked"
    tar -xzf "$work/clone/$first" -C "$work/unpacked"
    unpacked=$(echo "$work"/unpacked/depthprune-*)
    (cd "$work/clone" && git ls-files | LC_ALL=C sort) >"$work/tracked"
    (cd "$unpacked" && find . -type f -o -type l | sed 's|^\./||' | LC_ALL=C sort) | diff "$work/tracked" - || bad "the pack lacks files"
    (cd "$unpacked" && make -s -j2 all >"$work/log" 2>&1) || { tail "$work/log"; exit 1; }
    [ "$("$unpacked/build/depthprune" --version)" = "depthprune ${unpacked##*depthprune-}" ] || bad "the pack builds another version"
    if (cd "$unpacked" && make -s dist) >"$work/log" 2>&1; then bad "a folder without git is packed"; fi
    grep -q 'not a git checkout' "$work/log" || { cat "$work/log"; exit 1; }
fi

program="$work/one/tree/build/depthprune"
model=$data/golden/tinyA_gqa_tied/model ids=$data/golden/tinyA_gqa_tied/calib_ids.json
if [ -d "$model" ]; then
    for run in first second; do
        mkdir "$work/$run"
        threads=$([ $run = first ] && echo 1 || echo 3)
        "$program" score "$model" --calibration-tokens "$ids" --quiet --json --threads $threads -o "$work/$run/scores.json" >/dev/null
        "$program" plan "$model" --scores "$work/$run/scores.json" --blocks 2 --quiet --json -o "$work/$run/plan.json" >/dev/null
        for to in hf gguf; do
            "$program" prune "$model" --plan "$work/$run/plan.json" --to $to --quiet --json -o "$work/$run/model.$to" >/dev/null
        done
    done
    # How long it took, when it was and with how many threads is all that may differ in a document.
    cat >"$work/same.py" <<'END'
import json, os, sys
def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in ("seconds", "threads", "created", "path", "memory", "elapsed")}
    return [plain(v) for v in value] if isinstance(value, list) else value
count, first, second = 0, sys.argv[1], sys.argv[2]
for folder, _, names in os.walk(first):
    for name in names:
        one = os.path.join(folder, name)
        two = second + one[len(first):]
        a, b = open(one, "rb").read(), open(two, "rb").read()
        if name.endswith(".json") and a != b:
            a, b = (plain(json.loads(text)) for text in (a, b))
        if a != b:
            sys.exit("%s differs from %s" % (one, two))
        count += 1
assert count >= 6, count
print("%d files of two runs agree" % count)
END
    python3 "$work/same.py" "$work/first" "$work/second"
fi
echo "two builds, two installations and two packs are the same bytes"
