#!/bin/sh
# Run each test program given; print its output when it fails, and at the end how many passed and failed.
# A program that exits 77 is a skip, said aloud; under CI=true a skip is a failure.
export CK_DEFAULT_TIMEOUT="${CK_DEFAULT_TIMEOUT:-120}" # seconds a case; Check's own 4 are few on a busy machine
passed=0 failed=0 skipped=0
for program in "$@"; do
    log=$(mktemp)
    case $program in
        *.sh) sh "$program" >"$log" 2>&1 ;;
        *.py) python3 "$program" >"$log" 2>&1 ;;
        *) ${TEST_RUNNER:-} "$program" >"$log" 2>&1 ;; # such as an emulator
    esac
    status=$?
    if [ $status = 0 ]; then
        passed=$((passed + 1))
        echo "ok      $program"
    elif [ $status = 77 ] && [ "${CI:-}" != true ]; then
        skipped=$((skipped + 1))
        echo "SKIPPED $program: $(tail -n 1 "$log")"
    else
        failed=$((failed + 1))
        echo "FAILED  $program (status $status)"
        sed 's/^/    /' "$log"
    fi
    rm -f "$log"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
