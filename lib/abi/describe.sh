#!/bin/sh
# Write the description of the library's interface to a file.   usage: describe.sh FILE
exec abidw --headers-dir include --drop-private-types --exported-interfaces-only --no-show-locs --no-corpus-path \
    --no-comp-dir-path --out-file "$1" lib/libdepthprune.so
