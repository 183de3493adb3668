"""What is read beside a model: calibration text, token ids, plans, scores, documents for a report."""
import json

import bases
import tiny
from changes import *  # noqa: F403

LINES, IDS, PLAN, SCORES = "lines.jsonl", "ids.json", "plan.json", "scores.json"
JSONL = {"base": "hf", "command": "score", "file": LINES}
TOKENS = {"base": "hf", "command": "eval-ids", "file": IDS}
PRUNE = {"base": "hf", "command": "prune", "file": PLAN}
CHOOSE = {"base": "hf", "command": "plan", "file": SCORES}


def third(raw):
    """The third line is another."""
    raw = raw if isinstance(raw, bytes) else raw.encode()

    def edit(old):
        lines = old.split(b"\n")
        lines[2] = raw
        return b"\n".join(lines)
    return whole(LINES, edit)


def ids(value):
    return replace(IDS, value if isinstance(value, bytes) else json.dumps(value).encode())


def one_id(text):
    return swap(IDS, "[0, 3, 6,", "[0, %s, 6," % text)


def plan(key, text):
    return member(PLAN, key, text)


def scores(**changes):
    """A good document with members changed; None takes one away."""
    root = {"schema": "depthprune.scores/1", "criterion": "bi", "unit": "block",
            "scores": [{"block": block, "score": score} for block, score in enumerate([0.5, 0.25, 0.75])],
            "order": [1, 0, 2], "protected": []}
    for key, value in changes.items():
        if value is None:
            del root[key]
        else:
            root[key] = value
    return replace(SCORES, json.dumps(root, indent=1).encode())


def score_of(text):
    def change(folder):
        scores()(folder)
        swap(SCORES, "0.25", text)(folder)
    return change


def scores_text(edit):
    def change(folder):
        scores()(folder)
        whole(SCORES, edit)(folder)
    return change


def document(change=None, members=None):
    """A report of one model, and what else is in its folder."""
    def edit(folder):
        good = {"schema": "depthprune.inspect/1", "path": "model", "blocks": 3, "parameters": 100, "bytes": 400}
        folder["reports/two.json"] = json.dumps({**good, **(members or {})}).encode()
        if change:
            change(folder)
    return edit


ONE = "reports/one.json"

