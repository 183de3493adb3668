"""GGUF: counts, keys, tensor infos, offsets, and metadata that contradicts the tensors."""
import struct

import tiny
from changes import *  # noqa: F403
from tiny import ARRAY, BOOL, F32, F64, I32, I64, STRING, U8, U32, U64

FILE = {"base": "gguf", "file": "model.gguf"}
LLAMA = {"base": "gguf-q8", "file": "model.gguf"}
TOKENS, TYPES, SCORES = ("tokenizer.ggml." + name for name in ("tokens", "token_type", "scores"))
NORM, Q, EMBEDDING = "output_norm.weight", "blk.1.attn_q.weight", "token_embd.weight"
HEADER = 24  # bytes before the first key


def count(place, number):
    return gguf(lambda file: file.counts.__setitem__(place, number % 2 ** 64))


def patch(at, raw):
    return whole(GGUF, lambda old: old[:at] + raw + old[at + len(raw):])


def more(raw, keys=1):
    """Raw keys behind the others, counted."""
    def edit(file):
        file.more = raw
        file.counts[1] = len(file.keys) + keys
    return gguf(edit)


def entry(key, kind, raw):
    return more(tiny.string(key) + struct.pack("<I", kind) + raw)


def drop(name):
    return gguf(lambda file: file.keys.pop(name))


def drop_tensor(name):
    return gguf(lambda file: file.tensors.remove(file.tensor(name)))


def offset(change):
    """Where the norm's data lies, moved."""
    def edit(file):
        at = 0
        for found in file.tensors:
            if found[0] == NORM:
                found[3] = change(at) % 2 ** 64
            at += len(found[4]) + -len(found[4]) % file.alignment
    return gguf(edit)


def dims(*extents, name=NORM):
    return info(name, 1, list(extents))


def claimed_dims(number):
    """A number of dimensions that is not how many follow."""
    def edit(raw):
        at = raw.index(tiny.string(NORM)) + 8 + len(NORM)
        return raw[:at] + struct.pack("<I", number) + raw[at + 4:]
    return whole(GGUF, edit)


def array_key(kind, number, raw=b""):
    return entry("test.array", ARRAY, struct.pack("<IQ", kind, number % 2 ** 64) + raw)


def nested(depth):
    return entry("test.array", ARRAY, struct.pack("<IQ", ARRAY, 1) * depth + struct.pack("<IQ", U8, 0))


def llama(key, kind, number):
    return key_of("llama." + key, kind, number)


def key_of(name, kind, number):
    return gguf(lambda file: file.put(name, kind, number))


def list_of(name, kind, items):
    return gguf(lambda file: file.put_array(name, kind, items))


def tokens_but(edit):
    def change(file):
        made = [one for one in tiny.byte_level()[0]]
        edit(made)
        file.put_array(TOKENS, STRING, made)
    return gguf(change)


def doubled(name):
    def edit(file):
        file.tensor(name)[0] = "blk.1.attn_k.weight" if name == Q else Q
    return gguf(edit)


def misaligned(number):
    """The alignment is said, the file is laid out for 32."""
    return gguf(lambda file: file.put("general.alignment", U32, number))


def many(names, raw):
    return more(b"".join(tiny.string(one) + raw for one in names), len(names))


def many_tensors(names):
    def edit(file):
        for one in names:
            file.tensors.append([one, [32], 0, None, b"\0" * 128])
    return gguf(edit)


def scale(name, raw):
    """The f16 scale of the second block of a quantized tensor, 34 bytes each."""
    return info(name, 4, lambda data: data[:34] + raw + data[36:])


