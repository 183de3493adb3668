# --max-shard-size: several files with an index that other programs read, and the same model again.
. test/e2e/begin.inc
need_tiny

digest() {
    "$depthprune" inspect --check --json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["protocol"]["model"]["digest"])'
}

"$depthprune" convert "$tiny/model" -o "$scratch/parts" --max-shard-size 32K -q || bad "convert into parts"
"$depthprune" convert "$scratch/parts" -o "$scratch/whole" -q || bad "convert parts into one file"
whole=$(digest "$tiny/model")
[ -n "$whole" ] && [ "$(digest "$scratch/parts")" = "$whole" ] || bad "the parts have another digest"
"$depthprune" convert "$tiny/model" -o "$scratch/one" -q || bad "convert into one file"
cmp "$scratch/whole/model.safetensors" "$scratch/one/model.safetensors" || bad "one file of parts and of one differ"
[ ! -e "$scratch/parts/model.safetensors" ] || bad "parts and the whole are both there"
python3 - "$scratch/parts" "$scratch/one/model.safetensors" <<'END' || bad "the index and the parts"
import json, os, struct, sys

def tensors(path):
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        head, data = json.loads(file.read(size)), file.read()
    head.pop("__metadata__")
    return {name: (t["dtype"], t["shape"], data[slice(*t["data_offsets"])]) for name, t in head.items()}

folder, whole = sys.argv[1], tensors(sys.argv[2])
index = json.load(open(os.path.join(folder, "model.safetensors.index.json")))
parts = {}
for name in sorted(set(index["weight_map"].values())):
    for tensor, value in tensors(os.path.join(folder, name)).items():
        assert index["weight_map"][tensor] == name and tensor not in parts
        parts[tensor] = value
assert parts == whole and list(index["weight_map"]) == sorted(whole)
assert index["metadata"]["total_size"] == sum(len(value[2]) for value in whole.values())
assert len(set(index["weight_map"].values())) > 2
END
"$depthprune" convert "$tiny/model" -o "$scratch/m.gguf" --max-shard-size 32K -q 2>"$scratch/said" && bad "a GGUF in parts"
grep -q "a GGUF model is one file" "$scratch/said" || bad "no word about GGUF: $(cat "$scratch/said")"
rm "$scratch/parts/model-00002-of-"*
"$depthprune" inspect "$scratch/parts" 2>"$scratch/said" && bad "a part is missing and nothing is said"
grep -q "model-00002-of-.*cannot open" "$scratch/said" || bad "the missing part is not named: $(cat "$scratch/said")"
finish
