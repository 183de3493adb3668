#!/bin/sh
# llama.cpp loads the GGUF files that we save and gives our logits.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=$(sh test/long/peers.sh)
model=${DEPTHPRUNE_MODEL:-${XDG_CACHE_HOME:-$HOME/.cache}/depthprune/SmolLM2-135M-Instruct.Q4_1.gguf}
data=${DEPTHPRUNE_TEST_DATA:-../shared}
ids=$data/golden/smollm2-135m/calib_ids.json
export DEPTHPRUNE_LIBRARY=lib/libdepthprune.so
# As stored, llama.cpp rounds activations to 8 bits before each Q4_1 product (with the whole model its logits differ from
# ours by 0.17 on average, 2.0 at most, and in f32 by 3e-4 at most): held to the likeliest token and the average.
build/depthprune prune "$model" --remove 4,12,14,17,20,26 --to gguf -o "$work/kept.gguf" --quiet --json >/dev/null
"$python" test/long/llama_cpp_loads.py "$work/kept.gguf" "$ids" 1.2
# In f32 both compute the same function.
build/depthprune convert "$work/kept.gguf" --to gguf --dtype f32 -o "$work/f32.gguf" --quiet --json >/dev/null
"$python" test/long/llama_cpp_loads.py "$work/f32.gguf" "$ids" 0.002
# From a Hugging Face directory: names, row order of q and k, and tokenizer are rebuilt.
build/depthprune prune "$model" --remove 4,12,14,17,20,26 --to hf --dtype f32 -o "$work/hf" --quiet --json >/dev/null
build/depthprune convert "$work/hf" --to gguf -o "$work/back.gguf" --quiet --json >/dev/null
"$python" test/long/llama_cpp_loads.py "$work/back.gguf" "$ids" 0.002
# Ids, from each kind of tokenizer.
"$python" test/long/llama_cpp_tokens.py
