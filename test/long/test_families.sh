#!/bin/sh
# Every family, made by Transformers, gives its logits; llama.cpp loads what we make of it and gives them, too.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=$(sh test/long/peers.sh)
export DEPTHPRUNE_LIBRARY=lib/libdepthprune.so
"$python" test/long/families.py "$work" build/depthprune
