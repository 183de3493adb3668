"""The table of docs/benchmarks.md from the files that bench_peers.sh wrote in a folder."""
import json
import os
import statistics
import sys


def rows(name):
    with open(os.path.join(sys.argv[1], name + ".jsonl")) as file:
        return [json.loads(line) for line in file]


def row(name, seconds, peaks, base):
    print("| %s | %.1f | %.1f–%.1f | %.2f | %.0f |" % (
        name, statistics.median(seconds), min(seconds), max(seconds), base / statistics.median(seconds), max(peaks)))


torch, tuned = rows("torch"), rows("tuned")
base = statistics.median(r["median_s"] for r in torch)
print("| scoring 30 blocks by PPL, 10 x 128 tokens, 2 threads | median s | range | PyTorch / this | peak MiB |")
print("|---|---|---|---|---|")
row("PyTorch f32, one pass per block", [r["median_s"] for r in torch], [r["peak_rss_MiB"] for r in torch], base)
row("PyTorch f32, allocator tuned", [r["median_s"] for r in tuned], [r["peak_rss_MiB"] for r in tuned], base)
for kind in ("f32", "q4_1"):
    ours = rows("ours-" + kind)
    row("depthprune, weights in %s, whole process" % kind, [r["seconds"] for r in ours], [r["peak_MiB"] for r in ours], base)
