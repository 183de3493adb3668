"""Tiny random models of every family, made by Transformers: our logits against its own, from its directory and from our
GGUF; llama.cpp's logits from our GGUF; the directory that comes back.   usage: FOLDER DEPTHPRUNE"""
import os
import subprocess
import sys

import llama_cpp
import numpy
import torch
import transformers

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "examples", "python"))
import depthprune as dp

folder, program = sys.argv[1:3]
transformers.utils.logging.disable_progress_bar()
ALLOWED = 2e-4  # of logits of size 5 or so; f32 sums in another order
SHAPE = dict(vocab_size=211, hidden_size=96, intermediate_size=160, num_hidden_layers=4, num_attention_heads=6,
             num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2)
LLAMA3 = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32}
LINEAR = {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}
MODELS = {
    "llama": transformers.LlamaConfig(**SHAPE),
    "llama, head_dim 32, tied": transformers.LlamaConfig(**SHAPE, head_dim=32, tie_word_embeddings=True),
    "llama, attention_bias": transformers.LlamaConfig(**SHAPE, attention_bias=True),
    "llama, llama3 scaling": transformers.LlamaConfig(**SHAPE, head_dim=32, rope_parameters=LLAMA3),
    "llama, linear scaling": transformers.LlamaConfig(**SHAPE, rope_parameters=LINEAR),
    "mistral": transformers.MistralConfig(**SHAPE, sliding_window=None),
    "mistral, window 256": transformers.MistralConfig(**SHAPE, sliding_window=256),
    "qwen2": transformers.Qwen2Config(**SHAPE),
    "qwen2, tied, base 1e6": transformers.Qwen2Config(
        **SHAPE, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 1e6}),
}


def make(config, path):
    torch.manual_seed(5)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager")
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(torch.randn_like(weight) * (0.5 if weight.dim() == 1 else 0.12))
            if "norm" in name:
                weight.add_(1)
    model.save_pretrained(path)
    return model.eval()


def ours(context, path, ids):
    model = dp.Model(context, path)
    return numpy.ctypeslib.as_array(dp.logits(context, model, ids)).reshape(len(ids), SHAPE["vocab_size"])


def llama_cpp_logits(path, ids):
    peer = llama_cpp.Llama(path, n_ctx=len(ids), n_batch=128, logits_all=True, verbose=False, type_k=0, type_v=0,
                           flash_attn=False)
    peer.eval(ids)
    return numpy.array(peer.scores[:len(ids)], dtype=numpy.float64)


def run(command, *arguments):
    subprocess.run([program, command, *arguments, "--quiet", "--json"], check=True, stdout=subprocess.DEVNULL)


def load(path):
    model, report = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, output_loading_info=True,
                                                                      attn_implementation="eager")
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if report[kind]:
            sys.exit("%s: %s" % (kind, report[kind]))
    return model.eval()


def logits(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids]), use_cache=False).logits[0].double().numpy()


def same_tensors(model, path):
    back = load(path)
    before, after = model.state_dict(), back.state_dict()
    return set(before) == set(after) and all(torch.equal(before[name], after[name]) for name in before)


worst = 0
ids = [int(i) for i in numpy.random.default_rng(3).integers(3, SHAPE["vocab_size"], 100)]
with dp.Context() as context:
    for number, (name, config) in enumerate(MODELS.items()):
        path = os.path.join(folder, "m%d" % number)
        model = make(config, path)
        theirs = logits(model, ids)
        run("convert", path, "-o", path + ".gguf")
        run("convert", path + ".gguf", "--to", "hf", "-o", path + ".back")
        run("prune", path, "--remove", "1,2", "-o", path + ".pruned")
        differences = [numpy.abs(theirs - found).max() for found in (
            ours(context, path, ids), ours(context, path + ".gguf", ids), ours(context, path + ".back", ids),
            llama_cpp_logits(path + ".gguf", ids))]
        pruned = numpy.abs(logits(load(path + ".pruned"), ids) - ours(context, path + ".pruned", ids)).max()
        differences.append(pruned)
        worst = max(worst, *differences)
        print("%-26s logits up to %4.1f; ours %.1e, from GGUF %.1e, come back %.1e, llama.cpp %.1e, pruned %.1e" % (
            name, numpy.abs(theirs).max(), *differences))
        if not same_tensors(model, path + ".back"):
            sys.exit("%s: the directory that comes back differs" % name)
print("Transformers %s, llama-cpp-python %s: largest difference %.1e" % (
    transformers.__version__, llama_cpp.__version__, worst))
if worst > ALLOWED:
    sys.exit("more than %g" % ALLOWED)
