#!/bin/sh
# Names in the headers = names in the map = names that the library exports; every name stands in the CHANGELOG;
# the library imports nothing that prints, exits or keeps global state, and has no writable data of its own.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
library=lib/libdepthprune.so
grep -ohE '\bdp_[a-z0-9_]+\(' include/depthprune/*.h | tr -d '(' | LC_ALL=C sort -u >"$work/headers"
awk '/^ +dp_/{sub(/;/, ""); print $1}' lib/libdepthprune.map | LC_ALL=C sort -u >"$work/map"
nm -D --defined-only "$library" | awk '$2 != "A" {sub(/@.*/, "", $3); print $3}' | LC_ALL=C sort -u >"$work/binary"
diff "$work/headers" "$work/map" || { echo "headers and map differ"; exit 1; }
diff "$work/map" "$work/binary" || { echo "map and library differ"; exit 1; }
nm lib/libdepthprune.a 2>/dev/null | awk '$2 ~ /^[TDBRVW]$/ {print $3}' | LC_ALL=C sort -u >"$work/static"
diff "$work/map" "$work/static" || { echo "map and static library differ"; exit 1; }
while read -r name; do
    grep -q "$name" CHANGELOG.md || { echo "CHANGELOG.md does not name $name"; exit 1; }
done <"$work/map"
forbidden='exit|_exit|_Exit|quick_exit|abort|__assert_fail|printf|__printf_chk|puts|putchar|stdout|stderr|perror|fprintf'
forbidden="$forbidden|__fprintf_chk|vfprintf|__vfprintf_chk|signal|sigaction|setlocale|strtok|gets|sprintf|__sprintf_chk"
forbidden="$forbidden|strcpy|__strcpy_chk|strcat|__strcat_chk|tmpnam|mktemp|system|popen|fork|execve|rand|srand|setenv"
forbidden="$forbidden|putenv|getenv|secure_getenv|fputs|chdir|umask|atexit|strtod|strtof|atof|atoi|strerror"
imports=$(nm -D -u "$library" | awk '{sub(/@.*/, "", $2); print $2}' | grep -xE "$forbidden" || true)
[ -z "$imports" ] || { echo "forbidden imports: $imports"; exit 1; }
writable=$(objdump -t "$library" | awk '($4 == ".data" || $4 == ".bss" || $4 == ".tdata" || $4 == ".tbss" || $5 == ".data" || $5 == ".bss") &&
    $NF !~ /^(\.data|\.bss|completed\.0|__dso_handle|__TMC_END__|__bss_start|_edata|_end|crtstuff\.c)$/ {print $NF}' | sort -u)
[ -z "$writable" ] || { echo "writable globals: $writable"; exit 1; }
readelf -dW "$library" | grep -q SONAME || { echo "no SONAME"; exit 1; }
if readelf -dW "$library" | grep -qE 'TEXTREL|RPATH|RUNPATH'; then echo "text relocation or run path"; exit 1; fi
if readelf -lW "$library" | grep GNU_STACK | grep -q RWE; then echo "executable stack"; exit 1; fi
echo "$(wc -l <"$work/map") names in headers, map, both libraries and CHANGELOG"
