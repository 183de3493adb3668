"""tokenizer.json, byte-level and LLaMA style, tokenizer.model and the files beside them."""
import struct

import bases
import tiny
from changes import *  # noqa: F403

BYTES = {"base": "hf", "command": "eval", "file": "tokenizer.json"}
LLAMA = {"base": "llama", "command": "eval", "file": "tokenizer.json"}
MODEL = {"base": "spm", "command": "eval", "file": "tokenizer.model"}
SETTINGS = "model/tokenizer_config.json"
THE = tiny.SPACE + "the"


def merges(edit):
    return tokens(lambda model: edit(model["merges"]))


def merge(text):
    """The second merge is another."""
    return merges(lambda rules: rules.__setitem__(1, text))


def identity(text, number):
    """The id of a token as raw JSON text."""
    def edit(raw):
        import json
        root = json.loads(raw)
        root["model"]["vocab"][text] = "@@"
        return json.dumps(root).replace('"@@"', number).encode()
    return whole(TOKENIZER, edit)


def vocab(edit):
    return tokens(lambda model: edit(model["vocab"]))


def root(edit):
    return tree(TOKENIZER, edit)


def added(**changes):
    return root(lambda top: top["added_tokens"][0].update(changes))


def steps(edit):
    return root(lambda top: edit(top["pre_tokenizer"]["pretokenizers"]))


def pattern(text):
    return steps(lambda list: list[0]["pattern"].__setitem__("Regex", text))


def rows_of_ids(base, token):
    right = bases.BASES[base][TOKENIZER].root["model"]["vocab"][token]
    return [(name, identity(token, text), words) for name, text, words in [
        ("-1", "-1", token), ("1.5", "1.5", token), ("2^31", str(2 ** 31), token),
        ("2^32 + the right one", str(2 ** 32 + right), token), ("2^40", str(2 ** 40), token),
        ("2^63", str(2 ** 63), "tokenizer.json:"), ("2^64 + the right one", str(2 ** 64 + right),
         "tokenizer.json:"),
        ("string", '"%d"' % right, token), ("null", "null", token), ("list", "[%d]" % right, token),
        ("another's", "3", "3"), ("outside of the embedding", "272", ("272",)),
        ("far outside", "100000", "100000"), ("1e2", "1e2", token)]]


def pieces(edit):
    return part(SPM, lambda file: edit(file.pieces))


def trainer(number, value):
    return part(SPM, lambda file: file.trainer.__setitem__(number, value))


def normalizer(number, value):
    return part(SPM, lambda file: file.normalizer.__setitem__(number, value))


def head(raw):
    return part(SPM, lambda file: setattr(file, "head", raw))


def tail(raw):
    return part(SPM, lambda file: setattr(file, "tail", raw))


def one_piece(number, raw):
    return pieces(lambda list: list.__setitem__(number, raw))


def byte_name(text):
    """Piece 68 stands for the byte 0x41."""
    return one_piece(3 + 0x41, tiny.piece(text, 0.0, 6))


VARINT = b"\xff" * 10 + b"\x01"
CHARSMAP = struct.pack("<I", 16) + struct.pack("<4I", 0xffffffff, 0x7fffffff, 5, 9) + b"rules"

