#!/usr/bin/env python3
"""Holds our tokenizers against PyPI's sentencepiece and tokenizers on thousands of random and adversarial texts.

usage: python3 test/golden/tokenizers.py [SEED [COUNT]]     (from the repository root, with lib/libdepthprune.so built)
Needs both packages, and the larger test data at DEPTHPRUNE_TEST_DATA or ../shared; exits 77 when something is missing.
"""
import copy
import ctypes
import json
import os
import random
import sys
import tempfile

sys.path.pop(0)  # this folder: `import tokenizers` means the package, not this file
LIBRARY = os.environ.get("DEPTHPRUNE_LIBRARY", "lib/libdepthprune.so")
DATA = os.environ.get("DEPTHPRUNE_TEST_DATA", "../shared")
SPECIAL = 1  # DP_ENCODE_SPECIAL, DP_DECODE_SPECIAL
ODD = """ |  |\t|\n|\r\n|\r\n\r\n|▁|▁▁|<s>|</s>|<unk>|<0x0A>|<|im_start|>|[u]|<x>| <x>|n n|a|b|the|'s|'S|'LL|'ſ|1|23|12345|½|²|Ⅷ|٣
é|e\u0301|ß|漢|字|🦙|👨\u200d👩\u200d👧|\u200b|\ufeff|\u00a0|\u3000|\u2028|\u0085|\0|İ|क्|\ud7ff|\ue000|\U0010ffff|\x7f|.|!!|??|--|_
    |\u180e|\u1680|\u2009|ǅ|‿|€|"|.\n\n""".replace("\n", "|", 2).split("|")


class Error(ctypes.Structure):
    _fields_ = [("offset", ctypes.c_int64), ("code", ctypes.c_int32), ("system", ctypes.c_int32),
                ("line", ctypes.c_int32), ("column", ctypes.c_int32), ("file", ctypes.c_char * 512),
                ("item", ctypes.c_char * 128), ("message", ctypes.c_char * 320), ("reserved", ctypes.c_ubyte * 32)]


class Tokenizer:
    library = context = None

    def __init__(self, path):
        self.error, self.handle = Error(), ctypes.c_void_p()
        self.check(self.library.dp_tokenizer_open(self.context, path.encode(), ctypes.byref(self.handle),
                                                  ctypes.byref(self.error)))

    def check(self, code):
        if code:
            raise RuntimeError(f"{self.error.file.decode()}: {self.error.message.decode()}")

    def encode(self, text, flags):
        data = text if isinstance(text, bytes) else text.encode()
        needed, ids = ctypes.c_size_t(), (ctypes.c_int32 * (3 * len(data) + 16))()
        self.check(self.library.dp_tokenizer_encode(self.handle, data, ctypes.c_size_t(len(data)), flags, ids,
                                                    ctypes.c_size_t(len(ids)), ctypes.byref(needed),
                                                    ctypes.byref(self.error)))
        return ids[:needed.value]

    def decode(self, ids, flags):
        needed, text = ctypes.c_size_t(), ctypes.create_string_buffer(64 * len(ids) + 16)
        self.check(self.library.dp_tokenizer_decode(self.handle, (ctypes.c_int32 * max(1, len(ids)))(*ids),
                                                    ctypes.c_size_t(len(ids)), flags, text,
                                                    ctypes.c_size_t(len(text)), ctypes.byref(needed),
                                                    ctypes.byref(self.error)))
        return text.raw[:needed.value].decode()

    def __del__(self):
        self.library.dp_tokenizer_free(self.handle)


def random_texts(rng, count, corpus):
    ranges = [(0x20, 0x300), (0x300, 0x3000), (0x4e00, 0x9fff), (0x1f300, 0x1f6ff)]
    for _ in range(count):
        kind = rng.random()
        if kind < 0.4:
            yield "".join(rng.choice(ODD) for _ in range(rng.randint(0, 12)))
        elif kind < 0.7:
            start = rng.randrange(len(corpus))
            yield corpus[start:start + rng.randint(1, 200)]
        elif kind < 0.8:
            yield "".join(rng.choice(" ab") for _ in range(rng.randint(0, 60)))
        elif kind < 0.9:
            yield "".join(chr(rng.randrange(*rng.choice(ranges))) for _ in range(rng.randint(1, 20)))
        else:
            yield rng.choice(ODD) * rng.randint(1, 40)


def report(name, wrong, count):
    print(f"{'ok' if not wrong else 'WRONG':6} {name}: {len(wrong)} of {count} differ")
    for case in wrong[:3]:
        print("      ", repr(case))
    return bool(wrong)


