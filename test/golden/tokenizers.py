#!/usr/bin/env python3
"""Holds our tokenizers against PyPI's sentencepiece and tokenizers on random and adversarial texts, ids and texts of ids.

usage: python3 test/golden/tokenizers.py [SEED [COUNT]]     (from the repository root, with lib/libdepthprune.so built)

First it finds every code point that the two sides put into different classes, since their Unicode tables are of different
age, and prints them as ranges; texts with such a code point are counted and drawn again.  Then every variant sees COUNT texts.
Needs both packages, and the larger test data at DEPTHPRUNE_TEST_DATA or ../shared; exits 77 when something is missing.
"""
import copy
import json
import random
import sys
import tempfile

sys.path.append(sys.path.pop(0))  # this folder comes last: `import tokenizers` means the package, not this file
import tokenizers_support as support  # noqa: E402
from tokenizers_support import DATA, SPECIAL, Tokenizer, report, shared  # noqa: E402


def against_sentencepiece(path, texts, rng):
    import sentencepiece
    ours, theirs = Tokenizer(path), sentencepiece.SentencePieceProcessor(model_file=path)
    name = path[len(DATA) + 1:]
    broken = [bytes(rng.choice(b"ab \xe2\x96\x81\xf0\x9f\xff\xc3") for _ in range(rng.randint(0, 20))) for _ in texts]
    pieces = [[rng.randrange(3, theirs.get_piece_size()) for _ in range(rng.randint(0, 12))] for _ in texts]
    bad = report(name + ", ids", (t for t in texts if ours.encode(t, 0) != theirs.encode(t)), len(texts))
    bad |= report(name + ", broken UTF-8", (t for t in broken if ours.encode(t, 0) != theirs.encode(t)), len(texts))
    return bad | report(name + ", decoded", (p for p in pieces if ours.decode(p, 0) != theirs.decode(p)), len(texts))


def against_tokenizers(name, path, texts, rng):
    import tokenizers
    ours, theirs = Tokenizer(path), tokenizers.Tokenizer.from_file(path)
    theirs.no_padding()
    theirs.no_truncation()
    bad = False
    for flags in (SPECIAL, 0):
        theirs.encode_special_tokens = not flags
        wrong = (t for t in texts if ours.encode(t, flags) != theirs.encode(t, add_special_tokens=False).ids)
        bad |= report(f"{name}, {'special tokens' if flags else 'as text'}", wrong, len(texts))
    theirs.encode_special_tokens = False
    lists = [[rng.randrange(theirs.get_vocab_size()) for _ in range(rng.randint(0, 12))] for _ in texts]
    for flags in (SPECIAL, 0):
        wrong = (i for i in lists if ours.decode(i, flags) != theirs.decode(i, skip_special_tokens=not flags))
        bad |= report(f"{name}, decoded{'' if flags else ' without special'}", wrong, len(lists))
    return bad


def added(vocabulary, start):
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    tokens = [{"content": "[u]"}, {"content": "[U]", "lstrip": True}, {"content": "n n", "normalized": True},
              {"content": "<x>", "rstrip": True, "special": True}, {"content": "[u", "normalized": True},
              {"content": "the", "single_word": True}, {"content": "é", "single_word": True, "normalized": True},
              {"content": "<w>", "single_word": True, "lstrip": True, "rstrip": True}, {"content": "\n\n", "rstrip": True}]
    fresh = [token["content"] for token in tokens if token["content"] not in vocabulary]
    return [{**plain, **token, "id": vocabulary[token["content"]] if token["content"] not in fresh else
             start + fresh.index(token["content"])} for token in tokens]


def with_added(content):
    start = 1 + max([*content["model"]["vocab"].values(), *(token["id"] for token in content["added_tokens"])])
    return {**content, "added_tokens": content["added_tokens"] + added(content["model"]["vocab"], start)}


def with_model(content, **change):
    return {**content, "model": {**content["model"], **change}}


