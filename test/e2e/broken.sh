# A model that is damaged or of another family: one line with file and place, status 1, nothing written.
. test/e2e/begin.inc
need_tiny

# broken NAME WORD COMMANDS: change a copy of the tiny model, expect a line with WORD.
broken() {
    rm -rf "$scratch/model"
    cp -r "$tiny/model" "$scratch/model"
    chmod -R u+w "$scratch/model"
    (cd "$scratch/model" && eval "$3") || bad "$1: cannot be made"
    expect 1 prune "$scratch/model" --remove 1 -o "$scratch/result"
    says "$2"
    [ -e "$scratch/result" ] && bad "$1: something was written"
    rm -rf "$scratch/result"
}
edit() { # PYTHON: change config c
    python3 -c "
import json
c = json.load(open('config.json'))
$1
json.dump(c, open('config.json', 'w'))"
}

broken "truncated" model.safetensors 'truncate -s -1 model.safetensors'
broken "cut in the header" model.safetensors 'truncate -s 200 model.safetensors'
broken "empty" model.safetensors ': >model.safetensors'
broken "no weights" model.safetensors 'rm model.safetensors'
broken "no configuration" config.json 'rm config.json'
broken "configuration cut" "config.json:" 'echo "{\"a\": " >config.json'
broken "too many blocks" layers.6 'edit "c[\"num_hidden_layers\"] = 7"'
broken "too few blocks" "" 'edit "c[\"num_hidden_layers\"] = 5"'
broken "wrong width" "" 'edit "c[\"intermediate_size\"] = 81"'
broken "negative" num_attention_heads 'edit "c[\"num_attention_heads\"] = -6"'
broken "another family" GPT2LMHeadModel 'edit "c[\"model_type\"] = \"gpt2\"; c[\"architectures\"] = [\"GPT2LMHeadModel\"]"'
broken "a tensor lacks" "" 'sed -i "s/model.norm.weight/model.nerm.weight/" model.safetensors'

expect 0 convert "$tiny/model" -o "$scratch/tiny.gguf"
head -c 1000 "$scratch/tiny.gguf" >"$scratch/cut.gguf"
expect 1 inspect "$scratch/cut.gguf"
says "cut.gguf"
size=$(($(wc -c <"$scratch/tiny.gguf") - 64))
head -c $size "$scratch/tiny.gguf" >"$scratch/short.gguf"
expect 1 inspect "$scratch/short.gguf"
says "short.gguf"
echo "not a model" >"$scratch/text.gguf"
expect 1 inspect "$scratch/text.gguf"
says "text.gguf"
mkfifo "$scratch/pipe.gguf"
expect 1 inspect "$scratch/pipe.gguf"
says "pipe.gguf"
expect 1 score "$tiny/model" --calibration "$scratch/tiny.gguf"
finish
