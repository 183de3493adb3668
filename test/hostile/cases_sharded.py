"""Checkpoints in several files, and the index that lists them."""
import json

from changes import *  # noqa: F403

FILE = {"base": "sharded", "file": "model.safetensors.index.json"}
ONE, TWO = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
FIRST, SECOND = "model/" + ONE, "model/" + TWO
NORM, EMBEDDING = "model.norm.weight", "model.embed_tokens.weight"
AT_ONE, AT_TWO = {"file": ONE}, {"file": TWO}


def names(shard, only=None):
    """The tensors of the second file, or one of them, are said to lie in `shard`."""
    def edit(root):
        for name, where in root["weight_map"].items():
            if where == TWO and only in (None, name):
                root["weight_map"][name] = shard
    return index(edit)


def listed(name, shard):
    return index(lambda root: root["weight_map"].__setitem__(name, shard))


def unlisted(name):
    return index(lambda root: root["weight_map"].pop(name))


def exchange(folder):
    folder[FIRST], folder[SECOND] = folder[SECOND], folder[FIRST]


def repeat(folder):
    """The second file is the first once more."""
    folder[SECOND] = folder[FIRST]


def in_both(folder):
    folder[SECOND].add(EMBEDDING, "F32", [272, 32], b"\0" * (272 * 32 * 4))


def moved(folder):
    """A tensor that the index lists in the second file is in the first."""
    entry = folder[SECOND].tensors[NORM]
    raw = bytes(folder[SECOND].data[entry[2]:entry[3]])
    folder[FIRST].add(NORM, "F32", [32], raw)
    folder[SECOND].tensors["spare"] = folder[SECOND].tensors.pop(NORM)


def valid_elsewhere(path):
    """A good shard outside of the model's folder."""
    def change(folder):
        folder["other/" + TWO] = folder.pop(SECOND)
        names(path)(folder)
    return change


def weight_map(text):
    def edit(raw):
        root = json.loads(raw)
        inner = json.dumps(root["weight_map"])
        return json.dumps(root).replace(inner, text).encode()
    return whole(INDEX, edit)


def fault(name, shard, words="a file in the directory", only=NORM):
    return (name, names(shard, only), (only, words))


