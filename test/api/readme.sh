#!/bin/sh
# The C of the README compiles as it stands and links.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk '/^```c$/ {take = 1; next} /^```/ {take = 0} take' README.md >"$work/body.c"
[ -s "$work/body.c" ] || { echo "README.md has no C"; exit 1; }
grep -q 'int main' "$work/body.c" || {
    { grep '^#include' "$work/body.c"; echo 'int main(void) {'; grep -v '^#include' "$work/body.c"; echo 'return 0; }'; } >"$work/whole.c"
    mv "$work/whole.c" "$work/body.c"
}
${CC:-cc} -std=c99 -Wall -Iinclude "$work/body.c" -Llib -ldepthprune -o "$work/readme"
echo "the README's C compiles"
