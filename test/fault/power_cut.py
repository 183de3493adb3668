"""All states that a power cut can leave of a disk while a model is saved.

usage: power_cut.py LOG BEFORE PLACE [LIE]: the log of the host `saves`, a copy of the place before the save, and the
place, which holds the result.  After each operation of the log, each folder may have on the disk the names it has now
or those of its last sync, and each file the bytes it has now, those of its last sync, or one write since then torn in
half.  In every state the target must be the old one or the new one, whole.  LIE leaves out the syncs of `files`,
`folders` (inside the target) or the `place`, to show that this is noticed."""
import hashlib, itertools, os, sys


class File:
    def __init__(self, data=b""):
        self.data, self.synced = data, data
        self.writes = []  # since the last sync: (offset, bytes)


class Folder:
    def __init__(self, names=None):
        self.names = dict(names or {})
        self.synced = dict(self.names)


def load(path):
    if os.path.isfile(path):
        return File(open(path, "rb").read())
    return Folder({name: load(os.path.join(path, name)) for name in os.listdir(path)})


def patched(data, offset, more):
    return data[:offset].ljust(offset, b"\0") + more + data[offset + len(more):]


class Disk:
    def __init__(self, root, path, lie):
        self.root, self.path, self.lie = root, path, lie
        self.sync_count = 0

    def find(self, path):
        """The folder and the last name; the folder is None for the place itself."""
        parts = os.path.relpath(path, self.path).split(os.sep)
        node = self.root
        if parts == ["."]:
            return None, None
        for part in parts[:-1]:
            node = node.names[part]
        return node, parts[-1]

    def node(self, path):
        folder, name = self.find(path)
        return folder.names[name] if folder else self.root

    def sync(self, path):
        node = self.node(path)
        kind = "place" if node is self.root else "files" if isinstance(node, File) else "folders"
        if kind == self.lie:
            return
        self.sync_count += 1
        if isinstance(node, File):
            node.synced, node.writes = node.data, []
        else:
            node.synced = dict(node.names)

    def apply(self, what, path, more):
        folder, name = self.find(path)
        if what == "create":
            node = folder.names.setdefault(name, File())
            if more:
                node.data, node.writes = b"", []
        elif what == "write":
            offset, data = more.split("\t")
            node, offset, data = folder.names[name], int(offset), bytes.fromhex(data)
            node.data = patched(node.data, offset, data)
            node.writes.append((offset, data))
        elif what == "sync":
            self.sync(path)
        elif what == "mkdir":
            folder.names[name] = Folder()
        elif what == "unlink":
            del folder.names[name]
        elif what == "rename":
            to, fresh = self.find(more)
            to.names[fresh] = folder.names.pop(name)
        elif what == "exchange":
            to, fresh = self.find(more)
            to.names[fresh], folder.names[name] = folder.names[name], to.names[fresh]
        else:
            sys.exit("unknown operation " + what)


def nodes(node, seen):
    """Every file and folder that is or was reachable, once."""
    if id(node) in seen:
        return
    seen[id(node)] = node
    if isinstance(node, Folder):
        for inner in itertools.chain(node.names.values(), node.synced.values()):
            nodes(inner, seen)


def render(node, synced, torn):
    """What the node is when folders in `synced` have their synced names; files as `torn` says."""
    if isinstance(node, File):
        if torn is None:
            return node.data
        if torn and torn[0] is node:
            offset, data = torn[1]
            return patched(node.synced, offset, data[:len(data) // 2])
        return node.synced
    names = node.synced if id(node) in synced else node.names
    return tuple(sorted((name, render(inner, synced, torn)) for name, inner in names.items()))


def states(disk):
    seen = {}
    nodes(disk.root, seen)
    unsure = [id(n) for n in seen.values() if isinstance(n, Folder) and n.names != n.synced]
    tears = [None, ()] + [(n, w) for n in seen.values() if isinstance(n, File) for w in n.writes]
    for count in range(len(unsure) + 1):
        for synced in itertools.combinations(unsure, count):
            for torn in tears:
                yield render(disk.root, set(synced), torn)


def main(log, before, place, lie=""):
    old = dict(render(load(before), (), None)).get("model")
    fresh = dict(render(load(place), (), None))["model"]
    disk = Disk(load(before), place, lie)
    seen, bad, operations = set(), 0, 0
    lines = [""] + open(log).read().splitlines()
    for line in lines:
        if line:
            what, path, more = line.split("\t", 2)
            if os.path.commonpath([path, place]) != place:
                sys.exit("touched %s, outside the place of the target" % path)
            disk.apply(what, path, more)
            operations += 1
        for state in states(disk):
            key = hashlib.sha256(repr(state).encode()).digest()
            if key in seen:
                continue
            seen.add(key)
            target = dict(state).get("model")
            if target != fresh and target != old:
                bad += 1
                if bad == 1 and not lie:
                    print("BAD after", line[:200])
    if render(disk.root, (), None) != render(load(place), (), None):
        sys.exit("the log does not lead to the result")
    print("%d %d %d %d" % (operations, disk.sync_count, len(seen), bad))


main(*sys.argv[1:])
