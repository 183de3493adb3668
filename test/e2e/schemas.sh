# Every document is what docs/schemas says, and a document that is not fails the check.
. test/e2e/begin.inc
need_tiny
model=$tiny/model

python3 - >"$scratch/ids.json" <<'END'
import json, random
random.seed(7)
print(json.dumps({"ids": [[random.randrange(160) for _ in range(24)] for _ in range(4)]}))
END
obeys() { # NAME FILE...
    name=$1
    shift
    python3 test/e2e/schema.py "docs/schemas/$name.json" "$@" || bad "$name"
}
# written NAME FILE ARGUMENTS...: run with --json; FILE is the document.
written() {
    name=$1 file=$scratch/$2
    shift 2
    expect 0 "$@" --json
    cp "$scratch/out" "$file"
    obeys "$name" "$file"
}

written inspect run-inspect.json inspect "$model"
written inspect inspect.json inspect "$model" --check
for criterion in ppl bi; do
    written scores $criterion.json score "$model" --criterion $criterion --calibration-tokens "$scratch/ids.json"
done
written scores mag.json score "$model" --criterion mag+ --protect 1+1
written plan plan.json plan "$model" --scores "$scratch/ppl.json" --blocks 2
written plan list.json plan "$model" --remove 1,3
written prune prune.json prune "$model" --plan "$scratch/plan.json" -o "$scratch/small"
obeys plan "$scratch/small/depthprune.json"
written eval eval.json eval "$scratch/small" --perplexity-tokens "$scratch/ids.json" --window 16
written convert convert.json convert "$scratch/small" -o "$scratch/small.gguf"
written doctor doctor.json doctor
mkdir "$scratch/run"
cp "$scratch/inspect.json" "$scratch/ppl.json" "$scratch/plan.json" "$scratch/prune.json" "$scratch/eval.json" "$scratch/run"
written report report.json report "$scratch/run"
written dry-run dry.json score "$model" --calibration-tokens "$scratch/ids.json" --dry-run
written dry-run dry.json plan "$model" --scores "$scratch/ppl.json" --blocks 2 --dry-run
written dry-run dry.json prune "$model" --remove 1 -o "$scratch/none" --dry-run
written dry-run dry.json convert "$model" -o "$scratch/none" --dry-run
written dry-run dry.json eval "$model" --perplexity-tokens "$scratch/ids.json" --dry-run

# change NAME FILE STATEMENT: the document d, changed, must fail.
change() {
    python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
exec(sys.argv[2])
json.dump(d, open(sys.argv[3], "w"))' "$scratch/$2" "$3" "$scratch/changed.json"
    python3 test/e2e/schema.py "docs/schemas/$1.json" "$scratch/changed.json" >/dev/null && bad "$1 allows $3"
}
change inspect inspect.json 'del d["kv_heads"]'
change inspect inspect.json 'd["blocks"] = 6.5'
change inspect inspect.json 'd["tied_head"] = 1'
change scores ppl.json 'd["scores"][3]["score"] = None'
change scores ppl.json 'd["protocol"]["model"]["digest"] = "0"'
change plan plan.json 'd["schema"] = "depthprune.plan/2"'
change plan plan.json 'd["removed"] = [-1]'
change eval eval.json 'd["perplexity"][0]["mode"] = "C"'
change report report.json 'd["models"][0]["blocks"] = "6"'
finish
