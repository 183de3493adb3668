# The quickstart runs to its table, and every figure of the table is one of its documents'.
. test/e2e/begin.inc
model=$(sh examples/fetch_model.sh 2>"$scratch/err") || {
    echo "the real model cannot be fetched: $(tail -n 1 "$scratch/err")"
    exit 77
}

MODEL=$model OUT=$scratch/run WINDOWS=4 DEPTHPRUNE=$depthprune sh examples/quickstart.sh >"$scratch/out" 2>"$scratch/err" ||
    bad "quickstart: $(tail -n 3 "$scratch/err")"
for file in scores.json scores.svg plan.json prune-hf.json prune-gguf.json pruned.gguf pruned-hf/config.json \
    pruned-hf/model.safetensors pruned-hf/tokenizer.json; do
    [ -s "$scratch/run/$file" ] || bad "no $file"
done
for file in "$scratch"/run/*.json; do
    python3 -m json.tool "$file" >/dev/null || bad "$file is not JSON"
done
holds "$scratch/run/scores.json" 'len(d["scores"]) == 30 and d["dense"] < min(s["score"] for s in d["scores"])'
holds "$scratch/run/inspect-before.json" 'd["blocks"] == 30 and d["parameters"] == 134515008'
for kind in gguf hf; do
    holds "$scratch/run/inspect-after-$kind.json" 'd["blocks"] == 24 and d["parameters"] == 134515008 - 6 * d["block_parameters"]'
    holds "$scratch/run/inspect-after-$kind.json" "d['format'] == '$kind'"
done
python3 - "$scratch" <<'END' || bad "the table does not hold the documents' figures"
import json, sys
text = open(sys.argv[1] + "/out").read()
for name in ("before", "after-gguf", "after-hf"):
    (p,) = json.load(open(sys.argv[1] + "/run/eval-" + name + ".json"))["perplexity"]
    assert "%#.5g" % p["perplexity"] in text, (name, p["perplexity"])
END
DEPTHPRUNE=$depthprune python3 - "$scratch/run" <<'END' || bad "GGUF and directory differ"
import json, sys
a, b = (json.load(open(sys.argv[1] + "/eval-after-" + name + ".json"))["perplexity"][0] for name in ("gguf", "hf"))
assert abs(a["perplexity"] / b["perplexity"] - 1) < 2e-3, (a, b)
END
finish
