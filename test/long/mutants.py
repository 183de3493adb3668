#!/usr/bin/env python3
"""Takes out or weakens one bounds check of a parser after the other, in a copy of the sources, and counts how many of
them the unit tests and the fuzz targets' inputs notice.   usage: mutants.py [--seconds N] [FILE ...]

A mutant is a condition of an `if` whose next line fails, made false or with one of its comparisons moved by one."""
import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import time

COPY = "build/mutants"
TESTS = {  # unit tests and fuzz targets of each file; the first that fails ends it
    "src/io/json": ("unit/io/test_json fuzz/json"),
    "src/io/safetensors": ("unit/io/test_safetensors fuzz/safetensors"),
    "src/io/gguf": ("unit/io/test_gguf unit/io/test_gguf_values fuzz/gguf"),
    "src/io/zip": ("unit/io/test_zip unit/io/test_checkpoint fuzz/zip"),
    "src/io/pickle": ("unit/io/test_pickle fuzz/pickle"),
    "src/io/torch": ("unit/io/test_checkpoint fuzz/torch"),
    "src/text/protobuf": ("unit/text/test_sentencepiece fuzz/tokenizer_model"),
    "src/text/load_spm": ("unit/text/test_sentencepiece fuzz/tokenizer_model"),
    "src/text/load_json": ("unit/text/test_byte_level unit/text/test_pieces_json fuzz/tokenizer_json"),
    "src/text/load_gguf": ("unit/text/test_gguf fuzz/gguf"),
    "src/text/load_config": ("unit/text/test_sentencepiece unit/text/test_byte_level fuzz/tokenizer_files"),
    "src/text/vocab": ("unit/text/test_vocab unit/text/test_sentencepiece fuzz/tokenizer_model"),
    "src/model/config": ("unit/model/test_config unit/model/test_open_gguf fuzz/config fuzz/gguf"),
    "src/model/load_shards": ("unit/model/test_shards fuzz/index"),
    "src/model/bind": ("unit/model/test_open unit/model/test_open_gguf"),
    "src/data/corpus": ("unit/data/test_calib fuzz/corpus"),
    "src/prune/document": ("unit/prune/test_documents fuzz/plan fuzz/scores"),
    "src/prune/plan_text": ("unit/prune/test_documents fuzz/plan"),
    "src/prune/scores": ("unit/prune/test_documents fuzz/scores"),
    "src/cli/ids": ("fuzz/ids"),
}
MOVED = {">": ">=", "<": "<=", ">=": ">", "<=": "<"}


def tests_of(path):
    names = [prefix for prefix in TESTS if path.startswith(prefix)]
    return TESTS[max(names, key=len)].split() if names else []


def mutants_of(path):
    lines = open(path).read().split("\n")
    for i, line in enumerate(lines[:-1]):
        found = re.match(r"(\s+(?:else )?if \()(.*)(\).?\{?)$", line)
        follow = " ".join(lines[i + 1:i + 3])
        if not found or not re.search(r"fail|refuse|wrong|return 0|return -1", follow) or "error)" in line and "rc" in line:
            continue
        head, condition, tail = found.groups()
        if re.fullmatch(r"!?rc", condition.strip()) or condition.count("(") != condition.count(")"):
            continue
        parts = re.split(r" (\|\|) ", condition)
        for k in range(0, len(parts), 2):
            whole = parts[:k] + ["0"] + parts[k + 1:]
            if parts[k].count("(") == parts[k].count(")"):
                yield i, head + " ".join(whole) + tail
        for sign in re.finditer(r" (>=|<=|>|<) ", condition):
            moved = condition[:sign.start(1)] + MOVED[sign.group(1)] + condition[sign.end(1):]
            yield i, head + moved + tail


def run(command, seconds):
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=seconds).returncode
    except subprocess.TimeoutExpired:
        return 1


def build(programs):
    return run(["make", "--no-print-directory", "BUILD=build/m", "CFLAGS=-O1 -w"] + [f"build/m/test/{p}" for p in programs], 300)


def noticed(path):
    programs = tests_of(path)
    if build(programs):
        return "does not build"
    for program in programs:
        command = [f"build/m/test/{program}"]
        if program.startswith("fuzz/"):
            name = program[5:]
            command += [d for d in (f"build/fuzz/seeds/{name}", f"test/fuzz/found/{name}") if os.path.isdir(d)]
        if run(command, 60):
            return program
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    files = [f for f in options.files or open("test/long/coverage.txt").read().split() if tests_of(f)]
    os.makedirs(COPY, exist_ok=True)
    subprocess.run(["cp", "-a", "Makefile", "include", "lib", "src", "test", COPY], check=True)
    os.chdir(COPY)
    subprocess.run([sys.executable, "-B", "test/fuzz/seeds.py", "build/fuzz"], check=True)
    todo = [(path, *mutant) for path in files for mutant in mutants_of(path)]
    random.Random(1).shuffle(todo)
    build(sorted({p for f in files for p in tests_of(f)}))
    begin, seen, missed = time.time(), 0, []
    for path, line, text in todo:
        if time.time() - begin > options.seconds:
            break
        shutil.copy2(path, "whole.c")
        lines = open(path).read().split("\n")
        before, lines[line] = lines[line].strip(), text
        with open(path, "w") as file:
            file.write("\n".join(lines))
        by = noticed(path)
        shutil.copy("whole.c", path)
        if by == "does not build":
            continue
        seen += 1
        if not by:
            missed.append(f"{path}:{line + 1}: {before}  ->  {text.strip()}")
            print("not noticed:", missed[-1], flush=True)
    print(f"{seen} of {len(todo)} mutants run, {seen - len(missed)} noticed ({100 * (seen - len(missed)) / max(seen, 1):.1f} %)")


main()
