# Allocations of the program that fail: a few; check-long tries all.
. test/fault/begin.inc
${CC:-cc} -std=gnu11 -O1 -Wall -Wextra -Werror -shared -fPIC test/fault/failing_malloc.c -o "$scratch/failing_malloc.so" || exit 1
"$depthprune" score "$work/bytes" --criterion mag -o "$work/scores.json" -q >/dev/null
echo '[[1,2,3,4],[5,6,7,8]]' >"$work/ids.json"
python3 test/fault/program_memory.py "$scratch/failing_malloc.so" "$depthprune" "$work" "${DEPTHPRUNE_STEP:-149}" || bad "memory of the program"
finish