GROUPS = [
    {**JSONL, "group": "jsonl: a bad third line", "rows": [
        ("not JSON", third("text"), ":3:"),
        ("cut", third('{"text": "the and'), ":3:"),
        ("no text", third('{"body": "the"}'), (":3", "text")),
        ("text is a number", third('{"text": 7}'), (":3", "text")),
        ("text is null", third('{"text": null}'), (":3", "text")),
        ("text is a list", third('{"text": ["the"]}'), (":3", "text")),
        ("array", third('["the"]'), ":3"),
        ("string", third('"the"'), ":3"),
        ("text twice", third('{"text": "the", "text": "and"}'), (":3:", "duplicate")),
        ("bad UTF-8", third(b'{"text": "th\xff"}'), ":3:"),
        ("lone surrogate", third('{"text": "\\ud800"}'), ":3:"),
        ("NUL", third(b'{"text": "th\0e"}'), ":3:"),
        ("NUL spelled", third('{"text": "th\\u0000e"}'), ":3:"),
        ("two objects", third('{"text": "the"} {"text": "and"}'), ":3:"),
        ("deep", third('{"text": ' + "[" * 100000), ":3:"),
    ]},
    {**JSONL, "group": "jsonl: the file", "rows": [
        ("empty", replace(LINES, b""), LINES),
        ("blank", replace(LINES, b"\n \n\r\n\t\n"), LINES),
        ("no tokens", replace(LINES, b'{"text": ""}\n' * 4), LINES),
        ("too few tokens", replace(LINES, b'{"text": "the"}\n'), LINES),
        ("pretty-printed", replace(LINES, json.dumps(bases.LINES, indent=1).encode()), ":1:"),
        ("one array", replace(LINES, json.dumps(bases.LINES).encode()), ":1"),
        ("UTF-16", whole(LINES, lambda raw: raw.decode().encode("utf-16")), ":1:"),
        ("byte order mark", whole(LINES, lambda raw: b"\xef\xbb\xbf" + raw), ":1:1"),
        ("cut in the last line", cut(LINES, -8), ":12:"),
        ("a line of 10 MB without end", replace(LINES, b'{"text": "' + b"the " * 2621440), ":1:"),
        ("zeros", replace(LINES, b"\0" * 4096), ":1:"),
        ("directory", special(LINES, "directory"), "directory"),
        ("FIFO", special(LINES, "fifo"), "regular"),
        ("/dev/zero", special(LINES, "link", "/dev/zero"), "regular"),
        ("missing", remove(LINES), "No such file"),
    ]},
    {**TOKENS, "group": "ids: the document", "rows": [
        ("empty", ids(b""), ":"),
        ("cut", cut(IDS, 0.5), ":"),
        ("no rows", ids({"ids": []}), "ids"),
        ("an empty row", ids({"ids": [[]]}), "ids"),
        ("a flat list", ids({"ids": [1, 2, 3]}), "ids"),
        ("another member", ids({"tokens": [[1, 2]]}), "ids"),
        ("string", ids({"ids": "1 2 3"}), "ids"),
        ("ids twice", ids(b'{"ids": [[1, 2]], "ids": [[3, 4]]}'), "duplicate"),
        ("deep", ids(b"[" * 100000), IDS),
        ("byte order mark", whole(IDS, lambda raw: b"\xef\xbb\xbf" + raw), ":1:"),
        ("UTF-16", whole(IDS, lambda raw: raw.decode().encode("utf-16")), ":1:"),
        ("FIFO", special(IDS, "fifo"), IDS),
        ("directory", special(IDS, "directory"), IDS),
        ("/dev/zero", special(IDS, "link", "/dev/zero"), IDS),
        ("missing", remove(IDS), "No such file"),
    ]},
    {**TOKENS, "group": "ids: one id", "rows": [
        ("-1", one_id("-1"), ("row 0", "place 1")),
        ("outside of the vocabulary", one_id("272"), ("272", "position 1")),
        ("2^31", one_id(str(2 ** 31)), ("row 0", "place 1")),
        ("2^32 + 3", one_id(str(2 ** 32 + 3)), ("row 0", "place 1")),
        ("2^64 + 3", one_id(str(2 ** 64 + 3)), ":1:"),
        ("float", one_id("3.0"), ("row 0", "place 1")),
        ("string", one_id('"3"'), ("row 0", "place 1")),
        ("null", one_id("null"), ("row 0", "place 1")),
        ("true", one_id("true"), ("row 0", "place 1")),
        ("list", one_id("[3]"), ("row 0", "place 1")),
        ("NaN", one_id("NaN"), ":1:"),
        ("100 000 digits", one_id("9" * 100000), ":1:"),
    ]},
    {**TOKENS, "group": "ids: for calibration", "command": "score-ids", "rows": [
        ("rows of two lengths", ids({"ids": [[1, 2, 3], [1, 2]]}), "ids"),
        ("one id a row", ids({"ids": [[1], [2]]}), "rows of 1 ids"),
        ("outside of the vocabulary", one_id("272"), ("272", "position 1")),
        ("negative", one_id("-272"), ("row 0", "place 1")),
    ]},
    {**PRUNE, "group": "plan: text", "rows": [
        ("empty", replace(PLAN, b""), ":1:"),
        ("cut", cut(PLAN, 0.5), PLAN),
        ("trailing comma", whole(PLAN, lambda raw: raw.rstrip()[:-1] + b",}"), PLAN),
        ("array", whole(PLAN, lambda raw: b"[" + raw + b"]"), PLAN),
        ("another schema", plan("schema", '"depthprune.plan/2"'), "schema"),
        ("schema of scores", plan("schema", '"depthprune.scores/1"'), "schema"),
        ("removed twice", whole(PLAN, lambda raw: b'{"removed": [0],' + raw[1:]), ("duplicate", "removed")),
        ("deep", plan("note", "[" * 100000), "nests"),
        ("bad UTF-8", swap(PLAN, '"mag"', b'"m\xffg"'), PLAN),
        ("UTF-16", whole(PLAN, lambda raw: raw.decode().encode("utf-16")), ":1:"),
        ("directory", special(PLAN, "directory"), PLAN),
        ("FIFO", special(PLAN, "fifo"), PLAN),
        ("/dev/zero", special(PLAN, "link", "/dev/zero"), PLAN),
        ("missing", remove(PLAN), "No such file"),
    ]},
    {**PRUNE, "group": "plan: blocks", "rows": [
        ("blocks missing", plan("blocks", None), "blocks"),
        ("blocks 0", plan("blocks", "0"), "blocks"),
        ("blocks -3", plan("blocks", "-3"), "blocks"),
        ("blocks 2^32 + 3", plan("blocks", str(2 ** 32 + 3)), "blocks"),
        ("blocks a string", plan("blocks", '"3"'), "blocks"),
        ("blocks of another model", plan("blocks", "4"), "blocks"),
        ("removed missing", plan("removed", None), "removed"),
        ("removed is empty", plan("removed", "[]"), "removed"),
        ("removed a number", plan("removed", "1"), "removed"),
        ("a block twice", plan("removed", "[1, 1]"), "removed"),
        ("block 3 of 3", plan("removed", "[3]"), "removed"),
        ("block -1", plan("removed", "[-1]"), "removed"),
        ("block 2^32 + 1", plan("removed", "[4294967297]"), "removed"),
        ("block a float", plan("removed", "[1.0]"), "removed"),
        ("all blocks", plan("removed", "[0, 1, 2]"), "removed"),
    ]},
    {**PRUNE, "group": "plan: the rest", "rows": [
        ("kept and removed", plan("kept", "[0, 1]"), "kept"),
        ("kept too few", plan("kept", "[0]"), "kept"),
        ("kept twice", plan("kept", "[0, 0]"), "kept"),
        ("kept a string", plan("kept", '"0, 2"'), "kept"),
        ("scores too few", plan("scores", "[1.0, 2.0]"), "scores"),
        ("a score is a string", plan("scores", '[1.0, "2", 3.0]'), "scores"),
        ("a score is null", plan("scores", "[1.0, null, 3.0]"), "scores"),
        ("a score 1e999", plan("scores", "[1.0, 1e999, 3.0]"), PLAN),
        ("protect a list", plan("protect", "[0, 0]"), "protect"),
        ("protect -1", plan("protect", '{"first": -1, "last": 0}'), "first"),
        ("digest too short", plan("parent", '{"digest": "abc"}'), "parent"),
        ("digest of another model", plan("parent", '{"digest": "%s"}' % ("0" * 64)), "digest"),
        ("criterion a number", plan("criterion", "1"), "criterion"),
    ]},
    {**CHOOSE, "group": "scores: text", "rows": [
        ("empty", replace(SCORES, b""), ":1:"),
        ("cut", scores_text(lambda raw: raw[:len(raw) // 2]), SCORES),
        ("trailing comma", scores_text(lambda raw: raw.rstrip()[:-1] + b",}"), SCORES),
        ("another schema", scores(schema="depthprune.plan/1"), "schema"),
        ("no schema", scores(schema=None), "schema"),
        ("array", scores_text(lambda raw: b"[" + raw + b"]"), SCORES),
        ("scores twice", scores_text(lambda raw: b'{"scores": [],' + raw[1:]), "duplicate"),
        ("deep", scores_text(lambda raw: b'{"a": ' + b"[" * 100000 + b"," + raw[1:]), "nests"),
        ("FIFO", special(SCORES, "fifo"), SCORES),
        ("missing", lambda folder: None, "No such file"),
    ]},
    {**CHOOSE, "group": "scores: members", "rows": [
        ("none", scores(scores=None), "scores"),
        ("empty", scores(scores=[], order=[]), "scores"),
        ("numbers", scores(scores=[0.5, 0.25, 0.75]), "scores"),
        ("a block more", scores(scores=[{"block": b, "score": float(b)} for b in range(4)], order=[0, 1, 2, 3]),
         "blocks"),
        ("a block twice", scores(scores=[{"block": 0, "score": 0.5}] * 3), "scores"),
        ("NaN", score_of("NaN"), SCORES),
        ("null", score_of("null"), "scores"),
        ("string", score_of('"0.25"'), "score"),
        ("1e999", score_of("1e999"), SCORES),
        ("0,25", score_of("0,25"), SCORES),
        ("order too short", scores(order=[1, 0]), "order"),
        ("order with one twice", scores(order=[1, 1, 2]), "order"),
        ("order that is not sorted", scores(order=[2, 1, 0]), "order"),
        ("order outside", scores(order=[1, 0, 3]), "order"),
        ("protected outside", scores(protected=[7]), "protected"),
    ]},
    {"base": "hf", "command": "report", "group": "report: folders", "file": "one.json", "rows": [
        ("missing", lambda folder: None, "No such file", {"file": "reports"}),
        ("empty", special("reports", "directory"), "no document", {"file": "reports"}),
        ("a file", replace("reports", b"{}"), "Not a directory", {"file": "reports"}),
        ("other JSON alone", replace("reports/other.json", b'{"a": 1}'), "no document", {"file": "reports"}),
        ("cut alone", replace(ONE, b'{"schema": "depthprune.inspect/1", '), ":1:"),
        ("text alone", replace(ONE, b"text"), ":1:"),
        ("deep alone", replace(ONE, b"[" * 100000), ":1:"),
        ("a key twice alone", replace(ONE, b'{"schema": 1, "schema": 2}'), "duplicate"),
        ("NUL alone", replace(ONE, b'{"schema": "\\u0000"}'), ":1:"),
        ("FIFO alone", special(ONE, "fifo"), "one.json"),
        ("directory alone", special(ONE, "directory"), "one.json"),
        ("/dev/zero alone", special(ONE, "link", "/dev/zero"), "one.json"),
        ("loop of links alone", special(ONE, "link", "one.json"), "Too many levels"),
    ]},
    {"base": "hf", "command": "report", "group": "odd: reports", "accepted": True, "same": False, "rows": [
        ("one good", document(), ()),
        ("one cut", document(replace(ONE, b'{"schema": ')), ()),
        ("one FIFO", document(special(ONE, "fifo")), ()),
        ("one directory", document(special(ONE, "directory")), ()),
        ("members of other types", document(None, {"blocks": "6", "parameters": [1], "bytes": None, "path": 7}),
         ()),
        ("huge numbers", document(None, {"blocks": 1e300, "parameters": -1e300, "bytes": 2 ** 63 - 1}), ()),
        ("control characters", document(None, {"path": "\x1b[2J\n\t\x9b", "blocks": 3}), ()),
    ]},
]
