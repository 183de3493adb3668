"""model.safetensors: its header, its entries, its names and its numbers."""
import json
import struct

from changes import *  # noqa: F403

FILE = {"base": "hf", "file": "model.safetensors"}
EMBEDDING, NORM, HEAD = "model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"
Q, K, V, O = ("model.layers.1.self_attn.%s_proj.weight" % letter for letter in "qkvo")
DOWN, INPUT = "model.layers.1.mlp.down_proj.weight", "model.layers.1.input_layernorm.weight"
HUGE = "9" * 100000


def offsets(begin, end):
    """Raw texts for the norm's data_offsets, the last but one of the file."""
    def edit(text):
        at = text.index(b'"data_offsets":[', text.index(b'"%s"' % NORM.encode())) + 16
        stop = text.index(b"]", at)
        made = begin if end is None else "%s,%s" % (begin, end)
        return text[:at] + made.encode() + text[stop:]
    return header(edit)


def place(file=None):
    from bases import BASES
    return BASES["hf"][ST].tensors[NORM][2:]


BEGIN, END = place()


def shape(text, name=NORM):
    old = {"model.norm.weight": '"shape":[32]', EMBEDDING: '"shape":[272,32]'}[name]
    return entry(name, old, '"shape":' + text)


def overlap(share):
    """The norm's range moves back into the tensor before it, the file stays long enough."""
    def edit(file):
        moved = int(128 * share)
        file.tensors[NORM][2] -= moved
        file.tensors[NORM][3] -= moved
    return part(ST, edit)


def hole(name, size):
    """Bytes that belong to no tensor, before `name`."""
    def edit(file):
        begin = file.tensors[name][2]
        file.data[begin:begin] = b"\0" * size
        for found in file.tensors.values():
            if found[2] >= begin:
                found[2] += size
                found[3] += size
    return part(ST, edit)


def drop(name):
    def edit(file):
        _, _, begin, end = file.tensors.pop(name)
        del file.data[begin:end]
        for found in file.tensors.values():
            if found[2] >= end:
                found[2] -= end - begin
                found[3] -= end - begin
    return part(ST, edit)


def resize(name, new, zeros=None):
    """Another shape with bytes to match."""
    def edit(file):
        count = 1
        for extent in new:
            count *= extent
        _, _, begin, end = file.tensors[name]
        more = count * 4 - (end - begin)
        if more > 0:
            file.data[end:end] = b"\0" * more
        else:
            del file.data[end + more:end]
        for found in file.tensors.values():
            if found[2] >= end and found is not file.tensors[name]:
                found[2] += more
                found[3] += more
        file.tensors[name][1] = new
        file.tensors[name][3] += more
    return part(ST, edit)


def rename(name, raw):
    """The name as raw JSON text between quotes."""
    return header_swap('"%s":{' % name, b'"' + (raw if isinstance(raw, bytes) else raw.encode()) + b'":{')


def more_entries(texts):
    """Entries of no bytes at the end of the header."""
    def edit(text):
        at = text.rindex(b"}")
        return text[:at] + b"".join(b"," + one for one in texts()) + text[at:]
    return header(edit)