def variants():
    """tokenizer.json files: the given ones, some that are trained here, and each with a thing changed."""
    smol, llama = shared("golden/smollm2-135m"), shared("data/tokenizers/TinyLlama-1.1B-Chat-v1.0")
    gpt2, llama3, qwen2 = (support.trained(kind) for kind in ("gpt2", "llama3", "qwen2"))
    lists = [merge if isinstance(merge, list) else merge.split(" ") for merge in llama3["model"]["merges"]]
    yield "SmolLM2", smol
    yield "SmolLM2, added tokens", with_added(smol)
    yield "GPT-2 split, merges as strings", with_model(gpt2, merges=[" ".join(merge) for merge in lists_of(gpt2)])
    yield "GPT-2 split, SmolLM2's vocabulary", {**smol, "pre_tokenizer": gpt2["pre_tokenizer"]}
    yield "Llama-3 split, ignore_merges", with_model(llama3, ignore_merges=True)
    yield "Llama-3 split, ignore_merges, merges missing", with_model(llama3, ignore_merges=True, merges=lists[:-1500])
    yield "Llama-3 split, merged, added tokens", with_added(with_model(llama3, merges=lists))
    yield "Qwen2 split, NFC", qwen2
    yield "Qwen2 split, NFC, added tokens", with_added(qwen2)
    yield "LLaMA", llama
    yield "LLaMA, added tokens", with_added(llama)
    rest = {**llama, "decoder": {"type": "Sequence", "decoders": [part for part in llama["decoder"]["decoders"]
                                                                  if part["type"] != "ByteFallback"]}}
    yield "LLaMA, no byte fallback", with_model(rest, byte_fallback=False)
    yield "LLaMA, no byte fallback, unknown not fused", with_model(rest, byte_fallback=False, fuse_unk=False)
    yield "LLaMA, Replace alone", {**llama, "normalizer": llama["normalizer"]["normalizers"][1]}
    for scheme in ("always", "first", "never"):
        metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": False}
        decoders = llama["decoder"]["decoders"][:3 if scheme == "never" else 4]
        yield f"LLaMA, Metaspace {scheme}", {**llama, "normalizer": None, "pre_tokenizer": metaspace,
                                             "decoder": {"type": "Sequence", "decoders": decoders}}
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    yield "LLaMA, Metaspace first, added tokens", with_added({**llama, "normalizer": None, "pre_tokenizer": metaspace})


def lists_of(content):
    return [merge if isinstance(merge, list) else merge.split(" ") for merge in content["model"]["merges"]]


def round_trips(folder, texts):
    """tokenizer.json to GGUF and back, ids of all three; through a model with one block."""
    import tokenizers
    kinds = [("SmolLM2", shared("golden/smollm2-135m")), ("LLaMA", shared("data/tokenizers/TinyLlama-1.1B-Chat-v1.0"))]
    kinds += [(name, support.trained(kind)) for name, kind in
              (("GPT-2 split", "gpt2"), ("Llama-3 split", "llama3"), ("Qwen2 split, NFC", "qwen2"))]
    bad = False
    for name, content in kinds:
        if name.startswith("Llama-3"):
            content = with_model(content, ignore_merges=True)
        if name.startswith("GPT-2"):
            content = with_model(content, ignore_merges=False)
        paths = support.saved_both_ways(folder, content)
        here, there, back = (Tokenizer(path) for path in paths)
        theirs = tokenizers.Tokenizer.from_file(paths[2] + "/tokenizer.json")
        for flags in (SPECIAL, 0):
            theirs.encode_special_tokens = not flags
            wrong = (t for t in texts if not here.encode(t, flags) == there.encode(t, flags) == back.encode(t, flags) ==
                     theirs.encode(t, add_special_tokens=False).ids)
            bad |= report(f"{name}: GGUF and back, {'special tokens' if flags else 'as text'}", wrong, len(texts))
    return bad


def main():
    reason = support.missing()
    if reason:
        print("skipped:", reason)
        return 77
    rng = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    with tempfile.TemporaryDirectory() as folder:
        apart = support.differences(folder)
        texts = support.random_texts(rng, count, apart)
        bad = False
        for name in ("tok512/tok512.model", "llama_spm/tokenizer.model"):
            bad |= against_sentencepiece(f"{DATA}/data/tokenizers/{name}", texts, rng)
        for name, content in variants():
            path = folder + "/tokenizer.json"
            with open(path, "w") as file:
                json.dump(copy.deepcopy(content), file)
            bad |= against_tokenizers(name, path, texts, rng)
        bad |= round_trips(folder, texts)
        support.print_speed(folder)
    return bad


if __name__ == "__main__":
    sys.exit(main())
