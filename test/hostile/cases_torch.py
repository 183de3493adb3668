"""PyTorch checkpoints: the archive, the pickle, its tensors, and the index of several."""
import struct
import zipfile

import tiny
import tiny_torch
from changes import *  # noqa: F403
from tiny_torch import text, whole_number

BIN, TORCH_INDEX = "model/pytorch_model.bin", "model/pytorch_model.bin.index.json"
ONE, TWO = "pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"
FILE = {"base": "torch", "file": "pytorch_model.bin"}
NORM, Q, HEAD = "model.norm.weight", "model.layers.1.self_attn.q_proj.weight", "lm_head.weight"
KEY = str([w[0] for w in tiny.WEIGHTS].index(NORM))


def torch(edit, path=BIN):
    return part(path, edit)


def says(name=NORM, **changes):
    """What the pickle says of one tensor."""
    return torch(lambda file: file.tensors[name].update(changes))


def pickled(edit):
    """edit(bytes) -> bytes of the pickle."""
    return torch(lambda file: file.pickle_edits.append(edit))


def item(raw):
    return torch(lambda file: file.last.append(raw))


def member_of(name, raw):
    return torch(lambda file: file.members.__setitem__(name, raw))


def storage(edit, key=KEY):
    """edit(bytes) -> bytes of one storage; None takes it away."""
    return torch(lambda file: file.storages.__setitem__(key, edit(file.storages[key])))


def directory(place, width, number, name="data/" + KEY):
    """A number in the directory's entry of a member."""
    def edit(raw):
        at = raw.index(b"PK\1\2", raw.rindex(b"PK\3\4"))
        while raw[at + 46:at + 46 + 60].split(b"PK")[0][:len("pytorch_model/" + name)] != ("pytorch_model/" + name).encode():
            at = raw.index(b"PK\1\2", at + 4)
        return raw[:at + place] + number.to_bytes(width, "little") + raw[at + place + width:]
    return torch(lambda file: file.file_edits.append(edit))


def both_headers(number):
    """The last storage's sizes, in its own header and in the directory."""
    last = str(len(tiny.WEIGHTS) - 1)

    def edit(raw):
        at = raw.index(("pytorch_model/data/" + last).encode()) - 30
        return raw[:at + 18] + struct.pack("<II", number, number) + raw[at + 26:]

    def change(folder):
        folder[BIN].file_edits.append(edit)
        for place in (20, 24):
            directory(place, 4, number, "data/" + last)(folder)
    return change


def end_record(place, width, number):
    def edit(raw):
        at = raw.rindex(b"PK\5\6")
        return raw[:at + place] + number.to_bytes(width, "little") + raw[at + place + width:]
    return torch(lambda file: file.file_edits.append(edit))


def old_style(raw):
    """A checkpoint of PyTorch before 1.6: no archive, pickles one after another."""
    return b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}q\x00." + raw[:200]


def call(module, name, argument):
    return b"c%s\n%s\n" % (module, name) + text(argument) + b"\x85R"


def again(file):
    """The norm's item once more."""
    raw = file.pickle()
    begin = raw.index(text(NORM))
    return raw[begin:raw.index(text(HEAD), begin)]


def drop(name):
    def edit(file):
        del file.storages[file.tensors.pop(name)["key"]]
    return torch(edit)


