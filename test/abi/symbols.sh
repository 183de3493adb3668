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
forbidden="$forbidden|unsetenv|clearenv|environ|vfork|posix_spawnp?|execvp?|execlp?|raise|pthread_kill|sigprocmask|alarm"
forbidden="$forbidden|at_quick_exit|pthread_atfork|__register_atfork|localeconv|random|srandom|drand48|lrand48|syslog|stdin"
forbidden="$forbidden|v?d?printf|__v?d?printf_chk|f?putc|putc_unlocked|fwrite|fchdir|strsignal|setjmp|longjmp|__longjmp_chk"
forbidden="$forbidden|atol|atoll|strtol|strtoll|__isoc(99|23)_.?scanf|sscanf|scanf|readdir_r|localtime|gmtime|ctime|asctime"
forbidden="$forbidden|dlmopen|mcheck|mallopt|setrlimit|setuid|setgid|pthread_exit|pthread_setcancelstate|pthread_cancel"
for file in "$library" lib/libdepthprune.a; do
    dynamic=$([ "$file" = "$library" ] && echo -D || true)
    imports=$(nm $dynamic -u "$file" 2>/dev/null | awk '{sub(/@.*/, "", $2); print $2}' | grep -xE "$forbidden" || true)
    [ -z "$imports" ] || { echo "forbidden imports of $file: $imports"; exit 1; }
done
# kill is there to ask whether a process lives; signal 0 does nothing to it.
others=$(grep -rhoE '\bkill\([^;]*;' src --include='*.c' --exclude-dir=cli | grep -v ', 0)' || true)
[ -z "$others" ] || { echo "a signal is sent: $others"; exit 1; }
writable=$(objdump -t "$library" | awk '($4 == ".data" || $4 == ".bss" || $4 == ".tdata" || $4 == ".tbss" || $5 == ".data" || $5 == ".bss") &&
    $NF !~ /^(\.data|\.bss|completed\.0|__dso_handle|__TMC_END__|__bss_start|_edata|_end|crtstuff\.c)$/ {print $NF}' | sort -u)
[ -z "$writable" ] || { echo "writable globals: $writable"; exit 1; }
readelf -dW "$library" | grep -q SONAME || { echo "no SONAME"; exit 1; }
if readelf -dW "$library" | grep -qE 'TEXTREL|RPATH|RUNPATH'; then echo "text relocation or run path"; exit 1; fi
if readelf -lW "$library" | grep GNU_STACK | grep -q RWE; then echo "executable stack"; exit 1; fi
echo "$(wc -l <"$work/map") names in headers, map, both libraries and CHANGELOG"
