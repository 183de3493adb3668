# Blocks are removed, the result opens and says what it is, and nothing is overwritten or half-written.
. test/e2e/begin.inc
need_tiny

expect 0 prune "$tiny/model" --remove 1,4 -o "$scratch/small" --json
cp "$scratch/out" "$scratch/prune.json"
holds "$scratch/prune.json" 'd["schema"] == "depthprune.prune/1"'
holds "$scratch/prune.json" 'd["removed"] == [1, 4] and d["kept"] == [0, 2, 3, 5] and d["blocks"] == 4'
holds "$scratch/prune.json" 'd["output"].endswith("small") and len(d["protocol"]["model"]["digest"]) == 64'
expect 0 inspect "$scratch/small" --json --check
cp "$scratch/out" "$scratch/small.json"
holds "$scratch/small.json" 'd["blocks"] == 4 and d["format"] == "hf"'
expect 0 inspect "$tiny/model" --json
cp "$scratch/out" "$scratch/whole.json"
for key in architecture format dtype blocks hidden_size heads kv_heads head_dim ffn_size vocab_size context tied_head \
    parameters block_parameters; do
    holds "$scratch/whole.json" "'$key' in d"
done
python3 - "$scratch/whole.json" "$scratch/small.json" <<'END' || bad "parameters"
import json, sys
whole, small = (json.load(open(name)) for name in sys.argv[1:])
sys.exit(whole["parameters"] - small["parameters"] != 2 * whole["block_parameters"])
END

# the weights of the kept blocks are those of the source
python3 - "$tiny/model/model.safetensors" "$scratch/small/model.safetensors" <<'END' || bad "weights"
import json, struct, sys
def tensors(name):
    data = open(name, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8 : 8 + size])
    return {k: data[8 + size + v["data_offsets"][0] : 8 + size + v["data_offsets"][1]]
            for k, v in head.items() if k != "__metadata__"}
whole, small = map(tensors, sys.argv[1:])
kept = [0, 2, 3, 5]
for name, data in small.items():
    part = name.split(".")
    if part[1] == "layers":
        part[2] = str(kept[int(part[2])])
    assert whole[".".join(part)] == data, name
assert len(small) == len(whole) - 2 * 9
END

# an output that exists is refused, and replaced with --force
expect 1 prune "$tiny/model" --remove 3-5 -o "$scratch/small"
says "small"
expect 0 inspect "$scratch/small" --json
cp "$scratch/out" "$scratch/again.json"
holds "$scratch/again.json" 'd["blocks"] == 4'
expect 0 prune "$tiny/model" --remove 3-5 -o "$scratch/small" --force
expect 0 inspect "$scratch/small" --json
cp "$scratch/out" "$scratch/again.json"
holds "$scratch/again.json" 'd["blocks"] == 3'
cp -r "$tiny/model" "$scratch/copy"
expect 1 prune "$scratch/copy" --remove 1 -o "$scratch/copy" --force
expect 1 score "$scratch/copy" --criterion mag -o "$scratch/copy/config.json" --force
cmp -s "$tiny/model/config.json" "$scratch/copy/config.json" || bad "the input was written into"

# what cannot be: blocks out of range, twice, all; nothing is left behind
mkdir "$scratch/empty"
for blocks in 6 0-5 2,2; do
    expect 1 prune "$tiny/model" --remove $blocks -o "$scratch/empty/out"
done
expect 1 prune "$tiny/model" --remove 1 -o "$scratch/nowhere/out"
expect 0 prune "$tiny/model" --remove 1 -o "$scratch/empty/out" --dry-run --json
cp "$scratch/out" "$scratch/dry.json"
holds "$scratch/dry.json" 'd["schema"] == "depthprune.dry-run/1" and d["writes"] and d["reads"] and d["seconds"] >= 0'
expect 0 convert "$tiny/model" -o "$scratch/empty/out" --dry-run
prints "would write"
prints " in 4 files"
expect 0 score "$tiny/model" --calibration-tokens "$tiny/calib_ids.json" -o "$scratch/empty/s.json" --dry-run
[ -z "$(ls -A "$scratch/empty")" ] || bad "left behind: $(ls -A "$scratch/empty")"

# a saved directory says what it is, keeps the licence, and what came before it
printf -- '---\nlicense: mit\n---\nits own words\n' >"$scratch/copy/README.md"
echo words >"$scratch/copy/LICENSE.md"
expect 0 prune "$scratch/copy" --remove 1 -o "$scratch/card"
expect 0 prune "$scratch/card" --remove 0 -o "$scratch/card2" --json
cmp -s "$scratch/copy/LICENSE.md" "$scratch/card2/LICENSE.md" || bad "the licence is not carried"
grep -q '^base_model: "copy"$' "$scratch/card/README.md" || bad "the card does not name the parent"
grep -q '^base_model: "card"$' "$scratch/card2/README.md" || bad "the second card does not name its parent"
grep -q '^license: "mit"$' "$scratch/card2/README.md" || bad "the licence's name is lost"
grep -q '^1. From `copy`, of 6 blocks, removed: 1.$' "$scratch/card2/README.md" || bad "the first step is not told"
grep -q 'its own words' "$scratch/card/README.md" && bad "the parent's card was copied"
holds "$scratch/card2/depthprune.json" 'len(d["ancestors"]) == 1 and d["ancestors"][0]["removed"] == [1]'

# to GGUF and back
expect 0 convert "$tiny/model" -o "$scratch/tiny.gguf" --json
cp "$scratch/out" "$scratch/convert.json"
holds "$scratch/convert.json" 'd["schema"] == "depthprune.convert/1" and d["format"] == "gguf"'
expect 0 prune "$scratch/tiny.gguf" --remove 0 -o "$scratch/five.gguf"
expect 0 inspect "$scratch/five.gguf"
prints "gguf"
expect 0 convert "$scratch/five.gguf" -o "$scratch/five" --to hf --dtype f32
expect 0 inspect "$scratch/five" --json
cp "$scratch/out" "$scratch/five.json"
holds "$scratch/five.json" 'd["blocks"] == 5 and d["dtype"] == "f32"'
finish
