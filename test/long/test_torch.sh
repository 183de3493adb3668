#!/bin/sh
# Checkpoints that PyTorch itself saves open with the bytes and the logits of the same models in safetensors.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=$(sh test/long/peers.sh)
export DEPTHPRUNE_LIBRARY=lib/libdepthprune.so
"$python" -W ignore test/long/torch_saves.py "$work" "$@"
