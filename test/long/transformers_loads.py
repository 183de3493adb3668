"""Load a saved directory with Transformers; compare tensors, tokenizer and perplexity.   usage: FOLDER IDS.json"""
import json
import math
import os
import sys

import tokenizers
import torch
import transformers

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "examples", "python"))
import depthprune as dp

folder, ids_file = sys.argv[1:3]
rows = json.load(open(ids_file))["ids"]
model, report = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
    if report[kind]:
        sys.exit("%s: %s" % (kind, report[kind]))
with torch.no_grad():
    ids = torch.tensor(rows)
    scores = model(ids, use_cache=False).logits[:, :-1].log_softmax(-1)
    theirs = -scores.gather(-1, ids[:, 1:, None]).double().mean().item()
with dp.Context() as context:
    ours_model = dp.Model(context, folder)
    ours = dp.perplexity_ids(context, ours_model, [i for row in rows for i in row], window=len(rows[0])).nll
    text = "The quick brown fox\n\n jumps over 13 lazy dogs' backs — twice."
    pieces = dp.Tokenizer(context, folder).encode(text)
if pieces != tokenizers.Tokenizer.from_file(os.path.join(folder, "tokenizer.json")).encode(text).ids:
    sys.exit("the saved tokenizer gives other ids")
print("Transformers %s, PyTorch %s: perplexity %.6f, ours %.6f, relative difference %.1e" % (
    transformers.__version__, torch.__version__, math.exp(theirs), math.exp(ours), abs(theirs - ours) / theirs))
if abs(theirs - ours) > 1e-4:
    sys.exit("losses differ: %.8f and %.8f" % (theirs, ours))
