#!/bin/sh
# Prune a real model and prove it: SmolLM2-135M-Instruct, 30 blocks, 6 of them removed by perplexity.
# `make quickstart` builds and calls this.  OUT names the output folder, ./quickstart-out without it.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
depthprune=${DEPTHPRUNE:-$root/build/depthprune}
texts=$root/examples/texts
out=${OUT:-quickstart-out}
windows=${WINDOWS:-50}
model=${MODEL:-$(sh "$root/examples/fetch_model.sh")}

step() {
    printf '\n%s\n' "$*"
}

measure() { # MODEL NAME: its shape and its perplexity, as documents
    "$depthprune" inspect "$1" --json >"$out/inspect-$2.json"
    "$depthprune" eval "$1" --perplexity "$texts/evaluation.txt" --limit "$windows" --force -o "$out/eval-$2.json" \
        >/dev/null
}

mkdir -p "$out"
begin=$(date +%s)

step "The model: $model"
"$depthprune" inspect "$model"

step "Score each block: perplexity on examples/texts/calibration.txt without it"
"$depthprune" score "$model" --criterion ppl --calibration "$texts/calibration.txt" --force -o "$out/scores.json"

step "Choose the 6 least important"
"$depthprune" plan "$model" --scores "$out/scores.json" --blocks 6 --force -o "$out/plan.json" --plot "$out/scores.svg"

step "Remove them, and save as a Hugging Face directory and as GGUF"
"$depthprune" prune "$model" --plan "$out/plan.json" --to hf --force -o "$out/pruned-hf" --json >"$out/prune-hf.json"
"$depthprune" prune "$model" --plan "$out/plan.json" --to gguf --force -o "$out/pruned.gguf" --json \
    >"$out/prune-gguf.json"

step "Perplexity on examples/texts/evaluation.txt, before and after"
measure "$model" before
measure "$out/pruned.gguf" after-gguf
measure "$out/pruned-hf" after-hf

step "All of it"
"$depthprune" report "$out"

cat <<EOT

$(($(date +%s) - begin)) seconds in all.  What was made:
  $out/pruned-hf/      the smaller model, for Transformers
  $out/pruned.gguf     the smaller model, for llama.cpp
  $out/scores.json     the score of each block
  $out/scores.svg      the same as a chart
  $out/plan.json       which blocks went; edit it and give it to 'depthprune prune --plan'
EOT
