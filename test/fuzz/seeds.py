#!/usr/bin/env python3
"""Writes the seeds of every fuzz target and the files that stand beside them.   usage: seeds.py FOLDER

FOLDER/seeds/TARGET/* are inputs, the same each time; FOLDER/files/* is what targets read beside an input, with links
to the descriptors (200 and up) that hold the input itself."""
import json
import os
import struct
import sys

import seeds_torch

ROOT = sys.argv[1]
SPACE = "\u2581"


def put(path, data):
    data = data if isinstance(data, bytes) else data.encode()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path) and open(path, "rb").read() == data:
        return  # a target may be reading it
    with open(path, "wb") as file:
        file.write(data)


def seed(target, name, data):
    put(f"{ROOT}/seeds/{target}/{name}", data)


def companion(name, data):
    put(f"{ROOT}/files/{name}", data)


def link(name, slot):
    path = f"{ROOT}/files/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.islink(path):
        os.symlink(f"/proc/self/fd/{200 + slot}", path)


def text_of(value):
    return json.dumps(value, ensure_ascii=False)


# ---- safetensors and its index

def safetensors(entries, data, metadata=None, padding=0):
    header = {"__metadata__": metadata} if metadata else {}
    header.update(entries)
    text = text_of(header).encode() + b" " * padding
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def safetensors_seeds():
    one = {"a": entry("F32", [2, 2], 0, 16)}
    two = {"b": entry("BF16", [3], 16, 22), "a": entry("F32", [4], 0, 16), "e": entry("F16", [0], 22, 22)}
    seed("safetensors", "one", safetensors(one, bytes(16), {"format": "pt"}))
    seed("safetensors", "two", safetensors(two, bytes(22)))
    seed("safetensors", "odd", safetensors({"x": entry("F64", [], 0, 8), "y": entry("I32", [1, 1, 1, 1], 8, 12)}, bytes(12), None, 3))
    seed("safetensors", "none", safetensors({}, b""))
    seed("safetensors", "type", safetensors({"a": entry("F8_E4M3", [2], 0, 2)}, bytes(2)))
    seed("safetensors", "hole", safetensors({"a": entry("F32", [1], 4, 8)}, bytes(8)))
    seed("safetensors", "overlap", safetensors({"a": entry("F32", [2], 0, 8), "b": entry("F32", [2], 4, 12)}, bytes(12)))
    seed("safetensors", "short", struct.pack("<Q", 2) + b"{}trailing")
    seed("safetensors", "long", struct.pack("<Q", 1 << 40) + b"{}")
    seed("safetensors", "cut", safetensors(one, bytes(15)))
    companion("shards/a.safetensors", safetensors({"a": entry("F32", [1], 0, 4), "b": entry("F16", [2], 4, 8)}, bytes(8)))
    companion("shards/b.safetensors", safetensors({"c": entry("F32", [3], 0, 12)}, bytes(12)))
    whole = {"a": "a.safetensors", "b": "a.safetensors", "c": "b.safetensors"}
    maps = {"whole": whole, "one": {"c": "b.safetensors"}, "none": {}, "outside": {"c": "../b.safetensors"},
            "missing": {"c": "c.safetensors"}, "stranger": {"a": "a.safetensors"}, "other": {"c": "a.safetensors"},
            "self": {"c": "model.safetensors.index.json"}, "number": {"c": 1}}
    for name, shards in maps.items():
        seed("index", name, text_of({"metadata": {"total_size": 20}, "weight_map": shards}))
    seed("index", "list", '{"weight_map": []}')
    seed("index", "root", "[]")


# ---- JSON documents

CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 16, "intermediate_size": 24,
          "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 20,
          "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
          "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": [2, 3], "pad_token_id": None,
          "torch_dtype": "bfloat16", "attention_bias": False, "mlp_bias": False}


def config(**changes):
    return text_of({**CONFIG, **changes})