GROUPS = [
    {**FILE, "group": "GGUF: magic and version", "rows": [
        ("empty", replace(GGUF, b""), "0 bytes"),
        ("3 bytes", cut(GGUF, 3), "3 bytes"),
        ("magic alone", cut(GGUF, 4), "byte 4"),
        ("lower case", patch(0, b"gguf"), "byte 0"),
        ("GGML", patch(0, b"GGML"), "byte 0"),
        ("reversed", patch(0, b"FUGG"), "byte 0"),
        ("version 0", gguf(lambda f: setattr(f, "version", 0)), ("byte 4", "version 0")),
        ("version 1", gguf(lambda f: setattr(f, "version", 1)), ("byte 4", "version 1")),
        ("version 4", gguf(lambda f: setattr(f, "version", 4)), ("byte 4", "version 4")),
        ("version 2^32 - 1", gguf(lambda f: setattr(f, "version", 2 ** 32 - 1)), "byte 4"),
        ("big-endian", gguf(lambda f: setattr(f, "version", 3 << 24)), ("byte 4", "big-endian")),
        ("safetensors", replace(GGUF, lambda: tiny.Safetensors().build()), "byte 0"),
        ("LFS pointer", replace(GGUF, b"version https://git-lfs.github.com/spec/v1\n" * 2), "byte 0"),
        ("zeros", whole(GGUF, lambda raw: b"\0" * len(raw)), "byte 0"),
        ("zeros behind the magic", whole(GGUF, lambda raw: raw[:4] + b"\0" * (len(raw) - 4)), "byte 4"),
    ]},
    {**FILE, "group": "GGUF: not a plain file", "rows": [
        ("FIFO", special(GGUF, "fifo"), "regular"),
        ("loop of links", special(GGUF, "link", "model.gguf"), "Too many levels"),
        ("dangling link", special(GGUF, "link", "gone"), "No such file"),
        ("/dev/zero", special(GGUF, "link", "/dev/zero"), "regular"),
        ("an empty directory", special(GGUF, "directory"), "config.json"),
    ]},
    {**FILE, "group": "GGUF: counts", "rows": [
        (what + " " + name, count(place, number), words) for what, place, words in
        [("tensors", 0, "byte 8"), ("keys", 1, "byte 16")] for name, number in
        [("2^60", 2 ** 60), ("2^63", 2 ** 63), ("-1", -1), ("2^32", 2 ** 32), ("10^9", 10 ** 9)]] + [
        ("keys +1", gguf(lambda f: f.counts.__setitem__(1, len(f.keys) + 1)), "byte"),
        ("keys -1", gguf(lambda f: f.counts.__setitem__(1, len(f.keys) - 1)), "byte"),
        ("tensors +1", gguf(lambda f: f.counts.__setitem__(0, len(f.tensors) + 1)), "byte"),
        ("tensors -1", gguf(lambda f: f.counts.__setitem__(0, len(f.tensors) - 1)), "byte"),
        ("no tensors", gguf(lambda f: f.counts.__setitem__(0, 0)), "byte"),
    ]},
    {**FILE, "group": "GGUF: lengths of keys and strings", "rows": [
        (what + ", " + name, patch_at(number), "byte %d" % at) for what, at, patch_at in [
            ("first key", HEADER, lambda number: patch(HEADER, struct.pack("<Q", number))),
            ("first string", HEADER + 32, lambda number: patch(HEADER + 32, struct.pack("<Q", number)))]
        for name, number in [("2^63", 2 ** 63), ("2^64 - 1", 2 ** 64 - 1), ("2^32", 2 ** 32),
         ("past the end", 10 ** 7),
                             ("2^64 - 24", 2 ** 64 - 24)]] + [
        ("empty key", entry("", U32, b"\0" * 4), "a key of 0 bytes"),
        ("key of 70 000 bytes", entry("k" * 70000, U32, b"\0" * 4), "a key of 70000 bytes"),
        ("NUL in a key", entry("general.name\0x", U32, b"\0" * 4), "general.name"),
    ]},
    {**FILE, "group": "GGUF: lengths of tensor names", "rows": [
        (name, whole(GGUF, lambda raw, n=number: raw.replace(tiny.string(NORM), struct.pack("<Q", n) + NORM.encode())),
         "byte") for name, number in [("2^63", 2 ** 63), ("2^64 - 1", 2 ** 64 - 1), ("2^32 + the right one",
          2 ** 32 + 18),
                                      ("past the end", 10 ** 7), ("one less", 17), ("one more", 19)]] + [
        ("empty", info(NORM, 0, ""), "tensor name of 0 bytes"),
        ("70 000 bytes", info(NORM, 0, "n" * 70000), "tensor name of 70000 bytes"),
        ("NUL behind", info(NORM, 0, NORM + "\0"), "zero byte"),
        ("bad UTF-8", info(NORM, 0, b"output_n\xffrm.weight"), NORM),
        ("escape sequence", info(NORM, 0, "\x1b[31m" + NORM), NORM),
        ("wrong case", info(NORM, 0, NORM.upper()), NORM),
    ]},
    {**FILE, "group": "GGUF: types of values", "rows": [
        ("13", entry("test.key", 13, b"\0" * 8), ("test.key", "13")),
        ("99", entry("test.key", 99, b"\0" * 8), ("test.key", "99")),
        ("-1", entry("test.key", 2 ** 32 - 1, b"\0" * 8), "test.key"),
        ("2^31", entry("test.key", 2 ** 31, b"\0" * 8), "test.key"),
        ("2^8 + a string's", entry("test.key", 256 + STRING, tiny.string("text")), "test.key"),
        ("array of 13", array_key(13, 1, b"\0" * 8), "test.array"),
        ("array of -1", array_key(2 ** 32 - 1, 1, b"\0" * 8), "test.array"),
        ("array of 2^16", array_key(2 ** 16, 1, b"\0" * 8), "test.array"),
        ("array of arrays", nested(1), ("test.array", "array of arrays")),
        ("array of arrays, 100 000 deep", nested(100000), ("test.array", "array of arrays")),
    ]},
    {**FILE, "group": "GGUF: lengths of arrays", "rows": [
        (what + ", " + name, array_key(kind, number), "test.array") for what, kind in [("numbers", U32),
         ("strings", STRING)]
        for name, number in [("2^60", 2 ** 60), ("2^63", 2 ** 63), ("2^64 - 1", -1), ("2^62", 2 ** 62),
         ("10^9", 10 ** 9)]] + [
        ("bytes, 2^32", array_key(U8, 2 ** 32), "test.array"),
        ("strings, one too many", whole(GGUF, lambda raw: raw.replace(
            struct.pack("<IQ", STRING, 272), struct.pack("<IQ", STRING, 273))), "byte"),
        ("a string in an array past the end", array_key(STRING, 2, tiny.string("a") + struct.pack("<Q", 2 ** 40)),
         "test.array"),
    ]},
    {**FILE, "group": "GGUF: number of dimensions", "rows": [
        ("0", dims(), (NORM, "0 dimensions")),
        ("5", dims(32, 1, 1, 1, 1), (NORM, "5 dimensions")),
        ("2^32 - 1", claimed_dims(2 ** 32 - 1), (NORM, "4294967295")),
        ("2^31", claimed_dims(2 ** 31), (NORM, "2147483648")),
        ("2, but 1 follows", claimed_dims(2), "byte"),
        ("4, but 1 follows", claimed_dims(4), NORM),
        ("2 with a 1", dims(32, 1), (NORM, "[1, 32]")),
    ]},
    {**FILE, "group": "GGUF: dimensions", "rows": [
        ("0", dims(0), NORM),
        ("-1", dims(2 ** 64 - 1), NORM),
        ("2^63", dims(2 ** 63), NORM),
        ("2^63 - 1", dims(2 ** 63 - 1), NORM),
        ("2^32 + the right one", dims(2 ** 32 + 32), NORM),
        ("elements wrap to the right number", dims(2 ** 59 + 1, 32), (NORM, "64 bits")),
        ("elements wrap to 0", dims(2 ** 32, 2 ** 32), (NORM, "64 bits")),
        ("elements wrap in four", dims(2 ** 16, 2 ** 16, 2 ** 16, 2 ** 16), (NORM, "64 bits")),
        ("bytes wrap", dims(2 ** 62), NORM),
        ("bytes wrap to the right number", dims(2 ** 62 + 32), NORM),
        ("elements wrap to a negative number", dims(2 ** 32, 2 ** 31), NORM),
        ("rows wrap to one row", dims(32, 7, 0x6db6db6db6db6db7), (NORM, "elements than 64 bits")),
        ("rows wrap to none", dims(32, 2 ** 32, 2 ** 32), (NORM, "elements than 64 bits")),
        ("one less", dims(31), NORM),
        ("rows and columns turned", dims(272, 32, name=EMBEDDING), EMBEDDING),
    ]},
    {**FILE, "group": "GGUF: tensor types", "rows": [
        ("removed, 4", info(Q, 2, 4), (Q, "type 4")),
        ("99", info(Q, 2, 99), (Q, "99")),
        ("-1", info(Q, 2, 2 ** 32 - 1), Q),
        ("I32", info(Q, 2, 26), Q),
        ("F16 for F32's bytes", info(Q, 2, 1), "hole"),
        ("Q4_K, rows too short", info(Q, 2, 12), (Q, "blocks of 256")),
        ("quantized norm", gguf(lambda f: f.tensor(NORM).__setitem__(slice(2, 5), [8, None, b"\0" * 34])),
         (NORM, "q8_0")),
        ("256 + F32", info(Q, 2, 256), (Q, "256")),
    ]},
    {**FILE, "group": "GGUF: offsets", "rows": [
        ("+1", offset(lambda at: at + 1), (NORM, "alignment")),
        ("+4", offset(lambda at: at + 4), (NORM, "alignment")),
        ("+32", offset(lambda at: at + 32), NORM),
        ("-32", offset(lambda at: at - 32), NORM),
        ("at the end", offset(lambda at: 10 ** 6 * 32), NORM),
        ("2^63", offset(lambda at: 2 ** 63), NORM),
        ("2^64 - 32", offset(lambda at: -32), NORM),
        ("wraps back", offset(lambda at: 2 ** 64 - 128 + at % 1), NORM),
        ("onto the tensor before", offset(lambda at: at - 128), NORM),
        ("all 0", gguf(lambda f: [t.__setitem__(3, 0) for t in f.tensors]), "blk.0.attn_norm.weight"),
        ("two changed over", gguf(lambda f: [f.tensors[0].__setitem__(3, 128), f.tensors[1].__setitem__(3, 0)]),
         EMBEDDING),
    ]},
    {**FILE, "group": "GGUF: alignment", "rows": [
        ("0", misaligned(0), "general.alignment"),
        ("3", misaligned(3), "general.alignment"),
        ("2^31", misaligned(2 ** 31), "general.alignment"),
        ("2^32 - 1", misaligned(2 ** 32 - 1), "general.alignment"),
        ("of another type", key_of("general.alignment", U64, 32), "general.alignment"),
        ("a string", key_of("general.alignment", STRING, "32"), "general.alignment"),
        ("an array", list_of("general.alignment", U32, [32]), "general.alignment"),
        ("256, but it is 32", misaligned(256), "alignment"),
        ("2^20, but it is 32", misaligned(2 ** 20), "byte"),
    ]},
    {**FILE, "group": "GGUF: cut", "rows": [
        ("in the counts", cut(GGUF, 12), "byte"),
        ("in the keys", cut(GGUF, 200), "byte"),
        ("in the tokens", cut(GGUF, 2000), "byte"),
        ("in the tensor infos", whole(GGUF, lambda raw: raw[:raw.index(b"blk.1.attn_q")]), "byte"),
        ("in the data", cut(GGUF, 0.5), "byte"),
        ("by 1", cut(GGUF, -1), "output.weight"),
        ("by the last tensor", cut(GGUF, -272 * 32 * 4), "output.weight"),
        ("1 byte more", grow(GGUF, b"\0"), "follow"),
        ("4096 bytes more", grow(GGUF, b"\0" * 4096), "follow"),
    ]},
    {**FILE, "group": "GGUF: duplicates", "rows": [
        ("a key, another value", entry("llama.block_count", U32, struct.pack("<I", 4)),
         ("llama.block_count", "twice")),
        ("a key, the same value", entry("llama.block_count", U32, struct.pack("<I", 3)),
         ("llama.block_count", "twice")),
        ("a tensor", doubled(Q), ("blk.1.attn_k.weight", "name")),
        ("50 000 equal keys", many(["k"] * 50000, struct.pack("<II", U32, 1)), ("k", "twice")),
        ("50 000 keys, one twice", many(["k%d" % i for i in range(50000)] + ["k777"], struct.pack("<II", U32, 1)),
         ("k777", "twice")),
        ("5000 equal tensors", many_tensors(["extra"] * 5000), ("extra", "name")),
        ("5000 tensors, one twice", many_tensors(["extra%d" % i for i in range(5000)] + ["extra99"]),
         ("extra99", "name")),
    ]},
    {**FILE, "group": "GGUF: keys that lack", "rows": [
        (name, drop(name), name) for name in [
            "general.architecture", "llama.block_count", "llama.embedding_length", "llama.attention.head_count",
            "llama.feed_forward_length", "llama.context_length", "llama.attention.layer_norm_rms_epsilon"]] + [
        ("all", gguf(lambda f: f.keys.clear()), "general.architecture"),
    ]},
    {**FILE, "group": "GGUF: keys of another type or size", "rows": [
        ("block_count a string", llama("block_count", STRING, "3"), "llama.block_count"),
        ("block_count a float", llama("block_count", F32, 3.0), "llama.block_count"),
        ("block_count true", llama("block_count", BOOL, 1), "llama.block_count"),
        ("block_count -3", llama("block_count", I32, -3), "llama.block_count"),
        ("block_count 0", llama("block_count", U32, 0), "llama.block_count"),
        ("block_count 2^32 + 3", llama("block_count", U64, 2 ** 32 + 3), "llama.block_count"),
        ("block_count 2^63", llama("block_count", U64, 2 ** 63), "llama.block_count"),
        ("embedding_length 2^31", llama("embedding_length", U32, 2 ** 31), "llama.embedding_length"),
        ("head_count -1", llama("attention.head_count", I64, -1), "llama.attention.head_count"),
        ("epsilon NaN", llama("attention.layer_norm_rms_epsilon", F32, float("nan")), "epsilon"),
        ("epsilon negative", llama("attention.layer_norm_rms_epsilon", F32, -1e-5), "epsilon"),
        ("epsilon a string", llama("attention.layer_norm_rms_epsilon", STRING, "1e-5"), "epsilon"),
        ("freq_base infinite", llama("rope.freq_base", F32, float("inf")), "llama.rope.freq_base"),
        ("freq_base 0", llama("rope.freq_base", F64, 0.0), "llama.rope.freq_base"),
        ("architecture a number", key_of("general.architecture", U32, 1), "general.architecture"),
    ]},
    {**FILE, "group": "GGUF: metadata that contradicts the tensors", "rows": [
        ("a block more", llama("block_count", U32, 4), "blk.3"),
        ("a block less", llama("block_count", U32, 2), "blk.2"),
        ("wider", gguf(lambda f: [f.put("llama.embedding_length", U32, 64), f.put("llama.attention.key_length", U32, 8)]),
         EMBEDDING),
        ("heads 3", llama("attention.head_count", U32, 3), "head_count"),
        ("heads 8", llama("attention.head_count", U32, 8), "rope.dimension_count"),
        ("kv 3", llama("attention.head_count_kv", U32, 3), "head_count_kv"),
        ("kv 4", llama("attention.head_count_kv", U32, 4), "attn_k"),
        ("kv missing", drop("llama.attention.head_count_kv"), "attn_k"),
        ("another MLP", llama("feed_forward_length", U32, 96), "ffn"),
        ("vocab_size 273", llama("vocab_size", U32, 273), "llama.vocab_size"),
        ("rope of another width", llama("rope.dimension_count", U32, 4), "llama.rope.dimension_count"),
        ("key_length odd", llama("attention.key_length", U32, 7), "key_length"),
        ("key_length 16", llama("attention.key_length", U32, 16), "rope.dimension_count"),
        ("value_length 16", llama("attention.value_length", U32, 16), "value_length"),
        ("kv of each block, of 2 blocks", list_of("llama.attention.head_count_kv", U32, [2, 2]), "head_count_kv"),
    ]},
    {**FILE, "group": "GGUF: metadata that contradicts the tensors, more", "rows": [
        ("kv that differs", list_of("llama.attention.head_count_kv", U32, [2, 1, 2]), "head_count_kv"),
        ("kv of strings", list_of("llama.attention.head_count_kv", STRING, ["2", "2", "2"]), "head_count_kv"),
        ("kv 0 of each", list_of("llama.attention.head_count_kv", U32, [0, 0, 0]), "head_count_kv"),
        ("context 0", llama("context_length", U32, 0), "llama.context_length"),
        ("experts", llama("expert_count", U32, 8), "llama.expert_count"),
        ("rope scaling yarn", llama("rope.scaling.type", STRING, "yarn"), ("rope", "yarn")),
        ("rope factor negative", llama("rope.scaling.factor", F32, -2.0), "llama.rope.scaling.factor"),
        ("another family", key_of("general.architecture", STRING, "mamba"), ("general.architecture", "mamba")),
        ("an adapter", key_of("general.type", STRING, "adapter"), "general.type"),
        ("first part of two", gguf(lambda f: [f.put("split.count", tiny.U16, 2), f.put("split.no", tiny.U16, 0)]),
         "split.count"),
        ("rope_freqs of another length",
         gguf(lambda f: f.tensors.append(["rope_freqs.weight", [32], 0, None, b"\0" * 128])),
         "rope_freqs.weight"),
        ("bos outside of the vocabulary", key_of("tokenizer.ggml.bos_token_id", U32, 272), "bos_token_id"),
    ]},
    {**FILE, "group": "GGUF: tensors that lack", "rows": [
        (name, drop_tensor(name), name) for name in [EMBEDDING, NORM, Q, "blk.0.attn_norm.weight",
         "blk.2.ffn_down.weight"]]},
    {**FILE, "group": "GGUF: numbers that are not finite", "rows": [
        ("NaN in F32", info(Q, 4, lambda data: data[:8] + f32(float("nan")) + data[12:]), (Q, "element 2")),
        ("infinite in F32", info(NORM, 4, lambda data: f32(float("inf")) + data[4:]), (NORM, "element 0")),
        ("NaN in F16", info(Q, 4, lambda data: data[:6] + b"\x00\x7e" + data[8:]), (Q, "element 3"),
         {"base": "gguf-f16"}),
        ("scale NaN in Q8_0", scale(Q, b"\x00\x7e"), (Q, "element 32"), {"base": "gguf-q8"}),
        ("scale infinite in Q8_0", scale(Q, b"\x00\xfc"), (Q, "element 32"), {"base": "gguf-q8"}),
        ("scale NaN in Q4_0", info(Q, 4, lambda data: data[:18] + b"\x01\x7c" + data[20:]), (Q, "element 32"),
         {"base": "gguf-q4"}),
    ]},
    {**FILE, "group": "GGUF: tokenizer, byte-level", "rows": [
        ("tokens missing", drop(TOKENS), TOKENS),
        ("tokens a string", key_of(TOKENS, STRING, "a b c"), TOKENS),
        ("tokens are numbers", list_of(TOKENS, U32, list(range(272))), TOKENS),
        ("no tokens", list_of(TOKENS, STRING, []), TOKENS),
        ("a token twice", tokens_but(lambda list: list.__setitem__(257, list[256])), "257"),
        ("a token of bad UTF-8", tokens_but(lambda list: list.__setitem__(257, b"th\xff")), "257"),
        ("a token of 200 KB", tokens_but(lambda list: list.__setitem__(269, "x" * 200000)), "269"),
        ("a token with NUL", tokens_but(lambda list: list.__setitem__(269, "x\0y")), "269"),
        ("more tokens than rows", tokens_but(lambda list: list.append("more")), "273 tokens"),
        ("types too few", list_of(TYPES, I32, [1] * 271), TYPES),
        ("types are floats", list_of(TYPES, F32, [1.0] * 272), TYPES),
        ("types are strings", list_of(TYPES, STRING, ["1"] * 272), TYPES),
        ("a type 99", list_of(TYPES, I32, [1] * 271 + [99]), ("271", "99")),
        ("unknown pre-tokenizer", key_of("tokenizer.ggml.pre", STRING, "unheard"),
         ("tokenizer.ggml.pre", "unheard")),
        ("unknown kind", key_of("tokenizer.ggml.model", STRING, "unigram"), ("tokenizer.ggml.model", "unigram")),
    ]},
    {**LLAMA, "group": "GGUF: tokenizer, merges and SentencePiece", "rows": [
        ("merges missing", drop("tokenizer.ggml.merges"), "tokenizer.ggml.merges", {"base": "gguf"}),
        ("merges are numbers", list_of("tokenizer.ggml.merges", U32, [1]), "tokenizer.ggml.merges",
         {"base": "gguf"}),
        ("a merge of three", list_of("tokenizer.ggml.merges", STRING, ["t h e"]), "merge 0", {"base": "gguf"}),
        ("a merge of nothing", list_of("tokenizer.ggml.merges", STRING, [""]), "merge 0", {"base": "gguf"}),
        ("a merge of what is no token", list_of("tokenizer.ggml.merges", STRING, ["zq q"]), "merge 0",
         {"base": "gguf"}),
        ("scores missing", drop(SCORES), SCORES),
        ("scores too few", list_of(SCORES, F32, [0.0] * 271), SCORES),
        ("scores are integers", list_of(SCORES, I32, [0] * 272), SCORES),
        ("scores are strings", list_of(SCORES, STRING, ["0"] * 272), SCORES),
        ("scores are f64", list_of(SCORES, F64, [0.0] * 272), SCORES),
        ("a score NaN", list_of(SCORES, F32, [0.0] * 271 + [float("nan")]), "271"),
        ("types missing", drop(TYPES), TYPES),
        ("types are u32 of 2^31", list_of(TYPES, U32, [2 ** 31] * 272), TYPES),
        ("bos a string", key_of("tokenizer.ggml.bos_token_id", STRING, "1"), "bos_token_id"),
        ("add_bos_token a number", key_of("tokenizer.ggml.add_bos_token", U32, 1), "add_bos_token"),
    ]},
]