def many_names():
    made = [b'"n%06d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % number for number in range(100000)]
    return made + [b'"n050000":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}']


def own_text(old, new):
    return header_swap(old, new)


def wrap(text):
    return header(lambda _: text)


def duplicate(spelled, moved):
    def edit(text):
        begin = text.index(b'"%s":{' % NORM.encode())
        inner = text[begin + len(NORM) + 2:text.index(b"}", begin) + 1]
        if moved:
            inner = inner.replace(b"%d,%d" % (BEGIN, END), b"%d,%d" % (BEGIN - 128, BEGIN))
        at = text.rindex(b"}")
        return text[:at] + b',"' + spelled + b'"' + inner + text[at:]
    return header(edit)


def as_type(name, kind):
    """Another element type of the same size in bytes."""
    width = {"I64": 8, "U8": 1, "F64": 8, "I32": 4, "BOOL": 1, "F8_E4M3": 1}[kind]

    def edit(file):
        found = file.tensors[name]
        found[0], found[1] = kind, [found[1][0], found[1][1] * 4 // width]
    return part(ST, edit)



PICKLE = b"\x80\x02}q\x00X\x05\x00\x00\x00modelq\x01cposix\nsystem\nq\x02X\x04\x00\x00\x00trueq\x03\x85q\x04Rs." + b"\0" * 80
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 4999802720\n"
PAGE = b"<!DOCTYPE html>\n<html><head><title>404</title></head><body>Entry not found</body></html>\n"
ZIP = b"PK\x03\x04" + b"\0" * 200

LENGTHS = [(name, length(number), "byte %d" % at) for name, number, at in [
    ("0", 0, 8), ("past the end", 10 ** 7, 0), ("100 000 001", 100000001, 0), ("2^31", 2 ** 31, 0),
    ("2^32", 2 ** 32, 0), ("2^63", 2 ** 63, 0), ("2^64 - 8", 2 ** 64 - 8, 0), ("2^64 - 1", 2 ** 64 - 1, 0)]]

LENGTHS.append(("1", length(1), ":1:1"))

GROUPS = [
    {**FILE, "group": "safetensors: size of the file", "rows": [
        ("0 bytes", replace(ST, b""), "0 bytes"),
        ("7 bytes", cut(ST, 7), "7 bytes"),
        ("8 bytes", cut(ST, 8), "header of"),
        ("cut by 1", cut(ST, -1), ("lm_head.weight", "data_offsets")),
        ("cut by half", cut(ST, 0.5), "data_offsets"),
        ("cut after the header", whole(ST, lambda raw: raw[:8 + int.from_bytes(raw[:8], "little")]),
         "data_offsets"),
        ("cut in the header", cut(ST, 1000), "header of"),
        ("1 byte follows", grow(ST, b"\0"), "1 bytes follow"),
        ("4096 bytes follow", grow(ST, b"\0" * 4096), "4096 bytes follow"),
        ("a second file follows", whole(ST, lambda raw: raw + raw), "bytes follow"),
    ]},
    {**FILE, "group": "safetensors: header length", "rows": LENGTHS + [
        ("one less", part(ST, lambda f: setattr(f, "length", len(f.header().rstrip()) - 1)), ":1:"),
        ("2^32 + the right one", part(ST, lambda f: setattr(f, "length", 2 ** 32 + len(f.header()))), "byte 0"),
        ("big-endian", whole(ST, lambda raw: raw[:8][::-1] + raw[8:]), "byte 0"),
        ("8 more, into the data", part(ST, lambda f: setattr(f, "length", len(f.header()) + 8)), ":1:"),
        ("negative", length(-5), "byte 0"),
    ]},
    {**FILE, "group": "safetensors: JSON of the header", "rows": [
        ("not JSON", wrap(b"{this is no json}       "), ":1:5"),
        ("array", wrap(b"[1, 2, 3]       "), "byte 8"),
        ("string", wrap(b'"model"         '), "byte 8"),
        ("byte order mark", header(lambda t: b"\xef\xbb\xbf" + t), "byte 8"),
        ("padded with NUL", header(lambda t: t.rstrip() + b"\0" * 8), ":1:"),
        ("a second object", header(lambda t: t.rstrip() + b"{}      "), ":1:"),
        ("cut", header(lambda t: t[:len(t) // 2]), ":1:"),
        ("trailing comma", header(lambda t: t.rstrip()[:-1] + b",}      "), ":1:"),
        ("comment", header(lambda t: b"{/* tensors */" + t[1:]), ":1:"),
        ("UTF-16", header(lambda t: t.decode().encode("utf-16")), "byte 8"),
        ("UTF-16 without a mark", header(lambda t: t.decode().encode("utf-16-le")), ":1:"),
        ("single quotes", header(lambda t: t.replace(b'"', b"'")), ":1:"),
        ("100 000 nested arrays", header(lambda t: b'{"a":' + b"[" * 100000 + b"]" * 100000 + b"}"),
         ("nests", ":1:")),
        ("100 000 nested objects", header(lambda t: b'{"a":' * 100000 + b"1" + b"}" * 100000), ("nests", ":1:")),
        ("nested and not closed", header(lambda t: b'{"a":' + b"[" * 70 + b" " * 10), ("nests", ":1:")),
    ]},
    {**FILE, "group": "safetensors: duplicate names", "rows": [
        ("another range", duplicate(NORM.encode(), True), ("duplicate", NORM)),
        ("identical", duplicate(NORM.encode(), False), ("duplicate", NORM)),
        ("spelled with an escape", duplicate(b"model.\\u006eorm.weight", False), ("duplicate", "orm.weight")),
        ("among 100 000", more_entries(many_names), ("duplicate", "n050000")),
        ("__metadata__ twice", header_swap('{"__metadata__":{', '{"__metadata__":{},"__metadata__":{'),
         "duplicate"),
        ("a member of an entry", entry(NORM, '"dtype":"F32"', '"dtype":"F32","dtype":"F16"'),
         ("duplicate", "dtype")),
        ("50 000 times one name", more_entries(lambda: [b'"x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'] * 50000),
         ("duplicate", "x")),
    ]},
    {**FILE, "group": "safetensors: data_offsets, kinds", "rows": [
        ("negative", offsets(-4, END), NORM),
        ("swapped", offsets(END, BEGIN), NORM),
        ("float", offsets("%d.0" % BEGIN, END), NORM),
        ("exponent", offsets("1e3", END), NORM),
        ("string", offsets('"%d"' % BEGIN, END), NORM),
        ("null", offsets("null", END), NORM),
        ("one", offsets(str(BEGIN), None), NORM),
        ("three", offsets("%d,%d,%d" % (BEGIN, END, END), None), NORM),
        ("none", offsets("", None), NORM),
        ("an object", entry(NORM, '"data_offsets":[%d,%d]' % (BEGIN, END), '"data_offsets":{"0":%d,"1":%d}' % (BEGIN, END)),
         NORM),
        ("missing", entry(NORM, ',"data_offsets":[%d,%d]' % (BEGIN, END), ""), NORM),
        ("true", offsets("true", "false"), NORM),
        ("nested", offsets("[%d]" % BEGIN, "[%d]" % END), NORM),
    ]},
    {**FILE, "group": "safetensors: data_offsets, sizes", "rows": [
        ("2^63", offsets(BEGIN, 2 ** 63), ":1:"),
        ("2^63 - 1", offsets(BEGIN, 2 ** 63 - 1), NORM),
        ("2^64 + the right one", offsets(2 ** 64 + BEGIN, 2 ** 64 + END), ":1:"),
        ("2^32 + the right one", offsets(2 ** 32 + BEGIN, 2 ** 32 + END), NORM),
        ("100 000 digits", offsets(BEGIN, HUGE), ":1:"),
        ("leading zeros", offsets("00%d" % BEGIN, END), ":1:"),
        ("beyond the end", offsets(10 ** 7, 10 ** 7 + 128), NORM),
        ("end alone beyond", offsets(BEGIN, END + 10 ** 6), NORM),
        ("4 too few", offsets(BEGIN, END - 4), NORM),
        ("4 too many", offsets(BEGIN, END + 4), NORM),
        ("empty", offsets(BEGIN, BEGIN), NORM),
        ("minus zero begin, 2^53 + 1 end", offsets("-0", 2 ** 53 + 1), NORM),
    ]},
    {**FILE, "group": "safetensors: overlaps and holes", "rows": [
        ("full overlap", overlap(1), (NORM, "inside")),
        ("partial overlap", overlap(0.5), (NORM, "inside")),
        ("4 bytes of overlap", overlap(1 / 32), (NORM, "inside")),
        ("hole", hole(NORM, 64), (NORM, "hole")),
        ("hole of 1 byte", hole(NORM, 1), (NORM, "hole")),
        ("hole at the start", hole(EMBEDDING, 8), (EMBEDDING, "hole")),
        ("all in one place", part(ST, lambda f: [t.__setitem__(slice(2, 4), [0, t[3] - t[2]]) for t in f.tensors.values()]),
         "inside"),
    ]},
    {**FILE, "group": "safetensors: dtype", "rows": [
        ("unknown", tensor(NORM, dtype="F33"), (NORM, "F33")),
        ("lower case", tensor(NORM, dtype="f32"), (NORM, "f32")),
        ("number", entry(NORM, '"F32"', "32"), (NORM, "dtype")),
        ("null", entry(NORM, '"F32"', "null"), (NORM, "dtype")),
        ("missing", entry(NORM, '"dtype":"F32",', ""), (NORM, "dtype")),
        ("list", entry(NORM, '"F32"', '["F32"]'), (NORM, "dtype")),
        ("100 KB", tensor(NORM, dtype="F" * 102400), (NORM, "dtype")),
        ("empty", tensor(NORM, dtype=""), (NORM, "dtype")),
        ("half as wide", tensor(NORM, dtype="F16"), (NORM, "64")),
        ("twice as wide", tensor(NORM, dtype="F64"), (NORM, "256")),
        ("a line feed in it", tensor(NORM, dtype="F32\n"), (NORM, "dtype")),
        ("of 4 bits", tensor(NORM, dtype="F4"), (NORM, "F4")),
    ]},
    {**FILE, "group": "safetensors: integer and other weights", "rows": [
        ("I64", as_type(Q, "I64"), (Q, "I64")),
        ("I32", as_type(Q, "I32"), (Q, "i32")),
        ("U8", as_type(Q, "U8"), (Q, "U8")),
        ("BOOL", as_type(Q, "BOOL"), (Q, "BOOL")),
        ("F8_E4M3", as_type(Q, "F8_E4M3"), (Q, "F8_E4M3")),
    ]},
    {**FILE, "group": "safetensors: shape, kinds", "rows": [
        ("smaller", shape("[16]"), NORM),
        ("larger", shape("[64]"), NORM),
        ("negative", shape("[-32]"), NORM),
        ("negative pair", shape("[-4,-8]"), NORM),
        ("float", shape("[32.0]"), NORM),
        ("string", shape('["32"]'), NORM),
        ("a string, no list", shape('"32"'), NORM),
        ("nested", shape("[[32]]"), NORM),
        ("1000 dimensions", shape("[%s32]" % ("1," * 999)), (NORM, "1000 dimensions")),
        ("none", shape("[]"), NORM),
        ("null", shape("null"), NORM),
        ("missing", entry(NORM, '"shape":[32],', ""), (NORM, "shape")),
        ("true", shape("[true]"), NORM),
        ("five ones", shape("[1,1,1,1,32]"), (NORM, "5 dimensions")),
    ]},
    {**FILE, "group": "safetensors: shape, sizes", "rows": [
        ("2^64", shape("[18446744073709551616]"), ":1:"),
        ("2^63", shape("[9223372036854775808]"), ":1:"),
        ("2^64 + the right one", shape("[18446744073709551648]"), ":1:"),
        ("2^32 + the right one", shape("[4294967328]"), NORM),
        ("bytes wrap to the right size", shape("[144115188075855872,32]"), (NORM, "64 bits")),
        ("elements wrap", shape("[576460752303423488,32]"), (NORM, "64 bits")),
        ("wraps to no bytes", shape("[4294967296,4294967296]"), (NORM, "64 bits")),
        ("wraps to one row", shape("[7,7905747460161236407,32]"), (NORM, "64 bits")),
        ("wraps to the embedding's", shape("[288230376151711744,272,32]", EMBEDDING), (EMBEDDING, "64 bits")),
        ("wraps after a zero", shape("[0,9223372036854775807,9223372036854775807]"), (NORM, "data_offsets")),
        ("negative in a wrapping product", shape("[9223372036854775807,-2]"), NORM),
    ]},
    {**FILE, "group": "safetensors: entries and metadata", "rows": [
        ("entry is a list", header_swap('"%s":{"dtype":"F32","shape":[32],"data_offsets":[%d,%d]}' % (NORM, BEGIN, END),
                                        '"%s":["F32",[32],[%d,%d]]' % (NORM, BEGIN, END)), (NORM, "not an object")),
        ("entry is null", header_swap('"%s":{"dtype":"F32","shape":[32],"data_offsets":[%d,%d]}' % (NORM, BEGIN, END),
                                      '"%s":null' % NORM), (NORM, "not an object")),
        ("entry is a number", header_swap('"%s":{"dtype":"F32","shape":[32],"data_offsets":[%d,%d]}' % (NORM, BEGIN, END),
                                          '"%s":7' % NORM), (NORM, "not an object")),
        ("metadata holds a number", header_swap('"format":"pt"', '"format":1'), "format"),
        ("metadata holds an object", header_swap('"format":"pt"', '"format":{"a":"b"}'), "format"),
        ("metadata is a list", header_swap('{"format":"pt"}', "[]"), "__metadata__"),
        ("metadata is a string", header_swap('{"format":"pt"}', '"pt"'), "__metadata__"),
    ]},
    {**FILE, "group": "safetensors: tensors that lack", "rows": [
        (name, drop(name), name) for name in [EMBEDDING, INPUT, Q, DOWN, NORM, HEAD,
         "model.layers.0.mlp.up_proj.weight",
                                              "model.layers.2.post_attention_layernorm.weight"]]},
    {**FILE, "group": "safetensors: shapes that do not fit", "rows": [
        ("transposed", tensor(DOWN, shape=[64, 32]), (DOWN, "[64, 32]", "[32, 64]")),
        ("one row of the vocabulary less", resize(EMBEDDING, [271, 32]), (EMBEDDING, "[271, 32]")),
        ("one row of the vocabulary more", resize(EMBEDDING, [273, 32]), (EMBEDDING, "[273, 32]")),
        ("head of another vocabulary", resize(HEAD, [270, 32]), (HEAD, "[270, 32]")),
        ("norm in two dimensions", tensor(NORM, shape=[1, 32]), (NORM, "[1, 32]")),
        ("norm in two dimensions, turned", tensor(INPUT, shape=[32, 1]), (INPUT, "[32, 1]")),
        ("empty norm", resize(NORM, [0]), (NORM, "[0]")),
        ("k of q's width", resize(K, [32, 32]), (K, "[32, 32]")),
        ("q of k's width", resize(Q, [16, 32]), (Q, "[16, 32]")),
        ("k and v swapped in width", resize(V, [8, 32]), (V, "[8, 32]")),
        ("flat matrix", tensor(O, shape=[1024]), (O, "[1024]")),
        ("matrix in three dimensions", tensor(O, shape=[32, 4, 8]), (O, "[32, 4, 8]")),

        ("no columns", resize(HEAD, [272, 0]), (HEAD, "[272, 0]")),
    ]},
    {**FILE, "group": "safetensors: numbers that are not finite", "rows": [
        ("NaN first", number(EMBEDDING, 0, f32(float("nan"))), (EMBEDDING, "element 0")),
        ("NaN last", number(HEAD, -4, f32(float("nan"))), (HEAD, "element 8703")),
        ("NaN in a norm", number(INPUT, 8, f32(float("nan"))), (INPUT, "element 2")),
        ("all NaN", number(DOWN, 0, f32(float("nan")) * 2048), (DOWN, "element 0")),
        ("signalling NaN", number(Q, 400, b"\x01\x00\x80\x7f"), (Q, "element 100")),
        ("negative NaN", number(Q, 404, b"\xff\xff\xff\xff"), (Q, "element 101")),
        ("infinite", number(K, 0, f32(float("inf"))), (K, "element 0")),
        ("minus infinite", number(V, -4, f32(float("-inf"))), (V, "element 511")),
        ("NaN in f16", replace(ST, lambda: half("F16", b"\x01\x7e")), (Q, "element 3")),
        ("infinite in f16", replace(ST, lambda: half("F16", b"\x00\x7c")), (Q, "element 3")),
        ("NaN in bf16", replace(ST, lambda: half("BF16", b"\xc0\x7f")), (Q, "element 3")),
        ("infinite in bf16", replace(ST, lambda: half("BF16", b"\x80\xff")), (Q, "element 3")),
    ]},
    {**FILE, "group": "safetensors: numbers too large to compute with", "command": "eval-ids", "rows": [
        ("3e38 in a norm", number(NORM, 0, f32(3e38)), "not finite", {"file": "ids.json"}),
        ("3e38 in every weight of a matrix", number(DOWN, 0, f32(3e38) * 2048), "not finite", {"file": "ids.json"}),
    ]},
    {**FILE, "group": "safetensors: names", "rows": [
        ("bad UTF-8", rename(NORM, b"model.n\xffrm.weight"), ":1:"),
        ("overlong UTF-8", rename(NORM, b"model.n\xc1\xafrm.weight"), ":1:"),
        ("raw surrogate", rename(NORM, b"model.n\xed\xa0\x80rm.weight"), ":1:"),
        ("lone surrogate", rename(NORM, "model.n\\ud800rm.weight"), ":1:"),
        ("NUL behind", rename(NORM, NORM + "\\u0000"), ":1:"),
        ("raw NUL", rename(NORM, b"model.n\0rm.weight"), ":1:"),
        ("escape sequence", rename(NORM, "\\u001b[31mmodel.norm.weight\\u001b[0m"), NORM),
        ("%n", rename(NORM, "%n%s%n%s%n"), NORM),
        ("1 MB", rename(NORM, "n" * (1 << 20)), NORM),
        ("empty", rename(NORM, ""), NORM),
        ("wrong case", rename(NORM, NORM.upper()), NORM),
        ("block 01", rename(INPUT, INPUT.replace(".1.", ".01.")), INPUT),
        ("block 2^32 + 1", rename(INPUT, INPUT.replace(".1.", ".4294967297.")), "4294967297"),
        ("block -1", rename(INPUT, INPUT.replace(".1.", ".-1.")), INPUT),
        ("block 3", rename(INPUT, INPUT.replace(".1.", ".3.")), "model.layers.3"),
    ]},
    {**FILE, "group": "safetensors: something else inside", "rows": [
        ("pickle", replace(ST, PICKLE), "byte 0"),
        ("pickle behind a header length", replace(ST, struct.pack("<Q", len(PICKLE)) + PICKLE), "byte 8"),
        ("zip", replace(ST, ZIP), "byte"),
        ("LFS pointer", replace(ST, POINTER), "byte 0"),
        ("HTML page", replace(ST, PAGE), "byte 0"),
        ("GGUF", replace(ST, lambda: __import__("tiny").Gguf().build()), "byte 0"),
        ("all zeros", whole(ST, lambda raw: b"\0" * len(raw)), "byte 8"),
        ("zeros from a page on", whole(ST, lambda raw: raw[:512] + b"\0" * (len(raw) - 512)), ":1:"),
        ("all 0xff", whole(ST, lambda raw: b"\xff" * len(raw)), "byte 0"),
        ("config.json's text", replace(ST, b'{"model_type": "llama", "hidden_size": 32}'), "byte 0"),
    ]},
    {**FILE, "group": "safetensors: not a plain file", "rows": [
        ("directory", special(ST, "directory"), "directory"),
        ("FIFO", special(ST, "fifo"), "regular"),
        ("loop of links", special(ST, "link", "model.safetensors"), "Too many levels"),
        ("dangling link", special(ST, "link", "nowhere"), "No such file"),
        ("/dev/zero", special(ST, "link", "/dev/zero"), "regular"),
        ("/dev/null", special(ST, "link", "/dev/null"), "regular"),
        ("its own folder", special(ST, "link", "."), "directory"),
        ("missing", remove(ST), "model.safetensors", {"file": "model"}),
    ]},
]


def half(dtype, raw):
    from tiny import Safetensors
    file = Safetensors(dtype)
    file.put(Q, 6, raw)
    return file.build()
