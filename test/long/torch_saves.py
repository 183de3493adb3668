"""Checkpoints that PyTorch saves, in every way, opened by us: each weight's bytes and the logits equal those of the same
model in safetensors; what is no state dict is refused and not run.   usage: FOLDER [large]

`large` adds a checkpoint of more than 4 GiB, which has zip64 sizes and offsets."""
import logging
import os
import shutil
import sys
import zipfile

import huggingface_hub
import safetensors.torch
import torch
import transformers

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "examples", "python"))
import depthprune as dp

transformers.utils.logging.disable_progress_bar()
logging.disable(logging.WARNING)
root = sys.argv[1]
ids = [1, 7, 3, 90, 44, 2, 5, 61, 33, 8, 9, 10]
counts = {"opened": 0, "refused": 0}


class Sharp:
    """Would leave a file behind if anything ran it."""

    def __reduce__(self):
        return os.system, ("touch %s/ran" % root,)


def logits(context, model):
    return bytes(dp.logits(context, model, ids))


def make(tied, dtype):
    torch.manual_seed(3)
    config = transformers.LlamaConfig(
        hidden_size=48, intermediate_size=80, num_hidden_layers=3, num_attention_heads=6, num_key_value_heads=2, head_dim=8,
        vocab_size=160, max_position_embeddings=256, tie_word_embeddings=tied, bos_token_id=1, eos_token_id=2)
    model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.05)
    return model.to(dtype).eval()


def folder_of(name, config):
    folder = os.path.join(root, name)
    os.makedirs(folder)
    shutil.copy(os.path.join(config, "config.json"), folder)
    return folder


def raw(tensor):
    return tensor.detach().contiguous().view(torch.uint8).numpy().tobytes()


def compare(context, folder, expected, state):
    """expected: our logits of the safetensors directory; state: the weights by name."""
    with dp.Model(context, folder) as model:
        if logits(context, model) != expected:
            sys.exit("%s: other logits" % folder)
        model.save(folder + ".saved")
    files = [f for f in os.listdir(folder + ".saved") if f.startswith("pytorch_model")]
    saved = safetensors.torch.load_file(os.path.join(folder + ".saved", "model.safetensors"))
    if files or saved.keys() != state.keys():
        sys.exit("%s: saved %s, tensors %s" % (folder, files, saved.keys() ^ state.keys()))
    for name, tensor in saved.items():
        if tensor.dtype != state[name].dtype or tensor.shape != state[name].shape or raw(tensor) != raw(state[name]):
            sys.exit("%s: %s differs" % (folder, name))
    shutil.rmtree(folder + ".saved")
    counts["opened"] += 1


def flat(state):
    """Every weight a slice of one storage."""
    whole = torch.cat([t.reshape(-1) for t in state.values()])
    out, at = {}, 0
    for name, t in state.items():
        out[name] = whole[at:at + t.numel()].view(t.shape)
        at += t.numel()
    return out


def values_of(model, state, whole):
    """What people put in a pytorch_model.bin: state is without the shared head, whole with it."""
    inv_freq = {"model.layers.%d.self_attn.rotary_emb.inv_freq" % i: torch.rand(4) for i in range(3)}
    optimizer = torch.optim.AdamW(model.parameters())
    sum(p.float().sum() for p in model.parameters()).backward()
    optimizer.step = lambda: None
    yield "state_dict", model.state_dict()
    yield "dict", dict(whole)
    yield "parameters", dict(model.named_parameters())
    yield "buffers", {**state, **inv_freq}
    yield "flat", flat(state)
    yield "lightning", {"state_dict": dict(whole), "epoch": 3, "lr": 0.5, "tags": ["a", ("b", None)], "global_step": 1 << 40}
    yield "trainer", {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "steps": [1, 2, 3], "done": False}
    padded = {n: torch.cat([t, t])[:t.shape[0]] for n, t in state.items()}  # a view of a larger storage
    yield "padded", padded


def check_model(context, tied, dtype):
    name = "%s_%s" % (str(dtype)[6:], "tied" if tied else "own")
    model = make(tied, dtype)
    reference = os.path.join(root, name)
    model.save_pretrained(reference)
    state = safetensors.torch.load_file(os.path.join(reference, "model.safetensors"))
    whole = {n: t.detach() for n, t in model.state_dict().items()}
    with dp.Model(context, reference) as ours:
        expected = logits(context, ours)
    for kind, value in values_of(model, state, whole):
        for protocol in (2, 3, 4, 5):
            folder = folder_of("%s_%s_%d" % (name, kind, protocol), reference)
            torch.save(value, os.path.join(folder, "pytorch_model.bin"), pickle_protocol=protocol)
            compare(context, folder, expected, state)
    for size in ("20KB", "60KB", "10MB"):
        folder = folder_of("%s_shards_%s" % (name, size), reference)
        huggingface_hub.save_torch_state_dict(whole, folder, safe_serialization=False, max_shard_size=size,
                                              filename_pattern="pytorch_model{suffix}.bin")
        compare(context, folder, expected, state)
        if size == "20KB" and not os.path.exists(os.path.join(folder, "pytorch_model.bin.index.json")):
            sys.exit("no shards: %s" % os.listdir(folder))
    with torch.no_grad():
        theirs = model.float()(torch.tensor([ids])).logits[0]
    ours = torch.frombuffer(bytearray(expected), dtype=torch.float32).reshape(theirs.shape)
    difference = (ours - theirs).abs().max().item()
    if difference > 1e-4 * theirs.abs().max().item():
        sys.exit("%s: logits differ by %g" % (name, difference))
    return state, reference