def json_seeds():
    seed("json", "values", '{"a": [1, -2, 3.5e-7, true, false, null], "b": {"c": "\\u00e9\\n\\"x\\""}, "\\u0062x": {}}')
    seed("json", "a", '{"a": 5, "b": 1.25, "c": "text"}')
    seed("json", "flags", '{"a": true, "b": null, "c": 99999999999}')
    seed("json", "list", '[[], [[]], {}, "", 0, 1e300]')
    seed("json", "twice", '{"a": 1, "a": 2}')
    seed("json", "deep", "[" * 70 + "]" * 70)
    seed("json", "bom", b"\xef\xbb\xbf{}")
    bad = ["{a:1}", "[1,]", '"', '{"a" 1}', "[01]", '["\\ud800"]', '["\\ude00"]', '["\\ud800\\u0041"]', '["\\x"]', '["\\u12"]', "[1e]", "[1.]",
           "[-]", "[tru]", "[nul]", '["a', "[1 2]", '{"a":1,}', "{1:2}", '["\t"]', "[1]]", "[1e999]", "7", "", " ", '["\\u0000"]',
           "[99999999999999999999]", '{"a\\u0000": 1}', "[1.5E+3, -0, 1e-2]x", "{}\x01"]
    for i, text in enumerate(bad):
        seed("json", f"bad{i}", text)
    for i, data in enumerate((b'["\xff"]', b'["\xc0\x80"]', b'["\xed\xa0\x80"]', b'["\xf4\x90\x80\x80"]', b'["\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"]', b'["\xe2\x82"]')):
        seed("json", f"bytes{i}", data)
    seed("json", "escapes", '["\\ud83d\\ude00", "\\\\", "\\/", "\\t\\b\\f\\r"]')
    llama3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
              "original_max_position_embeddings": 8192}
    seed("config", "plain", config())
    seed("config", "llama3", json.dumps({**CONFIG, "rope_scaling": llama3, "head_dim": 8}, indent=2))
    seed("config", "linear", config(rope_scaling={"type": "linear", "factor": 2.0}))
    seed("config", "new", config(rope_parameters={"rope_type": "default", "rope_theta": 500000.0}))
    seed("config", "layers", config(layer_types=["full_attention"] * 3, use_cache=True, dtype="float32"))
    seed("config", "mistral", config(architectures=["MistralForCausalLM"], model_type="mistral", sliding_window=None))
    seed("config", "qwen2", config(architectures=["Qwen2ForCausalLM"], model_type="qwen2", use_sliding_window=False,
                                   layer_types=["full_attention"] * 3, max_window_layers=3))
    seed("config", "other", config(architectures=["GPT2LMHeadModel"], model_type="gpt2"))
    seed("config", "list", "[]")
    digest = "0123456789abcdef" * 4
    scores = {"schema": "depthprune.scores/1", "criterion": "ppl", "unit": "block",
              "scores": [{"block": 0, "score": 3.5}, {"block": 1, "score": 1.25}, {"block": 2, "score": 2}],
              "order": [1, 2, 0], "protected": [0], "dense": 12.5, "seconds": 0.1,
              "protocol": {"model": {"path": "m", "digest": digest}, "calibration": None}}
    seed("scores", "whole", json.dumps(scores, indent=2))
    seed("scores", "least", text_of({"schema": "depthprune.scores/1", "criterion": "x", "order": [0],
                                     "scores": [{"block": 0, "score": 0}]}))
    seed("scores", "null", text_of({**scores, "scores": [{"block": 0, "score": None}]}))
    seed("scores", "order", text_of({**scores, "order": [0, 0, 1]}))
    seed("scores", "middle", text_of({**scores, "protected": [0, 1, 2][1:2]}))
    seed("scores", "protocol", text_of({**scores, "protocol": []}))
    seed("scores", "fewer", text_of({**scores, "order": [1, 2]}))
    plan = {"schema": "depthprune.plan/1", "blocks": 4, "removed": [2, 1], "kept": [0, 3], "criterion": "bi",
            "scores": [1.0, 0.5, 0.25, 2], "parent": {"path": "m", "digest": digest},
            "protect": {"first": 1, "last": 1}, "calibration": {"source": "text", "seed": 1234}, "version": "0.1.0"}
    seed("plan", "whole", json.dumps(plan, indent=2))
    seed("plan", "least", '{"blocks": 3, "removed": [1]}')
    seed("plan", "both", '{"blocks": 3, "removed": [1], "kept": [1, 2]}')
    seed("plan", "all", '{"blocks": 1, "removed": [0]}')
    seed("ids", "rows", '{"ids": [[1, 2, 3], [4]]}')
    seed("ids", "bare", "[[0, 2147483647], [5, 6]]")
    seed("ids", "empty", '{"ids": [[]]}')
    seed("ids", "number", "7")
    seed("ids", "none", "[]")
    seed("ids", "missing", "{}")
    seed("ids", "real", "[[1.5]]")
    seed("corpus", "jsonl", b"\x01" + b'{"text": "one two"}\n\n{"text": "three\\n\\nfour", "id": 7}\n')
    seed("corpus", "bad", b"\x01" + b'{"text": "one"}\n{"test": "two"}\n')
    seed("corpus", "list", b"\x01[]\n")
    seed("corpus", "paragraphs", b"\x00One\r\ntwo\n\n  \nthree\n four\n\n\n")
    seed("corpus", "lines", b"\x02One\rtwo\n\nthree")


