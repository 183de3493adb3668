#!/bin/sh
# The shape of the sources: files of at most 400 lines, functions of at most 60, a first line that says what a file is,
# calls that a library may not make, rooms that include only lower rooms.
set -u
status=0
fault()
{
    echo "$*"
    status=1
}
awk -f test/lint/rooms.awk src/ROOMS $(find src -name '*.[ch]') || status=1
for file in $(find src cuda -name '*.[ch]' -o -name '*.cu'); do
    lines=$(wc -l <"$file")
    [ "$lines" -le 400 ] || fault "$file: $lines lines"
    head -n 1 "$file" | grep -qE '^(//|/\*)' || fault "$file: the first line does not say what it is"
    awk -v file="$file" '
        /^\{/ { start = NR }
        /^\}/ { if (start && NR - start > 60) { print file ":" start ": a function of " NR - start " lines"; bad = 1 } start = 0 }
        END { exit bad }' "$file" || status=1
done
# Calls by the files that may make them.
only() # pattern, files where it may stand
{
    pattern=$1
    shift
    found=$(grep -nE "(^|[^.>_a-zA-Z0-9])($pattern)\\(" $(find src -name '*.c' ! -path 'src/cli/*') | grep -vE '^[^:]*:[0-9]+: *//' || true)
    for allowed in "$@"; do
        found=$(echo "$found" | grep -v "^$allowed:" || true)
    done
    [ -z "$found" ] || fault "not to be called here: $found"
}
only 'malloc|calloc|realloc|free|aligned_alloc|posix_memalign' src/base/memory.c src/io/json.c src/io/json_text.c
only 'printf|fprintf|puts|putchar|perror|exit|abort|_exit|assert|getenv|setlocale|signal|sigaction|strtod|atof|atoi|strtok|rand|srand|time|strcpy|strcat|sprintf|system|fork|alloca|setjmp|longjmp'
if command -v pmccabe >/dev/null; then
    deep=$(pmccabe $(find src -name '*.c') | awk '$1 > 15 {print $NF " has complexity " $1}' FS='\t' OFS='\t')
    [ -z "$deep" ] || fault "$deep"
fi
exit $status
