# The same question as test/fault/power_cut.sh asked by another program, from the log of strace; needs strace and the
# tools beside the test data.
data=${DEPTHPRUNE_TEST_DATA:-../shared}
tool=$(realpath -q "$data/tools/crash_states.py")
[ -f "$tool" ] || { echo "no crash_states.py in $data/tools"; exit 77; }
strace -o /dev/null true 2>/dev/null || { echo "no strace here"; exit 77; }
. test/fault/begin.inc
DEPTHPRUNE=$(realpath "$depthprune")
export DEPTHPRUNE
cat >"$scratch/good" <<'INNER'
# good FOLDER: what stands at the target opens, and is the old model or the new one
for target in "$1/model.gguf" "$1/model"; do
    [ -e "$target" ] || continue
    digest=$("$DEPTHPRUNE" inspect --check --json "$target" | sed -n 's/.*"digest": "\(.*\)".*/\1/p' | head -n 1)
    grep -qxF "${digest:-none}" "$2" || exit 1
done
[ -e "$1/model.gguf" ] || [ -e "$1/model" ] || [ ! -e "$1/over" ]
INNER
digest() {
    "$depthprune" inspect --check --json "$1" | sed -n 's/.*"digest": "\(.*\)".*/\1/p' | head -n 1
}
"$depthprune" prune "$work/bytes" --remove 1 -o "$work/pruned" -q >/dev/null
"$depthprune" prune "$work/bytes.gguf" --remove 1 -o "$work/pruned.gguf" -q >/dev/null
for model in bytes pruned bytes.gguf pruned.gguf; do
    digest "$work/$model"
done >"$scratch/digests"
# cut NAME ARGUMENTS...: the save, run in a copy of $scratch/init
cut() {
    name=$1
    shift
    printf '%s: ' "$name"
    python3 "$tool" --check "sh $scratch/good {dir} $scratch/digests" --init "$scratch/init" --out "$scratch/cut" -- \
        "$DEPTHPRUNE" "$@" -q >"$scratch/said" 2>&1 || bad "$name: $(head -n 3 "$scratch/said")"
    tail -n 1 "$scratch/said"
    rm -rf "$scratch/cut"
}
mkdir "$scratch/init"
cut "HF, nothing there" prune "$work/bytes" --remove 1 -o model
cut "sharded HF, nothing there" prune "$work/bytes" --remove 1 -o model --max-shard-size 16K
cut "GGUF, nothing there" prune "$work/bytes.gguf" --remove 1 -o model.gguf
cp "$work/bytes.gguf" "$scratch/init/model.gguf"
touch "$scratch/init/over"
cut "GGUF over an old one" prune "$work/bytes.gguf" --remove 1 -o model.gguf --force
finish
