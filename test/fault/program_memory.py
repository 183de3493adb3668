"""Allocations of the program itself, and of the libraries as they start: each STEP-th fails, once and from then on.
usage: program_memory.py PRELOAD PROGRAM WORK STEP.  The run says the usual, or fails in one line with status 1; no signal,
and nothing under the output's name."""
import os, re, subprocess, sys

preload, program, work, step = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3], int(sys.argv[4])
COMMANDS = ["inspect bytes --json", "score bytes --criterion mag -o new --json",
            "score bytes --calibration-tokens ids.json --criterion bi -o new --json",
            "prune bytes --scores scores.json --blocks 1 -o new", "convert pieces -o new --to gguf",
            "plan bytes --scores scores.json --blocks 1 -o new", "eval bytes --perplexity corpus.txt --window 16 --limit 2 --json"]


def run(command, at=0, on=False):
    subprocess.run(["rm", "-rf", work + "/new"], check=True)
    variables = {"LD_PRELOAD": preload, "FAIL_AT": str(at), "FAIL_COUNT": work + "/count"}
    if on:
        variables["FAIL_ON"] = "1"
    done = subprocess.run([program, *command.split(), "-q", "--threads", "1"], cwd=work, capture_output=True, timeout=60,
                          env={**os.environ, **variables})
    new = subprocess.run("cd new 2>/dev/null && cat * || cat new 2>/dev/null", cwd=work, shell=True, capture_output=True).stdout
    return done, [re.sub(rb'"(seconds|elapsed)": [-+.e0-9]+|[-+.e0-9]+ s\b', b"", text) for text in (done.stdout, new)]


def judge(done, outputs, usual):
    lines = done.stderr.decode().splitlines()
    if done.returncode == 0:
        return "" if outputs == usual else "says something else"
    if done.returncode == 127:  # the loader had no memory to begin with
        return ""
    if done.returncode != 1:
        return "status %d" % done.returncode
    if len(lines) != 1 or not lines[0].startswith("depthprune: "):
        return "says %r" % lines
    return "leaves half an output" if outputs[1] not in (b"", usual[1]) else ""


def main():
    bad = tried = failed = 0
    for command in COMMANDS:
        clean, usual = run(command)
        count = int(open(work + "/count").read())
        if clean.returncode or run(command)[1] != usual:
            sys.exit("%s: %s" % (command, clean.stderr.decode() or "says something else each time"))
        for at in range(1, count + 1, step):
            for on in (False, True):
                done, outputs = run(command, at, on)
                wrong = judge(done, outputs, usual)
                tried += 1
                failed += done.returncode != 0
                if wrong:
                    bad += 1
                    print("FAILED: %s, allocation %d%s: %s" % (command, at, " and all after it" if on else "", wrong))
        print("  %5d allocations: %s" % (count, command))
    print("%d runs of the program without some memory, %d failed in words, %d bad" % (tried, failed - bad, bad))
    sys.exit(bad > 0)


main()
