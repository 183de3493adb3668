# A directory with nothing but a config.json: its shapes can be seen, its weights are not asked for.
. test/e2e/begin.inc

mkdir "$scratch/m"
cat >"$scratch/m/config.json" <<'END'
{"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 896, "intermediate_size": 4864,
 "num_attention_heads": 14, "num_hidden_layers": 24, "num_key_value_heads": 2, "vocab_size": 151936,
 "max_position_embeddings": 32768, "rope_theta": 1000000.0, "tie_word_embeddings": true, "torch_dtype": "bfloat16"}
END
expect 0 inspect --dry-run "$scratch/m"
prints "qwen2, hf, mostly bf16"
prints "494 M, of them 14.9 M in each block"
expect 0 inspect --dry-run "$scratch/m" --json
prints '"parameters": 494032768'
expect 0 prune "$scratch/m" --remove 3-8 --load shapes --dry-run -o "$scratch/pruned"
prints "would write"
expect 1 inspect "$scratch/m"
says "no model.safetensors"
expect 1 prune "$scratch/m" --remove 3-8 --load shapes -o "$scratch/pruned"
says "opened for its shapes alone"
[ -e "$scratch/pruned" ] && bad "something was written"
expect 1 score "$scratch/m" --criterion mag --load shapes
says "opened for its shapes alone"
expect 2 inspect "$scratch/m" --dry-run --check
says "--check"
finish
