#!/bin/sh
# Copy the sources, without what was built, into a new folder.   usage: copy_tree.sh FOLDER
set -eu
mkdir -p "$1"
tar -cf - --exclude=./.git --exclude=./build --exclude='./lib/*.so*' --exclude='./lib/*.a' --exclude='./examples/rust/target' \
    --exclude=__pycache__ . | tar -xf - -C "$1"