# ---- tokenizers

def byte_characters():
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    return [chr(b) if b in plain else chr(256 + sum(x not in plain for x in range(b))) for b in range(256)]


BYTES = byte_characters()


def byte_level(steps, words, added=(), **model):
    tokens = list(BYTES)
    merges = []
    for word in words:
        parts = [BYTES[b] for b in word.encode()]
        while len(parts) > 1:
            merged = parts[0] + parts[1]
            if merged not in tokens:
                tokens.append(merged)
                merges.append([parts[0], parts[1]])
            parts[:2] = [merged]
    extra = [{"id": len(tokens) + i, "content": text, "special": special, "normalized": False, "lstrip": False,
              "rstrip": i == 1, "single_word": False} for i, (text, special) in enumerate(added)]
    return {"version": "1.0", "added_tokens": extra, "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps}, "decoder": {"type": "ByteLevel"},
            "post_processor": None,
            "model": {"type": "BPE", "vocab": {t: i for i, t in enumerate(tokens)}, "merges": merges, **model}}


BYTE_STEP = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
LLAMA3 = ("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
          "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+")
WORDS = ["Hello", " world", "the", " th", "\u00e9", "12"]


def little_bytes():
    """A byte-level file with few tokens, which a fuzzer can work on."""
    return {"added_tokens": [{"id": 4, "content": "<s>", "special": True}], "pre_tokenizer": BYTE_STEP,
            "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}],
                               "special_tokens": {"<s>": {"id": "<s>", "ids": [4]}}},
            "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "\u0120": 3}, "merges": ["a b"],
                      "unk_token": None, "ignore_merges": True}}


def pieces_json(metaspace):
    vocab = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + [SPACE, "a", "b", "ab", SPACE + "a", "H", "e", "l", "o", "ll"]
    steps = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "first", "split": False}
    normal = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": SPACE},
                                                   {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}]}
    return {"added_tokens": [{"id": i, "content": t, "special": True, "normalized": False, "lstrip": i == 1,
                              "rstrip": False, "single_word": False} for i, t in enumerate(vocab[:3])],
            "normalizer": None if metaspace else normal, "pre_tokenizer": steps if metaspace else None,
            "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True,
                      "vocab": {t: i for i, t in enumerate(vocab)},
                      "merges": ["a b", f"{SPACE} a", "l l"]}}


def little_pieces():
    return {"added_tokens": [{"id": 0, "content": "<unk>", "special": True, "normalized": True}],
            "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}, "pre_tokenizer": None,
            "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": False, "byte_fallback": False,
                      "vocab": {"<unk>": 0, SPACE: 1, "a": 2, "b": 3, "ab": 4}, "merges": [["a", "b"]]}}


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def message(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def piece(text, score, kind=None):
    data = message(1, text.encode()) + varint(2 << 3 | 5) + struct.pack("<f", score)
    return message(1, data + (number(3, kind) if kind else b""))


def spm(pieces, trainer=b"", normalizer=None):
    data = b"".join(piece(*p) for p in pieces)
    data += message(2, number(3, 2) + trainer)
    return data if normalizer is None else data + message(3, normalizer)


SPECIALS = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3)]


