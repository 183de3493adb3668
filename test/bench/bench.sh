#!/bin/sh
# Measure the kernels as shares of what this machine can do, and the public calls on the real model.
# RUNS=5; the JSON lines stay in build/bench.jsonl.
set -eu
gguf=${DEPTHPRUNE_MODEL:-${XDG_CACHE_HOME:-$HOME/.cache}/depthprune/SmolLM2-135M-Instruct.Q4_1.gguf}
sh examples/fetch_model.sh >/dev/null
build/depthprune doctor
build/kernels
build/library "$gguf" examples/texts/evaluation.txt "${RUNS:-5}" | tee build/bench.jsonl | awk '
    function value(key, text) { text = $0; sub(".*\"" key "\": \"?", "", text); sub("\"?[,}] ?.*", "", text); return text }
    function name(text) { text = $0; sub(".*\"name\": \"", "", text); sub("\".*", "", text); return text }
    BEGIN { printf "\n%-48s %10s %10s %10s\n", "SmolLM2-135M, Q4_1", "median", "least", "most" }
    { printf "%-48s %10s %10s %10s %s\n", name(), value("median"), value("least"), value("most"), value("unit") }'
