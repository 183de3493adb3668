# The process around the program: locales, descriptors, limits, rights, a full disk.  The same bytes as in the C locale,
# or an error in one line; never a signal.
. test/fault/begin.inc
cd "$work" || exit 1
root=$OLDPWD
case $depthprune in /*) ;; *) depthprune=$root/$depthprune ;; esac
count=0 skipped=
sum() {
    (cd "$1" && find . -type f ! -name scores.json | LC_ALL=C sort | xargs cksum)
}
# The work that must give the same everywhere: `all WHERE`, in the folder WHERE.
all() {
    "$depthprune" score "$work/bytes" --calibration "$work/corpus.txt" --length 16 --threads 1 -o "$1/scores.json" -q >"$1/said" &&
        "$depthprune" prune "$work/bytes" --scores "$1/scores.json" --blocks 1 -o "$1/hf" -q >/dev/null &&
        "$depthprune" convert "$1/hf" -o "$1/gguf.gguf" -q >/dev/null &&
        "$depthprune" convert "$1/gguf.gguf" -o "$1/parts" --max-shard-size 8K -q --to hf >/dev/null &&
        "$depthprune" eval "$1/parts" --perplexity "$work/corpus.txt" --window 16 --threads 1 -q >"$1/measured" &&
        sed -i '/seconds/d' "$1/hf/depthprune.json" "$1/parts/depthprune.json"
}
mkdir plain && LC_ALL=C all plain || bad "the plain run"
# The models' paths stand nowhere but in what is printed.
same() { # same NAME: the folder holds what the plain one does
    count=$((count + 1))
    [ "$(sum "$1")" = "$(sum plain)" ] || bad "$1: other bytes: $(diff -rq plain "$1" | head -n 3)"
}
# fails STATUS WORDS: of what ran last, with $status and $scratch/err
fails() {
    count=$((count + 1))
    [ "$status" = "$1" ] || bad "status $status, not $1: $(cat "$scratch/err")"
    says "$2"
}

# Locales: commas in numbers, other cases of letters.
mkdir locales
for name in de_DE tr_TR; do
    if localedef -i $name -f UTF-8 "locales/$name.UTF-8" >/dev/null 2>&1; then
        mkdir $name
        LOCPATH=$work/locales LC_ALL=$name.UTF-8 LANG=$name.UTF-8 all $name || bad "in $name"
        same $name
    else
        skipped="$skipped locale $name;"
    fi
done

# A path that is no UTF-8, an empty environment, no standard files.
odd=$(printf 'odd \377\376 \303\251 "name"\n.')
mkdir "$odd" && all "$odd" || bad "in a folder with an odd name"
same "$odd"
mkdir empty
env -i "$depthprune" prune "$work/bytes" --scores plain/scores.json --blocks 1 -o empty/hf -q >/dev/null ||
    bad "with an empty environment"
sed -i '/seconds/d' empty/hf/depthprune.json
for closed in '<&-' '>&-' '2>&-' '<&- >&-' '<&- >&- 2>&-'; do
    rm -rf closed && mkdir closed
    eval "'$depthprune' prune '$work/bytes' --scores plain/scores.json --blocks 1 -o closed/hf -q $closed" >"$scratch/log" 2>&1
    sed -i '/seconds/d' closed/hf/depthprune.json
    [ "$(sum closed/hf)" = "$(sum plain/hf)" ] || bad "descriptors $closed: other bytes"
    count=$((count + 1))
done
[ "$(sum empty/hf)" = "$(sum plain/hf)" ] || bad "with an empty environment: other bytes"

# Output that nobody reads.
for command in "inspect bytes --json" "score bytes --criterion mag --json" --help "eval bytes --perplexity corpus.txt --window 16 --json"; do
    # shellcheck disable=SC2086
    { sleep 0.2; "$depthprune" $command 2>"$scratch/err"; echo $? >"$scratch/status"; } | true
    status=$(cat "$scratch/status")
    fails 1 "standard output: cannot be written: Broken pipe"
done

# Limits.
mkdir limits
(ulimit -f 8; "$depthprune" convert bytes -o limits/a.gguf -q) >/dev/null 2>"$scratch/err"
status=$?
fails 1 "File too large"
(ulimit -f 8; "$depthprune" convert bytes -o limits/a --to hf -q) >/dev/null 2>"$scratch/err"
status=$?
fails 1 "File too large"
{ (ulimit -f 0; "$depthprune" score bytes --criterion mag -o limits/s.json -q >/dev/null); echo $? >"$scratch/status"; } 2>&1 |
    cat >"$scratch/err"
status=$(cat "$scratch/status")
fails 1 "File too large"
[ -z "$(ls -A limits)" ] || bad "over the limit of bytes: $(ls -A limits)"
"$depthprune" convert bytes -o many --max-shard-size 1 -q >/dev/null
mkdir few
(ulimit -n 16; "$depthprune" convert many -o few/whole -q) >/dev/null 2>"$scratch/err" ||
    bad "41 files with 16 descriptors: $(cat "$scratch/err")"
(ulimit -n 16; all few) || bad "with 16 descriptors"
rm -rf few/whole
same few
for most in 3 4 5 6 7; do
    (ulimit -n $most; exec "$depthprune" convert bytes -o "few/new$most" -q) >/dev/null 2>"$scratch/err"
    status=$?
    [ $status -le 127 ] || bad "$most descriptors: status $status"
    [ $status != 0 ] || [ -s "few/new$most/config.json" ] || bad "$most descriptors: nothing came of it"
    count=$((count + 1))
done
mkdir stack
(ulimit -s 256; all stack) || bad "with a stack of 256 KiB"
same stack
mkdir masked
(umask 027; "$depthprune" convert bytes -o masked/hf -q; "$depthprune" convert bytes -o masked/m.gguf -q
    "$depthprune" score bytes --criterion mag -o masked/s.json -q) >/dev/null
modes=$(find masked -mindepth 1 \( -type d -printf '%m d\n' -o -printf '%m f\n' \) | sort -u | tr '\n' ' ')
[ "$modes" = "640 f 750 d " ] || bad "umask 027 gives $modes"
count=$((count + 1))

# A working folder that cannot be written, files that cannot be read: root can all of that, so another user tries.
if [ "$(id -u)" = 0 ] && setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null; then
    chmod 755 "$scratch" "$work"
    mkdir theirs shut && chown 65534 theirs && chmod 555 shut
    cp -r bytes closed-model && chmod 000 closed-model/model.safetensors
    reach=$(setpriv --reuid=65534 --regid=65534 --clear-groups "$depthprune" --version 2>/dev/null)
    theirs() {
        (cd "$work/shut" && setpriv --reuid=65534 --regid=65534 --clear-groups "$depthprune" "$@") >/dev/null 2>"$scratch/err"
        status=$?
    }
    if [ -n "$reach" ]; then
        theirs prune "$work/bytes" --scores "$work/plain/scores.json" --blocks 1 -o "$work/theirs/hf" -q
        [ $status = 0 ] || bad "in a folder that cannot be written: $(cat "$scratch/err")"
        sed -i '/seconds/d' theirs/hf/depthprune.json
        [ "$(sum theirs/hf)" = "$(sum plain/hf)" ] || bad "in a folder that cannot be written: other bytes"
        theirs convert "$work/bytes" -o here -q
        fails 1 "Permission denied"
        theirs score "$work/bytes" --criterion mag -o here.json -q
        fails 1 "Permission denied"
        theirs inspect "$work/closed-model"
        fails 1 "model.safetensors: cannot open: Permission denied"
        theirs score "$work/bytes" --calibration "$work/closed-model/model.safetensors" -q
        fails 1 "Permission denied"
    else
        skipped="$skipped another user cannot reach the program;"
    fi
else
    skipped="$skipped rights, which need root and setpriv;"
fi

# A disk that is full, and one that fills while it is written.
mkdir disk
if mount -t tmpfs -o size=100k none disk 2>/dev/null; then
    "$depthprune" convert bytes -o disk/m.gguf -q >/dev/null 2>"$scratch/err"
    status=$?
    fails 1 "102400 are free"
    head -c 90000 /dev/zero >disk/filler
    "$depthprune" score bytes --criterion mag -o disk/s.json -q >/dev/null 2>"$scratch/err"
    head -c 20000 /dev/zero >>disk/filler 2>/dev/null
    rm -f disk/s.json
    head -c 20000 /dev/zero >>disk/filler 2>/dev/null
    "$depthprune" score bytes --criterion mag -o disk/s.json -q >/dev/null 2>"$scratch/err"
    status=$?
    fails 1 "No space left on device"
    [ "$(ls -A disk)" = filler ] || bad "on the full disk: $(ls -A disk)"
    umount disk
else
    skipped="$skipped a full disk, which needs mount;"
fi

cd "$root" || exit 1
host small_stack
# hosted WHERE: the library in a host with a small stack and the locale of the environment
hosted() {
    "$scratch/small_stack" "$work" >"$work/$1-said" || bad "on a thread with a stack of 256 KiB: $(cat "$work/$1-said")"
    mkdir "$work/$1" && mv "$work/small" "$work/small.gguf" "$work/small-parts.gguf" "$work/$1"
    grep -v '"seconds"\|^decimal' "$work/$1-said" >"$work/$1/scores"
    count=$((count + 1))
}
LC_ALL=C hosted plain-host
for name in de_DE tr_TR; do
    [ -d "$work/locales/$name.UTF-8" ] || continue
    LOCPATH=$work/locales LC_ALL=$name.UTF-8 hosted $name-host
    grep -q '^decimal point ,' "$work/$name-host-said" || bad "the host is not in $name"
    diff -r "$work/plain-host" "$work/$name-host" >/dev/null || bad "other bytes in a host in $name"
done
[ -z "$skipped" ] || echo "skipped:$skipped"
echo "$count runs in odd processes"
finish
