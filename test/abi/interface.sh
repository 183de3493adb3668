#!/bin/sh
# The stored description of the interface against the library as built: additions at a struct's end and new functions
# pass, anything else fails.  A changed baseline needs a line under "ABI" in CHANGELOG.md in the same commit.
set -eu
baseline=lib/abi/libdepthprune.abi
[ -f "$baseline" ] || { echo "no baseline at $baseline"; exit 1; }
command -v abidiff >/dev/null || { echo "abidiff is not installed (Debian: abigail-tools)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Two dumps made alike are compared: against the library itself abidiff passes over a changed parameter.
sh lib/abi/describe.sh "$work/now.abi"
abidiff --no-added-syms --suppressions lib/abi/allowed.suppr --headers-dir1 include --headers-dir2 include "$baseline" \
    "$work/now.abi"
echo "the interface is the baseline's"
