#!/bin/sh
# Transformers loads what we save, with no missing or unexpected tensor, and gives our perplexity.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=$(sh test/long/peers.sh)
model=${DEPTHPRUNE_MODEL:-${XDG_CACHE_HOME:-$HOME/.cache}/depthprune/SmolLM2-135M-Instruct.Q4_1.gguf}
data=${DEPTHPRUNE_TEST_DATA:-../shared}
export DEPTHPRUNE_LIBRARY=lib/libdepthprune.so
for type in f32 f16; do
    build/depthprune prune "$model" --remove 4,12,14,17,20,26 --to hf --dtype $type -o "$work/$type" --quiet --json >"$work/$type.json"
    "$python" test/long/transformers_loads.py "$work/$type" "$data/golden/smollm2-135m/calib_ids.json"
done
# Model cards, by the hub's reader.
"$python" test/long/card_loads.py
