"""Logits of a GGUF file from llama.cpp and from us.   usage: FILE IDS.json LARGEST_DIFFERENCE"""
import json
import os
import sys

import llama_cpp
import numpy

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "examples", "python"))
import depthprune as dp

path, ids_file, allowed = sys.argv[1], sys.argv[2], float(sys.argv[3])
ids = json.load(open(ids_file))["ids"][0]
peer = llama_cpp.Llama(path, n_ctx=256, n_batch=256, logits_all=True, verbose=False, type_k=0, type_v=0, flash_attn=False)
peer.eval(ids)
theirs = numpy.array(peer.scores[:len(ids)], dtype=numpy.float64)
text = "The quick brown fox\n\n jumps over 13 lazy dogs' backs."
with dp.Context() as context:
    model = dp.Model(context, path)
    ours = numpy.ctypeslib.as_array(dp.logits(context, model, ids)).reshape(theirs.shape)
    if dp.Tokenizer(context, path).encode(text) != peer.tokenize(text.encode(), add_bos=False, special=True):
        sys.exit("the tokenizers differ")
difference = numpy.abs(ours - theirs)
likeliest = (ours.argmax(1) == theirs.argmax(1)).mean()
print("llama-cpp-python %s, %s: largest difference %.2e, mean %.2e, likeliest token the same on %.1f %%" % (
    llama_cpp.__version__, os.path.basename(path), difference.max(), difference.mean(), 100 * likeliest))
if difference.mean() > allowed / 4 or (allowed < 0.1 and difference.max() > allowed) or likeliest < 0.9:
    sys.exit("logits differ by up to %.4f" % difference.max())
