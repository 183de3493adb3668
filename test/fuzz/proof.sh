#!/bin/sh
# Each fuzz target proves itself: in a copy of the sources one bounds check goes (proof/TARGET.sed: the file, then the
# change), and the target must find that within 60 s from its seeds and dictionary.   usage: proof.sh [TARGET ...]
if [ $# = 0 ]; then
    set -- $(ls test/fuzz | sed -n 's/^fuzz_\(.*\)\.c$/\1/p')
fi
CC=${FUZZ_CC:-clang}
command -v "${CC##* }" >/dev/null || { echo "there is no clang" && exit 77; }
make=${MAKE:-make}
copy=build/fuzz/proof
mkdir -p $copy
cp -a --update Makefile include lib src test $copy/ || exit 1
cd $copy || exit 1
python3 -B test/fuzz/seeds.py build/fuzz || exit 1
export UBSAN_OPTIONS=print_stacktrace=1
build() # target
{
    $make --no-print-directory CC="$CC" CFLAGS="-O2 -g -Wno-error" BUILD=build/fuzz FUZZER=1 \
        SANITIZE=fuzzer-no-link,address,undefined,float-cast-overflow "build/fuzz/test/fuzz/$1" >build.log 2>&1 ||
        { cat build.log && return 1; }
}
status=0
for name in "$@"; do
    change=test/fuzz/proof/$name.sed
    file=$(sed -n '1s/^# //p' "$change")
    cp "$file" whole.c || exit 1
    sed -f "$change" whole.c >"$file"
    if cmp -s whole.c "$file"; then
        echo "$name: $change changes nothing in $file any more"
        status=1
        continue
    fi
    if ! build "$name"; then
        echo "$name: cannot be built without the check"
        cp whole.c "$file"
        status=1
        continue
    fi
    rm -rf corpus && mkdir corpus
    begin=$(date +%s.%N)
    "build/fuzz/test/fuzz/$name" corpus "build/fuzz/seeds/$name" -max_total_time=60 -rss_limit_mb=512 -timeout=2 \
        -max_len=16384 -seed=1 -dict="test/fuzz/dict/$name.dict" -artifact_prefix=corpus/ >"$name.log" 2>&1
    found=$?
    end=$(date +%s.%N)
    report=$(grep -m 1 -oE 'ERROR: (AddressSanitizer|libFuzzer): [a-zA-Z-]+( [a-z]+)?|runtime error: .*|does not hold: .*' "$name.log")
    if [ $found = 0 ] || [ -z "$report" ]; then
        echo "$name: NOT FOUND in 60 s"
        status=1
    else
        echo "$name $begin $end $report" | awk '{printf "%s: found in %.1f s:", $1, $3 - $2; for (i = 4; i <= NF; i++) printf " %s", $i; print ""}'
    fi
    cp whole.c "$file"
done
exit $status
