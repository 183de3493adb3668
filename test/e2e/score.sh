# Scores, plans and perplexity agree with the goldens and with each other; every document is one JSON document.
. test/e2e/begin.inc
need_tiny
ids=$tiny/calib_ids.json

expect 0 score "$tiny/model" --calibration-tokens "$ids" -o "$scratch/ppl.json" --json
cmp -s "$scratch/out" "$scratch/ppl.json" || bad "--json and -o differ"
holds "$scratch/ppl.json" 'd["schema"] == "depthprune.scores/1" and d["criterion"] == "ppl" and d["unit"] == "block"'
holds "$scratch/ppl.json" '[s["block"] for s in d["scores"]] == list(range(6)) and d["protected"] == []'
for key in version backend kernels threads model tokenizer window bos special_tokens seed data seconds; do
    holds "$scratch/ppl.json" "'$key' in d['protocol']"
done
python3 - "$scratch/ppl.json" "$tiny/ppl_block.json" <<'END' || bad "perplexity by block is not the golden one"
import json, sys
d, golden = (json.load(open(name)) for name in sys.argv[1:])
assert d["order"] == golden["order_f64"]
for s, g in zip(d["scores"], golden["ppl_f64"]):
    assert abs(s["score"] / g - 1) < 5e-5, (s, g)
assert abs(d["dense"] / golden["base_ppl_f64"] - 1) < 5e-5
END

expect 0 score "$tiny/model" --criterion bi --calibration-tokens "$ids" -o "$scratch/bi.json"
prints "least important"
python3 - "$scratch/bi.json" "$tiny/bi.json" <<'END' || bad "block influence is not the golden one"
import json, sys
d, golden = (json.load(open(name)) for name in sys.argv[1:])
for s, g in zip(d["scores"], golden["bi_f64"]):
    assert abs(s["score"] / g - 1) < 5e-5, (s, g)
END
expect 0 score "$tiny/model" --criterion mag --projections-only -o "$scratch/mag.json"
python3 - "$scratch/mag.json" "$tiny/magnitude.json" <<'END' || bad "magnitude is not the golden one"
import json, sys
d, golden = (json.load(open(name)) for name in sys.argv[1:])
for s, g in zip(d["scores"], golden["l1"]):
    assert abs(s["score"] / g - 1) < 5e-6, (s, g)
END
expect 1 score "$tiny/model" --criterion mag+
expect 0 score "$tiny/model" --criterion mag+ --protect 1+1 --json
cp "$scratch/out" "$scratch/plus.json"
holds "$scratch/plus.json" 'd["protected"] == [0, 5]'

# an existing document is refused
expect 1 score "$tiny/model" --criterion mag -o "$scratch/mag.json"
says "--force"
expect 0 score "$tiny/model" --criterion mag -o "$scratch/mag.json" --force

# the plan takes the head of the order, and prune does what the plan says, edited or not
expect 0 plan "$tiny/model" --scores "$scratch/ppl.json" --blocks 2 -o "$scratch/plan.json"
python3 - "$scratch/plan.json" "$scratch/ppl.json" <<'END' || bad "plan"
import json, sys
plan, scores = (json.load(open(name)) for name in sys.argv[1:])
assert plan["removed"] == sorted(scores["order"][:2]), plan["removed"]
END
expect 0 prune "$tiny/model" --plan "$scratch/plan.json" -o "$scratch/a" --json
cp "$scratch/out" "$scratch/a.json"
expect 0 prune "$tiny/model" --scores "$scratch/ppl.json" --blocks 2 -o "$scratch/b"
expect 0 prune "$tiny/model" --criterion ppl --calibration-tokens "$ids" --ratio 0.34 -o "$scratch/c"
cmp "$scratch/a/model.safetensors" "$scratch/b/model.safetensors" || bad "--plan and --scores differ"
cmp "$scratch/a/model.safetensors" "$scratch/c/model.safetensors" || bad "--plan and --criterion differ"
expect 1 prune "$scratch/a" --plan "$scratch/plan.json" -o "$scratch/d"
echo '{"blocks": 6, "removed": [5, 0]}' >"$scratch/own.json"
expect 0 prune "$tiny/model" --plan "$scratch/own.json" -o "$scratch/own" --json
cp "$scratch/out" "$scratch/own-prune.json"
holds "$scratch/own-prune.json" 'd["kept"] == [1, 2, 3, 4]'
echo '{"blocks": 6, "removed": [5, 0]' >"$scratch/cut.json"
expect 1 prune "$tiny/model" --plan "$scratch/cut.json" -o "$scratch/e"
says "cut.json:"

# perplexity of the whole model on the same windows is the scores' figure
expect 0 eval "$tiny/model" --perplexity-tokens "$ids" --window 32 --json -o "$scratch/eval.json"
cmp -s "$scratch/out" "$scratch/eval.json" || bad "--json and -o differ"
python3 - "$scratch/eval.json" "$scratch/ppl.json" <<'END' || bad "eval and score differ"
import json, math, sys
d, scores = (json.load(open(name)) for name in sys.argv[1:])
(p,) = d["perplexity"]
assert d["schema"] == "depthprune.eval/1" and p["window"] == 32 and p["mode"] == "A"
assert p["tokens"] % 31 == 0 and abs(math.exp(p["nll"]) / p["perplexity"] - 1) < 1e-9
assert abs(p["perplexity"] / scores["dense"] - 1) < 1e-6
END

# ids that are none
for text in '{"ids": [[1, 2], [3]]}' '[[1, -1]]' '{"ids": []}' '[[1, 2.5]]' '[[1, 4294967296]]' '{"ids": [[1, 160]]}' '[['; do
    echo "$text" >"$scratch/ids.json"
    expect 1 score "$tiny/model" --calibration-tokens "$scratch/ids.json"
    [ "$(wc -l <"$scratch/err")" = 1 ] || bad "more than one line: $(cat "$scratch/err")"
done

# the table of a folder
mkdir "$scratch/run"
cp "$scratch/eval.json" "$scratch/ppl.json" "$scratch/plan.json" "$scratch/a.json" "$scratch/run"
"$depthprune" inspect "$tiny/model" --json >"$scratch/run/whole.json"
expect 0 report "$scratch/run"
prints "perplexity"
prints "2 of 6 blocks removed"
expect 0 report "$scratch/run" --json
cp "$scratch/out" "$scratch/report.json"
holds "$scratch/report.json" 'd["schema"] == "depthprune.report/1" and len(d["models"]) == 1 and len(d["steps"]) == 3'
mkdir "$scratch/none"
expect 1 report "$scratch/none"
expect 0 doctor --json
cp "$scratch/out" "$scratch/doctor.json"
holds "$scratch/doctor.json" 'd["schema"] == "depthprune.doctor/1"'
finish
