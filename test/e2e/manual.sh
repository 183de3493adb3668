# The manual and --help name the same options and commands.
. test/e2e/begin.inc
manual=docs/depthprune.1

for command in inspect score plan prune eval convert report doctor completion help; do
    "$depthprune" $command --help
done | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -e '--[a-z-]+' | sort -u >"$scratch/help"
grep -A 1 '^\.TP' "$manual" | sed 's/\\-/-/g' | grep -oE -e '--[a-z-]+' | sort -u >"$scratch/manual"
diff "$scratch/help" "$scratch/manual" || bad "the options of --help (<) and of the manual (>) differ"

"$depthprune" --help | sed -n '/^usage/,/^MODEL/s/^  \([a-z]*\) .*/\1/p'  >"$scratch/commands"
for command in $(cat "$scratch/commands"); do
    grep -A 1 '^\.TP' "$manual" | grep -qx "\.B $command" || bad "the manual does not describe '$command'"
done
[ "$(wc -l <"$scratch/help")" -gt 30 ] || bad "few options were found"
if command -v groff >/dev/null; then
    groff -man -Tutf8 -ww "$manual" 2>&1 >/dev/null | grep . && bad "groff complains"
fi
finish
