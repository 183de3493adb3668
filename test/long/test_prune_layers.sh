#!/bin/sh
# A pruned quantized GGUF is what llama.cpp's own removal of blocks writes, tensor by tensor.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=$(sh test/long/peers.sh)
model=${DEPTHPRUNE_MODEL:-${XDG_CACHE_HOME:-$HOME/.cache}/depthprune/SmolLM2-135M-Instruct.Q4_1.gguf}
for blocks in 4,12,14,17,20,26 0,29 7; do
    build/depthprune prune "$model" --remove $blocks -o "$work/ours.gguf" --force --quiet --json >/dev/null
    "$python" test/long/prune_layers.py "$model" "$work/ours.gguf" "$work/theirs.gguf" $blocks
done