GROUPS = [
    {**FILE, "group": "sharded: files", "rows": [
        ("missing", remove(SECOND), "No such file", AT_TWO),
        ("empty", replace(SECOND, b""), "0 bytes", AT_TWO),
        ("cut", cut(SECOND, 0.5), "data_offsets", AT_TWO),
        ("cut by 1", cut(FIRST, -1), "data_offsets", AT_ONE),
        ("swapped", exchange, "the index", AT_ONE),
        ("directory", special(SECOND, "directory"), "directory", AT_TWO),
        ("FIFO", special(SECOND, "fifo"), "regular", AT_TWO),
        ("loop of links", special(SECOND, "link", TWO), "Too many levels", AT_TWO),
        ("dangling link", special(SECOND, "link", "../gone"), "No such file", AT_TWO),
        ("/dev/zero", special(SECOND, "link", "/dev/zero"), "regular", AT_TWO),
        ("one file twice", repeat, "the index", AT_TWO),
        ("a link to the other", special(SECOND, "link", ONE), "the index", AT_TWO),
        ("LFS pointer", replace(SECOND, b"version https://git-lfs.github.com/spec/v1\n" * 3), "byte 0", AT_TWO),
        ("NaN", number(NORM, 4, f32(float("nan")), SECOND), (NORM, "element 1"), AT_TWO),
        ("bad dtype", tensor(NORM, SECOND, dtype="F31"), (NORM, "F31"), AT_TWO),
    ]},
    {**FILE, "group": "sharded: file names that leave the folder", "rows": [
        fault("../../etc/passwd", "../../../../../../etc/passwd"),
        fault("/etc/passwd", "/etc/passwd"),
        fault("/proc/self/mem", "/proc/self/mem"),
        fault(".", "."),
        fault("..", ".."),
        fault("in a folder", "sub/" + TWO),
        fault("./", "./" + TWO),
        fault("backslash", "..\\" + TWO),
        fault("URL", "https://example.org/" + TWO),
        fault("file:", "file:///etc/passwd"),
        ("../ to a valid one", valid_elsewhere("../other/" + TWO), "a file in the directory"),
        ("back into the folder", names("../model/" + TWO), "a file in the directory"),
        ("the root", names("/", NORM), (NORM, "a file in the directory")),
    ]},
    {**FILE, "group": "sharded: file names", "rows": [
        fault("empty", ""),
        fault("the index itself", "model.safetensors.index.json"),
        ("config.json", names("config.json"), "byte", {"file": "config.json"}),
        ("NUL", names(TWO + "\0"), ":"),
        ("NUL spelled", swap(INDEX, '"%s": "%s"' % (NORM, TWO), '"%s": "%s\\u0000x"' % (NORM, TWO)), ":"),
        fault("line feed", TWO + "\n"),
        fault("escape sequence", "\x1b[31m" + TWO),
        fault("DEL", TWO + "\x7f"),
        fault("5000 letters", "m" * 5000),
        ("255 letters", names("m" * 255), "No such file", {"file": "m" * 255}),
        ("256 letters", names("m" * 256), "a file in the directory"),
        ("%n", names("%n%s%n"), "No such file", {"file": "%n%s%n"}),
        ("blank", names(" "), "No such file", {"file": " "}),
        ("bad UTF-8", swap(INDEX, b'"%s": "%s"' % (NORM.encode(), TWO.encode()), b'"%s": "\xff\xfe"' % NORM.encode()), ":"),
    ]},
    {**FILE, "group": "sharded: tensors", "rows": [
        ("listed in the other file", listed(NORM, ONE), NORM, AT_ONE),
        ("in the other file", moved, NORM, AT_ONE),
        ("not listed", unlisted(NORM), NORM, AT_TWO),
        ("nowhere", listed("model.extra.weight", TWO), "model.extra.weight", AT_TWO),
        ("in both", in_both, EMBEDDING, AT_TWO),
        ("10 000 more names", index(lambda r: r["weight_map"].update({"extra.%d" % i: ONE for i in range(10000)})),
         "extra.", AT_ONE),
        ("10 000 more files", index(lambda r: r["weight_map"].update({"extra.%d" % i: "%d.bin" % i for i in range(10000)})),
         "No such file", {"file": "0.bin"}),
        ("an empty name", listed("", TWO), "index", AT_TWO),
        ("1 MB name", listed("n" * (1 << 20), TWO), "nnnn", AT_TWO),
    ]},
    {**FILE, "group": "sharded: weight_map", "rows": [
        ("missing", index(lambda r: r.pop("weight_map")), "weight_map"),
        ("array", weight_map("[]"), "weight_map"),
        ("array of names", weight_map('["%s"]' % ONE), "weight_map"),
        ("empty", weight_map("{}"), "weight_map"),
        ("null", weight_map("null"), "weight_map"),
        ("string", weight_map('"%s"' % ONE), "weight_map"),
        ("numbers", weight_map('{"%s": 1}' % NORM), NORM),
        ("null as a file", listed(NORM, None), NORM),
        ("a list of files", listed(NORM, [ONE, TWO]), NORM),
        ("duplicate", swap(INDEX, '"%s": "%s"' % (NORM, TWO), '"%s": "%s", "%s": "%s"' % (NORM, TWO, NORM, ONE)),
         ("duplicate", NORM)),
        ("weight_map twice", whole(INDEX, lambda raw: b'{"weight_map": {},' + raw[1:]),
         ("duplicate", "weight_map")),
        ("an array as root", whole(INDEX, lambda raw: b"[" + raw + b"]"), "not an object"),
    ]},
    {**FILE, "group": "sharded: text of the index", "rows": [
        ("empty", replace(INDEX, b""), ":1:"),
        ("blank", replace(INDEX, b" \n"), ":2:"),
        ("cut", cut(INDEX, 0.5), ":"),
        ("deep", replace(INDEX, b'{"weight_map":' * 100000), "nests"),
        ("deep arrays", replace(INDEX, b'{"weight_map":' + b"[" * 100000), "nests"),
        ("UTF-16", whole(INDEX, lambda raw: raw.decode().encode("utf-16")), ":1:"),
        ("byte order mark", whole(INDEX, lambda raw: b"\xef\xbb\xbf" + raw), "byte order mark"),
        ("trailing comma", swap(INDEX, '"%s": "%s"\n' % ("lm_head.weight", TWO), '"lm_head.weight": "%s",\n' % TWO), ":"),
        ("zeros", replace(INDEX, b"\0" * 500), ":1:"),
        ("more follows", grow(INDEX, b"{}"), ":"),
        ("17 MB", grow(INDEX, b" " * (17 << 20)), "at most"),
        ("directory", special(INDEX, "directory"), "directory"),
        ("FIFO", special(INDEX, "fifo"), "regular"),
        ("loop of links", special(INDEX, "link", "model.safetensors.index.json"), "Too many levels"),
    ]},
    {**FILE, "group": "files without permission", "unprivileged": True, "rows": [
        ("folder without search", special("model", "mode", "0600"), "Permission denied", {"file": "config.json"}),
        ("folder without anything", special("model", "mode", "0000"), "Permission denied", {"file": "config.json"}),
        ("config.json", special("model/config.json", "mode", "0000"), "Permission denied", {"file": "config.json"}),
        ("index", special(INDEX, "mode", "0000"), "Permission denied"),
        ("a shard", special(SECOND, "mode", "0200"), "Permission denied", AT_TWO),
        ("the one file", special(ST, "mode", "0000"), "Permission denied",
         {"base": "hf", "file": "model.safetensors"}),
        ("GGUF", special(GGUF, "mode", "0000"), "Permission denied", {"base": "gguf", "file": "model.gguf"}),
        ("tokenizer.json", special(TOKENIZER, "mode", "0000"), "Permission denied",
         {"file": "tokenizer.json", "command": "eval"}),
        ("tokenizer_config.json", special("model/tokenizer_config.json", "mode", "0000"), "Permission denied",
         {"file": "tokenizer_config.json", "command": "eval"}),
        ("ids", special("ids.json", "mode", "0000"), "Permission denied",
         {"file": "ids.json", "command": "eval-ids"}),
        ("plan", special("plan.json", "mode", "0000"), "Permission denied",
         {"file": "plan.json", "command": "prune"}),
    ]},
]
