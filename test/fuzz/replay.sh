#!/bin/sh
# Every fuzz target runs on its seeds and on the inputs that once broke something.   usage: replay.sh [folder of targets]
targets=${1:-${BUILD:-build}/test/fuzz}
if [ $# = 0 ]; then
    ${MAKE:-make} --no-print-directory fuzz-targets >/dev/null || exit 1
fi
python3 -B test/fuzz/seeds.py build/fuzz || exit 1
status=0
for source in test/fuzz/fuzz_*.c; do
    name=${source#test/fuzz/fuzz_}
    name=${name%.c}
    set -- "build/fuzz/seeds/$name"
    [ -d "test/fuzz/found/$name" ] && set -- "$@" "test/fuzz/found/$name"
    if said=$("$targets/$name" "$@" 2>&1); then
        echo "$name: $said"
    else
        echo "$name: FAILED"
        echo "$said"
        status=1
    fi
done
exit $status
