#!/bin/sh
# What the built files are held to: hardening flags on every file and that they bite, no writable data and no constructor
# beyond the C runtime's own, everything read-only after start, no path of this machine.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
library=lib/libdepthprune.so program=build/depthprune
bad()
{
    echo "$*"
    exit 1
}

# Every file is compiled with the same flags, but for its instruction set.
CC="${CC:-cc}"
make -s -n -B V=1 CC="$CC" all | grep -e ' -c src/' >"$work/commands"
[ "$(wc -l <"$work/commands")" -ge "$(find src -name '*.c' | grep -cvE '_(avx2|avx512)\.c')" ] || bad "not every file is compiled"
fortify=3
echo | $CC -Werror -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -include features.h -x c -S -o /dev/null - 2>/dev/null || fortify=2
flags="-D_FORTIFY_SOURCE=$fortify -fstack-protector-strong -Wvla -Walloca -Wframe-larger-than=16384 -Werror -fPIC"
for flag in $flags -fvisibility=hidden -ffp-contract=off; do
    if grep -vqe " $flag " "$work/commands"; then bad "not every file is compiled with $flag"; fi
done
for flag in -fstack-clash-protection -fcf-protection -mbranch-protection=standard; do
    $CC -Werror $flag -x c -S -o /dev/null /dev/null 2>/dev/null || continue
    if grep -vqe " $flag " "$work/commands"; then bad "not every file is compiled with $flag"; fi
done

# The flags refuse what they are there to refuse.
compile=$(sed -n 's|-c src/base/version.c.*||p' "$work/commands")
refuse() # why, body of a function of n
{
    printf '#include <alloca.h>\nvoid use(char *);\nvoid probe(unsigned n);\nvoid probe(unsigned n)\n{\n%s\nuse(a);\n}\n' \
        "$2" >"$work/probe.c"
    if $compile -MF "$work/d" -c "$work/probe.c" -o "$work/probe.o" 2>"$work/log"; then
        [ "$1" = sound ] || bad "the flags let $1 pass"
    else
        [ "$1" != sound ] || { cat "$work/log"; bad "the flags refuse sound code"; }
    fi
}
refuse sound 'char a[16000]; a[n % 16000] = 0;'
refuse "a frame of 17 KiB" 'char a[17408]; a[n % 17408] = 0;'
refuse "a variable array" 'char a[n + 1]; a[n] = 0;'
refuse "alloca" 'char *a = alloca(n + 1);'

# Machines that this library is not for are told so.
other() # macro, its value there, what is said
{
    if $compile -MF "$work/d" -U$1 -D$1=$2 -c src/base/memory.c -o "$work/probe.o" 2>"$work/log"; then bad "$1=$2 compiles"; fi
    grep -q "error.*$3" "$work/log" || { cat "$work/log"; bad "$1=$2 is not refused by name"; }
}
other __SIZEOF_POINTER__ 4 'needs a 64-bit machine'
other __BYTE_ORDER__ __ORDER_BIG_ENDIAN__ 'needs a little-endian machine'

# Sections against a shared object of nothing, linked by the same compiler: what is over is ours.
echo 'int dp_nothing(void); int dp_nothing(void) { return 0; }' >"$work/nothing.c"
$CC -shared -fPIC -Wl,-z,relro,-z,now "$work/nothing.c" -o "$work/nothing.so"
bytes() # section, file
{
    readelf -SW "$2" | awk -v want="$1" '{sub(/^ *\[ *[0-9]+\] */, "")} $1 == want {print $5}' | grep . || echo 0
}
for section in .data .bss .tdata .tbss .init_array .fini_array .ctors .preinit_array; do
    ours=$((0x$(bytes $section $library))) runtime=$((0x$(bytes $section "$work/nothing.so")))
    [ $ours -le $runtime ] || bad "$section has $ours bytes where the C runtime has $runtime"
done
readelf -SW lib/libdepthprune.a | awk '{sub(/^ *\[ *[0-9]+\] */, "")} $7 ~ /W/ && $5 !~ /^0+$/ && $1 !~ /^\.data\.rel\.ro/' >"$work/writable"
[ ! -s "$work/writable" ] || bad "writable sections in the archive: $(cat "$work/writable")"

for file in $library $program; do
    readelf -dW $file >"$work/dynamic"
    readelf -lW $file >"$work/segments"
    grep -q 'GNU_RELRO' "$work/segments" || bad "$file: no RELRO"
    grep -q 'FLAGS_1.*NOW' "$work/dynamic" || bad "$file: no BIND_NOW"
    if grep -q TEXTREL "$work/dynamic"; then bad "$file: text relocations"; fi
    grep 'GNU_STACK' "$work/segments" | grep -q 'RW ' || bad "$file: executable stack"
    if grep -E '^ +LOAD.* RWE' "$work/segments"; then bad "$file: a segment is writable and executable"; fi
    nm -D -u $file | grep -q __stack_chk_fail || bad "$file: no stack protector"
    nm -D -u $file | grep -qE '__[a-z]+_chk@' || bad "$file: not fortified"
done
readelf -hW $program | grep -q 'Type: *DYN' || bad "the program is not position-independent"
readelf -dW $program | grep 'RUNPATH' | grep -q '\[\$ORIGIN/[./a-z]*\]' || bad "the program's run path is not its own place"
here=$(pwd -P)
for file in $library lib/libdepthprune.a $program; do
    if LC_ALL=C grep -qaF "$here/" "$file"; then bad "$file holds this folder's path"; fi
done
# Each exported function begins where a branch may land.
if [ "$(uname -m)" = x86_64 ]; then
    objdump -d --no-show-raw-insn $library | awk '/^[0-9a-f]+ <dp_[a-z_0-9]+>:$/ {name = $2; getline; n++; if ($2 != "endbr64") print name}
        END {if (n == 0) print "nothing"}' >"$work/open"
    [ ! -s "$work/open" ] || bad "no endbr64 in: $(cat "$work/open")"
fi
echo "$(wc -l <"$work/commands") files hardened, FORTIFY $fortify, no writable data, no constructor, no path"
