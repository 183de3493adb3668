"""Changes: each makes one difference in a folder of parts.  Paths are those of the folder, as in tiny.py."""
import json
import struct

ST, CONFIG, INDEX = "model/model.safetensors", "model/config.json", "model/model.safetensors.index.json"
TOKENIZER, SPM, GGUF = "model/tokenizer.json", "model/tokenizer.model", "model.gguf"


class Special:
    """What is not a plain file: fifo, directory, link, the mode of a file, or a file with a large hole at its end."""

    def __init__(self, kind, target="", head=b""):
        self.kind, self.target, self.head = kind, target, head


def special(path, kind, target=""):
    def change(folder):
        folder[path] = Special(kind, target)
    return change


def replace(path, raw):
    def change(folder):
        folder[path] = raw() if callable(raw) else raw
    return change


def remove(path):
    def change(folder):
        del folder[path]
    return change


def part(path, edit):
    """edit(part): change the part of a file before it is built."""
    def change(folder):
        edit(folder[path])
    return change


def whole(path, edit):
    """edit(bytes) -> bytes: change the file as built."""
    def change(folder):
        built = folder[path]
        folder[path] = edit(built if isinstance(built, bytes) else built.build())
    return change


def swap(path, old, new):
    """Replace the one place of `old` in the file as built."""
    old, new = (text if isinstance(text, bytes) else text.encode() for text in (old, new))

    def edit(raw):
        if raw.count(old) != 1:
            raise ValueError("%r stands %d times in %s" % (old[:80], raw.count(old), path))
        return raw.replace(old, new)
    return whole(path, edit)


def cut(path, at):
    """Keep `at` bytes; a negative number or a share counts from the size."""
    return whole(path, lambda raw: raw[:int(len(raw) * at)] if isinstance(at, float) else raw[:at])


def grow(path, tail):
    return whole(path, lambda raw: raw + tail)


# ---- safetensors

def header(edit, path=ST):
    """edit(text) -> text of the header; its length follows."""
    return part(path, lambda file: file.header_edits.append(edit))


def header_swap(old, new, path=ST):
    old, new = (text if isinstance(text, bytes) else text.encode() for text in (old, new))

    def edit(text):
        if text.count(old) != 1:
            raise ValueError("%r stands %d times in the header" % (old, text.count(old)))
        return text.replace(old, new)
    return header(edit, path)


def length(number, path=ST):
    def edit(file):
        file.length = number % 2 ** 64
    return part(path, edit)


def tensor(name, path=ST, **changes):
    """Members of a tensor's entry: dtype, shape, begin, end, or its name."""
    def edit(file):
        entry = file.tensors[name]
        for place, key in enumerate(("dtype", "shape", "begin", "end")):
            entry[place] = changes.get(key, entry[place])
        if "name" in changes:
            file.tensors = {changes["name"] if n == name else n: e for n, e in file.tensors.items()}
    return part(path, edit)


def entry(name, old, new, path=ST):
    """Text inside the header's entry of one tensor."""
    def edit(text):
        begin = text.index(json.dumps(name).encode() + b":{")
        end = text.index(b"}", begin) + 1
        inner = text[begin:end]
        if old.encode() not in inner:
            raise ValueError("%s has no %s" % (name, old))
        return text[:begin] + inner.replace(old.encode(), new.encode(), 1) + text[end:]
    return header(edit, path)


def number(name, offset, raw, path=ST):
    return part(path, lambda file: file.put(name, offset, raw))


def f32(number):
    return struct.pack("<f", number)


# ---- config.json and other objects

def member(path, key, text):
    """Give a member a raw JSON text; None takes it away."""
    def edit(file):
        if text is None:
            del file.members[key]
        else:
            file.members[key] = text
    return part(path, edit)


def config(key, text):
    return member(CONFIG, key, text)


# ---- JSON trees

def tree(path, edit):
    return part(path, lambda file: edit(file.root))


def tokens(edit):
    """edit(model) of tokenizer.json."""
    return tree(TOKENIZER, lambda root: edit(root["model"]))


def index(edit):
    return tree(INDEX, edit)


# ---- GGUF

def gguf(edit):
    return part(GGUF, edit)


def key(name, kind, number):
    return gguf(lambda file: file.put(name, kind, number))


def raw_key(name, kind, raw):
    """A key with raw bytes as value."""
    def edit(file):
        file.keys[name] = [kind, raw]
    return gguf(edit)


def info(name, place, new):
    """One member of a tensor's info: 0 name, 1 dims, 2 type, 3 offset, 4 data."""
    def edit(file):
        found = file.tensor(name)
        found[place] = new(found[place]) if callable(new) else new
    return gguf(edit)