def against_sentencepiece(path, texts, rng):
    import sentencepiece
    ours, theirs = Tokenizer(path), sentencepiece.SentencePieceProcessor(model_file=path)
    broken = [bytes(rng.choice(b"ab \xe2\x96\x81\xf0\x9f\xff\xc3") for _ in range(rng.randint(0, 20))) for _ in texts]
    pieces = [[rng.randrange(3, theirs.get_piece_size()) for _ in range(rng.randint(0, 12))] for _ in texts]
    bad = report(path + " ids", [t for t in texts if ours.encode(t, 0) != theirs.encode(t)], len(texts))
    bad |= report(path + " broken UTF-8", [t for t in broken if ours.encode(t, 0) != theirs.encode(t)], len(texts))
    return bad | report(path + " texts", [p for p in pieces if ours.decode(p, 0) != theirs.decode(p)], len(texts))


def against_tokenizers(name, path, texts, rng, decodes):
    import tokenizers
    ours, theirs = Tokenizer(path), tokenizers.Tokenizer.from_file(path)
    theirs.no_padding()
    theirs.no_truncation()
    bad = False
    for flags in (SPECIAL, 0):
        theirs.encode_special_tokens = not flags
        wrong = [t for t in texts if ours.encode(t, flags) != theirs.encode(t, add_special_tokens=False).ids]
        bad |= report(f"{name} {'special' if flags else 'literal'}", wrong, len(texts))
    if decodes:
        theirs.encode_special_tokens = False
        lists = [[rng.randrange(theirs.get_vocab_size()) for _ in range(rng.randint(0, 12))] for _ in texts]
        for flags in (SPECIAL, 0):
            wrong = [i for i in lists if ours.decode(i, flags) != theirs.decode(i, skip_special_tokens=not flags)]
            bad |= report(f"{name} texts", wrong, len(texts))
    return bad


def added(start):
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    tokens = [{"content": "[u]"}, {"content": "[U]", "lstrip": True}, {"content": "n n", "normalized": True},
              {"content": "<x>", "rstrip": True, "special": True}, {"content": "[u", "normalized": True}]
    return [{**plain, **token, "id": start + i} for i, token in enumerate(tokens)]


def variants():
    """tokenizer.json files that differ from the given ones in one thing."""
    with open(f"{DATA}/golden/smollm2-135m/tokenizer.json") as file:
        smol = json.load(file)
    with open(f"{DATA}/data/tokenizers/TinyLlama-1.1B-Chat-v1.0/tokenizer.json") as file:
        llama = json.load(file)
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    llama3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
              r"\s+(?!\S)|\s+")
    split = {"type": "Split", "pattern": {"Regex": llama3}, "behavior": "Isolated", "invert": False}
    changes = [("smollm2", smol, {}), ("smollm2, added tokens", smol, {"added_tokens": smol["added_tokens"] +
                                                                       added(len(smol["model"]["vocab"]))}),
               ("gpt-2 split", smol, {"pre_tokenizer": byte_level}),
               ("llama-3 split", smol, {"pre_tokenizer": {"type": "Sequence", "pretokenizers":
                                                          [split, {**byte_level, "use_regex": False}]},
                                        "model": {**smol["model"], "ignore_merges": True}}),
               ("llama", llama, {}), ("llama, no bytes", llama, {"model": {**llama["model"], "byte_fallback": False}}),
               ("llama, added tokens", llama, {"added_tokens": llama["added_tokens"] +
                                               added(len(llama["model"]["vocab"]))})]
    for scheme in ("always", "first", "never"):
        metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": False}
        changes.append((f"llama, Metaspace {scheme}", llama, {"normalizer": None, "pre_tokenizer": metaspace}))
    for name, base, change in changes:
        yield name, {**copy.deepcopy(base), **change}, base is smol


def main():
    try:
        import sentencepiece  # noqa: F401
        import tokenizers  # noqa: F401
        library = ctypes.CDLL(os.path.abspath(LIBRARY))
        with open(f"{DATA}/data/wikitext2/wiki.test.raw") as file:
            corpus = file.read()
    except (ImportError, OSError) as missing:
        print("skipped:", missing)
        return 77
    Tokenizer.library, Tokenizer.context = library, ctypes.c_void_p()
    if library.dp_context_new(None, ctypes.byref(Tokenizer.context), None):
        return 1
    rng = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    texts = list(random_texts(rng, int(sys.argv[2]) if len(sys.argv) > 2 else 2000, corpus)) + [corpus]
    bad = False
    for name in ("tok512/tok512.model", "llama_spm/tokenizer.model"):
        bad |= against_sentencepiece(f"{DATA}/data/tokenizers/{name}", texts, rng)
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/tokenizer.json"
        for name, content, decodes in variants():
            with open(path, "w") as file:
                json.dump(content, file)
            bad |= against_tokenizers(name, path, texts, rng, decodes)
    library.dp_context_free(Tokenizer.context)
    return bad


if __name__ == "__main__":
    sys.exit(main())
