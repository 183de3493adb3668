"""The valid folders that cases change: a model, and what is read beside it."""
import copy
import json

import tiny_torch
from tiny import *  # noqa: F403

TEXT = ("the and then another thing and there the other one and the end of the text the and then\n\n" * 6).encode()
IDS = {"ids": [[(row * 7 + at * 3) % 200 for at in range(16)] for row in range(4)]}
LINES = [{"text": "the and then another thing number %d and the other" % i} for i in range(12)]
PLAN = {"schema": "depthprune.plan/1", "blocks": BLOCKS, "removed": [1], "kept": [0, 2], "criterion": "mag",
        "scores": [3.0, 1.0, 2.0], "protect": {"first": 0, "last": 0}}


def shards():
    half = [w for w in WEIGHTS if "layers.2" in w[0] or w[0] in ("model.norm.weight", "lm_head.weight")]
    rest = [w for w in WEIGHTS if w not in half]
    first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    members = {w[0]: second if w in half else first for w in WEIGHTS}
    total = sum(4 * len(w[2]) for w in WEIGHTS)
    return {first: Safetensors(tensors=rest), second: Safetensors(tensors=half),
            "model.safetensors.index.json": Tree({"metadata": {"total_size": total}, "weight_map": members}, 1)}


def bases():
    data = {"text.txt": TEXT, "ids.json": Tree(IDS), "plan.json": Object(PLAN),
            "lines.jsonl": b"".join(json.dumps(line).encode() + b"\n" for line in LINES)}
    hf = {"model/config.json": config(), "model/model.safetensors": Safetensors(),
          "model/tokenizer.json": tokenizer_bytes(), "model/tokenizer_config.json": Object(
              {"bos_token": "<|begin|>", "eos_token": "<|end|>", "add_bos_token": False})}
    llama = {**hf, "model/tokenizer.json": tokenizer_llama(), "model/tokenizer_config.json": Object(
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "add_bos_token": True})}
    spm = {k: v for k, v in llama.items() if not k.endswith("tokenizer.json")}
    file = Safetensors()
    file.put("lm_head.weight", 0, bytes(file.data[:VOCAB * HIDDEN * 4]))
    copied = {**hf, "model/model.safetensors": file}  # the head is the embedding
    sharded = {k: v for k, v in hf.items() if not k.endswith(".safetensors")}
    made = {"hf": hf, "copied": copied, "llama": llama, "spm": {**spm, "model/tokenizer.model": SentencePiece()},
            "sharded": {**sharded, **{"model/" + k: v for k, v in shards().items()}}}
    for name, dtype, tokenizer in [("gguf", "F32", "gpt2"), ("gguf-f16", "F16", "gpt2"),
     ("gguf-q8", "Q8_0", "llama"),
                                   ("gguf-q4", "Q4_0", "llama")]:
        made[name] = {"model.gguf": Gguf(dtype, tokenizer)}
    made.update(tiny_torch.bases(hf))
    return {name: {**files, **data} for name, files in made.items()}


BASES = bases()


def fresh(base):
    return {name: copy.deepcopy(part) for name, part in BASES[base].items()}