def plain_spm():
    pieces = SPECIALS + [(f"<0x{b:02X}>", 0.0, 6) for b in range(256)]
    pieces += [(t, -float(i)) for i, t in enumerate(["ll", SPACE + "a", "ab", SPACE, "a", "b", "H", "e", "l", "o", "w"])]
    return spm(pieces, number(35, 1), number(3, 1) + number(4, 0) + number(5, 1))


def odd_spm():
    pieces = SPECIALS + [("<pad>", 0.0, 3), ("user", 0.0, 4), ("a b", 0.0, 4), ("aa", -1.0, 5), ("aaa", -0.5),
                         ("a", -2.0), (SPACE, -3.0), (SPACE + SPACE, -2.5), ("b", -2.0)]
    return spm(pieces, number(41, 1) + number(42, 2) + number(43, 3), number(3, 0) + number(4, 1))


def tokenizer_seeds():
    step = {"type": "Split", "pattern": {"Regex": LLAMA3}, "behavior": "Isolated", "invert": False}
    silent = {**BYTE_STEP, "use_regex": False}
    digits = {"type": "Digits", "individual_digits": True}
    little = little_bytes()
    seed("tokenizer_json", "bytes", text_of(little))
    seed("tokenizer_json", "steps", text_of({**little, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
        digits, {"type": "Split", "pattern": {"String": "b"}, "behavior": "Isolated"}, BYTE_STEP]}}))
    seed("tokenizer_json", "regex", text_of({**little, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [step, silent]}}))
    seed("tokenizer_json", "pieces", text_of(little_pieces()))
    metaspace = {"type": "Metaspace", "replacement": SPACE, "add_prefix_space": True, "prepend_scheme": "always", "split": False}
    seed("tokenizer_json", "metaspace", text_of({**little_pieces(), "normalizer": None, "pre_tokenizer": metaspace}))
    seed("tokenizer_json", "whole", text_of(pieces_json(False)))
    seed("tokenizer_json", "wordpiece", text_of({"model": {"type": "WordPiece", "vocab": {"a": 0}}}))
    seed("tokenizer_json", "unused", text_of({**little, "post_processor": {"type": "Sequence", "processors": [little["post_processor"]]}}))
    tiny = SPECIALS + [(SPACE, -1.0), ("a", -2.0), ("b", -3.0), ("ab", -0.5)]
    seed("tokenizer_model", "tiny", spm(tiny, number(35, 0), number(3, 1)))
    seed("tokenizer_model", "odd", odd_spm())
    seed("tokenizer_model", "bytes", spm(tiny + [("<0x41>", 0.0, 6)], number(35, 1) + number(41, 1), number(4, 0)))
    seed("tokenizer_model", "unigram", b"".join(piece(*p) for p in tiny) + message(2, number(3, 1)))
    seed("tokenizer_model", "none", message(2, number(3, 2)))
    seed("tokenizer_model", "suffix", spm(tiny, number(24, 1)))
    seed("tokenizer_model", "spaces", spm(tiny, b"", number(5, 0)))
    seed("tokenizer_model", "known", spm(tiny[1:]))
    seed("tokenizer_model", "charsmap", spm(tiny, b"", message(2, b"xyz")))
    files = {"whole": ('{"tokenizer_class": "LlamaTokenizer", "add_bos_token": true, "bos_token": {"content": "<s>"}, '
                       '"eos_token": "</s>", "chat_template": "{{ x }}", "added_tokens_decoder": {"8": {"content": "<pad>", '
                       '"special": true, "lstrip": true, "rstrip": true}}}',
                       '{"<pad>": 8, "<extra>": 9}', '{"pad_token": "<pad>", "unk_token": {"content": "<unk>"}}',
                       '{"bos_token_id": 1, "eos_token_id": [2, 3]}', "template"),
             "templates": ('{"chat_template": [{"name": "other", "template": "a"}, {"name": "default", "template": "b"}], "bos_token": null}',),
             "added": ("", '{"a b": 9, "<s>": 1}', "", '{"pad_token_id": 5}'),
             "below": ('{"added_tokens_decoder": {"-900": {"content": "<pad>"}}}', '{"x": -70000}'),
             "far": ("", '{"x": 99999}'), "list": ("[]",), "id": ("", "", "", '{"bos_token_id": 4000}')}
    for name, parts in files.items():
        seed("tokenizer_files", name, "\x1e".join(parts))
    companion("bytes.json/tokenizer.json", text_of(byte_level([digits, BYTE_STEP], WORDS)))
    companion("llama3/tokenizer.json", text_of(byte_level([step, silent], WORDS, [("<s>", True), ("<pad>", False)], ignore_merges=True)))
    companion("pieces.json/tokenizer.json", text_of(pieces_json(True)))
    companion("plain/tokenizer.model", plain_spm())
    companion("odd/tokenizer.model", odd_spm())
    companion("beside/tokenizer.model", spm(tiny + [("user", 0.0, 4)], number(35, 0)))
    link("json/tokenizer.json", 0)
    link("model/tokenizer.model", 0)
    for slot, name in enumerate(("tokenizer_config.json", "added_tokens.json", "special_tokens_map.json",
                                 "config.json", "chat_template.jinja")):
        link(f"beside/{name}", slot)
    for choice in range(10):
        seed("encode", f"text{choice}", bytes([choice]) + f"Hello world's 12 <s>a  b{SPACE}{SPACE}\u00e9\n\n user aaaa </s>".encode())
        seed("encode", f"odd{choice}", bytes([choice]) + b"\xff\x00\xc3 \xf0\x9f\x98\x80 <pad> a b\xed\xa0\x80")
    for choice in range(6):
        seed("decode", f"ids{choice}", bytes([choice]) + struct.pack("<8H", 0, 1, 2, 60, 200, 255, 260, 5))
    seed("decode", "outside", struct.pack("<BHh", 0, 1, -1))
    seed("pattern", "llama3", LLAMA3 + "\x1eHello world's 1234\r\n  x")
    seed("pattern", "empty", "a*\x1ebaab \u00e9")
    seed("pattern", "steps", "(a+)+$\x1e" + "a" * 40 + "b")
    seed("pattern", "behind", "(?<=a)b|\\b|\\K\x1eabab")
    seed("pattern", "class", "[^\\S\\n]+|[\\s\\d]\\s*|\\p{Lu}\x1eA B\u3000c")
    seed("pattern", "bad", "(a\x1eb")


