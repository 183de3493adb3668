# A run of everything, and a fork, under valgrind: no error, and not a byte that was not freed.
command -v valgrind >/dev/null || {
    echo "valgrind is not installed"
    exit 77
}
. test/fault/begin.inc
host whole_run
host fork
checked() {
    valgrind -q --keep-debuginfo=yes --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=all \
        --trace-children=no --error-exitcode=9 "$@" >"$scratch/said" 2>&1 || {
        bad "$1"
        head -n 40 "$scratch/said"
    }
}
mkdir "$scratch/saved" "$scratch/again"
checked "$scratch/whole_run" "$scratch/saved" "$work/bytes" "$work/bytes.gguf" "$work/pieces" "$work/parts"
checked "$scratch/fork" "$work/bytes" 2 all
checked "$scratch/whole_run" "$scratch/again" "$scratch/saved/out" "$scratch/saved/out.gguf"
[ $failures = 0 ] && echo "valgrind has nothing to say"
finish
