"""Run the program on every case, and say what of its answer is not as it must be.

run.py PROGRAM [--sanitized] [--every N] [--only TEXT] [--keep FOLDER]"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata

import bases
import cases
import tiny
from changes import Special

SECONDS, SPACE_KIB, MOST_LINE = 10, 2 << 20, 4096
SANITIZED = {"ASAN_OPTIONS": "hard_rss_limit_mb=2048:max_allocation_size_mb=2048:allocator_may_return_null=1:"
                             "detect_leaks=1:exitcode=99", "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=99"}
FILES = ("text.txt", "ids.json", "lines.jsonl", "plan.json", "scores.json")
# Root reads everything unless these are taken away.
UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []
COMMANDS = {
    "inspect": "inspect --check MODEL",
    "look": "inspect MODEL",
    "eval": "eval MODEL --perplexity text.txt --window 8 --limit 4",
    "eval-ids": "eval MODEL --perplexity-tokens ids.json --window 8",
    "score": "score MODEL --criterion bi --calibration lines.jsonl --samples 2 --length 8",
    "score-ids": "score MODEL --criterion bi --calibration-tokens ids.json",
    "plan": "plan MODEL --scores scores.json --blocks 1",
    "prune": "prune MODEL --plan plan.json -o out",
    "report": "report reports",
}


def built(base, change):
    folder = bases.fresh(base)
    change(folder)
    return {name: part if isinstance(part, (bytes, Special)) else part.build() for name, part in folder.items()}


def identity(files, command):
    digest = hashlib.sha256(command.encode())
    for name in sorted(files):
        part = files[name]
        raw = (part.kind + " " + part.target).encode() + part.head if isinstance(part, Special) else part
        digest.update(("%s %d " % (name, len(raw))).encode("utf-8", "surrogateescape") + raw)
    return digest.hexdigest()


def lay_out(files, place):
    for name, part in files.items():
        path = os.path.join(place, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not isinstance(part, Special):
            with open(path, "wb") as file:
                file.write(part)
        elif part.kind == "fifo":
            os.mkfifo(path)
        elif part.kind == "directory":
            os.makedirs(path, exist_ok=True)
        elif part.kind == "sparse":
            with open(path, "wb") as file:
                file.write(part.head)
                file.truncate(int(part.target))
        elif part.kind == "link":
            os.symlink(part.target, path)
        else:  # the mode of what is there, or of an empty file
            if not os.path.isdir(path):
                open(path, "wb").close()
            os.chmod(path, int(part.target, 8))


def listing(place):
    found = []
    for root, folders, files in os.walk(place):
        for name in folders + files:
            path = os.path.join(root, name)
            facts = os.lstat(path)
            found.append((path, facts.st_mode, facts.st_size, facts.st_mtime_ns))
    return sorted(found)


class Answer:
    def __init__(self, program, case, place, sanitized):
        model = case.model or ("model.gguf" if case.base.startswith("gguf") else "model")
        words = [model if word == "MODEL" else word for word in COMMANDS[case.command].split()]
        words = [os.path.join(place, word) if word in (model, "out", "reports") or word in FILES else word
                 for word in words]
        limits = "ulimit -t %d; " % SECONDS + ("" if sanitized else "ulimit -v %d; " % SPACE_KIB)
        line = ["sh", "-c", limits + 'exec "$@"',
         "sh"] + (UNPRIVILEGED if case.unprivileged else []) + [program] + words + ["--json", "--threads", "2"]
        environment = dict(os.environ, LC_ALL="C", **(SANITIZED if sanitized else {}))
        begin = time.monotonic()
        try:
            done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, timeout=6 * SECONDS,
                                  env=environment, cwd=place)
            self.status, self.out, self.err = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired as late:
            self.status, self.out, self.err = "timeout", late.stdout or b"", late.stderr or b""
        self.seconds = time.monotonic() - begin


def faults_of_line(err):
    faults = []
    if not err.endswith(b"\n") or err.count(b"\n") != 1:
        faults.append("%d lines on standard error" % err.count(b"\n"))
    if len(err) > MOST_LINE:
        faults.append("a line of %d bytes" % len(err))
    try:
        text = err.decode("utf-8")
    except UnicodeDecodeError as wrong:
        return faults + ["not UTF-8: %s" % wrong], ""
    if any(unicodedata.category(letter) == "Cc" for letter in text.rstrip("\n")):
        faults.append("a control character")
    return faults, text


def judge_bad(case, answer):
    if answer.status != 1:
        return ["status %s, not 1" % answer.status]
    faults, text = faults_of_line(answer.err)
    if answer.out:
        faults.append("standard output is not empty")
    files = case.file if isinstance(case.file, tuple) else (case.file,)
    if not any(re.search(r"(^|[ /])%s[:, ]" % re.escape(file), text) for file in files):
        faults.append("does not name %s" % " or ".join(files))
    return faults + ["does not say %r" % word for word in case.words if word not in text]


def judge_good(case, answer, plain):
    if answer.status != 0:
        return ["status %s, not 0" % answer.status]
    for line in answer.err.splitlines(True):
        faults, _ = faults_of_line(line)
        if faults:
            return faults
    try:
        got = json.loads(answer.out)
    except ValueError as wrong:
        return ["no document: %s" % wrong]
    if not case.same:
        return ["%s is %s, not %s" % (k, got.get(k), v) for k, v in case.expect.items() if got.get(k) != v]
    if case.command.startswith("eval"):
        one, two = got["perplexity"][0]["perplexity"], plain["perplexity"][0]["perplexity"]
        return [] if abs(one - two) <= case.tolerance * two else ["perplexity %.9g, not %.9g" % (one, two)]
    keys = ["parameters", "block_parameters", "blocks", "hidden_size", "heads", "kv_heads", "vocab_size",
     "ffn_size"]
    return ["%s is %s, not %s" % (k, got[k], plain[k]) for k in keys if got.get(k) != plain.get(k)]


class Run:
    def __init__(self, options):
        self.options, self.seen = options, {}
        self.top = tempfile.mkdtemp(prefix="hostile-")
        self.plain = {}

    def prepare(self, case):
        files = built(case.base, case.change)
        mark = identity(files, case.command)
        if mark in self.seen and not case.plain:
            raise SystemExit("%s and %s are the same case" % (self.seen[mark], case.title))
        self.seen[mark] = case.title
        return files

    def one(self, number, case):
        place = os.path.join(self.top, "%04d" % number)
        try:
            lay_out(self.prepare(case), place)
        except (KeyError, ValueError, IndexError, OSError) as wrong:
            return case, ["cannot be made: %r" % wrong], None
        before = listing(place)
        answer = Answer(self.options.program, case, place, self.options.sanitized)
        faults = judge_good(case, answer, self.plain.get((case.like or case.base, case.command))) \
            if case.accepted and not case.plain else [] if case.plain else judge_bad(case, answer)
        if listing(place) != before:
            faults.append("something was written")
        if case.plain and answer.status != 0:
            faults.append("status %s, not 0" % answer.status)
        if not (self.options.keep and faults):
            subprocess.run(["chmod", "-R", "u+rwx", place], check=False, stderr=subprocess.DEVNULL)
            shutil.rmtree(place)
        return case, faults, answer

    def all(self, chosen):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(self.one, number, case) for number, case in enumerate(chosen)]
            for job in concurrent.futures.as_completed(jobs):
                yield job.result()

    def close(self):
        if self.options.keep:
            print("kept:", self.top)
        else:
            shutil.rmtree(self.top, ignore_errors=True)


def report(results, counts):
    failed, slowest = 0, (0, None)
    for case, faults, answer in results:
        counts[case.group] += 1
        if answer and answer.seconds > slowest[0]:
            slowest = (answer.seconds, case.title)
        if faults:
            failed += 1
            said = answer.err.decode("utf-8", "replace")[:1500] if answer else ""
            print("FAILED %s: %s\n    %s" % (case.title, "; ".join(faults), said.replace("\n", "\n    ").rstrip()))
        elif os.environ.get("HOSTILE_SHOW") and answer:
            print("ok     %s\n    %s" % (case.title, answer.err.decode().rstrip()))
    return failed, slowest


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--sanitized", action="store_true")
    arguments.add_argument("--every", type=int, default=1)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--keep", action="store_true")
    options = arguments.parse_args()
    options.program = os.path.abspath(options.program)
    chosen = [case for case in cases.every() if options.only in case.title]
    if UNPRIVILEGED and subprocess.run(["sh", "-c", '"$@" true', "sh"] + UNPRIVILEGED, capture_output=True,
                                       check=False).returncode:
        chosen = [case for case in chosen if not case.unprivileged]
        print("left out, for setpriv does not work here: files without permission")
    chosen = [case for number, case in enumerate(chosen) if number % options.every == 0]
    run, counts = Run(options), collections.Counter()
    failed = 0
    begin = time.monotonic()
    try:
        wanted = sorted({(case.like or case.base, case.command) for case in chosen
                         if case.accepted and case.same})
        plain = [cases.plain(*pair) for pair in wanted] + [cases.plain(b, "inspect") for b in bases.BASES]
        for case, faults, answer in run.all(plain):
            if faults:
                failed += 1
                print("FAILED %s: %s\n    %s" % (case.title, faults, answer and answer.err.decode()))
            else:
                run.plain[(case.base, case.command)] = json.loads(answer.out)
        more, slowest = report(run.all(chosen), counts)
        failed += more
    finally:
        run.close()
    for group in counts:
        print("%4d  %s" % (counts[group], group))
    bad = sum(1 for case in chosen if not case.accepted)
    print("%d broken models, %d odd ones; %d failed; %.0f s, the slowest took %.1f s: %s"
          % (bad, len(chosen) - bad, failed, time.monotonic() - begin, slowest[0], slowest[1]))
    for note in cases.LEFT_OUT:
        print(note)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
