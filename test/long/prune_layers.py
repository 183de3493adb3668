"""Blocks removed by llama.cpp's own quantizer, which only copies, and by us: the same tensors, byte for byte, and the same
keys but for what each adds.   usage: MODEL.gguf OURS.gguf THEIRS.gguf BLOCK,BLOCK..."""
import ctypes
import hashlib
import sys

import gguf
import llama_cpp

source, ours_path, theirs_path, blocks = sys.argv[1:5]
removed = [int(block) for block in blocks.split(",")]
params = llama_cpp.llama_model_quantize_default_params()
params.only_copy = True
params.ftype = 3  # not looked at
ended = (ctypes.c_int32 * (len(removed) + 1))(*sorted(removed), -1)
params.prune_layers = ctypes.cast(ended, ctypes.POINTER(ctypes.c_int32))
quiet = llama_cpp.llama_log_callback(lambda level, text, user: None)
llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
if llama_cpp.llama_model_quantize(source.encode(), theirs_path.encode(), ctypes.byref(params)):
    sys.exit("llama.cpp did not write its file")


def tensors(reader):
    return {t.name: (int(t.tensor_type), tuple(int(n) for n in t.shape), hashlib.sha256(t.data.tobytes()).hexdigest())
            for t in reader.tensors}


def keys(reader):
    return {name: ([int(kind) for kind in field.types], [bytes(part) for part in field.parts[4:]])
            for name, field in reader.fields.items() if not name.startswith("GGUF.")}


ours, theirs = gguf.GGUFReader(ours_path), gguf.GGUFReader(theirs_path)
a, b = tensors(ours), tensors(theirs)
for name in sorted(set(a) | set(b)):
    if a.get(name) != b.get(name):
        sys.exit("%s differs: %s and %s" % (name, a.get(name), b.get(name)))
k, m = keys(ours), keys(theirs)
differ = sorted(name for name in set(k) | set(m) if k.get(name) != m.get(name))
print("llama.cpp (llama-cpp-python %s): %d tensors the same byte for byte; keys that differ: %s" % (
    llama_cpp.__version__, len(a), ", ".join(differ) or "none"))
strange = [name for name in differ if not name.startswith(("depthprune.", "general."))]
if strange:
    sys.exit("keys differ: %s" % ", ".join(strange))
