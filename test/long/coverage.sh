#!/bin/sh
# Lines of the parser files (coverage.txt) that the unit tests and the fuzz targets' inputs run; fails below 95 %.
# usage: coverage.sh [inputs]   "inputs": the fuzz targets alone
command -v gcovr >/dev/null || { echo "there is no gcovr" && exit 77; }
least=95 failed=0
build=build/coverage
make="${MAKE:-make} --no-print-directory BUILD=$build CFLAGS=--coverage\ -Og\ -g"
targets="fuzz-targets"
tests=
if [ "${1:-}" != inputs ]; then
    for room in base io text data model prune; do
        for source in test/unit/$room/test_*.c; do
            tests="$tests $build/${source%.c}"
        done
    done
fi
eval "$make -j$(nproc) $targets $tests" >$build.log 2>&1 || { tail -n 30 $build.log && exit 1; }
find $build -name '*.gcda' -delete
for program in $tests; do
    CK_TIMEOUT_MULTIPLIER=10 DEPTHPRUNE_MODEL=none $program >$build.log 2>&1 || [ $? = 77 ] ||
        { tail -n 3 $build.log && failed=1; }
done
sh test/fuzz/replay.sh $build/test/fuzz >$build.log 2>&1 || { tail -n 30 $build.log && exit 1; }
gcovr --root . --object-directory $build --filter 'src/.*\.c$' --gcov-ignore-parse-errors --json-summary $build.json \
    $build >/dev/null 2>$build.log || { tail -n 30 $build.log && exit 1; }
python3 -B - $build.json $least <<'END' && [ $failed = 0 ]
import json
import sys

known = {entry["filename"]: entry for entry in json.load(open(sys.argv[1]))["files"]}
lines = covered = poor = 0
for name in open("test/long/coverage.txt").read().split():
    entry = known[name]
    lines += entry["line_total"]
    covered += entry["line_covered"]
    low = entry["line_covered"] * 100 < float(sys.argv[2]) * entry["line_total"]
    poor += low
    print(f"{name:34} {entry['line_covered']:4} of {entry['line_total']:4} lines {entry['line_percent']:6.1f} %"
          f"  branches {entry['branch_percent'] or 100:6.1f} %{'   TOO FEW' if low else ''}")
print(f"{'all':34} {covered:4} of {lines:4} lines {covered * 100 / lines:6.1f} %")
sys.exit(poor > 0)
END
