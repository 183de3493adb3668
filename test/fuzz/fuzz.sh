#!/bin/sh
# Fuzz under the address and undefined-behaviour sanitizers, from the seeds and dictionaries here; what is found is left
# in build/fuzz.   usage: fuzz.sh SECONDS [TARGET ...]
seconds=${1:-60}
[ $# -gt 0 ] && shift
if [ $# = 0 ]; then
    set -- $(ls test/fuzz | sed -n 's/^fuzz_\(.*\)\.c$/\1/p')
fi
python3 -B test/fuzz/seeds.py build/fuzz || exit 1
status=0
export UBSAN_OPTIONS=print_stacktrace=1
for name in "$@"; do
    ${MAKE:-make} --no-print-directory CC="${FUZZ_CC:-clang}" BUILD=build/fuzz FUZZER=1 \
        SANITIZE=fuzzer-no-link,address,undefined,float-cast-overflow "build/fuzz/test/fuzz/$name" >/dev/null || exit 1
    mkdir -p "build/fuzz/corpus/$name"
    set -- "build/fuzz/corpus/$name" "build/fuzz/seeds/$name"
    [ -d "test/fuzz/found/$name" ] && set -- "$@" "test/fuzz/found/$name"
    if "build/fuzz/test/fuzz/$name" "$@" -max_total_time="$seconds" -rss_limit_mb=512 -timeout=2 -max_len=16384 \
        -dict="test/fuzz/dict/$name.dict" -artifact_prefix="build/fuzz/$name-" -print_final_stats=1 \
        >"build/fuzz/$name.log" 2>&1; then
        awk -v name="$name" '/number_of_executed_units/ {n = $2} /average_exec_per_sec/ {r = $2} / DONE / {c = $4}
            /peak_rss_mb/ {m = $2} END {print name ": " n " executions, " r " a second, coverage " c ", " m " MiB"}' \
            "build/fuzz/$name.log"
    else
        echo "$name: FAILED"
        tail -n 60 "build/fuzz/$name.log"
        status=1
    fi
done
exit $status
