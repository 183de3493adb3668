"""Ids of llama.cpp and of us for the GGUF files that we write from each kind of tokenizer.json.   usage: [SEED [COUNT]]

llama.cpp does not bring texts to form NFC, as Qwen2's tokenizer does and we do: those that are not in that form are left out there.
"""
import os
import random
import sys
import tempfile
import unicodedata

import llama_cpp

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
sys.path.append(sys.path.pop(1))  # that folder comes last: it holds a file with the name of a package
import tokenizers_support as support  # noqa: E402


def kinds():
    for name, place in (("SmolLM2", "golden/smollm2-135m"), ("LLaMA", "data/tokenizers/TinyLlama-1.1B-Chat-v1.0")):
        yield name, support.shared(place)
    yield "GPT-2 split", support.trained("gpt2")
    content = support.trained("llama3")
    yield "Llama-3 split", {**content, "model": {**content["model"], "ignore_merges": True}}
    yield "Qwen2 split", support.trained("qwen2")


def main():
    reason = support.missing()
    if reason:
        print("skipped:", reason)
        return 77
    rng = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    texts = support.random_texts(rng, int(sys.argv[2]) if len(sys.argv) > 2 else 2000, set())
    bad = False
    for name, content in kinds():
        with tempfile.TemporaryDirectory() as folder:
            path = support.saved_both_ways(folder, content)[1]
            ours, theirs = support.Tokenizer(path), llama_cpp.Llama(model_path=path, vocab_only=True, verbose=False)
            some = [t for t in texts if name != "Qwen2 split" or unicodedata.is_normalized("NFC", t)]
            for special in (1, 0):
                wrong = (t for t in some if ours.encode(t, special) !=
                         theirs.tokenize(t.encode(), add_bos=False, special=bool(special)))
                bad |= support.report(f"llama.cpp, {name}, {'special tokens' if special else 'as text'}", wrong, len(some))
    return bad


if __name__ == "__main__":
    sys.exit(main())