GROUPS = [
    {**FILE, "group": "PyTorch: the file", "rows": [
        ("empty", replace(BIN, b""), "zip archive"),
        ("4 bytes", replace(BIN, b"PK\3\4"), "zip archive"),
        ("cut by 1", cut(BIN, -1), "zip archive"),
        ("cut by half", cut(BIN, 0.5), "zip archive"),
        ("1 byte more", grow(BIN, b"\0"), "zip archive"),
        ("zeros", whole(BIN, lambda raw: b"\0" * len(raw)), "byte"),
        ("LFS pointer", replace(BIN, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "byte"),
        ("HTML page", replace(BIN, b"<!DOCTYPE html>\n<html></html>\n"), "byte"),
        ("older than 1.6", whole(BIN, old_style), "byte"),
        ("a pickle alone", replace(BIN, lambda: tiny_torch.Torch().pickle()), "byte"),
        ("safetensors", replace(BIN, lambda: tiny.Safetensors().build()), "byte"),
        ("directory", special(BIN, "directory"), "directory"),
        ("FIFO", special(BIN, "fifo"), "regular"),
        ("/dev/zero", special(BIN, "link", "/dev/zero"), "regular"),
        ("dangling link", special(BIN, "link", "gone"), "No such file"),
    ]},
    {**FILE, "group": "PyTorch: the archive", "rows": [
        ("no pickle", torch(lambda file: file.pickle_edits.append(lambda raw: None)), "data.pkl"),
        ("another order of bytes", member_of("byteorder", b"big"), "byteorder"),
        ("an unknown order of bytes", member_of("byteorder", b"middle"), "byteorder"),
        ("compressed", torch(lambda file: setattr(file, "method", zipfile.ZIP_DEFLATED)), "byte"),
        ("a storage's size in the directory", directory(24, 4, 2 ** 31), "data/" + KEY),
        ("a storage past the directory", both_headers(2 ** 31), ("data/", "before the directory")),
        ("a storage's place", directory(42, 4, 2 ** 31), "data/" + KEY),
        ("a storage in another's place", directory(42, 4, 0), "data/" + KEY),
        ("an encrypted storage", directory(8, 2, 1), "data/" + KEY),
        ("a long name", directory(28, 2, 65535), "byte"),
        ("more members than there are", end_record(8, 4, 5 << 16 | 5), "byte"),
        ("65 535 members", end_record(8, 4, 2 ** 32 - 1), "byte"),
        ("directory past the end", end_record(16, 4, 2 ** 31), "byte"),
        ("directory of another size", end_record(12, 4, 100), "byte"),
        ("a second disk", end_record(4, 2, 1), "byte"),
    ]},
    {**FILE, "group": "PyTorch: pickles that would run something", "rows": [
        ("os.system", item(text("x") + call(b"posix", b"system", "true")), ("byte 5245", "posix.system")),
        ("eval", item(text("x") + call(b"builtins", b"eval", "1")), ("byte 5", "builtins.eval")),
        ("getattr", item(text("x") + call(b"builtins", b"getattr", "x")), ("byte 5", "builtins.getattr")),
        ("subprocess", item(text("x") + call(b"subprocess", b"Popen", "true")), ("byte 5", "subprocess.Popen")),
        ("torch.load", item(text("x") + call(b"torch", b"load", "x")), ("byte 5", "torch.load")),
        ("in a tensor's place", says(rebuild=b"cposix\nsystem\n"), "posix.system"),
        ("as hooks", says(hooks=call(b"posix", b"system", "true")), "posix.system"),
        ("INST", item(text("x") + b"(" + text("true") + b"iposix\nsystem\n"), "byte"),
        ("STACK_GLOBAL", item(text("x") + text("posix") + text("system") + b"\x93" + text("true") + b"\x85R"),
         "posix.system"),
        ("an escape sequence as module", item(text("x") + call(b"\x1b[31m", b"system", "true")), "byte"),
    ]},
    {**FILE, "group": "PyTorch: the pickle's bytes", "rows": [
        ("cut", pickled(lambda raw: raw[:len(raw) // 2]), "byte"),
        ("without its end", pickled(lambda raw: raw[:-1]), "byte"),
        ("more follows", pickled(lambda raw: raw + b"N."), "byte"),
        ("protocol 0", pickled(lambda raw: raw[2:]), "byte"),
        ("protocol 9", pickled(lambda raw: b"\x80\x09" + raw[2:]), "byte"),
        ("text of 2^32 - 1 bytes", item(b"X\xff\xff\xff\xff"), "byte"),
        ("text of 2^63 bytes", item(b"\x8d" + struct.pack("<Q", 2 ** 63)), "byte"),
        ("recalls what was not kept", item(b"h\xc8"), "byte"),
        ("keeps value 2^32 - 1", item(text("x") + b"r\xff\xff\xff\xff"), "byte"),
        ("pops too much", pickled(lambda raw: b"\x80\x02" + b"0" * 10 + raw[2:]), "byte"),
        ("100 000 marks", pickled(lambda raw: b"\x80\x02" + b"(" * 100000 + raw[2:]), "byte"),
        ("100 000 lists", item(text("x") + b"]" * 100000 + b"a" * 99999), "byte"),
        ("bad UTF-8", item(text(b"n\xffrm") + b"N"), "byte"),
        ("empty", pickled(lambda raw: b""), "byte"),
        ("a list as root", pickled(lambda raw: b"\x80\x02]."), "byte"),
    ]},
    {**FILE, "group": "PyTorch: items of the state dict", "rows": [
        ("a name twice", torch(lambda file: file.last.append(again(file))), NORM),
        ("a number for a tensor", item(text("x") + b"K\x07"), "x"),
        ("a text for a tensor", item(text("x") + text("y")), "x"),
        ("a number as name", item(b"K\x01" + text("y")), "byte"),
        ("an odd number of items", item(text("x")), "byte"),
        ("no items", torch(lambda file: file.tensors.clear()), "tensor"),
    ] + [(name + " lacks", drop(name), name) for name in [NORM, Q, HEAD]]},
    {**FILE, "group": "PyTorch: what the pickle says of a tensor", "rows": [
        ("storage that is not there", says(key="99"), (NORM, "99")),
        ("storage by a path", says(key="../../etc/passwd"), (NORM, "passwd")),
        ("storage of integers", says(storage=b"ctorch\nLongStorage\n"), NORM),
        ("storage of complex numbers", says(storage=b"ctorch\nComplexFloatStorage\n"), NORM),
        ("storage of another width", says(storage=b"ctorch\nHalfStorage\n"), NORM),
        ("more elements than bytes", says(count=33), NORM),
        ("elements 2^62", says(count=2 ** 62), NORM),
        ("elements -1", says(count=-1), ("byte", "-1 elements")),
        ("first element 1", says(first=1), NORM),
        ("first element -1", says(first=-1), ("byte", "first element")),
        ("first element 2^62", says(first=2 ** 62), NORM),
        ("first element 2^70", says(first=2 ** 70), "byte"),
        ("no storage", says(storage=b"N", key="0"), "byte"),
    ]},
    {**FILE, "group": "PyTorch: shapes and strides", "rows": [
        ("larger", says(shape=[64]), NORM),
        ("smaller", says(shape=[16]), (NORM, "[16]")),
        ("negative", says(shape=[-32]), ("byte", "shape")),
        ("bytes wrap", says(shape=[2 ** 59 + 1, 32], strides=[32, 1]), NORM),
        ("wraps to nothing", says(shape=[2 ** 32, 2 ** 32], strides=[2 ** 32, 1]), NORM),
        ("five dimensions", says(shape=[1, 1, 1, 1, 32], strides=[32, 32, 32, 32, 1]), ("byte", "5 numbers")),
        ("1000 dimensions", says(shape=[1] * 999 + [32], strides=[32] * 999 + [1]), ("byte", "1000 numbers")),
        ("more strides than dimensions", says(strides=[32, 1]), ("byte", "2 strides")),
        ("stride 0", says(strides=[0]), NORM),
        ("stride 2", says(strides=[2]), NORM),
        ("stride -1", says(strides=[-1]), ("byte", "strides")),
        ("transposed by strides", says("model.layers.1.mlp.down_proj.weight", strides=[1, 32]), "down_proj"),
        ("stride 2^62", says(Q, strides=[2 ** 62, 1]), Q),
    ]},
    {**FILE, "group": "PyTorch: storages", "rows": [
        ("short by an element", storage(lambda raw: raw[:-4]), NORM),
        ("short by a byte", storage(lambda raw: raw[:-1]), NORM),
        ("empty", storage(lambda raw: b""), NORM),
        ("missing", storage(lambda raw: None), NORM),
        ("NaN", storage(lambda raw: raw[:8] + f32(float("nan")) + raw[12:]), (NORM, "element 2")),
        ("infinite", storage(lambda raw: raw[:-4] + f32(float("-inf"))), (NORM, "element 31")),
    ]},
    {"base": "torch-sharded", "file": "pytorch_model.bin.index.json", "group": "PyTorch: several files", "rows": [
        ("one missing", remove("model/" + TWO), "No such file", {"file": TWO}),
        ("one cut", cut("model/" + TWO, -1), "zip archive", {"file": TWO}),
        ("one twice", replace("model/" + TWO, lambda: tiny_torch.shards()[0][ONE].build()), "index", {"file": TWO}),
        ("../", tree(TORCH_INDEX, lambda root: root["weight_map"].update({NORM: "../" + TWO})), NORM),
        ("/proc/self/mem", tree(TORCH_INDEX, lambda root: root["weight_map"].update({NORM: "/proc/self/mem"})),
         NORM),
        ("the index itself", tree(TORCH_INDEX, lambda root: root["weight_map"].update(
            {NORM: "pytorch_model.bin.index.json"})), NORM),
        ("not listed", tree(TORCH_INDEX, lambda root: root["weight_map"].pop(NORM)), NORM, {"file": TWO}),
        ("no weight_map", tree(TORCH_INDEX, lambda root: root.pop("weight_map")), "weight_map"),
        ("a safetensors file", tree(TORCH_INDEX, lambda root: root["weight_map"].update(
            {NORM: "model.safetensors"})), "No such file", {"file": "model.safetensors"}),
    ]},
    {"base": "torch", "like": "hf", "command": "eval-ids", "accepted": True, "group": "odd: PyTorch", "rows": [
        ("as it is", member("model/config.json", "note", "1"), ()),
        ("several files", member("model/config.json", "note", "1"), (), {"base": "torch-sharded"}),
        ("without version and order of bytes", torch(lambda file: file.members.clear()), ()),
        ("another folder in the archive", torch(lambda file: setattr(file, "prefix", "archive/")), ()),
    ]},
]