def refuse(context, reference, kind, word, write):
    folder = folder_of("refused_" + kind, reference)
    write(os.path.join(folder, "pytorch_model.bin"))
    try:
        dp.Model(context, folder)
    except dp.Error as failure:
        if word not in str(failure):
            sys.exit("%s: %s" % (kind, failure))
        print("  %-12s %s" % (kind, str(failure).replace(root + "/", "")))
        counts["refused"] += 1
        return
    sys.exit("%s was opened" % kind)


def recompress(path, state, change):
    torch.save(state, path + ".0")
    with zipfile.ZipFile(path + ".0") as source, zipfile.ZipFile(path, "w") as out:
        for item in source.infolist():
            data = source.read(item)
            change(out, item.filename, data)


def check_refused(context, state, reference):
    name = next(n for n, t in state.items() if t.dim() == 2)
    module = torch.nn.Linear(2, 2)
    cases = [
        ("transposed", "is a view with strides", lambda p: torch.save({**state, name: state[name].t()}, p)),
        ("legacy", "before 1.6", lambda p: torch.save(state, p, _use_new_zipfile_serialization=False)),
        ("script", "TorchScript", lambda p: torch.jit.save(torch.jit.script(module), p)),
        ("module", "torch.nn.modules.linear.Linear", lambda p: torch.save(module, p)),
        ("system", "posix.system", lambda p: torch.save({**state, "sharp": Sharp()}, p)),
        ("sparse", "_rebuild_sparse_tensor", lambda p: torch.save({**state, name: state[name].to_sparse()}, p)),
        ("float8", "_rebuild_tensor_v3", lambda p: torch.save({**state, name: state[name].to(torch.float8_e4m3fn)}, p)),
        ("int64", "LongStorage is not read", lambda p: torch.save({**state, name: state[name].long()}, p)),
        ("list", "holds a list", lambda p: torch.save(list(state.values()), p)),
        ("number", "is an integer, expected a tensor", lambda p: torch.save({**state, "n": 1}, p)),
        ("deflated", "compressed (method 8)",
         lambda p: recompress(p, state, lambda z, n, d: z.writestr(n, d, compress_type=zipfile.ZIP_DEFLATED))),
        ("big-endian", "is big-endian",
         lambda p: recompress(p, state, lambda z, n, d: z.writestr(n, b"big" if n.endswith("byteorder") else d))),
    ]
    for kind, word, write in cases:
        refuse(context, reference, kind, word, write)
    if os.path.exists(os.path.join(root, "ran")):
        sys.exit("a pickle was run")


def check_rewritten(context, state, reference):
    """Another program's zip archive: no padding, so that weights lie at odd bytes."""
    folder = folder_of("rewritten", reference)
    recompress(os.path.join(folder, "pytorch_model.bin"), state, lambda z, n, d: z.writestr(n, d))
    with dp.Model(context, reference) as ours:
        compare(context, folder, logits(context, ours), state)


def check_large(context, state, reference):
    folder = folder_of("large", reference)
    filler = torch.zeros((1 << 31) + (1 << 20), dtype=torch.bfloat16)
    torch.save({"filler": filler, **state}, os.path.join(folder, "pytorch_model.bin"))
    with dp.Model(context, reference) as ours:
        compare(context, folder, logits(context, ours), state)
    print("  %d bytes in one file" % os.path.getsize(os.path.join(folder, "pytorch_model.bin")))


with dp.Context() as context:
    for tied in (False, True):
        for dtype in (torch.float32, torch.float16, torch.bfloat16):
            state, reference = check_model(context, tied, dtype)
            if not tied and dtype == torch.float32:
                check_rewritten(context, state, reference)
                check_refused(context, state, reference)
                if sys.argv[2:] == ["large"]:
                    check_large(context, state, reference)
print("PyTorch %s, huggingface_hub %s: %d checkpoints have the bytes and logits of their safetensors, %d files are refused" % (
    torch.__version__, huggingface_hub.__version__, counts["opened"], counts["refused"]))
