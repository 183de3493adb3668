"""Seeds of zip archives, pickles and PyTorch checkpoints, made with the standard library alone: classes of the right
names stand for PyTorch's."""
import collections
import io
import pickle
import struct
import sys
import types
import zipfile


class Storage:
    def __init__(self, kind, key, count):
        self.kind, self.key, self.count = kind, key, count


def stand_ins():
    """torch and torch._utils with the names that a state dict's pickle has."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "HalfStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    for name in ("_rebuild_tensor_v2", "_rebuild_parameter"):
        function = types.FunctionType((lambda *given: given).__code__, {}, name)
        function.__module__, function.__qualname__ = "torch._utils", name
        setattr(utils, name, function)
    sys.modules["torch"], sys.modules["torch._utils"] = torch, utils
    return torch, utils


TORCH, UTILS = stand_ins()


class Tensor:
    def __init__(self, storage, first, shape, parameter=False):
        self.storage, self.first, self.shape, self.parameter = storage, first, shape, parameter

    def __reduce__(self):
        strides, step = [], 1
        for extent in reversed(self.shape):
            strides.insert(0, step)
            step *= extent
        given = (self.storage, self.first, tuple(self.shape), tuple(strides), False, collections.OrderedDict())
        if self.parameter:
            return UTILS._rebuild_parameter, (Tensor(self.storage, self.first, self.shape), True, collections.OrderedDict())
        return UTILS._rebuild_tensor_v2, given


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return ("storage", getattr(TORCH, value.kind), value.key, "cpu", value.count)
        return None


def pickled(value, protocol=2):
    out = io.BytesIO()
    Pickler(out, protocol).dump(value)
    return out.getvalue()


def archive(members, wide=False, comment=b""):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
        for name, data in members:
            info = zipfile.ZipInfo(name, (1980, 0, 0, 0, 0, 0))
            with file.open(info, "w", force_zip64=wide) as member:
                member.write(data)
        file.comment = comment
    return out.getvalue()


def end64(data):
    """The archive with zip64 end records in front of its end record."""
    count, size, offset = struct.unpack("<HII", data[-12:-2])
    wide = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = b"PK\6\7" + struct.pack("<IQI", 0, len(data) - 22, 1)
    return data[:-22] + wide + locator + data[-22:]


def states():
    one, half = Storage("FloatStorage", "0", 4), Storage("HalfStorage", "1", 2)
    plain = collections.OrderedDict([("a", Tensor(one, 0, [2, 2])), ("b", Tensor(half, 1, [1])), ("c", Tensor(one, 2, [2]))])
    return {"plain": plain, "dict": {"a": Tensor(one, 0, [4], True)}, "nested": {"epoch": 3, "lr": 0.5, "state_dict": dict(plain)},
            "long": {"a": Tensor(Storage("LongStorage", "0", 2), 0, [2])}, "text": {"a": "b"}, "list": [1, 2, (3, None, True)],
            "twice": {"model": plain, "state_dict": {"x": [1]}}}


def write(seed):
    for name, state in states().items():
        for protocol in (2, 4):
            seed("pickle", f"{name}{protocol}", pickled(state, protocol))
    seed("pickle", "call", pickled({"a": print}))
    for name in ("plain", "dict", "nested"):
        members = [("m/data.pkl", pickled(states()[name])), ("m/byteorder", b"little"), ("m/data/0", bytes(16)),
                   ("m/data/1", bytes(4)), ("m/version", b"3\n")]
        seed("torch", name, archive(members))
        seed("torch", name + "64", end64(archive(members, True)))
    seed("torch", "old", bytes.fromhex("80028a0a6cfc9c46f9206aa850192e"))
    seed("torch", "big", archive([("m/data.pkl", pickled(states()["dict"])), ("m/byteorder", b"big"), ("m/data/0", bytes(16))]))
    seed("torch", "script", archive([("m/data.pkl", pickled({})), ("m/constants.pkl", b"x")]))
    two = [("a/b", b"one"), ("a/c", b"two")]
    seed("zip", "two", archive(two))
    seed("zip", "wide", archive(two, True, b"a comment"))
    seed("zip", "end64", end64(archive(two)))
    seed("zip", "none", archive([]))
    seed("zip", "cut", archive(two)[:-5])
