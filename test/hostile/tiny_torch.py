"""pytorch_model.bin of the tiny model: a zip archive with a pickle and a member for each storage."""
import io
import struct
import zipfile

import tiny

ORDERED = b"ccollections\nOrderedDict\n"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"


def text(words):
    raw = words if isinstance(words, bytes) else words.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def whole_number(number):
    if 0 <= number < 256:
        return b"K" + bytes([number])
    if -2 ** 31 <= number < 2 ** 31:
        return b"J" + struct.pack("<i", number)
    size = (number.bit_length() + 8) // 8
    return b"\x8a" + bytes([size]) + number.to_bytes(size, "little", signed=True)


def numbers(values):
    return b"(" + b"".join(whole_number(value) for value in values) + b"t"


class Torch:
    """Tensors by name as a dict of what the pickle says; storages by key; other members of the archive."""

    def __init__(self):
        self.tensors, self.storages, self.members = {}, {}, {"version": b"3\n", "byteorder": b"little"}
        for key, (name, shape, values) in enumerate(tiny.WEIGHTS):
            self.tensors[name] = {"storage": b"ctorch\nFloatStorage\n", "key": str(key), "count": len(values),
                                  "first": 0, "shape": list(shape), "rebuild": REBUILD,
                                  "strides": [1] if len(shape) == 1 else [shape[1], 1], "hooks": ORDERED + b")R"}
            self.storages[str(key)] = tiny.pack(values, "F32")
        self.pickle_edits, self.file_edits, self.prefix, self.method = [], [], "pytorch_model/", zipfile.ZIP_STORED
        self.last = []  # raw items of the dict behind the others

    def pickle(self):
        out = b"\x80\x02" + ORDERED + b")R("
        for name, t in self.tensors.items():
            storage = b"(" + text("storage") + t["storage"] + text(t["key"]) + text("cpu") + whole_number(t["count"])
            arguments = storage + b"tQ" + whole_number(t["first"]) + numbers(t["shape"]) + numbers(t["strides"])
            out += text(name) + t["rebuild"] + b"(" + arguments + b"\x89" + t["hooks"] + b"tR"
        out += b"".join(self.last) + b"u."
        for edit in self.pickle_edits:
            out = edit(out)
        return out

    def build(self):
        raw = io.BytesIO()
        members = {"data.pkl": self.pickle(), **{"data/" + key: part for key, part in self.storages.items()},
                   **self.members}
        with zipfile.ZipFile(raw, "w", self.method) as archive:
            for name, part in members.items():
                if part is not None:
                    archive.writestr(zipfile.ZipInfo(self.prefix + name), part, self.method)
        whole = raw.getvalue()
        for edit in self.file_edits:
            whole = edit(whole)
        return whole


def shards():
    """(parts by file name, index) of two files."""
    first, second = "pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"
    parts, listed = {first: Torch(), second: Torch()}, {}
    for number, name in enumerate(list(parts[first].tensors)):
        here, other = (first, second) if number < 12 else (second, first)
        key = parts[other].tensors.pop(name)["key"]
        del parts[other].storages[key]
        listed[name] = here
    return parts, tiny.Tree({"metadata": {}, "weight_map": listed}, 1)


def bases(hf):
    plain = {name: part for name, part in hf.items() if not name.endswith(".safetensors")}
    parts, index = shards()
    return {"torch": {**plain, "model/pytorch_model.bin": Torch()},
            "torch-sharded": {**plain, **{"model/" + name: part for name, part in parts.items()},
                              "model/pytorch_model.bin.index.json": index}}