GROUPS = [
    {**BYTES, "group": "tokenizer.json: text", "rows": [
        ("empty", replace(TOKENIZER, b""), ":1:"),
        ("cut", cut(TOKENIZER, 0.5), "tokenizer.json:"),
        ("cut by 1", cut(TOKENIZER, -1), "tokenizer.json:"),
        ("trailing comma", whole(TOKENIZER, lambda raw: raw.rstrip()[:-1] + b",}"), "tokenizer.json:"),
        ("a second object", grow(TOKENIZER, b"{}"), "tokenizer.json:"),
        ("byte order mark", whole(TOKENIZER, lambda raw: b"\xef\xbb\xbf" + raw), ":1:1"),
        ("UTF-16", whole(TOKENIZER, lambda raw: raw.decode().encode("utf-16")), ":1:"),
        ("bad UTF-8", swap(TOKENIZER, '"version"', b'"vers\xffion"'), "tokenizer.json:"),
        ("array", whole(TOKENIZER, lambda raw: b"[" + raw + b"]"), "model"),
        ("zeros", whole(TOKENIZER, lambda raw: b"\0" * len(raw)), ":1:"),
        ("HTML page", replace(TOKENIZER, b"<html></html>\n"), ":1:"),
        ("deep arrays",
         whole(TOKENIZER, lambda raw: b'{"a": ' + b"[" * 100000 + b"]" * 100000 + b"," + raw[1:]), "nests"),
        ("deep objects", whole(TOKENIZER, lambda raw: b'{"a": ' + b'{"b":' * 100000 + b"1" + b"}" * 100000 + b"," + raw[1:]),
         "nests"),
        ("lone surrogate", swap(TOKENIZER, '"the"', '"\\ud83d"'), "tokenizer.json:"),
        ("NUL in a token", swap(TOKENIZER, '"the"', '"th\\u0000e"'), "tokenizer.json:"),
    ]},
    {**BYTES, "group": "tokenizer.json: not a plain file", "rows": [
        ("missing", remove(TOKENIZER), "tokenizer.json", {"file": "model"}),
        ("directory", special(TOKENIZER, "directory"), "directory"),
        ("FIFO", special(TOKENIZER, "fifo"), "regular"),
        ("loop of links", special(TOKENIZER, "link", "tokenizer.json"), "Too many levels"),
        ("dangling link", special(TOKENIZER, "link", "gone"), "No such file"),
        ("/dev/zero", special(TOKENIZER, "link", "/dev/zero"), "regular"),
        ("LFS pointer", replace(TOKENIZER, b"version https://git-lfs.github.com/spec/v1\n"), ":1:"),
    ]},
    {**BYTES, "group": "tokenizer.json: merges", "rows": [
        ("cyclic", merges(lambda rules: rules.append("the t")), ("merges", "thet")),
        ("of nothing", merge(""), "merge"),
        ("empty left part", merge(" e"), "merge"),
        ("empty right part", merge("th "), "merge"),
        ("one part", merge("the"), "merge"),
        ("three parts", merge("t h e"), "merge"),
        ("two spaces", merge("th  e"), "merge"),
        ("a part that is no token", merge("zq e"), ("merge", "zq")),
        ("a result that is no token", merge("z q"), ("merge", "zq")),
        ("number", merge(7), "merge"),
        ("null", merge(None), "merge"),
        ("three in a list", merge(["t", "h", "e"]), "merge"),
        ("one in a list", merge(["the"]), "merge"),
        ("numbers in a list", merge([1, 2]), "merge"),
        ("missing", tokens(lambda model: model.pop("merges")), "merges"),
    ]},
    {**LLAMA, "group": "tokenizer.json: merges, LLaMA style", "rows": [
        ("an empty list in a list", merge([]), "merge"),
        ("empty strings in a list", merge(["", ""]), "merge"),
        ("an object", merge({"left": "th"}), "merge"),
        ("a part that is no token", merge("zq e"), ("merge", "zq")),
        ("an object instead of the list", tokens(lambda model: model.__setitem__("merges", {"t": "h"})), "merges"),
        ("null instead of the list", tokens(lambda model: model.__setitem__("merges", None)), "merges"),
        ("a string instead of the list", tokens(lambda model: model.__setitem__("merges", "t h")), "merges"),
        ("an empty list", merge("\u2581\u2581 the"), "merge"),
    ]},
    {**BYTES, "group": "tokenizer.json: ids", "rows": rows_of_ids("hf", "the")},
    {**LLAMA, "group": "tokenizer.json: ids, LLaMA style", "rows": rows_of_ids("llama", THE)},
    {**BYTES, "group": "tokenizer.json: vocabulary", "rows": [
        ("empty", tokens(lambda model: model.__setitem__("vocab", {})), "vocab"),
        ("missing", tokens(lambda model: model.pop("vocab")), "vocab"),
        ("list", tokens(lambda model: model.__setitem__("vocab", ["a", "b"])), "vocab"),
        ("null", tokens(lambda model: model.__setitem__("vocab", None)), "vocab"),
        ("duplicate", swap(TOKENIZER, '"the": 257', '"the": 257, "the": 258'), ("duplicate", "the")),
        ("duplicate, escaped", swap(TOKENIZER, '"the": 257', '"the": 257, "t\\u0068e": 258'), "duplicate"),
        ("token of 10 MB", vocab(lambda list: list.__setitem__("x" * (10 << 20), list.pop("unused269"))), "269"),
        ("token of 200 KB", vocab(lambda list: list.__setitem__("x" * 200000, list.pop("unused269"))), "269"),
        ("a byte lacks", vocab(lambda list: list.pop("e")), ("e",)),
        ("two tokens with one id", vocab(lambda list: list.__setitem__("the", list["he"] if "he" in list else 0)),
         "twice"),
    ]},
    {**BYTES, "group": "tokenizer.json: model", "rows": [
        ("missing", root(lambda top: top.pop("model")), "model"),
        ("null", root(lambda top: top.__setitem__("model", None)), "model"),
        ("a list", root(lambda top: top.__setitem__("model", [])), "model"),
        ("Unigram", tokens(lambda model: model.__setitem__("type", "Unigram")), ("model", "Unigram")),
        ("WordPiece", tokens(lambda model: model.__setitem__("type", "WordPiece")), ("model", "WordPiece")),
        ("type is a number", tokens(lambda model: model.__setitem__("type", 3)), "type"),
        ("dropout", tokens(lambda model: model.__setitem__("dropout", 0.1)), "dropout"),
        ("dropout is a string", tokens(lambda model: model.__setitem__("dropout", "0,1")), "dropout"),
        ("a subword prefix", tokens(lambda model: model.__setitem__("continuing_subword_prefix", "##")), "model"),
        ("byte_fallback is a string", tokens(lambda model: model.__setitem__("byte_fallback", "yes")),
         "byte_fallback"),
        ("unknown token is not there", tokens(lambda model: model.__setitem__("unk_token", "<none>")),
         ("unk_token", "<none>")),
        ("unknown token is a number", tokens(lambda model: model.__setitem__("unk_token", 0)), "unk_token"),
    ]},
    {**BYTES, "group": "tokenizer.json: added tokens", "rows": [
        ("object", root(lambda top: top.__setitem__("added_tokens", {"<s>": 1})), "added_tokens"),
        ("string", root(lambda top: top.__setitem__("added_tokens", "<s>")), "added_tokens"),
        ("a number in the list", root(lambda top: top["added_tokens"].append(5)), "added_tokens"),
        ("id negative", added(id=-1), "added_tokens"),
        ("id a float", added(id=1.5), "added_tokens"),
        ("id 2^32 + the right one", added(id=2 ** 32 + 270), "added_tokens"),
        ("id far outside", added(id=10 ** 6, content="<|far|>"), "1000000"),
        ("id of another token", added(id=65), ("added_tokens", "<|begin|>")),
        ("no id", root(lambda top: top["added_tokens"][0].pop("id")), "added_tokens"),
        ("no content", root(lambda top: top["added_tokens"][0].pop("content")), "content"),
        ("content a number", added(content=7), "content"),
        ("special a string", added(special="yes"), "special"),
        ("single_word a number", added(single_word=1), "single_word"),
        ("content of 100 KB", root(lambda top: top["added_tokens"].append(tiny.special(272, "x" * 102400))), "272"),
        ("two with one id", root(lambda top: top["added_tokens"].append(tiny.special(270, "<|other|>"))), "270"),
    ]},
    {**BYTES, "group": "tokenizer.json: pre-tokenizer", "rows": [
        ("unknown", steps(lambda list: list.insert(0, {"type": "Punctuator"})), ("pre_tokenizer", "Punctuator")),
        ("no type", steps(lambda list: list.insert(0, {})), "pre_tokenizer"),
        ("a string", root(lambda top: top.__setitem__("pre_tokenizer", "ByteLevel")), "pre_tokenizer"),
        ("null", root(lambda top: top.__setitem__("pre_tokenizer", None)), "pre_tokenizer"),
        ("no list in a Sequence", root(lambda top: top["pre_tokenizer"].pop("pretokenizers")), "pre_tokenizer"),
        ("bad regex", pattern("(\\p{L}+"), ("pre_tokenizer", "split pattern")),
        ("unknown property", pattern("\\p{Nonsense}+"), ("pre_tokenizer", "split pattern")),
        ("slow regex", pattern("(\\S+\\s?)+(\\S+\\s?)+(\\S+\\s?)+$(?<=\\d)"), ("pre_tokenizer", "steps")),
        ("deep regex", pattern("(" * 5000 + "a" + ")" * 5000), "pre_tokenizer"),
        ("regex of 1 MB", pattern("a|" * (1 << 19) + "b"), "pre_tokenizer"),
        ("regex that recurses", pattern("(?R)"), "pre_tokenizer"),
        ("pattern a number", steps(lambda list: list[0].__setitem__("pattern", 1)), "pre_tokenizer"),
        ("behaviour unknown", steps(lambda list: list[0].__setitem__("behavior", "Removed")), "pre_tokenizer"),
        ("1000 steps", steps(lambda list: list.__setitem__(slice(0, 0), [dict(list[0]) for _ in range(1000)])),
         "pre_tokenizer"),
        ("a step after ByteLevel", steps(lambda list: list.append({"type": "Digits", "individual_digits": True})),
         "pre_tokenizer"),
    ]},
    {**LLAMA, "group": "tokenizer.json: normalizer", "rows": [
        ("unknown", root(lambda top: top["normalizer"]["normalizers"].append({"type": "NFKC"})),
         ("normalizer", "NFKC")),
        ("a string", root(lambda top: top.__setitem__("normalizer", "NFC")), "normalizer"),
        ("no list in a Sequence", root(lambda top: top["normalizer"].pop("normalizers")), "normalizer"),
        ("another prefix", root(lambda top: top["normalizer"]["normalizers"][0].__setitem__("prepend", "x")),
         "normalizer"),
        ("null", root(lambda top: top.__setitem__("normalizer", None)), "pre_tokenizer"),
        ("precompiled garbage", root(lambda top: top["normalizer"]["normalizers"].insert(
            0, {"type": "Precompiled", "precompiled_charsmap": "AAAA////"})), ("normalizer", "Precompiled")),
    ]},
    {**LLAMA, "group": "files beside the tokenizer", "file": "tokenizer_config.json", "rows": [
        ("tokenizer_config.json cut", cut(SETTINGS, 0.5), "tokenizer_config.json:"),
        ("tokenizer_config.json is a list", replace(SETTINGS, b"[]"), "not a JSON object"),
        ("add_bos_token is a string", member(SETTINGS, "add_bos_token", '"yes"'), "add_bos_token"),
        ("bos_token twice", whole(SETTINGS, lambda raw: b'{"bos_token": "<s>",' + raw[1:]),
         ("duplicate", "bos_token")),
        ("tokenizer_config.json deep", member(SETTINGS, "x", "[" * 100000), "nests"),
        ("tokenizer_config.json is a FIFO", special(SETTINGS, "fifo"), "regular"),
        ("special_tokens_map.json cut", replace("model/special_tokens_map.json", b'{"bos_token": '), ":1:",
         {"file": "special_tokens_map.json"}),
        ("added_tokens.json is a list", replace("model/added_tokens.json", b"[1]"), "not a JSON object",
         {"file": "added_tokens.json"}),
        ("chat_template.jinja is a directory", special("model/chat_template.jinja", "directory"), "directory",
         {"file": "chat_template.jinja"}),
    ]},
    {**MODEL, "group": "tokenizer.model: the file", "rows": [
        ("empty", replace(SPM, b""), "no pieces"),
        ("1 byte", replace(SPM, b"\n"), "byte 1"),
        ("cut by 1", cut(SPM, -1), "byte"),
        ("cut by half", cut(SPM, 0.5), "byte"),
        ("text", replace(SPM, b"<unk> 0\n<s> 0\n</s> 0\n"), "byte"),
        ("zeros", whole(SPM, lambda raw: b"\0" * len(raw)), "byte"),
        ("HTML page", replace(SPM, b"<!DOCTYPE html>\n<html></html>\n"), "byte"),
        ("LFS pointer", replace(SPM, b"version https://git-lfs.github.com/spec/v1\n"), "byte"),
        ("JSON", replace(SPM, lambda: tiny.tokenizer_llama().build()), "byte"),
        ("pieces alone", replace(SPM, lambda: b"".join(tiny.field(1, one) for one in tiny.SentencePiece().pieces)),
         "BPE"),
        ("directory", special(SPM, "directory"), "directory"),
        ("FIFO", special(SPM, "fifo"), "regular"),
        ("dangling link", special(SPM, "link", "gone"), "No such file"),
        ("/dev/zero", special(SPM, "link", "/dev/zero"), "regular"),
        ("missing", remove(SPM), "tokenizer.model", {"file": "model"}),
    ]},
    {**MODEL, "group": "tokenizer.model: wire format", "rows": [
        ("open varint as key", tail(b"\x80"), "byte"),
        ("open varint as value", tail(b"\x20\xff"), "byte"),
        ("key of 11 bytes", tail(VARINT), "byte"),
        ("value of 11 bytes", tail(b"\x20" + VARINT), "byte"),
        ("group", tail(b"\x2b\x2c"), "byte"),
        ("end of a group", tail(b"\x2c"), "byte"),
        ("wire type 6", tail(b"\x26"), "byte"),
        ("wire type 7", tail(b"\x27"), "byte"),
        ("field 0", tail(b"\x00\x00"), "byte"),
        ("field 2^29", tail(tiny.varint(2 ** 29 << 3) + b"\x00"), "byte"),
        ("64 bits cut off", tail(b"\x21" + b"\0" * 7), "byte"),
        ("32 bits cut off", tail(b"\x25" + b"\0" * 3), "byte"),
        ("a bad field inside a piece", one_piece(262, b"\x0a\x02th\x07"), "byte"),
        ("a piece's text past the piece", one_piece(262, b"\x0a\x20th"), "byte"),
    ]},
    {**MODEL, "group": "tokenizer.model: lengths", "rows": [
        (name, tail(b"\x0a" + tiny.varint(number)), ("byte", "longer than the bytes that remain")) for name, number in [
            ("-1", 2 ** 64 - 1), ("2^63", 2 ** 63), ("2^32 + 14", 2 ** 32 + 14), ("past the end", 1), ("2^31",
             2 ** 31),
            ("2^64 - 14", 2 ** 64 - 14)]] + [
        ("of the first piece, too large", whole(SPM, lambda raw: raw[:1] + b"\x7f" + raw[2:]), "byte"),
        ("of the first piece, too small", whole(SPM, lambda raw: raw[:1] + b"\x01" + raw[2:]), "byte"),
    ]},
    {**MODEL, "group": "tokenizer.model: pieces", "rows": [
        ("empty", one_piece(262, tiny.piece("")), "byte"),
        ("without text", one_piece(262, tiny.field(2, 1.0)), "byte"),
        ("duplicate", one_piece(262, tiny.piece("the")), ("262", "the")),
        ("NUL inside", one_piece(262, tiny.piece("t\0h")), "262"),
        ("200 KB", one_piece(262, tiny.piece("x" * 200000)), "262"),
        ("bad UTF-8", one_piece(262, tiny.piece(b"th\xff")), "262"),
        ("lone surrogate", one_piece(262, tiny.piece(b"\xed\xa0\x80")), "262"),
        ("type 0", one_piece(262, tiny.piece("tz", 0.0, 0)), "byte"),
        ("type 7", one_piece(262, tiny.piece("tz", 0.0, 7)), "byte"),
        ("type 2^32 + 1", one_piece(262, tiny.piece("tz", 0.0, 2 ** 32 + 1)), "byte"),
        ("score NaN", one_piece(262, tiny.piece("tz", float("nan"))), "262"),
        ("score infinite", one_piece(262, tiny.piece("tz", float("inf"))), "262"),
        ("two unknown", one_piece(262, tiny.piece("tz", 0.0, 2)), "262"),
        ("none unknown", one_piece(0, tiny.piece("<unk>", 0.0, 1)), "unknown"),
        ("none at all", pieces(lambda list: list.clear()), "pieces"),
    ]},
    {**MODEL, "group": "tokenizer.model: byte pieces", "rows": [
        ("<0x-1>", byte_name("<0x-1>"), "<0x"),
        ("<0xZZ>", byte_name("<0xZZ>"), "<0x"),
        ("<0x041>", byte_name("<0x041>"), "<0x"),
        ("<0x4>", byte_name("<0x4>"), "<0x"),
        ("lower case", byte_name("<0x4a>"), "<0x"),
        ("A", byte_name("A"), "<0x"),
        ("255 of them", one_piece(3 + 0x41, tiny.piece("spare", 0.0, 1)), "<0x41>"),
        ("none of them", pieces(lambda list: list.__setitem__(slice(3, 259), [
            tiny.piece("spare%d" % i, -300.0) for i in range(256)])), "<0x00>"),
    ]},
    {**MODEL, "group": "tokenizer.model: trainer and normalizer", "rows": [
        ("unigram", trainer(3, 1), "BPE"),
        ("word", trainer(3, 3), "BPE"),
        ("type 2^32 + 2", trainer(3, 2 ** 32 + 2), "BPE"),
        ("charsmap of garbage", normalizer(2, b"\xff" * 64), "rewrites characters"),
        ("charsmap with a bad root", normalizer(2, CHARSMAP), "rewrites characters"),
        ("charsmap longer than it is", normalizer(2, struct.pack("<I", 2 ** 31) + b"x" * 20),
         "rewrites characters"),
        ("spaces at the end", trainer(24, 1), "suffix"),
        ("spaces not escaped", normalizer(5, 0), "escape_whitespaces"),
        ("bytes in the trainer's settings", tail(tiny.field(2, b"\x18")), "byte"),
        ("more pieces than the embedding has rows", pieces(lambda list: list.extend(
            tiny.piece("more%d" % i, -400.0) for i in range(8))), "272"),
    ]},
    {**BYTES, "group": "inspect --check reads the tokenizer", "command": "inspect", "rows": [
        ("cut", cut(TOKENIZER, 0.7), "tokenizer.json:"),
        ("merge of three parts", merge("t h e"), "merge"),
        ("unknown pre-tokenizer", steps(lambda list: list.insert(0, {"type": "Punctuator"})),
         ("pre_tokenizer", "Punctuator")),
        ("token outside of the embedding", vocab(lambda list: list.__setitem__("outside", 272)), "272"),
        ("FIFO", special(TOKENIZER, "fifo"), "regular"),
        ("tokenizer.model cut", cut(SPM, 0.7), "byte", {"base": "spm", "file": "tokenizer.model"}),
        ("unigram", trainer(3, 1), "BPE", {"base": "spm", "file": "tokenizer.model"}),
        ("255 bytes", one_piece(3 + 0x42, tiny.piece("spare", 0.0, 1)), "<0x42>",
         {"base": "spm", "file": "tokenizer.model"}),
    ]},
]