# ---- GGUF

def string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


KINDS = {"u8": (0, "<B"), "i8": (1, "<b"), "u16": (2, "<H"), "i16": (3, "<h"), "u32": (4, "<I"), "i32": (5, "<i"),
         "f32": (6, "<f"), "bool": (7, "<?"), "u64": (10, "<Q"), "i64": (11, "<q"), "f64": (12, "<d")}


def value(kind, content):
    if kind == "string":
        return struct.pack("<I", 8) + string(content)
    if kind == "strings":
        return struct.pack("<IIQ", 9, 8, len(content)) + b"".join(string(s) for s in content)
    if isinstance(content, list):
        return struct.pack("<IIQ", 9, KINDS[kind][0], len(content)) + b"".join(struct.pack(KINDS[kind][1], x) for x in content)
    return struct.pack("<I", KINDS[kind][0]) + struct.pack(KINDS[kind][1], content)


def gguf(keys, tensors, version=3, alignment=32):
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(keys))
    for key, kind, content in keys:
        out += string(key) + value(kind, content)
    data = b""
    for name, shape, kind, size in tensors:
        out += string(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", x) for x in shape)
        out += struct.pack("<IQ", kind, len(data))
        data += bytes(size) + bytes(-size % alignment)
    return out + bytes(-len(out) % alignment) + data


NUMBERS = [("general.architecture", "string", "llama"), ("llama.block_count", "u32", 1),
           ("llama.embedding_length", "u32", 4), ("llama.feed_forward_length", "u32", 8),
           ("llama.attention.head_count", "u32", 2), ("llama.attention.head_count_kv", "u32", 1),
           ("llama.attention.layer_norm_rms_epsilon", "f32", 1e-5), ("llama.context_length", "u32", 64),
           ("llama.rope.freq_base", "f32", 10000.0), ("llama.rope.dimension_count", "u32", 2)]


def ggml(rest):
    return [("tokenizer.ggml." + key, kind, content) for key, kind, content in rest]


def gguf_seeds():
    pieces = ["<unk>", "<s>", "</s>", SPACE, "a", "b", "ab"]
    llama = ggml([("model", "string", "llama"), ("tokens", "strings", pieces),
                  ("scores", "f32", [0.0, 0.0, 0.0, -1.0, -2.0, -3.0, -0.5]), ("token_type", "i32", [2, 3, 3, 1, 1, 1, 1]),
                  ("bos_token_id", "u32", 1), ("eos_token_id", "u32", 2), ("unknown_token_id", "u32", 0),
                  ("add_bos_token", "bool", True), ("add_space_prefix", "bool", True)])
    gpt2 = ggml([("model", "string", "gpt2"), ("pre", "string", "llama-bpe"), ("tokens", "strings", ["a", "b", "ab", "<s>", "\u0120"]),
                 ("token_type", "i32", [1, 1, 1, 3, 1]), ("merges", "strings", ["a b"]), ("bos_token_id", "u32", 3)])
    embedding = [("token_embd.weight", [4, 7], 0, 112)]
    seed("gguf", "llama", gguf(NUMBERS + llama, embedding))
    seed("gguf", "gpt2", gguf(NUMBERS + gpt2 + [("tokenizer.chat_template", "string", "x")], [("token_embd.weight", [4, 5], 1, 40)], 2))
    for pre in ("smollm", "gpt-2", "qwen2"):
        seed("gguf", pre, gguf(gpt2[:1] + ggml([("pre", "string", pre)]) + gpt2[2:], []))
    scaled = [("llama.rope.scaling.type", "string", "linear"), ("llama.rope.scaling.factor", "f32", 2.0),
              ("general.alignment", "u32", 64), ("general.type", "string", "model")]
    seed("gguf", "linear", gguf(NUMBERS + scaled, embedding + [("rope_freqs.weight", [1], 0, 4)], 3, 64))
    every = [(f"k.{kind}", kind, 1) for kind in KINDS] + [(f"a.{kind}", kind, [1, 0]) for kind in KINDS]
    seed("gguf", "kinds", gguf(every, [("q", [32, 2], 8, 68), ("k", [256], 12, 144), ("h", [3], 30, 6)]))
    arrays = [(k, "u32", [2]) if k.endswith(("head_count", "head_count_kv", "feed_forward_length")) else (k, t, v) for k, t, v in NUMBERS]
    seed("gguf", "arrays", gguf([(k, t, [8] if "feed" in k else [1] if k.endswith("kv") else v) for k, t, v in arrays], embedding))
    seed("gguf", "none", gguf([], []))
    seed("gguf", "split", gguf([("split.count", "u16", 2)], []))
    seed("gguf", "cut", gguf(NUMBERS + llama, embedding)[:200])


def option_seeds():
    lines = ["score\0m.gguf\0--calibration\0t.txt\0-o\0s.json\0--samples=5\0--length\0128\0--seed\0" "7",
             "prune\0m\0--remove=3,5-7\0-o\0out\0--dtype\0f16\0--max-shard-size\0002G\0--force",
             "plan\0m\0--scores\0s.json\0--ratio\0000.2\0--protect\0004+2\0-o\0p.json", "plan\0m\0--params\0005.5B",
             "eval\0m\0--perplexity\0a\0--perplexity=b\0--window\0512\0--mode\0B\0--json\0-q", "help\0score", "--version",
             "score\0m\0--seed\0" "12\0--kernels\0avx2", "score\0m\0--seed=-1", "--samples\0" "3", "inspect\0m\0--samples=3", "score\0m\0--json=1",
             "score\0m\0--samples", "score\0m\0--samples=", "score\0m\0-z", "score\0m\0", "plan\0m\0--ratio\0" "1.5", "score\0m\0--rows\0x",
             "score\0m\0--kernels\0x", "prune\0m\0--remove\0" "7-3", "score\0m\0--protect\0" "4", "score\0m\0--memory\0x", "nothing",
             "convert\0m\0-o\0x\0--to\0hf\0--\0-x", "inspect\0m\0--nonsense", "doctor\0--threads=99999999999"]
    for i, line in enumerate(lines):
        seed("options", f"line{i}", line)


def main():
    safetensors_seeds()
    json_seeds()
    tokenizer_seeds()
    gguf_seeds()
    option_seeds()
    seeds_torch.write(seed)


main()
