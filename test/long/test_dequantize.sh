#!/bin/sh
# Dequantization equals PyPI's gguf bit for bit, NaN and infinite scales included.
set -eu
program=$(mktemp)
trap 'rm -f "$program"' EXIT
python=$(sh test/long/peers.sh)
${CC:-cc} -std=gnu11 -O1 -D_GNU_SOURCE -Iinclude -Isrc test/long/dequantize.c src/tensor/dtype.c src/tensor/half.c src/tensor/blocks.c \
    src/tensor/super_blocks.c -lm -o "$program"
"$python" test/long/dequantize.py "$program"
